//! The watch over a runtime: a thread that no cell can starve. It tells each owner what the runtime uses, and
//! which of its cells do not let others run.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use greenroom::process::Status;
use greenroom::{Node, Pid};

use crate::memory::memory;
use crate::protocol::{NotYielding, Usage};
use crate::store::{Key, Store};

/// How often it looks while the code of a cell runs, and while none does: what cells have left behind goes on.
const STEPS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
/// How often it tells what is used while the code of a cell runs; else when that has changed.
const REPORT: Duration = Duration::from_secs(1);
/// By how much the memory has to change for that, in bytes.
const MUCH: u64 = 1 << 20;
/// A cell that has done nothing that can be seen for so long does not yield.
const PATIENCE: Duration = Duration::from_millis(750);

/// What was seen of a running cell: what it had done, and since when it has done no more.
struct Seen {
    reductions: u64,
    since: Instant,
}

/// Starts the watch on the running node. It ends with the program.
pub(crate) fn start(store: Store) {
    let Some(node) = Node::current() else { return };
    let watch = move || {
        let [step, idle] = STEPS;
        let mut seen: HashMap<Key, Seen> = HashMap::new();
        let mut told: Option<(Usage, Instant)> = None;
        let mut is_idle = true;
        store.watch();
        loop {
            // To be woken early, because the code of a cell has begun to run, is to look once more.
            std::thread::park_timeout(if is_idle { idle } else { step });
            let (running, now) = (store.running(), Instant::now());
            is_idle = running.is_empty();
            let stuck = look(&node, running, &mut seen);
            let is_time = told.is_none_or(|(_, at)| now - at >= REPORT);
            let is_news = |used: &Usage| told.is_none_or(|(before, _)| has_changed(before, *used));
            let usage = is_time.then(|| usage(&node)).filter(|used| !is_idle || is_news(used));
            told = usage.map(|used| (used, now)).or(told);
            if stuck.is_empty() && usage.is_none() {
                continue;
            }
            let owners = store.owners();
            // Names are looked up by processes.
            node.spawn(async move {
                for owner in &owners {
                    let to = (owner.name.as_str(), owner.node);
                    let own = stuck.iter().filter(|((node, _), _)| *node == owner.node);
                    own.for_each(|(_, news)| greenroom::send(to, *news));
                    if let Some(usage) = usage {
                        greenroom::send(to, usage);
                    }
                }
            });
        }
    };
    // Without a thread to spare nobody is told; the cells run all the same.
    let _ = std::thread::Builder::new().name("watch".to_owned()).spawn(watch);
}

fn has_changed(before: Usage, now: Usage) -> bool {
    before.processes != now.processes || before.memory.abs_diff(now.memory) >= MUCH
}

fn usage(node: &Node) -> Usage {
    Usage { memory: memory().map_or(0, |memory| memory.resident), processes: node.totals().processes as u64 }
}

/// The cells that do not yield.
fn look(node: &Node, running: Vec<(Key, Pid)>, seen: &mut HashMap<Key, Seen>) -> Vec<(Key, NotYielding)> {
    let now = Instant::now();
    seen.retain(|key, _| running.iter().any(|(running, _)| running == key));
    let mut stuck = Vec::new();
    for (key, process) in running {
        let Some(info) = node.info(process).filter(|info| info.status == Status::Running) else {
            seen.remove(&key);
            continue;
        };
        let known = seen.entry(key).or_insert(Seen { reductions: info.reductions, since: now });
        if known.reductions != info.reductions {
            *known = Seen { reductions: info.reductions, since: now };
        }
        let quiet = now - known.since;
        if quiet >= PATIENCE {
            stuck.push((key, NotYielding { id: key.1, for_ms: quiet.as_millis() as u64 }));
        }
    }
    stuck
}
