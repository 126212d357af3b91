//! How long the operating system lets a thread run at a time, where it lets us say so: Linux since 6.12.
//!
//! A thread whose process never gives up its turn gets the processor for longer, and in return less often and later
//! than those that were just woken. Its share of the processor stays what it was. Elsewhere nothing happens.

pub(crate) use system::ThreadId;

#[cfg(all(target_os = "linux", not(miri)))]
mod system {
    use std::ffi::c_long;

    /// A thread of this program that has not ended.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct ThreadId(i32);

    /// The longest slice that there is, in nanoseconds.
    const LONGEST: u64 = 100_000_000;

    impl ThreadId {
        pub(crate) fn of_this() -> Self {
            ThreadId(rustix::thread::gettid().as_raw_nonzero().get())
        }

        /// Lets the thread run for long, and others before it.
        pub(crate) fn lengthen(self) {
            self.slice(LONGEST);
        }

        /// Lets the thread run for as long as others.
        pub(crate) fn shorten(self) {
            self.slice(0);
        }

        /// What fails here leaves the thread as it was, which costs nothing but speed.
        fn slice(self, nanoseconds: u64) {
            const SIZE: u32 = size_of::<libc::sched_attr>() as u32;
            let thread = c_long::from(self.0);
            // SAFETY: all zero is a valid value of these numbers.
            let mut attributes: libc::sched_attr = unsafe { std::mem::zeroed() };
            // SAFETY: the system writes no more than `SIZE` bytes to the attributes, which are that large and ours.
            let read = unsafe { libc::syscall(libc::SYS_sched_getattr, thread, &raw mut attributes, SIZE, 0) };
            // Real-time policies have no slice; what there is in its place is not ours to change.
            let is_fair = [libc::SCHED_OTHER, libc::SCHED_BATCH].contains(&(attributes.sched_policy as i32));
            if read != 0 || !is_fair {
                return;
            }
            attributes.sched_runtime = nanoseconds;
            // SAFETY: the system only reads the attributes, whose size is in them.
            unsafe { libc::syscall(libc::SYS_sched_setattr, thread, &raw const attributes, 0) };
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn slice_of(thread: ThreadId) -> u64 {
            // SAFETY: as above.
            let mut attributes: libc::sched_attr = unsafe { std::mem::zeroed() };
            let (thread, size) = (c_long::from(thread.0), size_of::<libc::sched_attr>());
            // SAFETY: as above.
            let read = unsafe { libc::syscall(libc::SYS_sched_getattr, thread, &raw mut attributes, size, 0) };
            assert_eq!(read, 0);
            attributes.sched_runtime
        }

        #[test]
        fn a_slice_is_lengthened_where_the_system_can_and_comes_back_in_any_case() {
            let thread = ThreadId::of_this();
            let before = slice_of(thread);
            thread.lengthen();
            // Before Linux 6.12 there is none to be told.
            assert!([before, LONGEST].contains(&slice_of(thread)));
            thread.shorten();
            assert_eq!(slice_of(thread), before);
        }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod system {
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct ThreadId;

    impl ThreadId {
        pub(crate) fn of_this() -> Self {
            ThreadId
        }

        pub(crate) fn lengthen(self) {}

        pub(crate) fn shorten(self) {}
    }
}
