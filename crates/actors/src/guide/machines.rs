//! State machines: answers that depend on the state.
//!
//! A [`StateMachine`](crate::StateMachine) has an enum of states and an enum of events; one `match` on both is the whole
//! protocol. What cannot be handled in this state is postponed, and comes again in the next one, so that nobody has to
//! try again; and a state can end by itself.
//!
//! ```
//! use std::time::Duration;
//! use greenroom::gen_server::InitError;
//! use greenroom::state_machine::{Event, StateMachine, Transition};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug)]
//! struct Kettle;
//!
//! #[derive(Debug, PartialEq)]
//! enum Water {
//!     Cold,
//!     Heating,
//!     Hot,
//! }
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! enum Please {
//!     Heat,
//!     Pour,
//! }
//!
//! impl StateMachine for Kettle {
//!     type Args = ();
//!     type State = Water;
//!     type Event = Please;
//!     type Reply = String;
//!
//!     async fn init((): ()) -> Result<(Self, Water), InitError> {
//!         Ok((Kettle, Water::Cold))
//!     }
//!
//!     async fn handle(&mut self, water: &Water, event: Event<Self>) -> Transition<Self> {
//!         match (water, event) {
//!             (Water::Cold, Event::Cast(Please::Heat)) => {
//!                 Transition::to(Water::Heating).state_timeout(Duration::from_secs(180))
//!             }
//!             (Water::Heating, Event::StateTimeout) => Transition::to(Water::Hot),
//!             (Water::Hot, Event::Call(Please::Pour, caller)) => {
//!                 caller.reply("tea".to_owned());
//!                 Transition::to(Water::Cold)
//!             }
//!             (_, event @ Event::Call(Please::Pour, _)) => Transition::keep().postpone(event),
//!             _ => Transition::keep(),
//!         }
//!     }
//! }
//!
//! greenroom::testing::run(|clock| async move {
//!     let kettle = Kettle::start_link(()).await.unwrap();
//!     kettle.cast(Please::Heat);
//!     let tea = greenroom::Task::spawn(kettle.call_timeout(Please::Pour, Duration::MAX));
//!     clock.pass(Duration::from_secs(180)).await;
//!     assert_eq!(tea.await, Ok("tea".to_owned()));
//! });
//! ```
//!
//! It has the names, child specifications and errors of a [server](super::servers). One whose handlers do not look at
//! the state is better written as that.
//!
//! # Where it differs from OTP
//! - One way of writing handlers, OTP's `handle_event_function`; the compiler says which states were forgotten if there
//!   is no `_` arm.
//! - A postponed event is moved, not copied, and entering a state cannot fail.
//!
//! More: [`state_machine`](crate::state_machine), and `examples/traffic_light.rs`. Next:
//! [supervisors and applications](super::supervision).
