//! Spans of the `tracing` crate, with the feature of that name.

use std::io;
use std::sync::{Arc, Mutex};

use greenroom::process::set_label;
use greenroom::{Node, process, register, self_pid, spawn_monitor};

use crate::support::{end_of, on};

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

#[test]
fn what_a_process_logs_is_within_its_span() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone()).finish();
    // For all threads: those of the node are not this one.
    tracing::subscriber::set_global_default(subscriber).unwrap();
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
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("from within")).unwrap();
    for part in [&format!("process{{pid={pid}"), "name=\"the-name\"", "label=\"the-label\"", "span.rs"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let line = text.lines().find(|line| line.contains("from the parent")).unwrap();
    assert!(!line.contains("the-name") && line.matches("process{").count() == 1, "{line}");
}
