//! What becomes of values, and of the runtime that holds them.

use std::collections::BTreeMap;

use greenroom_notebook::runtime::{Backtrace, RuntimeSettings};

use super::*;

impl Live {
    async fn write(&mut self, number: u64, source: &str) {
        let cell = CellId(number);
        let document = self.data().document();
        let removed = document.cell(cell).and_then(|cell| cell.code()).map_or(0, |code| code.source.len());
        self.apply(Structure::Edit { cell, at: 0, removed, inserted: source.to_owned() }).await;
        while self.follower.next(Duration::ZERO).await {}
    }
}

#[test]
fn a_value_that_comes_out_equal_leaves_its_users_valid() {
    with(&["let a = 2;", "let b = vec![a; 3];", "b.len()"], |mut live| async move {
        live.evaluate(&[3]).await;
        live.write(1, "let a = 1 + 1;").await;
        live.evaluate(&[1]).await;
        assert_eq!(live.show(), "1: Evaluated, 2: Evaluated, 3: Evaluated");
        live.write(1, "let a = 3;").await;
        live.evaluate(&[1]).await;
        assert_eq!(live.show(), "1: Evaluated, 2: Stale, 3: Stale");
        // Also one that has another type now.
        live.evaluate(&[3]).await;
        live.write(1, "let a = 3_u8;").await;
        live.evaluate(&[1]).await;
        assert_eq!(live.show(), "1: Evaluated, 2: Stale, 3: Stale");
        live.stop().await;
    });
}

#[test]
fn what_nobody_can_compare_is_new_each_time() {
    with(&["let a = std::sync::Arc::new(std::sync::Mutex::new(1));", "*a.lock().unwrap()"], |mut live| async move {
        live.evaluate(&[2]).await;
        live.evaluate(&[1]).await;
        assert_eq!(live.show(), "1: Evaluated, 2: Stale");
        live.stop().await;
    });
}

#[test]
fn a_cell_that_fails_leaves_the_values_of_all_others() {
    let cells =
        ["let mut a = vec![1];", "a.push(2);\npanic!(\"no\");", "a.push(3);\na", "a", "let a = 5;\nErr(\"no\")?;"];
    with(&cells, |mut live| async move {
        live.evaluate(&[1, 2, 5]).await;
        // Each has its own.
        assert_eq!(live.evaluate(&[3]).await, "[1, 3]");
        assert_eq!(live.evaluate(&[4]).await, "[1]");
        assert_eq!(live.show(), "1: Evaluated, 2: Evaluated failed, 3: Evaluated, 4: Evaluated, 5: Evaluated failed");
        live.stop().await;
    });
}

#[test]
fn a_dear_clone_is_pointed_out_with_its_cure_and_what_is_shared_is_not() {
    let slow = "#[derive(Debug)]\nstruct Slow(u8);\nimpl Clone for Slow {\n    fn clone(&self) -> Self {\n        \
                std::thread::sleep(Duration::from_millis(60));\n        Slow(self.0)\n    }\n}";
    let cells = [slow, "let slow = Slow(7);\nlet shared = Shared::new(Slow(8));", "slow.0", "shared.0"];
    with(&cells, |mut live| async move {
        let shown = live.evaluate(&[3]).await;
        assert!(shown.starts_with("note: cloning `slow` for this cell took "), "{shown}");
        assert!(shown.contains("make it `Shared::new(…)` where it is defined") && shown.ends_with("|7"), "{shown}");
        assert_eq!(live.evaluate(&[4]).await, "8");
        live.stop().await;
    });
}

#[test]
fn a_runtime_is_started_as_it_was_said_to_be() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().canonicalize().expect("it is there");
    let ask = "(std::env::var(\"GREETING\").ok(), std::env::var(\"RUST_BACKTRACE\").ok(), std::env::current_dir()?)";
    with(&[&format!("let said = {ask};\nprintln!(\"{{said:?}}\");")], |mut live| async move {
        for (backtrace, said) in [(Backtrace::Off, "0"), (Backtrace::Short, "1"), (Backtrace::Full, "full")] {
            let environment = BTreeMap::from([("GREETING".to_owned(), format!("hello {said}"))]);
            let settings = RuntimeSettings { environment, folder: Some(path.clone()), backtrace };
            live.apply(Runtime::SetOptions(settings)).await;
            // It is refused where there is none yet.
            let _ = live.session.apply(Runtime::Disconnect).await;
            let expected = format!("(Some(\"hello {said}\"), Some(\"{said}\"), {path:?})\n");
            assert_eq!(live.evaluate(&[1]).await, expected);
        }
        live.stop().await;
    });
}

#[test]
fn a_runtime_that_does_not_start_says_why_and_the_next_one_may() {
    let text = "# N\n\n## S\n\n```rust\n1\n```\n";
    let check = |change: fn(&mut Tools), expected: &'static str| {
        with_tools(text, change, move |mut live| async move {
            live.queue(&[1]).await;
            live.until("it fails", |data| data.runtime().trouble.is_some()).await;
            let trouble = live.data().runtime().trouble.clone().expect("it was just there");
            assert!(trouble.contains(expected), "{trouble}");
            assert_eq!(live.show(), "1: Fresh");
            assert_eq!(live.data().runtime().status, RuntimeStatus::Disconnected);
            // It is tried again when somebody asks.
            live.queue(&[1]).await;
            live.until("it fails again", |data| data.runtime().id.0 == 2 && data.runtime().trouble.is_some()).await;
            live.stop().await;
        });
    };
    check(|tools| tools.runtime.program = "/nowhere/runtime".into(), "the runtime /nowhere/runtime does not start");
    check(|tools| tools.runtime.program = "/bin/false".into(), "ended before it was ready: it ended itself with exit");
    let silent: fn(&mut Tools) = |tools| {
        // Reads its input, and says nothing.
        (tools.runtime.program, tools.runtime.patience) = ("/bin/cat".into(), Duration::from_millis(100));
    };
    check(silent, "the runtime did not answer within 100ms");
}

#[test]
fn what_is_being_started_can_be_given_up() {
    let silent: fn(&mut Tools) = |tools| tools.runtime.program = "/bin/cat".into();
    with_tools("# N\n\n## S\n\n```rust\n1\n```\n", silent, |mut live| async move {
        live.queue(&[1]).await;
        live.session.interrupt().await;
        live.until("it is given up", |data| data.runtime().status == RuntimeStatus::Disconnected).await;
        assert_eq!(live.show(), "1: Fresh");
        live.stop().await;
    });
}

#[test]
fn whoever_looks_is_told_anew_when_their_process_is_killed() {
    with(&["1"], |mut live| async move {
        let (sender, told) = mpsc::channel();
        let listener =
            greenroom::spawn(async move { while sender.send(receive::<Broadcast>().await.update).is_ok() {} });
        let client = live.session.join(Visitor { name: "me".to_owned(), process: 1 }, listener).await;
        kill(&client.to_string()).await;
        live.evaluate(&[1]).await;
        kill("clients").await;
        live.apply(Structure::Rename("M".to_owned())).await;
        let mut replica = Replica::default();
        let mut joined = 0;
        while replica.data().document().name != "M" {
            let update = told.recv_timeout(PATIENCE).expect("they are told");
            joined += usize::from(matches!(update, Update::Joined(_)));
            replica.follow(&update);
        }
        assert!((1..=3).contains(&joined), "{joined}");
        assert!(replica.data().info(CellId(1)).is_some_and(|info| info.has_values()));
        live.stop().await;
    });
}
