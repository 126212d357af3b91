//! A live session: its processes are killed one after the other, and the notebook goes on.

mod cases;
mod far;
mod files;
mod fronts;
mod inputs;
mod kills;
mod losses;
pub mod members;
mod values;

use std::sync::{Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use greenroom::message::Exit;
use greenroom::{ExitReason, Node, Task, exit, receive, sleep, whereis};
use greenroom_cluster::{Cluster, Cookie};
use greenroom_notebook::draw::Style;
use greenroom_notebook::event::{Event, OutputKind};
use greenroom_notebook::explain::Explainer;
use greenroom_notebook::livemd::parse;
use greenroom_notebook::session::data::{Data, Info, RuntimeStatus, Status, Validity};
use greenroom_notebook::session::operation::{CellId, Evaluation, Operation, Runtime, Structure, Visitor};
use greenroom_notebook::session::{Broadcast, Follower, Replica, Session, SessionOptions, Update};
use greenroom_notebook::tools::{Toolbox, Tools};

use crate::support::prelude;

/// Nothing here takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A session on a node of its own, and somebody who follows it.
struct Live {
    session: Session,
    follower: Follower,
}

/// Runs a test with a session of these cells.
fn with<F>(cells: &[&str], test: impl FnOnce(Live) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let cells: String = cells.iter().map(|cell| format!("```rust\n{cell}\n```\n\n")).collect();
    with_text(&format!("# N\n\n## S\n\n{cells}"), test);
}

fn with_text<F>(text: &str, test: impl FnOnce(Live) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    with_tools(text, |_| (), test);
}

/// The same with other tools.
fn with_tools<F>(text: &str, change: fn(&mut Tools), test: impl FnOnce(Live) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    static NUMBER: Mutex<u32> = Mutex::new(0);
    let number = {
        let mut number = NUMBER.lock().expect("nobody panics with it");
        *number += 1;
        *number
    };
    let notebook = parse(text).0;
    let node = Node::builder().name(format!("live-{}-{number}@127.0.0.1", std::process::id())).start().expect("a node");
    let cookie = Cookie::random();
    let cluster = Cluster::builder(&node).cookie(cookie.clone()).on_notice(|_| ()).start().expect("it starts");
    let address = cluster.listen(([127, 0, 0, 1], 0).into()).expect("a port");
    node.block_on(async move {
        let toolbox = Toolbox { cache: cells_folder().to_owned(), address, cookie, cluster, columns: 80, events: 0 };
        let mut tools = toolbox.on("", prelude()).expect("it can be written");
        change(&mut tools);
        let explainer = Explainer { file: "n.livemd".to_owned(), style: Style::Plain, columns: 80 };
        let options = SessionOptions { explainer, toolbox, tools: Some(tools), autosave: None };
        let session = Session::start(&notebook, options).await.expect("it starts");
        let follower = Follower::join().await;
        test(Live { session, follower }).await;
    });
    node.shutdown();
}

/// The cells of all these tests.
fn cells_folder() -> &'static std::path::Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder can be made")).path()
}

impl Live {
    fn data(&self) -> &Data {
        self.follower.data()
    }

    async fn apply(&mut self, operation: impl Into<Operation>) {
        let operation = operation.into();
        let told = format!("{operation:?}");
        if let Err(refusal) = self.session.apply(operation).await {
            panic!("{told} was refused: {refusal}");
        }
    }

    async fn queue(&mut self, numbers: &[u64]) {
        self.apply(Evaluation::Queue(numbers.iter().copied().map(CellId).collect())).await;
    }

    /// Follows until something is so.
    async fn until(&mut self, what: &str, is_so: impl Fn(&Data) -> bool) {
        let begin = Instant::now();
        while !is_so(self.follower.data()) {
            if begin.elapsed() > PATIENCE || !self.follower.next(PATIENCE).await {
                panic!("it did not come to this: {what}: {} {:?}", self.show(), self.data().file());
            }
        }
    }

    /// Follows until nothing runs or waits.
    async fn settled(&mut self) {
        // What was asked for before is in the mailbox.
        while self.follower.next(Duration::ZERO).await {}
        let rests =
            |data: &Data| data.queued().is_empty() && data.evaluating().is_empty() && data.examined().is_empty();
        self.until("nothing runs or waits", rests).await;
    }

