//! A place with a process that takes messages, run by whoever is told to: the frame that the models share.

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicUsize;
use loom::sync::{Arc, Notify};

use crate::life::{Life, Rest, flag};
use crate::mailbox::{Envelope, Inbox, Pushed, Tag};
use crate::sync::{AtomicBool, AtomicU64, Ordering};

pub(crate) const GENERATION: u32 = 7;
pub(crate) const TAG: Tag = Tag::of_generation(GENERATION);

/// Tries every order of what `model` does in which no more than two threads are interrupted where they need not be:
/// that is where errors are found, and of all there are too many.
pub(crate) fn try_all(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

pub(crate) struct Place {
    inbox: Inbox,
    state: AtomicU64,
    handing_over: AtomicBool,
    /// How often the process is in the run queue: never more than once.
    queued: AtomicUsize,
    work: Notify,
    /// What only the running thread touches.
    pub(crate) own: UnsafeCell<Vec<u32>>,
    /// One for each envelope that there is.
    pub(crate) envelopes: Arc<()>,
}

impl Place {
    /// A process that runs on the calling thread.
    pub(crate) fn new() -> Arc<Self> {
        let inbox = Inbox::closed();
        inbox.open(TAG);
        Arc::new(Place {
            inbox,
            state: AtomicU64::new(u64::from(GENERATION) << 32),
            handing_over: AtomicBool::new(false),
            queued: AtomicUsize::new(0),
            work: Notify::new(),
            own: UnsafeCell::new(Vec::new()),
            envelopes: Arc::new(()),
        })
    }

    pub(crate) fn life(&self) -> Life<'_> {
        Life { inbox: &self.inbox, state: &self.state, handing_over: &self.handing_over }
    }

    pub(crate) fn schedule(&self) {
        assert_eq!(self.queued.fetch_add(1, Ordering::AcqRel), 0, "it is in the run queue already");
        self.work.notify();
    }

    /// Sends a message; false if the process has ended.
    pub(crate) fn send(&self, number: u32) -> bool {
        match self.inbox.push(TAG, Envelope::new(number, &self.envelopes)) {
            Ok(Pushed::Wake) => self.schedule(),
            Ok(Pushed::Quiet) => (),
            Err(_) => return false,
        }
        true
    }

    pub(crate) fn wake(&self) {
        if self.life().notify(GENERATION) {
            self.schedule();
        }
    }

    /// Ends the process, as whoever declares it dead does; true if that waited.
    pub(crate) fn kill(&self, tell: impl FnOnce()) {
        self.state.fetch_or(flag::DEAD, Ordering::SeqCst);
        self.life().quiesce(GENERATION);
        tell();
        let (messages, was_parked) = self.inbox.close(TAG);
        drop(messages);
        if was_parked {
            self.schedule();
        }
    }

    /// Gives the process turns until `enough`, or until it has ended. True if it has ended.
    pub(crate) fn run(&self, mut enough: impl FnMut(u64, &mut Vec<u32>) -> bool) -> bool {
        loop {
            let flags = self.life().acknowledge();
            if flags & flag::DEAD != 0 {
                drop(self.inbox.close(TAG));
                return true;
            }
            // SAFETY: a model: `loom` checks that only one thread runs the process at a time.
            let done = self.own.with_mut(|own| unsafe {
                (*own).extend(self.inbox.drain(TAG));
                enough(flags, &mut *own)
            });
            if done {
                return false;
            }
            match self.life().rest(GENERATION) {
                Rest::Parked => self.wait(),
                Rest::Again | Rest::Refused => (),
            }
        }
    }

    fn wait(&self) {
        while self.queued.load(Ordering::Acquire) == 0 {
            self.work.wait(); // It may wake for nothing.
        }
        assert_eq!(self.queued.fetch_sub(1, Ordering::AcqRel), 1);
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }
}
