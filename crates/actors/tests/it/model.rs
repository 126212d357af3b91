//! Random sequences of what processes can do to each other, against a plain model of the rules.
//!
//! A driver tells a few processes what to do, one step at a time, so that the model can follow exactly.

use std::collections::{BTreeMap, BTreeSet};

use greenroom::message::{Down, Exit};
use greenroom::{
    ExitReason, Local, Node, Pid, Ref, demonitor, exit, link, monitor, process, receive, register, self_pid, send,
    spawn, trap_exit, unlink, unregister, whereis,
};
use proptest::prelude::*;

use crate::support::on;

/// How many processes there are at most; a step names them by number.
const CROWD: usize = 5;
const NAMES: [&str; 2] = ["alice", "bob"];

#[derive(Clone, Debug)]
enum Step {
    Link(usize, usize),
    Unlink(usize, usize),
    Monitor(usize, usize),
    Demonitor(usize, usize),
    Trap(usize, bool),
    Exit(usize, usize, ExitReason),
    ExitSelf(usize, ExitReason),
    Register(usize, usize, usize),
    Unregister(usize, usize),
    /// A process that has ended is replaced by a new one.
    Renew(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..CROWD;
    let name = 0..NAMES.len();
    let reason = prop_oneof![
        Just(ExitReason::Normal),
        Just(ExitReason::Shutdown),
        Just(ExitReason::Kill),
        Just(ExitReason::from("other")),
    ];
    let step = prop_oneof![
        4 => (who.clone(), who.clone()).prop_map(|(a, b)| Step::Link(a, b)),
        2 => (who.clone(), who.clone()).prop_map(|(a, b)| Step::Unlink(a, b)),
        4 => (who.clone(), who.clone()).prop_map(|(a, b)| Step::Monitor(a, b)),
        2 => (who.clone(), 0..4_usize).prop_map(|(a, n)| Step::Demonitor(a, n)),
        2 => (who.clone(), any::<bool>()).prop_map(|(a, trap)| Step::Trap(a, trap)),
        2 => (who.clone(), who.clone(), reason.clone()).prop_map(|(a, b, reason)| Step::Exit(a, b, reason)),
        1 => (who.clone(), reason).prop_map(|(a, reason)| Step::ExitSelf(a, reason)),
        2 => (who.clone(), name.clone(), who.clone()).prop_map(|(a, name, b)| Step::Register(a, name, b)),
        1 => (who.clone(), name).prop_map(|(a, name)| Step::Unregister(a, name)),
        2 => who.prop_map(Step::Renew),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What a puppet does when it is told to; the answer says that it is done, or that it is gone.
type Order = Local<Box<dyn FnOnce() -> Option<Ref> + Send>>;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Done(Option<Ref>);
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct ShowMail(Pid);
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Mail(Vec<(Pid, ExitReason)>, Vec<(Ref, ExitReason)>);

async fn puppet(driver: Pid) {
    loop {
        receive! {
            order: Order => send(driver, Done((order.0)())),
            ShowMail(to): ShowMail => {
                let (mut exits, mut downs) = (Vec::new(), Vec::new());
                while let Some(exit) = greenroom::receive_timeout::<Exit>(std::time::Duration::ZERO).await {
                    exits.push((exit.from, exit.reason));
                }
                while let Some(down) = greenroom::receive_timeout::<Down>(std::time::Duration::ZERO).await {
                    downs.push((down.reference, down.reason));
                }
                send(to, Mail(exits, downs));
            }
        }
    }
}

/// The rules, as data.
#[derive(Default)]
struct Model {
    alive: BTreeSet<Pid>,
    traps: BTreeSet<Pid>,
    /// Both directions.
    links: BTreeSet<(Pid, Pid)>,
    /// By reference: who watches whom.
    monitors: BTreeMap<Ref, (Pid, Pid)>,
    names: BTreeMap<&'static str, Pid>,
    exits: BTreeMap<Pid, Vec<(Pid, ExitReason)>>,
    downs: BTreeMap<Pid, Vec<(Ref, ExitReason)>>,
}

impl Model {
    fn signal(&mut self, from: Pid, to: Pid, reason: ExitReason) {
        if !self.alive.contains(&to) {
            return;
        }
        match reason {
            ExitReason::Kill => self.end(to, ExitReason::Killed),
            reason if self.traps.contains(&to) => self.exits.entry(to).or_default().push((from, reason)),
            ExitReason::Normal if from != to => {}
            reason => self.end(to, reason),
        }
    }

    fn end(&mut self, pid: Pid, reason: ExitReason) {
        if !self.alive.remove(&pid) {
            return;
        }
        self.names.retain(|_, holder| *holder != pid);
        let fired: Vec<_> =
            self.monitors.iter().filter(|(_, (_, target))| *target == pid).map(|(r, w)| (*r, w.0)).collect();
        for (reference, watcher) in fired {
            self.monitors.remove(&reference);
            self.downs.entry(watcher).or_default().push((reference, reason.clone()));
        }
        self.monitors.retain(|_, (watcher, _)| *watcher != pid);
        let peers: Vec<Pid> = self.links.iter().filter(|(a, _)| *a == pid).map(|(_, b)| *b).collect();
        self.links.retain(|(a, b)| *a != pid && *b != pid);
        for peer in peers {
            if self.traps.contains(&peer) {
                self.exits.entry(peer).or_default().push((pid, reason.clone()));
            } else if reason != ExitReason::Normal {
                self.end(peer, reason.clone());
            }
        }
    }
}

/// The crowd, and the model of it.
struct Play {
    model: Model,
    pids: Vec<Pid>,
    references: BTreeMap<Pid, Vec<Ref>>,
}

impl Play {
    fn new() -> Self {
        let mut play = Play { model: Model::default(), pids: Vec::new(), references: BTreeMap::new() };
        for _ in 0..CROWD {
            let pid = play.start();
            play.pids.push(pid);
        }
        play
    }

    fn start(&mut self) -> Pid {
        let pid = spawn(puppet(self_pid()));
        self.model.alive.insert(pid);
        pid
    }

    /// Lets a puppet do something, if it is alive, and waits until it has or is gone.
    async fn order(&self, pid: Pid, order: impl FnOnce() -> Option<Ref> + Send + 'static) -> Option<Ref> {
        let watch = monitor(pid);
        let order: Order = Local(Box::new(order));
        send(pid, order);
        let done = receive! {
            done: Done => done.0,
            _down: Down if _down.reference == watch => None,
        };
        process::demonitor_flush(watch).await;
        // It may have done what it was told and have ended of it.
        let late = greenroom::receive_timeout::<Done>(std::time::Duration::ZERO).await;
        done.or(late.and_then(|done| done.0))
    }

    async fn take(&mut self, step: Step) {
        let pids = self.pids.clone();
        let lives = |model: &Model, n: usize| model.alive.contains(&pids[n]);
        match step {
            Step::Link(a, b) if lives(&self.model, a) => {
                let (near, far) = (pids[a], pids[b]);
                self.order(near, move || {
                    link(far);
                    None
                })
                .await;
                if near == far {
                } else if lives(&self.model, b) {
                    self.model.links.extend([(near, far), (far, near)]);
                } else {
                    self.model.signal(far, near, ExitReason::NoProc);
                }
            }
            Step::Unlink(a, b) if lives(&self.model, a) => {
                let (near, far) = (pids[a], pids[b]);
                self.order(near, move || {
                    unlink(far);
                    None
                })
                .await;
                self.model.links.remove(&(near, far));
                self.model.links.remove(&(far, near));
            }
            Step::Monitor(a, b) if lives(&self.model, a) && a != b => {
                let (watcher, target) = (pids[a], pids[b]);
                let reference = self.order(watcher, move || Some(monitor(target))).await.expect("it lives");
                self.references.entry(watcher).or_default().push(reference);
                if lives(&self.model, b) {
                    self.model.monitors.insert(reference, (watcher, target));
                } else {
                    self.model.downs.entry(watcher).or_default().push((reference, ExitReason::NoProc));
                }
            }
            Step::Demonitor(a, n) if lives(&self.model, a) => {
                let watcher = pids[a];
                let Some(reference) = self.references.get(&watcher).and_then(|all| all.get(n)).copied() else { return };
                let was_active = self.order(watcher, move || demonitor(reference).then_some(reference)).await;
                let expected = self.model.monitors.remove(&reference).map(|_| reference);
                assert_eq!(was_active, expected);
            }
            Step::Trap(a, trap) if lives(&self.model, a) => {
                self.order(pids[a], move || {
                    trap_exit(trap);
                    None
                })
                .await;
                if trap {
                    self.model.traps.insert(pids[a])
                } else {
                    self.model.traps.remove(&pids[a])
                };
            }
            Step::Exit(a, b, reason) if lives(&self.model, a) => {
                let (from, to, sent) = (pids[a], pids[b], reason.clone());
                self.order(from, move || {
                    exit(to, sent);
                    None
                })
                .await;
                self.model.signal(from, to, reason);
            }
            Step::ExitSelf(a, reason) if lives(&self.model, a) => {
                let sent = reason.clone();
                self.order(pids[a], move || greenroom::exit_self(sent)).await;
                self.model.end(pids[a], reason);
            }
            Step::Register(a, name, b) if lives(&self.model, a) => {
                let (name, target) = (NAMES[name], pids[b]);
                self.order(pids[a], move || {
                    let _ = register(name, target);
                    None
                })
                .await;
                let has_name = self.model.names.values().any(|holder| *holder == target);
                if lives(&self.model, b) && !has_name {
                    self.model.names.entry(name).or_insert(target);
                }
            }
            Step::Unregister(a, name) if lives(&self.model, a) => {
                let name = NAMES[name];
                self.order(pids[a], move || {
                    unregister(name);
                    None
                })
                .await;
                self.model.names.remove(name);
            }
            Step::Renew(a) if !lives(&self.model, a) => self.pids[a] = self.start(),
            _ => {}
        }
    }

    /// Compares everything that can be seen with the model.
    async fn check(&self) {
        let driver = self_pid();
        for name in NAMES {
            assert_eq!(whereis(name), self.model.names.get(name).copied());
        }
        let mut alive = process::list();
        alive.retain(|pid| *pid != driver);
        assert_eq!(alive.into_iter().collect::<BTreeSet<_>>(), self.model.alive);
        for pid in &self.model.alive {
            let info = process::info(*pid).expect("it is alive");
            let links: BTreeSet<_> = info.links.into_iter().map(|peer| (*pid, peer)).collect();
            let expected: BTreeSet<_> = self.model.links.iter().filter(|(a, _)| a == pid).copied().collect();
            assert_eq!(links, expected);
            let mut watchers = info.monitored_by;
            watchers.sort_unstable();
            let watching = |(watcher, target): &(Pid, Pid)| (target == pid).then_some(*watcher);
            let mut expected: Vec<_> = self.model.monitors.values().filter_map(watching).collect();
            expected.sort_unstable();
            assert_eq!(watchers, expected);
            assert_eq!(info.monitors.len(), self.model.monitors.values().filter(|(watcher, _)| watcher == pid).count());
            assert_eq!(info.trap_exit, self.model.traps.contains(pid));

            send(*pid, ShowMail(driver));
            let Mail(mut exits, mut downs) = receive().await;
            let mut expected_exits = self.model.exits.get(pid).cloned().unwrap_or_default();
            let mut expected_downs = self.model.downs.get(pid).cloned().unwrap_or_default();
            // Several that a single step has caused come in no particular order.
            exits.sort_by_key(|(from, reason)| (*from, reason.to_string()));
            expected_exits.sort_by_key(|(from, reason)| (*from, reason.to_string()));
            downs.sort_by_key(|(reference, _)| *reference);
            expected_downs.sort_by_key(|(reference, _)| *reference);
            assert_eq!((exits, downs), (expected_exits, expected_downs));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn links_monitors_names_and_exits_follow_the_model(steps in steps()) {
        // One worker: on several, a watcher may go on while the thread that ended a process still tells others.
        on(&Node::builder().workers(1).start().unwrap(), async move {
            let mut play = Play::new();
            for step in steps {
                play.take(step).await;
            }
            play.check().await;
        });
    }
}
