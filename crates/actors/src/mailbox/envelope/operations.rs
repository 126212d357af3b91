//! What can be done with a message of any type: one table for each type, and one more for those that play a role.

use std::alloc::Layout;
use std::any::TypeId;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::Head;
use crate::message::Message;
use crate::request::Plays;

#[repr(C)]
pub(super) struct Packet<T> {
    pub(super) head: Head,
    pub(super) message: ManuallyDrop<T>,
}

/// What is to be known of a type of message.
pub(super) struct VTable {
    pub(super) type_id: TypeId,
    pub(super) type_name: fn() -> &'static str,
    pub(super) layout: Layout,
    /// The size, in eights.
    pub(super) eights: u32,
    /// Destroys the message in place.
    pub(super) drop: unsafe fn(NonNull<Head>),
    pub(super) debug: unsafe fn(NonNull<Head>, &mut fmt::Formatter<'_>) -> fmt::Result,
    pub(super) serialize: unsafe fn(NonNull<Head>) -> *const dyn erased_serde::Serialize,
    /// What the message is to a server, if it is one of those.
    pub(super) role: Option<unsafe fn(NonNull<Head>) -> *const dyn Plays>,
}

/// The message in an envelope that was taken out of it for a look.
pub(super) struct Hollow;

pub(super) trait Operations: Sized {
    const TABLE: &'static VTable;
    const HOLLOW: &'static VTable;
}

impl<T: Message> Operations for T {
    const TABLE: &'static VTable = &VTable {
        type_id: TypeId::of::<T>(),
        type_name: std::any::type_name::<T>,
        layout: Layout::new::<Packet<T>>(),
        eights: in_eights(size_of::<Packet<T>>()),
        // SAFETY: called only through an envelope whose table this is, so the packet is a `Packet<T>`
        // with its message in place.
        drop: |head| unsafe { ManuallyDrop::drop(&mut head.cast::<Packet<T>>().as_mut().message) },
        // SAFETY: as above.
        debug: |head, f| unsafe { fmt::Debug::fmt(&*head.cast::<Packet<T>>().as_ref().message, f) },
        // SAFETY: as above.
        serialize: |head| unsafe { &*head.cast::<Packet<T>>().as_ref().message },
        role: None,
    };
    const HOLLOW: &'static VTable = &VTable {
        type_id: TypeId::of::<Hollow>(),
        type_name: std::any::type_name::<T>,
        layout: Layout::new::<Packet<T>>(),
        eights: in_eights(size_of::<Packet<T>>()),
        drop: |_| (),
        debug: |_, f| f.write_str("…"),
        serialize: |_| &(),
        role: None,
    };
}

/// The table of a message that plays a role.
pub(super) trait RoleOperations: Plays + Message {
    const ROLE_TABLE: &'static VTable = &VTable {
        // SAFETY: called only through an envelope whose table this is, so the packet is a `Packet<Self>` with its
        // message in place.
        role: Some(|head| unsafe { &*head.cast::<Packet<Self>>().as_ref().message }),
        ..*Self::TABLE
    };
}

impl<T: Plays + Message> RoleOperations for T {}

const fn in_eights(bytes: usize) -> u32 {
    if bytes / 8 > u32::MAX as usize { u32::MAX } else { (bytes / 8) as u32 }
}
