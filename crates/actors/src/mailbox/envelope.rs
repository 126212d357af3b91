//! One message on its way: a single allocation that holds the link to its neighbour, the operations of
//! its type, the trace token that rides on it, and the message itself.
//!
//! Everything generic is in [`VTable`]; the rest of the crate moves envelopes about without knowing types.

mod operations;

use std::alloc::{Layout, dealloc};
use std::any::TypeId;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::message::Message;
use crate::pid::Ref;
use crate::request::{About, Answered, Asked, Plays, ReplyTo, Role, signal};
use crate::router::Parcel;
use crate::trace::{Riding, Signal};
use operations::{Hollow, Operations, Packet, RoleOperations, VTable};

/// The part of an envelope that is the same for every type of message.
#[repr(C)]
pub(crate) struct Head {
    /// The neighbour: the next older one in an inbox, the next newer one in a queue.
    pub(super) next: Option<NonNull<Head>>,
    operations: &'static VTable,
    token: Option<Box<Riding>>,
}

impl Head {
    /// The bytes of the envelope, message included, in eights.
    #[inline]
    pub(crate) fn eights(&self) -> u32 {
        self.operations.eights
    }
}

/// A type of message, as a receive asks for it.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    type_id: TypeId,
    accept: fn(&mut Envelope) -> bool,
}

impl Wanted {
    #[inline]
    pub(crate) fn of<T: Message>() -> Self {
        Wanted { type_id: TypeId::of::<T>(), accept: Envelope::accept::<T> }
    }

    /// Whether that is what the envelope holds, as in [`Envelope::accept`].
    #[inline]
    pub(crate) fn accepts(self, envelope: &mut Envelope) -> bool {
        envelope.head().operations.type_id == self.type_id
            || (envelope.head().operations.type_id == TypeId::of::<Parcel>() && (self.accept)(envelope))
    }
}

/// An owned message of some type.
pub(crate) struct Envelope(NonNull<Head>);

// SAFETY: every message is `Send`, and so are tokens.
unsafe impl Send for Envelope {}

impl Envelope {
    #[inline]
    pub(crate) fn new<T: Message>(message: T) -> Self {
        Envelope::with(T::TABLE, message)
    }

    /// A message whose role can be told without knowing its type.
    #[inline]
    pub(crate) fn in_role<T: Plays + Message>(message: T) -> Self {
        Envelope::with(T::ROLE_TABLE, message)
    }

    /// The table is one for `T`.
    #[inline]
    fn with<T: Message>(operations: &'static VTable, message: T) -> Self {
        let packet = Box::new(Packet {
            head: Head { next: None, operations, token: None },
            message: ManuallyDrop::new(message),
        });
        crate::heap::set_aside(size_of::<Packet<T>>());
        Envelope(NonNull::from(Box::leak(packet)).cast())
    }

    #[inline]
    pub(super) fn as_raw(&self) -> NonNull<Head> {
        self.0
    }

    #[inline]
    pub(super) fn into_raw(self) -> NonNull<Head> {
        ManuallyDrop::new(self).0
    }

    /// # Safety
    /// `raw` came from [`Envelope::into_raw`], and nobody else makes an envelope of it.
    #[inline]
    pub(super) unsafe fn from_raw(raw: NonNull<Head>) -> Self {
        Envelope(raw)
    }

    #[inline]
    fn head(&self) -> &Head {
        // SAFETY: an envelope owns its allocation.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn head_mut(&mut self) -> &mut Head {
        // SAFETY: as above, and exclusively.
        unsafe { self.0.as_mut() }
    }

    #[inline]
    pub(crate) fn token(&self) -> Option<&Riding> {
        self.head().token.as_deref()
    }

    pub(crate) fn set_token(&mut self, token: Option<Box<Riding>>) {
        self.head_mut().token = token;
    }

    #[inline]
    pub(crate) fn take_token(&mut self) -> Option<Box<Riding>> {
        self.head_mut().token.take()
    }