    /// Evaluates cells and returns what the last of them shows.
    async fn evaluate(&mut self, numbers: &[u64]) -> String {
        self.queue(numbers).await;
        self.settled().await;
        numbers.last().map_or_else(String::new, |number| self.shown(*number))
    }

    fn shown(&self, number: u64) -> String {
        let outputs = self.data().info(CellId(number)).map(|info| info.outputs.clone()).unwrap_or_default();
        outputs.iter().map(|output| output.text.as_str()).collect::<Vec<_>>().join("|")
    }

    fn show(&self) -> String {
        let cell = |id: CellId| {
            let info = self.data().info(id).expect("it is there");
            let failed = if info.failed { " failed" } else { "" };
            let status = match info.status {
                Status::Ready => "",
                Status::Queued => " queued",
                Status::Evaluating => " evaluating",
            };
            format!("{}: {:?}{failed}{status}", id.0, info.validity)
        };
        self.data().document().cells().map(cell).collect::<Vec<_>>().join(", ")
    }

    async fn stop(self) {
        self.session.stop().await;
    }
}

/// Kills a process of the session and waits until there is another in its place.
async fn kill(name: &str) {
    let killed = whereis(name).unwrap_or_else(|| panic!("there is no process {name}"));
    exit(killed, ExitReason::Kill);
    let begin = Instant::now();
    while whereis(name).is_none_or(|pid| pid == killed) {
        assert!(begin.elapsed() < PATIENCE, "nobody takes the place of {name}");
        sleep(Duration::from_millis(1)).await;
    }
}

/// The operating-system process of the runtime.
const RUNTIME_PID: &str = "std::process::id()";

#[test]
fn values_stay_when_any_process_of_the_notebook_is_killed() {
    with(&["let list = vec![1, 2, 3];", "list.len()", RUNTIME_PID], |mut live| async move {
        assert_eq!(live.evaluate(&[1, 3]).await, live.shown(3));
        let runtime = live.shown(3);
        let names = ["session", "compiler", "runtime", "cell-1", "cell-2", "file", "cells", "clients", "notebook"];
        for name in names {
            live.evaluate(&[2]).await;
            if name == "notebook" {
                exit(whereis(name).expect("it is there"), ExitReason::Kill);
                let ended = receive::<Exit>().await;
                assert!(live.session.revive(&ended).await);
            } else {
                kill(name).await;
            }
            assert_eq!(live.evaluate(&[2]).await, "3", "after {name}: {}", live.show());
            assert_eq!(live.evaluate(&[3]).await, runtime, "after {name}: {}", live.show());
            assert_eq!(live.show(), "1: Evaluated, 2: Evaluated, 3: Evaluated", "after {name}");
            assert_eq!(live.shown(1), "", "after {name}");
        }
        live.stop().await;
    });
}

/// A cell that runs until this file is there.
fn waiting(file: &std::path::Path) -> String {
    let file = file.display();
    format!(
        "println!(\"begun\");\nwhile !std::path::Path::new(\"{file}\").exists() {{\n    \
         sleep(Duration::from_millis(1)).await;\n}}\nprintln!(\"done\");\nlet waited = 7;"
    )
}

#[test]
fn values_stay_when_any_process_of_the_runtime_is_killed() {
    let kill = |whom: &str| format!("exit({whom}, ExitReason::Kill);\nsleep(Duration::from_millis(300)).await;");
    let named = |name: &str| kill(&format!("whereis(\"{name}\").unwrap()"));
    let killers = [
        named("runtime_server"),
        named("loader"),
        named("evaluator-0"),
        named("evaluators"),
        named("runtime"),
        kill("group_leader().unwrap()"),
    ];
    let mut cells = vec!["let list = vec![1, 2, 3];", RUNTIME_PID, "list.len()"];
    cells.extend(killers.iter().map(String::as_str));
    with(&cells, |mut live| async move {
        live.evaluate(&[1, 2]).await;
        let runtime = live.shown(2);
        for (killer, is_cut) in [(4, false), (5, false), (6, false), (7, false), (8, false), (9, true)] {
            live.evaluate(&[killer]).await;
            let validity = live.data().info(CellId(killer)).map(|info| info.validity);
            let expected = if is_cut { Validity::Aborted } else { Validity::Evaluated };
            assert_eq!(validity, Some(expected), "{killer}: {}", live.shown(killer));
            assert_eq!(live.evaluate(&[3]).await, "3", "after {killer}: {}", live.show());
            assert_eq!(live.evaluate(&[2]).await, runtime, "after {killer}: {}", live.show());
        }
        live.stop().await;
    });
}

