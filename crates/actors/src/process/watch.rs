//! Monitors with options: an alias for the answer, and a message of one's own in the place of `Down`.

use crate::cold::{Tag, Uses};
use crate::current::running;
use crate::mailbox::Envelope;
use crate::message::{Down, Message, TaggedDown, Target};
use crate::pid::Ref;

use super::{Alias, Watchable};

/// A monitor that is yet to be started: OTP's `monitor/3`.
///
/// ```
/// use greenroom::{message::TaggedDown, process::Watch, receive, spawn};
///
/// greenroom::run(async {
///     let child = spawn(async {});
///     let reference = Watch::on(child).tag(7_u32).start();
///     let down = receive::<TaggedDown<u32>>().await;
///     assert_eq!((down.tag, down.reference), (7, reference));
/// });
/// ```
#[must_use = "nothing is watched before it is started"]
pub struct Watch {
    target: Target,
    tag: Option<Tag>,
}

/// How long the alias of a monitor works, if it is not [removed](Alias::remove) before: OTP's `alias` option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Until {
    /// Until then: OTP's `explicit_unalias`.
    Removed,
    /// Until the monitor ends, by its message or by [`demonitor`](crate::demonitor): OTP's `demonitor`.
    Demonitored,
    /// Until the first message comes by it, which ends the monitor, or until that ends: OTP's `reply_demonitor`.
    Replied,
}

impl Watch {
    /// A monitor on this process or name.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn on(target: impl Watchable) -> Watch {
        let target = running("Watch::on", |current, _, _| target.target(current.inner.id));
        Watch { target, tag: None }
    }

    /// Has its message come as a [`TaggedDown`] with this tag, and not as a [`Down`]: OTP's `tag` option.
    pub fn tag<T: Message>(mut self, tag: T) -> Watch {
        self.tag = Some(Box::new(move |down| {
            let Down { reference, target, reason } = down;
            Envelope::new(TaggedDown { tag, reference, target, reason })
        }));
        self
    }

    /// Starts the monitor.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn start(self) -> Ref {
        let reference = Ref::new();
        self.start_as(reference);
        reference
    }

    /// Starts the monitor with an alias of the running process, which has the same reference.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn start_with_alias(self, until: Until) -> Alias {
        let uses = match until {
            Until::Removed => Uses::Many,
            Until::Demonitored => Uses::Monitored,
            Until::Replied => Uses::OneMonitored,
        };
        let alias = Alias::with("Watch::start_with_alias", Ref::new(), uses);
        self.start_as(alias.reference());
        alias
    }

    #[track_caller]
    fn start_as(self, reference: Ref) {
        let Watch { target, tag } = self;
        running("Watch::start", |current, _, id| {
            let inner = current.inner;
            match tag {
                Some(tag) => inner.monitor_tagged(reference, inner.pid(id), target, tag),
                None => inner.monitor_as(reference, inner.pid(id), target),
            }
        });
    }
}
