//! The protocols between threads, in every order in which their steps can come: the sources of the mailbox's inbox
//! and of a process's life, compiled against the atomics of `loom`.
//!
//! A crate of its own, whose root looks to them like that of `greenroom`. A wake-up that is lost shows as a deadlock, a
//! process that runs twice at once or a message that is seen before it is whole as a data race on its cell.

mod sync;

mod barrier {
    //! The pair of fences: they order two threads only if one of them does the heavy one, so both pass through one
    //! word in some order. Full fences on both sides would order more than that.
    use loom::sync::atomic::{AtomicUsize, Ordering};

    loom::lazy_static! {
        static ref PASSED: AtomicUsize = AtomicUsize::new(0);
    }

    pub(crate) fn light() {
        PASSED.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn heavy() {
        PASSED.fetch_add(1, Ordering::AcqRel);
    }
}

mod mailbox {
    //! The real inbox, and the least that can be in it.
    pub(crate) mod envelope;
    #[allow(dead_code, reason = "it is the whole file, of which the models use what the protocols are")]
    #[path = "../../../src/mailbox/inbox.rs"]
    mod inbox;
    #[allow(dead_code, reason = "as above")]
    #[path = "../../../src/mailbox/kept.rs"]
    mod kept;

    pub(crate) use envelope::Envelope;
    pub(crate) use inbox::{Inbox, Pushed, Tag};
    pub(crate) use kept::Kept;
}

#[allow(dead_code, reason = "as above")]
#[path = "../../src/life.rs"]
mod life;

mod inbox_models;
mod life_models;
mod place;
