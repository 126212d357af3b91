//! ractor: actors with a state and a message type, on tokio tasks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::sync::Notify;

use super::on_tokio;
use crate::common::*;

/// Runs a trial; none if this peer has no such thing.
pub fn run(trial: &str) -> Option<f64> {
    match trial {
        "memory" => on_tokio(memory()),
        "spawn_hold" => on_tokio(spawn_hold()),
        "spawn_exit" => on_tokio(rate(HEAVY, spawn_exit)),
        "ping_pong" => on_tokio(rate(ROUND_TRIPS, ping_pong)),
        "ring" => on_tokio(ring()),
        "fan_in" => on_tokio(rate(SENDERS * ITEMS, fan_in)),
        "call" => on_tokio(rate(ROUND_TRIPS, || ask(None))),
        "call_limited" => on_tokio(rate(ROUND_TRIPS, || ask(Some(Duration::from_secs(5))))),
        "spawn_monitor_down" => on_tokio(rate(HEAVY, spawn_monitor_down)),
        _ => None,
    }
}

type Result<T> = std::result::Result<T, ActorProcessingErr>;

/// Makes an actor of what it does with a message.
macro_rules! actor {
    ($name:ident, $message:ty, $state:ty, |$myself:ident, $got:ident, $held:ident| $handle:block) => {
        struct $name;
        impl Actor for $name {
            type Msg = $message;
            type State = $state;
            type Arguments = $state;
            async fn pre_start(&self, _: ActorRef<$message>, state: $state) -> Result<$state> {
                Ok(state)
            }
            async fn handle(&self, $myself: ActorRef<$message>, $got: $message, $held: &mut $state) -> Result<()> {
                $handle
                Ok(())
            }
        }
    };
}

struct Ping(ActorRef<Pong>);
struct Pong;
struct Token(u64);
struct Item;

actor!(Idle, Pong, (), |_myself, _message, _state| {});
actor!(Echo, Ping, (), |_myself, ping, _state| { ping.0.send_message(Pong)? });
actor!(Hop, Token, ActorRef<Token>, |_myself, token, next| { next.send_message(Token(token.0 + 1))? });

