//! `loom`'s atomics in the place of the standard ones.
//!
//! `loom` knows sequential consistency of fences only, and takes that of an access for acquire and release. So an
//! access that asks for it and writes stands between two fences here. One that only reads does not, which promises less
//! than the language: there a read is ordered with such writes, but not as a fence would order what is around it.

pub(crate) use loom::hint::spin_loop;
pub(crate) use loom::sync::atomic::Ordering;
pub(crate) use loom::thread::yield_now;

use loom::sync::atomic::fence;

fn between_fences<R>(order: Ordering, access: impl FnOnce() -> R) -> R {
    let strict = || {
        if order == Ordering::SeqCst {
            fence(Ordering::SeqCst);
        }
    };
    strict();
    let result = access();
    strict();
    result
}

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32};

/// Wraps one of `loom`'s types, as far as the protocols use it.
macro_rules! strict {
    ($name:ident $(<$generic:ident>)?, $value:ty, [$($operation:ident),*]) => {
        pub(crate) struct $name$(<$generic>)?(loom::sync::atomic::$name$(<$generic>)?);

        impl$(<$generic>)? $name$(<$generic>)? {
            pub(crate) fn new(value: $value) -> Self {
                Self(loom::sync::atomic::$name::new(value))
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.0.load(order)
            }

            #[allow(dead_code, reason = "each protocol stores to one kind of word")]
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                between_fences(order, || self.0.store(value, order));
            }

            $(pub(crate) fn $operation(&self, value: $value, order: Ordering) -> $value {
                between_fences(order, || self.0.$operation(value, order))
            })*
        }
    };
}

strict!(AtomicU64, u64, [fetch_or, fetch_and]);
strict!(AtomicPtr<T>, *mut T, []);

impl<T> AtomicPtr<T> {
    pub(crate) fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        between_fences(success, || self.0.compare_exchange(current, new, success, failure))
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        between_fences(success, || self.0.compare_exchange_weak(current, new, success, failure))
    }
}
