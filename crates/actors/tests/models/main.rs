//! The protocols between threads, in every order in which their steps can come: the sources of the mailbox's inbox
//! and of a process's life, compiled against the atomics of `loom`.
//!
//! A crate of its own, whose root looks to them like that of `greenroom`. The asymmetric fences of `barrier` are
//! modelled by what they stand for: a full fence on both sides. A wake-up that is lost shows as a deadlock, a
//! process that runs twice at once or a message that is seen before it is whole as a data race on its cell.

mod sync;

mod barrier {
    //! The fences on both sides, in full.
    use loom::sync::atomic::{Ordering, fence};

    pub(crate) fn light() {
        fence(Ordering::SeqCst);
    }

    pub(crate) fn heavy() {
        fence(Ordering::SeqCst);
    }
}

mod mailbox {
    //! The real inbox, and the least that can be in it.
    pub(crate) mod envelope;
    #[allow(dead_code, reason = "it is the whole file, of which the models use what the protocols are")]
    #[path = "../../../src/mailbox/inbox.rs"]
    mod inbox;

    pub(crate) use envelope::Envelope;
    pub(crate) use inbox::{Inbox, Pushed, Tag};
}

#[allow(dead_code, reason = "as above")]
#[path = "../../src/life.rs"]
mod life;

mod inbox_models;
mod life_models;
mod place;