async fn memory() -> f64 {
    let mut held = Vec::new();
    for _ in 0..1000 {
        held.push(Idle::spawn(None, Idle, ()).await);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = resident();
    for _ in 0..HEAVY {
        held.push(Idle::spawn(None, Idle, ()).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    (resident() - before) / HEAVY as f64
}

async fn spawn_hold() -> f64 {
    let mut took = f64::NAN;
    for _ in 0..2 {
        let start = Instant::now();
        let mut held = Vec::with_capacity(HEAVY);
        for _ in 0..HEAVY {
            held.extend(Idle::spawn(None, Idle, ()).await);
        }
        took = start.elapsed().as_secs_f64();
        for (actor, task) in held {
            actor.stop(None);
            let _ = task.await;
        }
    }
    HEAVY as f64 / took
}

actor!(Brief, (), Passing, |_myself, _message, _state| {});

async fn spawn_exit() {
    let gate = Gate::new(HEAVY);
    for _ in 0..HEAVY {
        if let Ok((actor, _)) = Brief::spawn(None, Brief, Passing(gate)).await {
            actor.stop(None);
        }
    }
    gate.opened().await;
}

struct Caller {
    echo: ActorRef<Ping>,
    left: usize,
    done: Arc<Notify>,
}

actor!(Call, Pong, Caller, |myself, _message, state| {
    match state.left {
        0 => state.done.notify_one(),
        _ => state.echo.send_message(Ping(myself))?,
    }
    state.left = state.left.saturating_sub(1);
});

async fn ping_pong() {
    let done = Arc::new(Notify::new());
    let Ok((echo, _)) = Echo::spawn(None, Echo, ()).await else { return };
    let caller = Caller { echo: echo.clone(), left: ROUND_TRIPS, done: done.clone() };
    let Ok((caller, _)) = Call::spawn(None, Call, caller).await else { return };
    let _ = caller.send_message(Pong);
    done.notified().await;
    echo.stop(None);
    caller.stop(None);
}

struct Add(u64, RpcReplyPort<u64>);

actor!(Counter, Add, u64, |_myself, add, sum| {
    *sum += add.0;
    add.1.send(*sum)?;
});

async fn ask(limit: Option<Duration>) {
    let Ok((counter, _)) = Counter::spawn(None, Counter, 0).await else { return };
    for n in 1..=ROUND_TRIPS as u64 {
        let answer = counter.call(|port| Add(1, port), limit).await;
        assert!(matches!(answer, Ok(CallResult::Success(sum)) if sum == n));
    }
    counter.stop(None);
}

struct Home {
    next: Option<ActorRef<Token>>,
    done: Arc<Notify>,
}

/// Closes the ring: it is told its neighbour by a token that holds one.
enum Lap {
    Begin(ActorRef<Token>),
    Arrived(u64),
}

actor!(Start, Lap, Home, |_myself, lap, home| {
    match lap {
        Lap::Begin(next) => {
            next.send_message(Token(1))?;
            home.next = Some(next);
        }
        Lap::Arrived(hops) if hops as usize >= RING * LAPS => home.done.notify_one(),
        Lap::Arrived(hops) => {
            if let Some(next) = &home.next {
                next.send_message(Token(hops + 1))?;
            }
        }
    }
});
actor!(LastHop, Token, ActorRef<Lap>, |_myself, token, home| { home.send_message(Lap::Arrived(token.0 + 1))? });

async fn ring() -> f64 {
    let done = Arc::new(Notify::new());
    let Ok((home, _)) = Start::spawn(None, Start, Home { next: None, done: done.clone() }).await else {
        return f64::NAN;
    };
    let Ok((mut next, _)) = LastHop::spawn(None, LastHop, home.clone()).await else { return f64::NAN };
    for _ in 2..RING {
        let Ok((actor, _)) = Hop::spawn(None, Hop, next).await else { return f64::NAN };
        next = actor;
    }
    rate(RING * LAPS, || async {
        let _ = home.send_message(Lap::Begin(next.clone()));
        done.notified().await;
    })
    .await
}

struct Sink {
    left: usize,
    done: Arc<Notify>,
}

actor!(Count, Item, Sink, |_myself, _item, state| {
    state.left -= 1;
    if state.left == 0 {
        state.done.notify_one();
    }
});
actor!(Burst, (), ActorRef<Item>, |_myself, _begin, to| {
    for _ in 0..ITEMS {
        to.send_message(Item)?;
    }
});

async fn fan_in() {
    let done = Arc::new(Notify::new());
    let Ok((sink, _)) = Count::spawn(None, Count, Sink { left: SENDERS * ITEMS, done: done.clone() }).await else {
        return;
    };
    for _ in 0..SENDERS {
        if let Ok((sender, _)) = Burst::spawn(None, Burst, sink.clone()).await {
            let _ = sender.send_message(());
        }
    }
    done.notified().await;
}

/// Starts one child after the other, each when the one before is seen to have ended.
struct Parent;

struct Children {
    left: usize,
    done: Arc<Notify>,
}

impl Actor for Parent {
    type Msg = ();
    type State = Children;
    type Arguments = Children;

    async fn pre_start(&self, _: ActorRef<()>, state: Children) -> Result<Children> {
        Ok(state)
    }

    async fn handle(&self, myself: ActorRef<()>, (): (), _: &mut Children) -> Result<()> {
        let (child, _) = Idle::spawn_linked(None, Idle, (), myself.get_cell()).await?;
        child.stop(None);
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<()>,
        event: SupervisionEvent,
        state: &mut Children,
    ) -> Result<()> {
        if let SupervisionEvent::ActorTerminated(..) = event {
            state.left -= 1;
            if state.left == 0 {
                state.done.notify_one();
            } else {
                let (child, _) = Idle::spawn_linked(None, Idle, (), me.get_cell()).await?;
                child.stop(None);
            }
        }
        Ok(())
    }
}

async fn spawn_monitor_down() {
    let done = Arc::new(Notify::new());
    let Ok((parent, _)) = Parent::spawn(None, Parent, Children { left: HEAVY, done: done.clone() }).await else {
        return;
    };
    let _ = parent.send_message(());
    done.notified().await;
}
