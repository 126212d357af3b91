//! Spans and events of the `tracing` crate, with the feature of that name.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use greenroom::process::set_label;
use greenroom::supervisor::{ChildSpec, Restart, Strategy};
use greenroom::{ExitReason, Node, Supervisor, exit, process, register, self_pid, spawn_monitor, trap_exit};

use crate::support::{clean, end_of, forever, gone, next_exit, on};

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What all threads log from now on: those of nodes are not that of the test.
    fn of_everything() -> Log {
        static LOG: LazyLock<Log> = LazyLock::new(|| {
            let log = Log::default();
            let writer = log.clone();
            let subscriber =
                tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone()).finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            log
        });
        LOG.clone()
    }

    /// The lines that contain this.
    fn lines(&self, with: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(with)).map(str::to_owned).collect()
    }
}

#[test]
fn what_a_process_logs_is_within_its_span() {
    let log = Log::of_everything();
    let node = Node::builder().workers(1).start().unwrap();
    let pid = on(&node, async {
        let child = spawn_monitor(async {
            register("the-name", self_pid()).unwrap();
            set_label("the-label");
            process::yield_now().await;
            tracing::info!("from within");
        });
        end_of(child).await;
        tracing::info!("from the parent");
        child.0
    });
    let line = &log.lines("from within")[0];
    for part in [&format!("process{{pid={pid}"), "name=\"the-name\"", "label=\"the-label\"", "span.rs"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let line = &log.lines("from the parent")[0];
    assert!(!line.contains("the-name") && line.matches("process{").count() == 1, "{line}");
}

#[test]
fn a_supervisor_reports_what_becomes_of_its_children() {
    let log = Log::of_everything();
    clean(async {
        trap_exit(true);
        let child = |id, restart| ChildSpec::new(id, forever).restart(restart);
        let supervisor = Supervisor::new(Strategy::OneForOne).name("reporting").intensity(1, Duration::from_secs(5));
        let supervisor = supervisor
            .child(child("lasting", Restart::Permanent))
            .child(child("passing", Restart::Transient))
            .start_link()
            .await
            .unwrap();
        for (id, reason) in [("passing", "shutdown"), ("lasting", "shutdown"), ("lasting", "boom")] {
            let children = supervisor.which_children().await.unwrap();
            let pid = children.into_iter().find(|child| child.id == id).and_then(|child| child.pid).unwrap();
            exit(pid, if reason == "shutdown" { ExitReason::Shutdown } else { reason.into() });
            gone(pid).await;
        }
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
    let lines = log.lines("name=\"reporting\"");
    let said: Vec<_> = lines.iter().filter_map(|line| Some(line.split_once("greenroom::supervisor: ")?.1)).collect();
    let [first, second, last] = said[..] else { panic!("{lines:#?}") };
    assert!(first.starts_with("child ended child=\"lasting\" pid=<0.") && first.contains("reason=shutdown"), "{first}");
    assert!(second.starts_with("child ended child=\"lasting\" pid=<0.") && second.contains("reason=boom"), "{second}");
    assert!(last.starts_with("too many restarts: the supervisor ends"), "{last}");
}
