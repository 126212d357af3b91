//! The global allocator: mimalloc, or the system's where the environment asks for it, so that one program
//! shows every Rust peer with both.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, Ordering};

use mimalloc::MiMalloc;

/// The variable that asks for the system's allocator, by being set.
pub const SYSTEM_MALLOC: &str = "GREENROOM_BENCHES_SYSTEM_MALLOC";

/// Decides at the first allocation, once and for all: what was allocated by one must not be freed by the other.
pub struct Chosen;

#[global_allocator]
static ALLOCATOR: Chosen = Chosen;

const UNDECIDED: u8 = 0;
const MIMALLOC: u8 = 1;
const SYSTEM: u8 = 2;

static CHOICE: AtomicU8 = AtomicU8::new(UNDECIDED);

fn is_system() -> bool {
    match CHOICE.load(Ordering::Relaxed) {
        UNDECIDED => decide(),
        choice => choice == SYSTEM,
    }
}

#[cold]
fn decide() -> bool {
    const NAME: &std::ffi::CStr = c"GREENROOM_BENCHES_SYSTEM_MALLOC";
    // SAFETY: the name ends in a zero. The first allocation happens before `main`, on the only thread there
    // is, so nobody changes the environment; and unlike `std::env::var`, this does not allocate.
    let is_set = !unsafe { libc::getenv(NAME.as_ptr()) }.is_null();
    CHOICE.store(if is_set { SYSTEM } else { MIMALLOC }, Ordering::Relaxed);
    is_set
}

// SAFETY: every call goes to one and the same of two allocators that uphold the contract.
unsafe impl GlobalAlloc for Chosen {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        unsafe { if is_system() { System.alloc(layout) } else { MiMalloc.alloc(layout) } }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller vouches; the pointer came from the same allocator.
        unsafe { if is_system() { System.dealloc(pointer, layout) } else { MiMalloc.dealloc(pointer, layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        unsafe { if is_system() { System.alloc_zeroed(layout) } else { MiMalloc.alloc_zeroed(layout) } }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller vouches; the pointer came from the same allocator.
        unsafe {
            if is_system() { System.realloc(pointer, layout, size) } else { MiMalloc.realloc(pointer, layout, size) }
        }
    }
}
