//! Having something run in the runtime: asking its owner, and listening until it has ended, or cannot end any more.
//!
//! Whatever is killed, and whenever, there is an end: the owner of the runtime says so when that is gone, and whoever
//! owns it after the one that was asked is asked again; the leader of the evaluation is watched as soon as it is known.

use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::{ExitReason, Local, Pid, Ref, monitor, receive, self_pid, send, send_after, sleep, whereis};
use greenroom_stage::protocol::{
    Began, Crashed, Evaluate, EvaluationId, Finished, InputRead, NotYielding, ReadInput, Shown,
};
use serde::{Deserialize, Serialize};

use super::{Cell, LAST_OUTPUT};
use crate::runtime::RawOutput;
use crate::session::message::{Ended, Halt, LastWords, Lost, Order, RUNTIME, is_example};
use crate::session::operation::{Evaluation, Runtime, RuntimeId};

/// When the runtime has not begun by then, it is asked again: a process of it may have been killed with the request.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What is to be run.
pub(super) struct Ask {
    /// The runtime that it needs; any, if it stands on no values.
    pub runtime: Option<RuntimeId>,
    pub request: Evaluate,
    /// The evaluation whose halt is also the end of this.
    pub halted_as: EvaluationId,
    /// How long it may run.
    pub limit: Option<Duration>,
}

/// How an evaluation has ended in the runtime.
pub(super) enum End {
    Finished(Finished),
    /// The runtime has ended.
    Lost(Ended),
    Halted,
    /// A process between the cell and the notebook was killed.
    Cut,
    OutOfTime,
}

/// The time of an evaluation is over.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct TimeIsOver(EvaluationId);

impl Cell {
    /// Has something run, and passes on what it shows until it ends. If it is to be stopped, it is forgotten, too.
    pub(super) async fn ask(&mut self, ask: &Ask) -> End {
        let id = ask.request.id;
        let run = || Order::Run { runtime: ask.runtime, request: ask.request.clone() };
        self.connect(ask).await;
        let (mut owner, mut watch) = order(run()).await;
        let mut leader: Option<Ref> = None;
        let mut marks = 0;
        let end = loop {
            receive! {
                Began { id: begun, leader: pid }: Began => if begun == id && leader.is_none() {
                    leader = Some(monitor(pid));
                    if let Some(limit) = ask.limit {
                        send_after(self_pid(), TimeIsOver(id), limit);
                    }
                },
                shown: Shown => if shown.id == id && !is_example(id) {
                    self.heard(&shown);
                    self.offer(id, &shown.output).await;
                    self.roomed(id, shown.output.into()).await;
                } else {
                    self.late(shown).await;
                },
                Local(words): LastWords => self.unheard(words).await,
                crashed: Crashed => self.crashed(&crashed).await,
                RawOutput::Text(text): RawOutput => self.raw(text).await,
                // It travels by another way than the end of the evaluation, and may be there first.
                RawOutput::Mark(mark): RawOutput => if mark == id { marks += 1 },
                stuck: NotYielding => if stuck.id == id && !is_example(id) {
                    let NotYielding { for_ms, .. } = stuck;
                    self.say(Evaluation::NotYielding { cell: self.id, evaluation: id, for_ms }).await;
                },
                read: ReadInput => if read.id == id && !is_example(id) {
                    self.read(read).await;
                } else {
                    send(read.from, InputRead { input: read.input, value: None });
                },
                finished: Finished => if finished.id == id { break End::Finished(finished) },
                Halt(halted): Halt => if halted == ask.halted_as { break End::Halted },
                TimeIsOver(over): TimeIsOver => if over == id { break End::OutOfTime },
                lost: Lost => if lost.id == id { break End::Lost(lost.end) },
                down: Down => if down.reference == watch {
                    (owner, watch) = order(run()).await;
                } else if Some(down.reference) == leader {
                    // With its node it has not ended alone: the owner of the runtime will say how that has.
                    if down.reason != ExitReason::NoConnection {
                        break End::Cut;
                    }
                },
                after ASK_AGAIN => if leader.is_none() {
                    self.connect(ask).await;
                    send(owner, run());
                },
            }
        };
        for watch in [Some(watch), leader].into_iter().flatten() {
            demonitor_flush(watch).await;
        }
        match end {
            End::Finished(_) => self.last_output(id, marks).await,
            End::Lost(_) | End::Cut | End::Halted | End::OutOfTime => self.last_words().await,
        }
        send(
            owner,
            match end {
                End::Finished(_) if !is_example(id) => Order::Over(id),
                _ => Order::Forget(id),
            },
        );
        end
    }

    /// Sees to it that there is a runtime for what runs in any.
    async fn connect(&mut self, ask: &Ask) {
        if ask.runtime.is_none() {
            // It is refused if there is one, or one is on its way.
            let _ = self.speaker.say(Runtime::Connect).await;
        }
    }

    /// Takes what was written past the group leader before the evaluation ended: up to its mark in both streams, of which
    /// some may have been seen.
    async fn last_output(&mut self, id: EvaluationId, mut marks: u8) {
        while marks < 2 {
            receive! {
                RawOutput::Text(text): RawOutput => self.raw(text).await,
                RawOutput::Mark(mark): RawOutput => if mark == id { marks += 1 },
                after LAST_OUTPUT => return,
            }
        }
    }

    /// Takes what has come and was not looked at.
    async fn last_words(&mut self) {
        loop {
            receive! {
                RawOutput::Text(text): RawOutput => self.raw(text).await,
                RawOutput::Mark(_): RawOutput => (),
                after Duration::ZERO => return,
            }
        }
    }
}

/// Tells the owner of the runtime, which may just be starting again. Returns it, and a monitor on it.
pub(super) async fn order(order: Order) -> (Pid, Ref) {
    loop {
        if let Some(owner) = whereis(RUNTIME) {
            let watch = monitor(owner);
            send(owner, order);
            return (owner, watch);
        }
        sleep(Duration::from_millis(1)).await;
    }
}
