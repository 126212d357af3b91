//! kameo: actors with a handler for each type of message, on tokio tasks, with its default mailbox.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::message::{Context, Message};
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
        "kill_down_p99" => on_tokio(kill_down()),
        _ => None,
    }
}

/// Says what an actor does with a type of message.
macro_rules! on {
    ($actor:ty, $message:ty, |$myself:ident, $got:ident, $context:ident| $handle:block) => {
        impl Message<$message> for $actor {
            type Reply = ();
            async fn handle(&mut self, $got: $message, $context: &mut Context<Self, ()>) {
                let $myself = self;
                $handle
            }
        }
    };
}

struct Ping(ActorRef<Caller>);
struct Pong;
struct Token(u64);
struct Item;
struct Begin;

#[derive(Actor)]
struct Idle;
on!(Idle, Pong, |_me, _message, _context| {});

async fn memory() -> f64 {
    let _first: Vec<_> = (0..1000).map(|_| Idle::spawn(Idle)).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = resident();
    let _held: Vec<_> = (0..HEAVY).map(|_| Idle::spawn(Idle)).collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    (resident() - before) / HEAVY as f64
}

async fn spawn_hold() -> f64 {
    let mut took = f64::NAN;
    for _ in 0..2 {
        let start = Instant::now();
        let held: Vec<_> = (0..HEAVY).map(|_| Idle::spawn(Idle)).collect();
        for actor in &held {
            actor.wait_for_startup().await;
        }
        took = start.elapsed().as_secs_f64();
        for actor in held {
            actor.kill();
            actor.wait_for_shutdown().await;
        }
    }
    HEAVY as f64 / took
}

#[derive(Actor)]
struct Brief {
    _ending: Passing,
}

/// An actor that nobody refers to any more ends.
async fn spawn_exit() {
    let gate = Gate::new(HEAVY);
    for number in 1..=HEAVY {
        drop(Brief::spawn(Brief { _ending: Passing(gate) }));
        if number % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    gate.opened().await;
}

#[derive(Actor)]
struct Echo;
on!(Echo, Ping, |_me, ping, _context| {
    let _ = ping.0.tell(Pong).await;
});

#[derive(Actor)]
struct Caller {
    echo: ActorRef<Echo>,
    left: usize,
    done: Arc<Notify>,
}
on!(Caller, Pong, |me, _pong, context| {
    if me.left == 0 {
        return me.done.notify_one();
    }
    me.left -= 1;
    let _ = me.echo.tell(Ping(context.actor_ref().clone())).await;
});

async fn ping_pong() {
    let done = Arc::new(Notify::new());
    let caller = Caller::spawn(Caller { echo: Echo::spawn(Echo), left: ROUND_TRIPS, done: done.clone() });
    let _ = caller.tell(Pong).await;
    done.notified().await;
}

struct Add(u64);

#[derive(Actor)]
struct Counter(u64);

impl Message<Add> for Counter {
    type Reply = u64;
    async fn handle(&mut self, add: Add, _: &mut Context<Self, u64>) -> u64 {
        self.0 += add.0;
        self.0
    }
}

async fn ask(limit: Option<Duration>) {
    let counter = Counter::spawn(Counter(0));
    for n in 1..=ROUND_TRIPS as u64 {
        let answer = match limit {
            None => counter.ask(Add(1)).await,
            Some(limit) => counter.ask(Add(1)).reply_timeout(limit).await,
        };
        assert!(matches!(answer, Ok(sum) if sum == n));
    }
}

#[derive(Actor)]
struct Hop {
    next: Option<ActorRef<Hop>>,
    /// Set in the one where the ring begins and ends.
    done: Option<Arc<Notify>>,
}
struct Close(ActorRef<Hop>);
on!(Hop, Close, |me, close, _context| {
    me.next = Some(close.0);
});
on!(Hop, Token, |me, token, _context| {
    if token.0 as usize >= RING * LAPS
        && let Some(done) = &me.done
    {
        return done.notify_one();
    }
    if let Some(next) = &me.next {
        let _ = next.tell(Token(token.0 + 1)).await;
    }
});

async fn ring() -> f64 {
    let done = Arc::new(Notify::new());
    let home = Hop::spawn(Hop { next: None, done: Some(done.clone()) });
    let mut next = home.clone();
    for _ in 1..RING {
        next = Hop::spawn(Hop { next: Some(next), done: None });
    }
    let _ = home.tell(Close(next)).await;
    rate(RING * LAPS, || async {
        let _ = home.tell(Token(0)).await;
        done.notified().await;
    })
    .await
}

#[derive(Actor)]
struct Sink {
    left: usize,
    done: Arc<Notify>,
}
on!(Sink, Item, |me, _item, _context| {
    me.left -= 1;
    if me.left == 0 {
        me.done.notify_one();
    }
});

#[derive(Actor)]
struct Burst {
    to: ActorRef<Sink>,
}
on!(Burst, Begin, |me, _begin, _context| {
    for _ in 0..ITEMS {
        let _ = me.to.tell(Item).await;
    }
});

async fn fan_in() {
    let done = Arc::new(Notify::new());
    let sink = Sink::spawn(Sink { left: SENDERS * ITEMS, done: done.clone() });
    let senders: Vec<_> = (0..SENDERS).map(|_| Burst::spawn(Burst { to: sink.clone() })).collect();
    for sender in &senders {
        let _ = sender.tell(Begin).await;
    }
    done.notified().await;
}

async fn spawn_monitor_down() {
    for _ in 0..HEAVY {
        let actor = Idle::spawn(Idle);
        let _ = actor.stop_gracefully().await;
        actor.wait_for_shutdown().await;
    }
}

async fn kill_down() -> f64 {
    let mut times = Vec::with_capacity(KILLED);
    for _ in 0..KILLED {
        let actor = Idle::spawn(Idle);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        actor.kill();
        actor.wait_for_shutdown().await;
        times.push(micros(start));
    }
    quantile(times, 0.99)
}
