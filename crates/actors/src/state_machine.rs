//! State machines: servers whose answer depends on the state that they are in. OTP's `gen_statem`.
//!
//! States are an enum, events are an enum, and [`StateMachine::handle`] matches on both.
//!
//! ```
//! use std::time::Duration;
//! use greenroom::gen_server::InitError;
//! use greenroom::state_machine::{Actions, Event, StateMachine, Transition};
//! use serde::{Deserialize, Serialize};
//!
//! /// A door that locks itself after ten seconds.
//! #[derive(Debug)]
//! struct Door {
//!     code: u32,
//! }
//!
//! #[derive(Debug, PartialEq)]
//! enum State {
//!     Locked,
//!     Open,
//! }
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! enum Do {
//!     Enter(u32),
//!     Walk,
//! }
//!
//! impl StateMachine for Door {
//!     type Args = u32;
//!     type State = State;
//!     type Event = Do;
//!     type Reply = String;
//!
//!     async fn init(code: u32) -> Result<(Self, State), InitError> {
//!         Ok((Door { code }, State::Locked))
//!     }
//!
//!     async fn handle(&mut self, state: &State, event: Event<Self>) -> Transition<Self> {
//!         match (state, event) {
//!             (State::Locked, Event::Cast(Do::Enter(code))) if code == self.code => Transition::to(State::Open),
//!             // Whoever wants to walk waits until it is open: the event comes again in the next state.
//!             (State::Locked, event @ Event::Call(Do::Walk, _)) => Transition::keep().postpone(event),
//!             (State::Open, Event::Call(Do::Walk, caller)) => {
//!                 caller.reply("walked".to_owned());
//!                 Transition::keep()
//!             }
//!             (State::Open, Event::StateTimeout) => Transition::to(State::Locked),
//!             _ => Transition::keep(),
//!         }
//!     }
//!
//!     async fn enter(&mut self, state: &State, _was: Option<&State>) -> Actions<Self> {
//!         match state {
//!             State::Open => Actions::none().state_timeout(Duration::from_secs(10)),
//!             State::Locked => Actions::none(),
//!         }
//!     }
//! }
//!
//! greenroom::run(async {
//!     let door = Door::start_link(1234).await.unwrap();
//!     door.cast(Do::Enter(1234));
//!     assert_eq!(door.call(Do::Walk).await, Ok("walked".to_owned()));
//! });
//! ```
//!
//! # What a transition can do
//! - [`Transition::to`] another state, or [`Transition::keep`] this one, or [`Transition::stop`].
//! - Postpone the event: it comes again after the next change of state, before what came later.
//! - Have another event handled before all others, with [`Transition::then`]: it arrives as [`Event::Internal`].
//! - Start time-outs: for this state, which ends with it; until the next event; or by a name, which lasts until it is
//!   started again or cancelled.
//!
//! A caller is answered with its [`Caller`], in whatever state; it may be kept, or postponed with its event.
//!
//! [`StateMachine::enter`] comes after each change of state, and at the start.
//!
//! A machine is a [`GenServer`](crate::gen_server): it has its names, child specifications, errors and tools for
//! debugging. Differs from OTP: an event that is postponed is moved, not copied, and entering a state cannot fail.

mod machine;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::gen_server::{AnyMessage, Caller, GenServer, InitError, ServerRef, StartError, Starter};
use crate::message::Message;
use crate::reason::ExitReason;
use crate::supervisor::ChildSpec;
pub use machine::Machine;

/// A server whose answer depends on the state that it is in: see the [module](self). The implementor is the data that
/// all states share.
pub trait StateMachine: fmt::Debug + Sized + Send + 'static {
    /// What [`StateMachine::init`] is given.
    type Args: Send + 'static;
    /// The states. One that is equal to the present one is no change.
    type State: fmt::Debug + PartialEq + Send + Sync + 'static;
    /// What it can be called with, or cast.
    type Event: Message;
    /// What calls are answered with.
    type Reply: Message;

    /// Makes the machine, and its first state.
    fn init(args: Self::Args) -> impl Future<Output = Result<(Self, Self::State), InitError>> + Send;

    /// Handles an event.
    fn handle(&mut self, state: &Self::State, event: Event<Self>) -> impl Future<Output = Transition<Self>> + Send;

    /// Comes when a state was entered: from another one, or at the start.
    fn enter(&mut self, state: &Self::State, was: Option<&Self::State>) -> impl Future<Output = Actions<Self>> + Send {
        let _ = (state, was);
        async { Actions::none() }
    }

    /// Cleans up, as [`GenServer::terminate`] does.
    fn terminate(&mut self, state: &Self::State, reason: &ExitReason) -> impl Future<Output = ()> + Send {
        let _ = (state, reason);
        async {}
    }

    /// Starts it, linked to the running process.
    ///
    /// # Errors
    /// As for [`GenServer::start_link`].
    #[track_caller]
    fn start_link(args: Self::Args) -> impl Future<Output = Result<ServerRef<Machine<Self>>, StartError>> + Send {
        Machine::start_link(args)
    }

    /// Starts it, linked to nobody.
    ///
    /// # Errors
    /// As for [`GenServer::start`].
    #[track_caller]
    fn start(args: Self::Args) -> impl Future<Output = Result<ServerRef<Machine<Self>>, StartError>> + Send {
        Machine::start(args)
    }

    /// To start it with a name.
    fn named(name: impl Into<String>) -> Starter<Machine<Self>> {
        Machine::named(name)
    }

    /// The machine at this address.
    fn at<A>(address: A) -> ServerRef<Machine<Self>, A> {
        Machine::at(address)
    }

    /// It as a child of a supervisor.
    fn spec(args: Self::Args) -> ChildSpec
    where
        Self::Args: Clone + Sync,
    {
        Machine::<Self>::spec(args)
    }
}