    /// Where it is. No other envelope is there before this one is gone.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.0.addr().get()
    }

    /// A number that stands for the type of the message, and the type's name.
    #[inline]
    pub(crate) fn type_number(&self) -> (u64, fn() -> &'static str) {
        let operations = self.head().operations;
        (std::ptr::from_ref(operations).addr() as u64, operations.type_name)
    }

    #[inline]
    pub(crate) fn is<T: Message>(&self) -> bool {
        self.head().operations.type_id == TypeId::of::<T>()
    }

    /// The full name of the message's type.
    pub(crate) fn type_name(&self) -> &str {
        match self.peek::<Parcel>() {
            Some(parcel) => parcel.type_name(),
            None => (self.head().operations.type_name)(),
        }
    }

    pub(crate) fn peek<T: Message>(&self) -> Option<&T> {
        // SAFETY: the type was compared.
        self.is::<T>().then(|| unsafe { &*self.0.cast::<Packet<T>>().as_ref().message })
    }

    /// The message, to be turned into bytes.
    pub(crate) fn payload(&self) -> &dyn erased_serde::Serialize {
        // SAFETY: the table is this packet's own, and the borrow is bound to `self`.
        unsafe { &*(self.head().operations.serialize)(self.0) }
    }

    /// Whether this is a `T`. A message that arrived as bytes becomes one here, if it is.
    #[inline]
    pub(crate) fn accept<T: Message>(&mut self) -> bool {
        self.is::<T>() || self.open_parcel::<T>()
    }

    #[cold]
    fn open_parcel<T: Message>(&mut self) -> bool {
        let Some(message) = self.peek::<Parcel>().and_then(Parcel::open::<T>) else { return false };
        let token = self.take_token();
        *self = Envelope::new(message);
        self.set_token(token);
        true
    }

    /// Takes the message out for a look, if it is a `T`. It comes back by [`Envelope::restore`], or
    /// the envelope stays hollow.
    pub(crate) fn take<T: Message>(&mut self) -> Option<T> {
        if !self.accept::<T>() {
            return None;
        }
        self.head_mut().operations = T::HOLLOW;
        // SAFETY: it is a `T`, and as the envelope is hollow now, nobody reads it from there again.
        Some(unsafe { std::ptr::read(&*self.0.cast::<Packet<T>>().as_ref().message) })
    }

    /// The message, which is a `T`: that was found out before.
    ///
    /// # Panics
    /// If it is something else.
    #[inline]
    pub(crate) fn into_message<T: Message>(mut self) -> T {
        assert!(self.accept::<T>(), "a message is taken out as what it is");
        drop(self.take_token());
        let packet = ManuallyDrop::new(self).0.cast::<Packet<T>>();
        // SAFETY: it is a packet of this type, allocated as a box by `new`, and given up by its only owner here;
        // the message is moved out of it, and nothing else of it needs to be dropped.
        let packet = unsafe { Box::from_raw(packet.as_ptr()) };
        crate::heap::give_back(size_of::<Packet<T>>());
        ManuallyDrop::into_inner(packet.message)
    }

    /// Puts back what [`Envelope::take`] took out.
    ///
    /// # Panics
    /// If `T` is not the type that was taken out.
    pub(crate) fn restore<T: Message>(&mut self, message: T) {
        let hollow = self.head().operations;
        assert!(hollow.type_id == TypeId::of::<Hollow>() && hollow.layout == Layout::new::<Packet<T>>());
        // SAFETY: the packet has the layout of a `Packet<T>` and holds no message at present.
        unsafe { self.0.cast::<Packet<T>>().as_mut().message = ManuallyDrop::new(message) };
        self.head_mut().operations = T::TABLE;
    }

    /// What this is to a server; nothing is known of what is still bytes.
    fn role(&self) -> Option<Role<'_>> {
        // SAFETY: the table is this packet's own, and the borrow is bound to `self`.
        self.head().operations.role.map(|role| unsafe { &*role(self.0) }.role())
    }

    /// What is shown of this in a trace: of requests and answers, only what was asked and answered.
    pub(crate) fn shown(&self) -> &dyn fmt::Debug {
        match self.role() {
            Some(Role::Request { message, .. } | Role::Cast { message }) => message,
            Some(Role::Answer { value, .. }) => value,
            None => self,
        }
    }

    /// Which request this answers, if it does; nothing is known of what is still bytes.
    pub(crate) fn answered(&self) -> Option<Ref> {
        match self.role()? {
            Role::Answer { reference, .. } => Some(reference),
            Role::Request { .. } | Role::Cast { .. } => None,
        }
    }

    /// Where the answer to this goes, if it is a request.
    pub(crate) fn reply_to(&self) -> Option<ReplyTo> {
        match self.role() {
            Some(Role::Request { reply_to, .. }) => Some(reply_to),
            Some(Role::Cast { .. } | Role::Answer { .. }) => None,
            None => {
                let parcel = self.peek::<Parcel>()?;
                let Some(About::Request(_)) = About::of(parcel.type_name()) else { return None };
                Some(parcel.read::<Asked>()?.reply_to)
            }
        }
    }

    /// Whether this is what comes of a request: its answer, or the end of the server.
    pub(crate) fn answers(&self, request: Ref) -> bool {
        if let Some(down) = self.peek::<crate::message::Down>() {
            return down.reference == request;
        }
        match self.role() {
            Some(Role::Answer { reference, .. }) => reference == request,
            Some(Role::Request { .. } | Role::Cast { .. }) => false,
            None => self.peek::<Parcel>().is_some_and(|parcel| {
                matches!(About::of(parcel.type_name()), Some(About::Answer(_)))
                    && parcel.read::<Answered>().is_some_and(|answered| answered.reference == request)
            }),
        }
    }

    /// What this is, for the label of an arrow.
    pub(crate) fn signal(&self) -> Signal {
        if let Some(down) = self.peek::<crate::message::Down>() {
            return Signal::Down(down.reason.clone());
        }
        if let Some(exit) = self.peek::<crate::message::Exit>() {
            return Signal::Exit(exit.reason.clone());
        }
        let type_name = self.type_name();
        let text = match self.peek::<Parcel>() {
            Some(_) if About::of(type_name).is_some() => String::new(),
            Some(_) | None => bounded(self.shown()),
        };
        signal(type_name, text)
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the table is this packet's own.
        unsafe { (self.head().operations.debug)(self.0, f) }
    }
}

