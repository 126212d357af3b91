//! The watchdog: a thread that notices when a process does not let others run.
//!
//! Processes yield when they await, and are made to when they send, receive or spawn a lot. One that
//! computes for long keeps its worker. The watchdog then has another thread take that worker's place, so
//! that everyone else goes on, and says which process it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::core::{Inner, LongTurn};
use crate::pid::LocalPid;
use crate::scheduler::{Turn, Worker};
use crate::slot::Slot;

/// So many milliseconds, as far as programs run at their usual speed: `miri` needs a thousand times as long.
const fn millis(count: u64) -> Duration {
    Duration::from_millis(if cfg!(miri) { count * 1000 } else { count })
}

/// How often it looks while something runs for long.
const ALERT: Duration = millis(1);
/// How often it looks while nothing does.
const CALM: Duration = millis(8);
/// How rarely it comes to look while nothing happens, until it sleeps like all others.
const IDLE: Duration = millis(64);
/// So many turns since the last look are next to nothing.
const FEW: u64 = 64;
/// How long it sleeps at most while all others do.
const DOZE: Duration = millis(4_000);
/// How long a turn may last before another worker takes the place.
const PATIENCE: Duration = millis(2);
/// How long a turn may last before its thread is scheduled as what it is: one that computes. Not sooner, as most
/// turns that are somewhat long just wait for a processor.
const LONG: Duration = millis(20);
/// How long a process may run before it is reported; ten times as long before it is again.
const REPORT: Duration = millis(3_000);

/// Watches over the workers of a node until that stops. `spares` are the ends for further threads.
pub(crate) fn watch(
    inner: &Arc<Inner>,
    mut spares: std::vec::IntoIter<Worker<Slot>>,
    start: impl Fn(Worker<Slot>) -> std::io::Result<JoinHandle<()>>,
) -> Vec<JoinHandle<()>> {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let mut seen: HashMap<usize, Seen> = HashMap::new();
    let (mut pause, mut begun) = (CALM, 0);
    while !inner.scheduler.is_stopped() {
        let now = Instant::now();
        inner.desks.tick();
        let turns: HashMap<usize, Turn> = inner.scheduler.turns().map(|turn| (turn.worker, turn)).collect();
        seen.retain(|worker, seen| turns.get(worker) == Some(&seen.turn));
        for (&worker, &turn) in &turns {
            let seen =
                seen.entry(worker).or_insert(Seen { turn, since: now, is_long: false, reported: Duration::ZERO });
            let running_for = now - seen.since;
            if running_for >= PATIENCE {
                inner.scheduler.rescue(turn);
            }
            if running_for >= LONG && !std::mem::replace(&mut seen.is_long, true) {
                inner.scheduler.let_others_first(turn);
            }
            if running_for >= REPORT.max(seen.reported * 10) {
                seen.reported = running_for;
                report(inner, turn, running_for);
            }
        }
        for _ in 0..inner.scheduler.missing() {
            if inner.scheduler.has_work() && !inner.scheduler.replace() {
                let Some(spare) = spares.next() else { break };
                // If the system has no thread to give, the next look tries again.
                let Ok(thread) = start(spare) else { break };
                threads.push(thread);
                inner.scheduler.joined();
            }
        }
        let before = std::mem::replace(&mut begun, inner.scheduler.turns_begun());
        pause = match (turns.is_empty(), begun == before) {
            (false, _) => ALERT,
            (true, false) if pause == IDLE && begun - before < FEW => IDLE,
            (true, false) => CALM,
            (true, true) if pause == IDLE && inner.scheduler.doze(DOZE, || inner.desks.tick()) => continue,
            (true, true) => (pause * 2).clamp(CALM, IDLE),
        };
        std::thread::park_timeout(pause);
    }
    threads
}

/// A turn, and since when it was seen.
struct Seen {
    turn: Turn,
    since: Instant,
    is_long: bool,
    reported: Duration,
}

fn report(inner: &Inner, turn: Turn, running_for: Duration) {
    let pid = inner.pid(LocalPid::from_u64(turn.running));
    let long = LongTurn { pid, name: inner.name_of(pid), running_for };
    match &inner.on_long_turn {
        Some(handler) => handler(&long),
        None => eprintln!("greenroom: {long}"),
    }
}