#[test]
fn a_run_whose_process_is_killed_tells_everything_once() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("go");
    with(&["1", &waiting(&file), "waited"], |mut live| async move {
        let (events, happening) = mpsc::channel();
        let killer = Task::spawn(async move {
            let mut follower = Follower::join().await;
            while follower.data().info(CellId(2)).is_none_or(|info| info.outputs.is_empty()) {
                assert!(follower.next(PATIENCE).await);
            }
            for name in ["run", "session", "run"] {
                kill(name).await;
            }
            std::fs::write(&file, "").expect("it can be written");
        });
        assert_eq!(live.session.run(events).await, Ok(true));
        killer.await;
        let reports: Vec<(usize, String)> = happening
            .try_iter()
            .filter_map(|event| match event {
                Event::Cell(report) => {
                    Some((report.index, report.outputs.iter().map(|output| &*output.text).collect()))
                }
                _ => None,
            })
            .collect();
        let expected = [(1, "1"), (2, "begun\ndone\n"), (3, "7")].map(|(index, text)| (index, text.to_owned()));
        assert_eq!(reports, expected);
        live.settled().await;
        live.stop().await;
    });
}

#[test]
fn a_session_that_is_killed_during_an_evaluation_hears_its_end() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("go");
    with(&[&waiting(&file), "waited"], |mut live| async move {
        live.queue(&[2]).await;
        live.until("it prints", |data| data.info(CellId(1)).is_some_and(|info| !info.outputs.is_empty())).await;
        for name in ["session", "compiler", "runtime", "session"] {
            kill(name).await;
        }
        std::fs::write(&file, "").expect("it can be written");
        live.settled().await;
        assert_eq!((live.shown(1), live.shown(2)), ("begun\ndone\n".to_owned(), "7".to_owned()), "{}", live.show());
        live.stop().await;
    });
}

#[test]
fn a_cell_whose_process_is_killed_is_aborted_and_nobody_else() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("go");
    with(&["let a = 1;", &waiting(&file), "a"], |mut live| async move {
        live.evaluate(&[1]).await;
        live.queue(&[2]).await;
        live.until("it prints", |data| data.info(CellId(2)).is_some_and(|info| !info.outputs.is_empty())).await;
        kill("cell-2").await;
        live.settled().await;
        assert_eq!(live.show(), "1: Evaluated, 2: Aborted, 3: Fresh");
        std::fs::write(&file, "").expect("it can be written");
        assert_eq!(live.evaluate(&[2]).await, "begun\ndone\n");
        assert_eq!(live.evaluate(&[3]).await, "1");
        live.stop().await;
    });
}

#[test]
fn branches_run_beside_the_main_flow() {
    // Each waits for the other.
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let meet = |own: &str, other: &str| {
        let (own, other) = (folder.path().join(own), folder.path().join(other));
        format!(
            "std::fs::write({own:?}, \"\")?;\nwhile !std::path::Path::new({other:?}).exists() {{\n    sleep(Duration::from_millis(1)).await;\n}}\n\"met\""
        )
    };
    let text = format!(
        "# N\n\n## A\n\n```rust\nlet a = 1;\n```\n\n<!-- livebook:{{\"branch_parent_index\":0}} -->\n\n## Branch\n\n```rust\n{}\n```\n\n## B\n\n```rust\n{}\n```\n",
        meet("one", "two"),
        meet("two", "one")
    );
    with_text(&text, |mut live| async move {
        live.apply(Evaluation::QueueAll).await;
        live.settled().await;
        assert_eq!((live.shown(2), live.shown(3)), ("\"met\"".to_owned(), "\"met\"".to_owned()));
        live.stop().await;
    });
}

#[test]
fn a_cell_is_stopped_and_the_values_of_all_others_stay() {
    with(&["let a = 1;", "sleep(Duration::from_secs(1000)).await", "a"], |mut live| async move {
        live.evaluate(&[1]).await;
        live.queue(&[2, 3]).await;
        live.until("it runs", |data| data.info(CellId(2)).is_some_and(|info| info.compiled.is_some())).await;
        live.apply(Evaluation::Cancel(CellId(2))).await;
        live.settled().await;
        assert_eq!(live.show(), "1: Evaluated, 2: Aborted, 3: Evaluated");
        assert_eq!(live.shown(3), "1");
        live.stop().await;
    });
}

