//! The server that runs a state machine: which event comes next, and what a transition does.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Action, Actions, Clock, Event, StateMachine, To};
use crate::accepts;
use crate::gen_server::{AnyMessage, Caller, GenServer, InitError, Next, Reply};
use crate::pid::Ref;
use crate::process::{Timer, self_pid, send_after};
use crate::reason::ExitReason;

/// The server that runs a [`StateMachine`].
pub struct Machine<M: StateMachine> {
    machine: M,
    state: M::State,
    /// What is handled before the mailbox.
    queue: VecDeque<Event<M>>,
    /// What waits for the next change of state.
    postponed: Vec<Event<M>>,
    timers: Timers,
}

/// A time-out that is over, if it was not cancelled or replaced meanwhile.
#[derive(Debug, Serialize, Deserialize)]
pub struct Over(Ref);

accepts! { [M: StateMachine] Machine<M>:
    call call(M::Event, caller) -> M::Reply;
    cast cast(M::Event);
    info over(Over);
}

impl<M: StateMachine> GenServer for Machine<M> {
    type Args = M::Args;

    async fn init(args: M::Args) -> Result<Self, InitError> {
        let (machine, state) = M::init(args).await?;
        let timers = Timers::default();
        Ok(Machine { machine, state, queue: VecDeque::new(), postponed: Vec::new(), timers })
    }

    async fn handle_continue(&mut self) -> Next {
        let actions = self.machine.enter(&self.state, None).await;
        self.carry_out(actions);
        self.work().await
    }

    async fn handle_info(&mut self, message: AnyMessage) -> Next {
        self.take(Event::Info(message)).await
    }

    async fn terminate(&mut self, reason: &ExitReason) {
        self.machine.terminate(&self.state, reason).await;
    }
}

impl<M: StateMachine> Machine<M> {
    async fn call(&mut self, event: M::Event, caller: Caller<M::Reply>) -> Reply<M::Reply> {
        Reply::later().and(self.take(Event::Call(event, caller)).await)
    }

    async fn cast(&mut self, event: M::Event) -> Next {
        self.take(Event::Cast(event)).await
    }

    async fn over(&mut self, Over(reference): Over) -> Next {
        match self.timers.over(reference) {
            Some(clock) => self.take(event_of(clock)).await,
            None => Next::go(),
        }
    }

    async fn take(&mut self, event: Event<M>) -> Next {
        self.queue.push_back(event);
        self.work().await
    }

    /// Handles what is there.
    async fn work(&mut self) -> Next {
        while let Some(event) = self.queue.pop_front() {
            self.timers.stop(Clock::Event);
            let transition = self.machine.handle(&self.state, event).await;
            self.postponed.extend(transition.postponed);
            match transition.to {
                To::Stop(reason) => return Next::stop(reason),
                To::State(state) if state != self.state => {
                    let was = std::mem::replace(&mut self.state, state);
                    self.timers.stop(Clock::State);
                    for event in self.postponed.drain(..).rev() {
                        self.queue.push_front(event);
                    }
                    let entering = self.machine.enter(&self.state, Some(&was)).await;
                    let mut actions = transition.actions;
                    actions.0.extend(entering.0);
                    self.carry_out(actions);
                }
                To::State(_) | To::Same => self.carry_out(transition.actions),
            }
        }
        Next::go()
    }

    fn carry_out(&mut self, actions: Actions<M>) {
        let mut next = Vec::new();
        for action in actions.0 {
            match action {
                Action::Then(event) => next.push(Event::Internal(event)),
                Action::Cancel(clock) => self.timers.stop(clock),
                Action::Start(clock, Duration::ZERO) => {
                    self.timers.stop(clock);
                    self.queue.push_back(event_of(clock)); // At once, but after what is there.
                }
                Action::Start(clock, time) => self.timers.start(clock, time),
            }
        }
        for event in next.into_iter().rev() {
            self.queue.push_front(event);
        }
    }
}

fn event_of<M: StateMachine>(clock: Clock) -> Event<M> {
    match clock {
        Clock::State => Event::StateTimeout,
        Clock::Event => Event::EventTimeout,
        Clock::Named(name) => Event::Timeout(name),
    }
}

impl<M: StateMachine> fmt::Debug for Machine<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("state", &self.state)
            .field("data", &self.machine)
            .field("postponed", &self.postponed)
            .finish_non_exhaustive()
    }
}

/// The time-outs that run. What is cancelled or replaced does not come, even if it is in the mailbox already.
#[derive(Default)]
struct Timers(FxHashMap<Clock, (Ref, Timer)>);

impl Timers {
    fn start(&mut self, clock: Clock, time: Duration) {
        self.stop(clock);
        let reference = Ref::new();
        self.0.insert(clock, (reference, send_after(self_pid(), Over(reference), time)));
    }

    fn stop(&mut self, clock: Clock) {
        if let Some((_, timer)) = self.0.remove(&clock) {
            timer.cancel();
        }
    }

    /// Which one it was that is over.
    fn over(&mut self, reference: Ref) -> Option<Clock> {
        let clock = self.0.iter().find(|(_, (known, _))| *known == reference).map(|(clock, _)| *clock)?;
        self.0.remove(&clock);
        Some(clock)
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        for (_, timer) in self.0.values() {
            timer.cancel();
        }
    }
}
