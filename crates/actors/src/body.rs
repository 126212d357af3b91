//! The future of a process and what it inherited, in one allocation behind a thin pointer.
//!
//! A vtable of our own instead of `dyn Future`, so that a place of the table holds one word for it, and
//! so that others may read what was inherited while the future is being polled.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use crate::pid::Pid;
use crate::reason::{ExitReason, Outcome};

/// What a process got from the one that started it.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) parent: Option<Pid>,
    pub(crate) leader: Option<Pid>,
    pub(crate) spawned_at: &'static Location<'static>,
}

/// The part of a body that does not depend on the type of its future.
#[repr(C)]
pub(crate) struct Head {
    origin: Origin,
    /// Last, beside the future: a poll needs both and the origin not.
    operations: &'static VTable,
}

struct VTable {
    poll: unsafe fn(NonNull<Head>, &mut Context<'_>) -> Poll<ExitReason>,
    drop: unsafe fn(NonNull<Head>),
    size: usize,
}

#[repr(C)]
struct Whole<F> {
    head: Head,
    future: F,
}

/// An owned process body.
pub(crate) struct Body(NonNull<Head>);

// SAFETY: a body is only made of a future that is `Send`.
unsafe impl Send for Body {}

trait Operations {
    const TABLE: &'static VTable;
}

impl<F> Operations for F
where
    F: Future<Output: Outcome> + Send + 'static,
{
    const TABLE: &'static VTable = &VTable {
        poll: |head, context| {
            let whole = head.cast::<Whole<F>>().as_ptr();
            // SAFETY: called with a body of this type by its owner. The reference covers the future
            // alone, which stays in its allocation until it is dropped there: it is pinned.
            let future = unsafe { Pin::new_unchecked(&mut (*whole).future) };
            future.poll(context).map(Outcome::into_reason)
        },
        // SAFETY: called once, by the owner, with a body of this type, which `new` took from a `Box`.
        drop: |head| drop(unsafe { Box::from_raw(head.cast::<Whole<F>>().as_ptr()) }),
        size: size_of::<Whole<F>>(),
    };
}

impl Body {
    pub(crate) fn new<F>(origin: Origin, future: F) -> Self
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let whole = Box::new(Whole { head: Head { origin, operations: F::TABLE }, future });
        crate::heap::set_aside(size_of::<Whole<F>>());
        // SAFETY: a box is not null.
        Body(unsafe { NonNull::new_unchecked(Box::into_raw(whole).cast()) })
    }

    pub(crate) fn into_raw(self) -> *mut Head {
        std::mem::ManuallyDrop::new(self).0.as_ptr()
    }

    /// # Safety
    /// `raw` is null or came from [`Body::into_raw`], and nobody else makes a body of it.
    pub(crate) unsafe fn from_raw(raw: *mut Head) -> Option<Self> {
        NonNull::new(raw).map(Body)
    }

    /// # Safety
    /// `raw` is null or came from [`Body::into_raw`] and is not dropped while this runs.
    pub(crate) unsafe fn origin(raw: *mut Head) -> Option<Origin> {
        // SAFETY: alive, as the caller vouches; the head is never written after it was made.
        (!raw.is_null()).then(|| unsafe { (*raw).origin })
    }

    /// Bytes of this allocation.
    ///
    /// # Safety
    /// As for [`Body::origin`].
    pub(crate) unsafe fn size(raw: *mut Head) -> usize {
        // SAFETY: as above.
        if raw.is_null() { 0 } else { unsafe { (*raw).operations.size } }
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<ExitReason> {
        // SAFETY: the table is this body's own, and we own the body.
        unsafe { (self.0.as_ref().operations.poll)(self.0, context) }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // SAFETY: the table is this body's own; its owner drops it once.
        unsafe { (self.0.as_ref().operations.drop)(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Waker;

    fn origin() -> Origin {
        Origin { parent: None, leader: None, spawned_at: Location::caller() }
    }

    #[test]
    fn a_body_is_polled_to_its_end_and_dropped_once() {
        let held = Arc::new(());
        let inside = held.clone();
        let mut yielded = false;
        let future = std::future::poll_fn(move |_| {
            let _held = &inside;
            if std::mem::replace(&mut yielded, true) { Poll::Ready(ExitReason::Shutdown) } else { Poll::Pending }
        });
        let mut body = Body::new(origin(), future);
        let mut context = Context::from_waker(Waker::noop());
        assert!(body.poll(&mut context).is_pending());
        let raw = body.into_raw();
        // SAFETY: it came from `into_raw` just now.
        let (seen, size) = unsafe { (Body::origin(raw), Body::size(raw)) };
        assert!(seen.is_some_and(|seen| seen.spawned_at.file().ends_with("body.rs")));
        assert!(size > size_of::<Head>());
        // SAFETY: as above, and only once.
        let mut body = unsafe { Body::from_raw(raw) }.expect("it is not null");
        assert_eq!(body.poll(&mut context), Poll::Ready(ExitReason::Shutdown));
        drop(body);
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn nothing_is_made_of_null() {
        // SAFETY: null is allowed.
        unsafe {
            assert!(Body::from_raw(std::ptr::null_mut()).is_none());
            assert!(Body::origin(std::ptr::null_mut()).is_none());
            assert_eq!(Body::size(std::ptr::null_mut()), 0);
        }
    }

    #[test]
    fn a_body_of_no_size_or_wide_alignment_is_fine() {
        #[repr(align(128))]
        struct Wide(u8);
        let wide = Wide(3);
        let mut body = Body::new(origin(), async move {
            let wide = wide;
            assert_eq!((&raw const wide).addr() % 128, 0);
            assert_eq!(wide.0, 3);
        });
        assert!(body.poll(&mut Context::from_waker(Waker::noop())).is_ready());
        let mut empty = Body::new(origin(), std::future::ready(()));
        assert!(empty.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}
