//! The atomics of the protocols that several threads take part in: `tests/models` puts others in their place, which
//! try every order in which threads can come.

pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
pub(crate) use std::thread::yield_now;