impl Drop for Envelope {
    #[inline]
    fn drop(&mut self) {
        /// Frees the packet's memory, also when the message's destructor panics.
        struct Free(NonNull<Head>, Layout);
        impl Drop for Free {
            fn drop(&mut self) {
                // SAFETY: allocated by `Box` with this layout, and given up by its only owner.
                unsafe { dealloc(self.0.as_ptr().cast(), self.1) };
                crate::heap::give_back(self.1.size());
            }
        }
        let operations = self.head().operations;
        drop(self.take_token());
        let _free = Free(self.0, operations.layout);
        // SAFETY: the table is this packet's own, and nobody uses the message after its owner's drop.
        unsafe { (operations.drop)(self.0) };
    }
}

/// Drops a value whose destructor is not ours, so that its panic stops nobody.
pub(crate) fn drop_quietly<T>(value: T) {
    if std::mem::needs_drop::<T>()
        && let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(value)))
    {
        std::mem::forget(payload); // It may be anything, so its destructor may panic as well.
    }
}

/// The longest text that is kept of a message's `Debug` form.
const LONGEST_TEXT: usize = 4096;

/// The `Debug` form, cut at [`LONGEST_TEXT`] while it is written, so that a huge message costs no more.
fn bounded(value: &dyn fmt::Debug) -> String {
    let mut text = String::new();
    write_bounded(value, &mut text);
    text
}

