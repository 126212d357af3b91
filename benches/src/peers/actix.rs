//! actix: actors that share one thread, its arbiter; the senders of the fan-in have one of their own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, Addr, Arbiter, AsyncContext, Context, Handler, Message, System};
use tokio::sync::Notify;

use crate::common::*;

/// Runs a trial; none if this peer has no such thing.
pub fn run(trial: &str) -> Option<f64> {
    let system = System::new();
    let value = match trial {
        "memory" => system.block_on(memory()),
        "spawn_hold" => system.block_on(spawn_hold()),
        "spawn_exit" => system.block_on(rate(ENDED, spawn_exit)),
        "ping_pong" => system.block_on(rate(ROUND_TRIPS, ping_pong)),
        "call" => system.block_on(rate(ROUND_TRIPS, ask)),
        "ring" => system.block_on(ring()),
        "fan_in" => system.block_on(rate(SENDERS * ITEMS, fan_in)),
        _ => return None,
    };
    Some(value)
}

macro_rules! messages {
    ($($name:ident $fields:tt),*) => { $(
        #[allow(dead_code, reason = "not every message is looked into")]
        struct $name $fields;
        impl Message for $name {
            type Result = ();
        }
    )* };
}
messages!(Ping(Addr<Caller>), Pong(), Token(u64), Item(), Begin(), Stop(), Close(Addr<Hop>));

/// Says what an actor does with a type of message.
macro_rules! on {
    ($actor:ty, $message:ty, |$me:ident, $got:ident, $context:ident| $handle:block) => {
        impl Handler<$message> for $actor {
            type Result = ();
            fn handle(&mut self, $got: $message, $context: &mut Context<Self>) {
                let $me = self;
                $handle
            }
        }
    };
}

macro_rules! actors {
    ($($name:ident),*) => { $(
        impl Actor for $name {
            type Context = Context<Self>;
        }
    )* };
}
actors!(Idle, Held, Echo, Caller, Hop, Sink, Burst);

struct Idle;
on!(Idle, Pong, |_me, _message, _context| {});

async fn memory() -> f64 {
    let _first: Vec<_> = (0..1000).map(|_| Idle.start()).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = resident();
    let _held: Vec<_> = (0..IDLE).map(|_| Idle.start()).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    (resident() - before) / IDLE as f64
}

struct Held {
    _ending: Passing,
}
on!(Held, Begin, |_me, _message, _context| {});
on!(Held, Stop, |_me, _message, context| { context.stop() });

async fn hold() -> (Vec<Addr<Held>>, &'static Gate) {
    let ended = Gate::new(HELD);
    let held: Vec<_> = (0..HELD).map(|_| Held { _ending: Passing(ended) }.start()).collect();
    // They start in order, so when the last one answers, all have.
    if let Some(last) = held.last() {
        let _ = last.send(Begin()).await;
    }
    (held, ended)
}

async fn spawn_hold() -> f64 {
    let (held, ended) = hold().await;
    for actor in held {
        actor.do_send(Stop());
    }
    ended.opened().await;
    let start = Instant::now();
    let _held = hold().await;
    HELD as f64 / start.elapsed().as_secs_f64()
}

struct Brief {
    _ending: Passing,
}
impl Actor for Brief {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Context<Self>) {
        context.stop();
    }
}

async fn spawn_exit() {
    let gate = Gate::new(ENDED);
    for number in 1..=ENDED {
        drop(Brief { _ending: Passing(gate) }.start());
        if number % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    gate.opened().await;
}

struct Echo;
on!(Echo, Ping, |_me, ping, _context| { ping.0.do_send(Pong()) });

struct Caller {
    echo: Addr<Echo>,
    left: usize,
    done: Arc<Notify>,
}
on!(Caller, Pong, |me, _pong, context| {
    if me.left == 0 {
        return me.done.notify_one();
    }
    me.left -= 1;
    me.echo.do_send(Ping(context.address()));
});

async fn ping_pong() {
    let done = Arc::new(Notify::new());
    let caller = Caller { echo: Echo.start(), left: ROUND_TRIPS, done: done.clone() }.start();
    caller.do_send(Pong());
    done.notified().await;
}

struct Add(u64);
impl Message for Add {
    type Result = u64;
}

struct Counter(u64);
impl Actor for Counter {
    type Context = Context<Self>;
}
impl Handler<Add> for Counter {
    type Result = u64;
    fn handle(&mut self, add: Add, _: &mut Context<Self>) -> u64 {
        self.0 += add.0;
        self.0
    }
}

async fn ask() {
    let counter = Counter(0).start();
    for n in 1..=ROUND_TRIPS as u64 {
        assert!(matches!(counter.send(Add(1)).await, Ok(sum) if sum == n));
    }
}

struct Hop {
    next: Option<Addr<Hop>>,
    /// Set in the one where the ring begins and ends.
    done: Option<Arc<Notify>>,
}
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
        next.do_send(Token(token.0 + 1));
    }
});

async fn ring() -> f64 {
    let done = Arc::new(Notify::new());
    let home = Hop { next: None, done: Some(done.clone()) }.start();
    let mut next = home.clone();
    for _ in 1..RING {
        next = Hop { next: Some(next), done: None }.start();
    }
    home.do_send(Close(next));
    rate(RING * LAPS, || async {
        home.do_send(Token(0));
        done.notified().await;
    })
    .await
}

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

struct Burst {
    to: Addr<Sink>,
}
on!(Burst, Begin, |me, _begin, _context| {
    for _ in 0..ITEMS {
        me.to.do_send(Item());
    }
});

async fn fan_in() {
    let done = Arc::new(Notify::new());
    let sink = Sink { left: SENDERS * ITEMS, done: done.clone() }.start();
    let elsewhere = Arbiter::new();
    for _ in 0..SENDERS {
        let to = sink.clone();
        let sender = Burst::start_in_arbiter(&elsewhere.handle(), move |_| Burst { to });
        sender.do_send(Begin());
    }
    done.notified().await;
    elsewhere.stop();
}
