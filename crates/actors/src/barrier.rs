//! A pair of fences of which one side costs nothing: for what one thread does all the time, and another
//! has to be sure of now and then.
//!
//! Two threads that each write one word and then read the other's need a full fence between the two on
//! both sides. [`heavy`] has the operating system make one on every thread of this program, at a cost of
//! a microsecond or two; [`light`] then need only keep the compiler from reordering. Where the system
//! cannot do that, both are full fences.

use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};

/// Whether the system makes the fences for [`light`]. Set before the threads that rely on it start.
static ASYMMETRIC: AtomicBool = AtomicBool::new(false);

/// Asks the system for its help. To be called before the first of the others.
pub(crate) fn prepare() {
    if system::register() {
        ASYMMETRIC.store(true, Ordering::SeqCst);
    }
}

/// Between the write and the read of the side that is in a hurry.
#[inline]
pub(crate) fn light() {
    if ASYMMETRIC.load(Ordering::Relaxed) {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// Between the write and the read of the side that has time.
pub(crate) fn heavy() {
    fence(Ordering::SeqCst);
    if ASYMMETRIC.load(Ordering::Relaxed) {
        system::fence_everywhere();
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    use rustix::thread::{MembarrierCommand, membarrier};

    pub(super) fn register() -> bool {
        membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
    }

    pub(super) fn fence_everywhere() {
        if let Err(error) = membarrier(MembarrierCommand::PrivateExpedited) {
            unreachable!("the system agreed to make fences and then refuses: {error}");
        }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod system {
    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn fence_everywhere() {}
}
