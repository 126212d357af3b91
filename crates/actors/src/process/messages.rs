//! Looking into the mailbox of another process.

use crate::current::running;
use crate::pid::Pid;
use crate::trace::Signal;

/// What waits in a mailbox: see [`messages`].
#[derive(Clone, Debug, PartialEq)]
pub struct Messages {
    /// How many messages wait.
    pub len: usize,
    /// The first of them, in the order of their arrival, as traces show them: each bounded in length.
    pub first: Vec<Signal>,
}

/// The messages that wait in the mailbox of a process of this node, at most so many of them in words: OTP's
/// `process_info(Pid, messages)`. All are as of one moment between two of its turns, and none is taken out.
/// `None` if the process is not alive.
///
/// Differs from OTP: of a process that never gives up its turn nobody learns what waits, and this is never ready.
///
/// # Cancel safety
/// Nothing is lost.
///
/// # Panics
/// When polled outside of a process.
///
/// ```
/// use greenroom::process::messages;
/// use greenroom::trace::Signal;
/// use greenroom::{receive, send, spawn};
///
/// greenroom::run(async {
///     let child = spawn(async { receive::<()>().await });
///     for number in 1..=3 {
///         send(child, number);
///     }
///     let waiting = messages(child, 2).await.unwrap();
///     assert_eq!(waiting.len, 3);
///     let first = Signal::Info { name: "i32".into(), text: "1".into() };
///     assert_eq!((waiting.first.len(), &waiting.first[0]), (2, &first));
/// });
/// ```
pub async fn messages(pid: Pid, most: usize) -> Option<Messages> {
    let told = running("messages", |current, _, _| {
        let inner = current.inner;
        (pid.node() == inner.id).then(|| inner.look(pid.id, most)).flatten()
    })?;
    told.await.ok()
}