#[test]
fn a_loop_without_end_is_shown_within_a_second_and_only_what_is_asked_for_runs_again() {
    with(&["let a = 1;", "let b = 2;", "loop {}", "b"], |mut live| async move {
        live.evaluate(&[1, 2]).await;
        live.queue(&[3]).await;
        live.until("it is compiled", |data| data.info(CellId(3)).is_some_and(|info| info.compiled.is_some())).await;
        let begin = Instant::now();
        let is_stuck = |data: &Data| data.info(CellId(3)).is_some_and(|info| info.not_yielding_ms.is_some());
        live.until("it does not yield", is_stuck).await;
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        live.apply(Runtime::Restart).await;
        live.queue(&[4]).await;
        live.settled().await;
        assert_eq!(live.show(), "1: Aborted, 2: Evaluated, 3: Aborted, 4: Evaluated");
        live.stop().await;
    });
}

#[test]
fn a_runtime_that_dies_is_marked_at_once_and_the_next_evaluation_finds_another() {
    with(&["let a = 1;", "a", RUNTIME_PID, "sleep(Duration::from_secs(1000)).await"], |mut live| async move {
        for _ in 0..3 {
            let runtime: i32 = live.evaluate(&[1, 3]).await.parse().expect("it is a number");
            live.queue(&[4]).await;
            live.until("it runs", |data| data.info(CellId(4)).is_some_and(|info| info.compiled.is_some())).await;
            let begin = Instant::now();
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(runtime), nix::sys::signal::Signal::SIGKILL)
                .expect("it is our child");
            live.until("it is lost", |data| data.runtime().status == RuntimeStatus::Disconnected).await;
            let marked = begin.elapsed();
            assert!(marked < Duration::from_millis(500), "{marked:?}");
            assert_eq!(live.data().info(CellId(4)).map(|info| info.validity), Some(Validity::Aborted));
            assert_eq!(live.evaluate(&[2]).await, "1");
            assert!(
                live.shown(4).contains("the runtime died while this cell ran: killed (SIGKILL)"),
                "{}",
                live.shown(4)
            );
        }
        live.stop().await;
    });
}

#[test]
fn a_type_that_is_defined_again_is_compiled_into_its_users() {
    with(&["struct P { x: u8 }", "let p = P { x: 1 };", "p.x", "4"], |mut live| async move {
        assert_eq!(live.evaluate(&[3, 4]).await, "4");
        let longer = Structure::Edit { cell: CellId(1), at: 11, removed: 5, inserted: "x: u16".to_owned() };
        live.apply(longer).await;
        live.evaluate(&[1]).await;
        assert_eq!(live.show(), "1: Evaluated, 2: Stale, 3: Stale, 4: Evaluated");
        assert_eq!(live.evaluate(&[3]).await, "1");
        assert_eq!(live.show(), "1: Evaluated, 2: Evaluated, 3: Evaluated, 4: Evaluated");
        live.stop().await;
    });
}

#[test]
fn case_45_what_a_cell_has_started_ends_when_it_is_evaluated_again() {
    let start = "let child = spawn(async { receive::<()>().await });";
    let watch = "spawn(async move {\n    monitor(child);\n    receive::<Down>().await;\n    println!(\"gone\");\n});";
    with(&[start, watch, "is_alive(child)"], |mut live| async move {
        assert_eq!(live.evaluate(&[3]).await, "true");
        live.queue(&[1]).await;
        live.until("it ends", |data| data.info(CellId(2)).is_some_and(|info| !info.outputs.is_empty())).await;
        assert_eq!(live.shown(2), "gone\n");
        assert_eq!(live.evaluate(&[3]).await, "true");
        live.stop().await;
    });
}

#[test]
fn the_runtime_tells_what_it_uses_every_second() {
    with(&["1"], |mut live| async move {
        live.evaluate(&[1]).await;
        live.until("it tells", |data| data.runtime().usage.memory > 0 && data.runtime().usage.processes > 0).await;
        live.stop().await;
    });
}

#[test]
fn an_error_is_kept_with_the_cell() {
    with(&["panic!(\"no\")"], |mut live| async move {
        live.evaluate(&[1]).await;
        assert_eq!(live.show(), "1: Evaluated failed");
        let kind = live.data().info(CellId(1)).and_then(|info| info.outputs.last().map(|output| output.kind));
        assert_eq!(kind, Some(OutputKind::Error));
        live.stop().await;
    });
}
