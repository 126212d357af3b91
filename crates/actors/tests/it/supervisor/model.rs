//! A supervisor beside a plain model of it: whatever happens to the children, both have the same ones, started in the
//! same order, and answer alike.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenroom::supervisor::{
    ChildSpec, DeleteChildError, Restart, RestartChildError, StartChildError, Strategy, TerminateChildError,
};
use greenroom::tree::ChildStatus;
use greenroom::{Clock, ExitReason, Supervisor, exit, is_alive, trap_exit};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy as Generate, prop, prop_oneof, proptest};

use super::by_clock;
use crate::support::forever;

/// What happens, to which child.
#[derive(Clone, Debug)]
enum Step {
    Start(u8, Restart),
    Crash(u8),
    Finish(u8),
    Terminate(u8),
    Restart(u8),
    Delete(u8),
}

fn steps() -> impl Generate<Value = Vec<Step>> {
    let restart = prop::sample::select(vec![Restart::Permanent, Restart::Transient, Restart::Temporary]);
    let id = 0..5_u8;
    let step = prop_oneof![
        3 => (id.clone(), restart).prop_map(|(id, restart)| Step::Start(id, restart)),
        3 => id.clone().prop_map(Step::Crash),
        2 => id.clone().prop_map(Step::Finish),
        1 => id.clone().prop_map(Step::Terminate),
        1 => id.clone().prop_map(Step::Restart),
        1 => id.prop_map(Step::Delete),
    ];
    vec(step, 0..30)
}

/// A child as OTP's documentation speaks of it.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    id: u8,
    restart: Restart,
    runs: bool,
}

#[derive(Default)]
struct Model {
    children: Vec<Known>,
    /// Who was started, in order.
    starts: Vec<u8>,
    restarts: usize,
    is_over: bool,
}

impl Model {
    fn position(&self, id: u8) -> Option<usize> {
        self.children.iter().position(|child| child.id == id)
    }

    fn step(&mut self, strategy: Strategy, most: usize, step: &Step) -> &'static str {
        match *step {
            Step::Start(id, restart) => match self.position(id) {
                Some(at) if self.children[at].runs => "runs",
                Some(_) => "present",
                None => {
                    self.children.push(Known { id, restart, runs: true });
                    self.starts.push(id);
                    "ok"
                }
            },
            Step::Terminate(id) => {
                let Some(at) = self.position(id) else { return "unknown" };
                self.children[at].runs = false;
                self.children.retain(|child| child.id != id || child.restart != Restart::Temporary);
                "ok"
            }
            Step::Restart(id) => match self.position(id) {
                None => "unknown",
                Some(at) if self.children[at].runs => "runs",
                Some(at) => {
                    self.children[at].runs = true;
                    self.starts.push(id);
                    "ok"
                }
            },
            Step::Delete(id) => match self.position(id) {
                None => "unknown",
                Some(at) if self.children[at].runs => "runs",
                Some(at) => {
                    self.children.remove(at);
                    "ok"
                }
            },
            Step::Crash(id) | Step::Finish(id) => {
                let Some(at) = self.position(id).filter(|at| self.children[*at].runs) else { return "nobody" };
                let crashed = matches!(step, Step::Crash(_));
                self.children[at].runs = false;
                match self.children[at].restart {
                    Restart::Temporary => drop(self.children.remove(at)),
                    Restart::Transient if !crashed => {}
                    Restart::Transient | Restart::Permanent => self.bring_back(strategy, most, at),
                }
                "gone"
            }
        }
    }

    fn bring_back(&mut self, strategy: Strategy, most: usize, at: usize) {
        self.restarts += 1;
        if self.restarts > most {
            self.is_over = true;
            return;
        }
        let group = match strategy {
            Strategy::OneForOne => at..at + 1,
            Strategy::OneForAll => 0..self.children.len(),
            Strategy::RestForOne => at..self.children.len(),
        };
        let (start, mut group) = (group.start, self.children.drain(group).collect::<Vec<_>>());
        let after = self.children.split_off(start);
        group.retain(|child| child.restart != Restart::Temporary);
        for mut child in group {
            child.runs = true;
            self.starts.push(child.id);
            self.children.push(child);
        }
        self.children.extend(after);
    }
}

/// Does it to the real one, and says how it answered in the model's words.
async fn perform(supervisor: Supervisor, log: &Arc<Mutex<Vec<u8>>>, clock: &Clock, step: &Step) -> &'static str {
    match *step {
        Step::Start(id, restart) => {
            let log = log.clone();
            let body = move || {
                log.lock().unwrap().push(id);
                forever()
            };
            match supervisor.start_child(ChildSpec::new(id.to_string(), body).restart(restart)).await {
                Ok(_) => "ok",
                Err(StartChildError::AlreadyStarted { .. }) => "runs",
                Err(StartChildError::AlreadyPresent { .. }) => "present",
                Err(error) => panic!("{error}"),
            }
        }
        Step::Terminate(id) => match supervisor.terminate_child(&id.to_string()).await {
            Ok(()) => "ok",
            Err(TerminateChildError::NotFound { .. }) => "unknown",
            Err(error) => panic!("{error}"),
        },
        Step::Restart(id) => match supervisor.restart_child(&id.to_string()).await {
            Ok(_) => "ok",
            Err(RestartChildError::NotFound { .. }) => "unknown",
            Err(RestartChildError::Running { .. }) => "runs",
            Err(error) => panic!("{error}"),
        },
        Step::Delete(id) => match supervisor.delete_child(&id.to_string()).await {
            Ok(()) => "ok",
            Err(DeleteChildError::NotFound { .. }) => "unknown",
            Err(DeleteChildError::Running { .. }) => "runs",
            Err(error) => panic!("{error}"),
        },
        Step::Crash(id) | Step::Finish(id) => {
            let children = supervisor.which_children().await.unwrap();
            let child = children.iter().find(|child| child.id == id.to_string()).and_then(|child| child.pid);
            let Some(pid) = child else { return "nobody" };
            let reason = if matches!(step, Step::Crash(_)) { ExitReason::Kill } else { ExitReason::Shutdown };
            exit(pid, reason);
            clock.settled().await;
            "gone"
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_supervisor_does_what_the_model_does(
        strategy in prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)],
        most in 0..8_usize,
        steps in steps(),
    ) {
        by_clock(|clock| async move {
            trap_exit(true);
            let log = Arc::new(Mutex::new(Vec::new()));
            let builder = Supervisor::new(strategy).intensity(most, Duration::MAX);
            let supervisor = builder.start_link().await.unwrap();
            let mut model = Model::default();
            for step in &steps {
                let answer = perform(supervisor, &log, &clock, step).await;
                assert_eq!(answer, model.step(strategy, most, step), "{step:?}");
                assert_eq!(*log.lock().unwrap(), model.starts, "{step:?}");
                assert_eq!(is_alive(supervisor.pid()), !model.is_over, "{step:?}");
                if model.is_over {
                    break;
                }
                let children = supervisor.which_children().await.unwrap();
                let seen: Vec<_> =
                    children.into_iter().rev().map(|child| (child.id, child.status == ChildStatus::Running)).collect();
                let known: Vec<_> = model.children.iter().map(|child| (child.id.to_string(), child.runs)).collect();
                assert_eq!(seen, known, "{step:?}");
            }
        });
    }
}