/// The same at the end of another text.
pub(crate) fn write_bounded(value: &dyn fmt::Debug, to: &mut String) {
    struct Bounded<'a> {
        text: &'a mut String,
        end: usize,
    }
    impl fmt::Write for Bounded<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = self.end - self.text.len();
            if text.len() <= room {
                self.text.push_str(text);
                return Ok(());
            }
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
            self.text.push('…');
            Err(fmt::Error)
        }
    }
    let end = to.len() + LONGEST_TEXT;
    // An error means that the text was cut, which the ellipsis shows.
    let _ = fmt::Write::write_fmt(&mut Bounded { text: to, end }, format_args!("{value:?}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Local, Private};
    use crate::router::Payload;
    use std::sync::Arc;

    #[test]
    fn a_message_is_taken_out_only_as_what_it_is() {
        let mut envelope = Envelope::new(String::from("text"));
        assert!(envelope.is::<String>() && !envelope.is::<u8>());
        assert_eq!(envelope.take::<u8>(), None);
        assert_eq!(envelope.peek::<String>().map(String::as_str), Some("text"));
        assert_eq!(envelope.type_name(), "alloc::string::String");
        assert_eq!(envelope.take::<String>(), Some("text".into()));
    }

    #[test]
    fn a_message_that_was_taken_out_can_be_put_back() {
        let mut envelope = Envelope::new(String::from("text"));
        let text = envelope.take::<String>().unwrap();
        assert_eq!(format!("{envelope:?}"), "…");
        assert!(envelope.take::<String>().is_none());
        envelope.restore(text);
        assert_eq!(format!("{envelope:?}"), "\"text\"");
    }

    #[test]
    #[should_panic]
    fn only_the_same_type_can_be_put_back() {
        let mut envelope = Envelope::new(1_u64);
        envelope.take::<u64>();
        envelope.restore(String::new());
    }

    #[test]
    fn messages_of_every_layout_are_dropped_once() {
        #[repr(align(64))]
        struct Wide(#[allow(dead_code, reason = "it is there to be dropped")] Arc<()>);
        let count = Arc::new(());
        for hollow in [false, true] {
            let mut wide = Envelope::new(Local(Wide(count.clone())));
            let mut plain = Envelope::new(Local(count.clone()));
            let _empty = Envelope::new(());
            if hollow {
                drop(wide.take::<Local<Wide>>());
                drop(plain.take::<Local<Arc<()>>>());
                assert_eq!(Arc::strong_count(&count), 1);
            }
        }
        assert_eq!(Arc::strong_count(&count), 1);
    }

    #[test]
    fn a_destructor_that_panics_is_kept_quiet_and_the_memory_freed() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new(()));
            }
        }
        drop_quietly(Envelope::new(Local(Bomb)));
    }

    #[test]
    fn bytes_become_a_message_when_it_is_asked_for() {
        struct Bytes(&'static str, &'static str);
        impl Payload for Bytes {
            fn type_name(&self) -> &str {
                self.0
            }
            fn decode(&self, read: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>)) {
                let mut json = serde_json::Deserializer::from_str(self.1);
                read(&mut <dyn erased_serde::Deserializer<'_>>::erase(&mut json));
            }
        }
        let parcel = |text| Envelope::new(Private::<Box<dyn Payload>>(Box::new(Bytes("alloc::string::String", text))));
        let mut envelope = parcel("\"sent\"");
        assert_eq!(envelope.type_name(), "alloc::string::String");
        assert!(!envelope.accept::<u8>());
        assert_eq!(envelope.take::<String>(), Some("sent".into()));
        let mut garbage = parcel("?");
        assert!(!garbage.accept::<String>());
    }

    #[test]
    fn long_messages_are_shown_in_part() {
        let Signal::Info { name, text } = Envelope::new("ä".repeat(10_000)).signal() else { panic!() };
        assert_eq!(name, "String");
        assert!(text.len() <= LONGEST_TEXT + '…'.len_utf8() && text.ends_with("ä…"));
    }
}