/// What happens to a machine.
#[derive(Debug)]
pub enum Event<M: StateMachine> {
    /// It was called.
    Call(M::Event, Caller<M::Reply>),
    /// Something was cast to it.
    Cast(M::Event),
    /// Something that it wanted to handle next.
    Internal(M::Event),
    /// It has been in this state for long enough.
    StateTimeout,
    /// No event has come for long enough.
    EventTimeout,
    /// The time-out of this name is over.
    Timeout(&'static str),
    /// Any other message.
    Info(AnyMessage),
}

/// What follows from an event.
#[derive(Debug)]
#[must_use = "a handler returns it"]
pub struct Transition<M: StateMachine> {
    to: To<M::State>,
    postponed: Option<Event<M>>,
    actions: Actions<M>,
}

#[derive(Debug)]
enum To<S> {
    Same,
    State(S),
    Stop(ExitReason),
}

impl<M: StateMachine> Transition<M> {
    fn new(to: To<M::State>) -> Self {
        Transition { to, postponed: None, actions: Actions::none() }
    }

    /// The state stays.
    pub fn keep() -> Self {
        Transition::new(To::Same)
    }

    /// It goes to this state.
    pub fn to(state: M::State) -> Self {
        Transition::new(To::State(state))
    }

    /// It stops.
    pub fn stop(reason: impl Into<ExitReason>) -> Self {
        Transition::new(To::Stop(reason.into()))
    }

    /// This event comes again after the next change of state.
    pub fn postpone(mut self, event: Event<M>) -> Self {
        self.postponed = Some(event);
        self
    }

    /// As [`Actions::then`].
    pub fn then(mut self, event: M::Event) -> Self {
        self.actions = self.actions.then(event);
        self
    }

    /// As [`Actions::state_timeout`].
    pub fn state_timeout(mut self, time: Duration) -> Self {
        self.actions = self.actions.state_timeout(time);
        self
    }

    /// As [`Actions::event_timeout`].
    pub fn event_timeout(mut self, time: Duration) -> Self {
        self.actions = self.actions.event_timeout(time);
        self
    }

    /// As [`Actions::timeout`].
    pub fn timeout(mut self, name: &'static str, time: Duration) -> Self {
        self.actions = self.actions.timeout(name, time);
        self
    }

    /// As [`Actions::cancel`].
    pub fn cancel(mut self, name: &'static str) -> Self {
        self.actions = self.actions.cancel(name);
        self
    }
}

/// What a machine does beside changing its state, in order.
#[derive(Debug)]
#[must_use = "a handler returns it"]
pub struct Actions<M: StateMachine>(Vec<Action<M::Event>>);

#[derive(Debug)]
enum Action<E> {
    Then(E),
    Start(Clock, Duration),
    Cancel(Clock),
}

/// Which time-out is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Clock {
    State,
    Event,
    Named(&'static str),
}

impl<M: StateMachine> Actions<M> {
    /// Nothing.
    pub fn none() -> Self {
        Actions(Vec::new())
    }

    fn and(mut self, action: Action<M::Event>) -> Self {
        self.0.push(action);
        self
    }

    /// This is handled next, as [`Event::Internal`], before anything that waits. Several are handled in order.
    pub fn then(self, event: M::Event) -> Self {
        self.and(Action::Then(event))
    }

    /// [`Event::StateTimeout`] comes after this time, unless the state has changed. It replaces the one before.
    pub fn state_timeout(self, time: Duration) -> Self {
        self.and(Action::Start(Clock::State, time))
    }

    /// [`Event::EventTimeout`] comes after this time, unless any other event does.
    pub fn event_timeout(self, time: Duration) -> Self {
        self.and(Action::Start(Clock::Event, time))
    }

    /// [`Event::Timeout`] with this name comes after this time, whatever happens. It replaces one of the same name.
    pub fn timeout(self, name: &'static str, time: Duration) -> Self {
        self.and(Action::Start(Clock::Named(name), time))
    }

    /// The time-out of this name does not come.
    pub fn cancel(self, name: &'static str) -> Self {
        self.and(Action::Cancel(Clock::Named(name)))
    }
}
