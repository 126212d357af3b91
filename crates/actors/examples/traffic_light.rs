//! A state machine: the light of a pedestrian crossing, which turns when somebody presses the button.
//!
//! ```console
//! $ cargo run -p greenroom --example traffic_light
//! ```

use std::time::Duration;

use greenroom::gen_server::InitError;
use greenroom::state_machine::{Actions, Event, StateMachine, Transition};
use greenroom::{Clock, Node, sleep};
use serde::{Deserialize, Serialize};

/// What the cars see.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Light {
    /// Cars have just got their turn, and keep it.
    Green,
    /// They have had it for long enough.
    Ready,
    Amber,
    /// It is the pedestrians' turn.
    Red,
}

#[derive(Debug, Serialize, Deserialize)]
enum Please {
    /// Somebody wants to cross, and waits until it is safe.
    Cross,
    Show,
}

#[derive(Debug)]
struct Crossing;

impl StateMachine for Crossing {
    type Args = ();
    type State = Light;
    type Event = Please;
    type Reply = Light;

    async fn init((): ()) -> Result<(Self, Light), InitError> {
        Ok((Crossing, Light::Green))
    }

    async fn enter(&mut self, light: &Light, _was: Option<&Light>) -> Actions<Self> {
        match light {
            Light::Green => Actions::none().state_timeout(Duration::from_secs(30)),
            Light::Ready => Actions::none(),
            Light::Amber => Actions::none().state_timeout(Duration::from_secs(3)),
            Light::Red => Actions::none().state_timeout(Duration::from_secs(15)),
        }
    }

    async fn handle(&mut self, light: &Light, event: Event<Self>) -> Transition<Self> {
        match (light, event) {
            (_, Event::Call(Please::Show, caller)) => {
                caller.reply(*light);
                Transition::keep()
            }
            (Light::Red, Event::Call(Please::Cross, caller)) => {
                caller.reply(Light::Red);
                Transition::keep()
            }
            // Whoever wants to cross is heard again at each change of the light.
            (Light::Ready, event @ Event::Call(Please::Cross, _)) => Transition::to(Light::Amber).postpone(event),
            (_, event @ Event::Call(Please::Cross, _)) => Transition::keep().postpone(event),
            (Light::Green, Event::StateTimeout) => Transition::to(Light::Ready),
            (Light::Amber, Event::StateTimeout) => Transition::to(Light::Red),
            (Light::Red, Event::StateTimeout) => Transition::to(Light::Green),
            _ => Transition::keep(),
        }
    }
}

/// Somebody crosses at once, somebody else when the light has just turned green again: what the light shows when they
/// do, and at which second.
async fn two_cross(clock: Clock) -> Vec<(u64, Light)> {
    let crossing = match Crossing::start_link(()).await {
        Ok(crossing) => crossing,
        Err(error) => panic!("nothing can keep a light from being switched on: {error}"),
    };
    let mut crossed = Vec::new();
    for _ in 0..2 {
        let light = crossing.call_timeout(Please::Cross, Duration::MAX).await;
        crossed.extend(light.map(|light| (clock.now().as_secs(), light)));
        sleep(Duration::from_secs(16)).await;
        crossed.extend(crossing.call(Please::Show).await.map(|light| (clock.now().as_secs(), light)));
    }
    crossed
}

fn main() -> std::io::Result<()> {
    // Nobody wants to wait for two minutes: the time passes as fast as it can.
    let node = Node::builder().manual_clock().start()?;
    let clock = node.clock();
    let crossed = node.block_on(async move {
        let crossing = greenroom::Task::spawn(two_cross(clock.clone()));
        clock.pass(Duration::from_secs(120)).await;
        crossing.await
    });
    for (second, light) in crossed {
        println!("after {second:3} s the light is {light:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cars_keep_their_turn_for_a_while_and_pedestrians_wait_until_it_is_safe() {
        let crossed = greenroom::testing::run(|clock| async move {
            let crossing = greenroom::Task::spawn(two_cross(clock.clone()));
            clock.pass(Duration::from_secs(120)).await;
            crossing.await
        });
        assert_eq!(crossed, [(33, Light::Red), (49, Light::Green), (81, Light::Red), (97, Light::Green)]);
    }
}
