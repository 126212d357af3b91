//! Heap memory by process: a global allocator that counts what each thread allocates and frees.
//!
//! The counting is here; at the end of each turn [`crate::core`] adds the count of its thread to the account of
//! the process that had the turn.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// A global allocator that tells how much heap memory each process holds, as
/// [`Info::heap`](crate::process::Info::heap).
///
/// It passes everything on to another one and counts bytes, no more: some nanoseconds for an allocation, and seven in a
/// hundred for processes that do nothing but send each other messages.
///
/// The figures are an approximation. What one process allocates and another frees, such as the text in a
/// message, counts for the first one and against the second; what is allocated outside of any process, also
/// by a process on a blocking thread, is nobody's. Envelopes of messages, the futures of processes and the table
/// of processes do not count: see [`Info::memory`](crate::process::Info::memory).
///
/// ```
/// use greenroom::TrackingAllocator;
/// use std::alloc::System;
///
/// #[global_allocator]
/// static ALLOCATOR: TrackingAllocator = TrackingAllocator::new(System);
///
/// greenroom::run(async {
///     let block = vec![0_u8; 1_000_000];
///     let own = greenroom::process::info(greenroom::self_pid()).unwrap();
///     assert!(own.heap.unwrap() >= block.len());
/// });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TrackingAllocator<A = System>(A);

impl<A> TrackingAllocator<A> {
    /// Counts what goes to `allocator`.
    pub const fn new(allocator: A) -> Self {
        TrackingAllocator(allocator)
    }
}

/// Whether the program uses the allocator at all.
static IS_USED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Bytes allocated less bytes freed since the last [`take`]. Needs neither memory to be set up nor a
    /// destructor, so that an allocator may use it at any time in a thread's life.
    static NET: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    NET.set(NET.get().wrapping_add(bytes));
}

/// What the calling thread has allocated, less what it has freed, since it was last asked.
#[inline]
pub(crate) fn take() -> i64 {
    if is_used() { NET.take() } else { 0 }
}

#[inline]
pub(crate) fn is_used() -> bool {
    IS_USED.load(Ordering::Relaxed)
}

/// An allocation of this many bytes, which was counted just now, is the node's and not the process's.
#[inline]
pub(crate) fn set_aside(bytes: usize) {
    if is_used() {
        count(-(bytes as i64));
    }
}

/// An allocation that was set aside is freed.
#[inline]
pub(crate) fn give_back(bytes: usize) {
    if is_used() {
        count(bytes as i64);
    }
}

// SAFETY: every call goes to the inner allocator with the same arguments, and its answer is handed out as it
// is, so that its contract is kept if the caller keeps that of this one. Counting touches a plain thread-local
// and a static: it neither allocates nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for TrackingAllocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        counted(unsafe { self.0.alloc(layout) }, layout.size() as i64)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        counted(unsafe { self.0.alloc_zeroed(layout) }, layout.size() as i64)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller vouches.
        unsafe { self.0.dealloc(block, layout) };
        count(-(layout.size() as i64));
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller vouches.
        counted(unsafe { self.0.realloc(block, layout, size) }, size as i64 - layout.size() as i64)
    }
}

fn counted(block: *mut u8, bytes: i64) -> *mut u8 {
    if !block.is_null() {
        count(bytes);
        if !is_used() {
            IS_USED.store(true, Ordering::Relaxed);
        }
    }
    block
}
