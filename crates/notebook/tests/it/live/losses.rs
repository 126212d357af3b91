//! The runtime is killed at every moment of an evaluation, a hundred and more times, together with whoever could have
//! told of it: nothing ever waits for what does not come, and the notebook goes on.

use super::*;

/// A moment of an evaluation: what is so when it has come.
type Moment = fn(&Info) -> bool;

const MOMENTS: [(&str, Moment); 6] = [
    ("it is queued", |_| true),
    ("it evaluates", |info| info.status == Status::Evaluating),
    ("it is compiled", |info| info.compiled.is_some()),
    ("it has shown something", |info| !info.outputs.is_empty()),
    ("it has shown more", |info| info.outputs.iter().any(|output| output.text.contains("end"))),
    ("it has ended", |info| info.status == Status::Ready && info.shown.is_some()),
];

/// Who is killed with the runtime.
const WITH_IT: [&[&str]; 6] = [&[], &[], &["runtime"], &["session"], &["runtime", "session"], &["compiler"]];

/// A cell that comes to its end, and one that does not.
const SHORT: &str = "println!(\"begun\");\nyield_now().await;\nprintln!(\"end\");\nlet b = a + 1;";
const LONG: &str =
    "println!(\"begun\");\nyield_now().await;\nprintln!(\"end\");\nlet c = a + 1;\nreceive::<()>().await;";

#[test]
fn whenever_the_runtime_is_killed_its_cell_ends_and_the_next_one_runs() {
    with(&["let a = 1;", RUNTIME_PID, "a + 41", SHORT, LONG], |mut live| async move {
        for round in 0..120_usize {
            let (what, moment) = MOMENTS[round % MOMENTS.len()];
            let with_it = WITH_IT[round / MOMENTS.len() % WITH_IT.len()];
            let cell = if round / 36 % 2 == 0 { 5 } else { 4 };
            if cell == 5 && what == "it has ended" {
                continue; // It never does.
            }
            let runtime: i32 = live.evaluate(&[1, 2]).await.parse().expect("it is a number");
            live.apply(Evaluation::Forget(CellId(cell))).await;
            live.queue(&[cell]).await;
            live.until(what, |data| data.info(CellId(cell)).is_some_and(moment)).await;
            for name in with_it {
                if let Some(pid) = whereis(name) {
                    exit(pid, ExitReason::Kill);
                }
            }
            end(runtime);
            live.until("it is lost", |data| data.runtime().status == RuntimeStatus::Disconnected).await;
            live.settled().await;
            assert_eq!(live.evaluate(&[3]).await, "42", "round {round}, {what}, with {with_it:?}: {}", live.show());
        }
        live.stop().await;
    });
}

fn end(runtime: i32) {
    use nix::sys::signal::{Signal, kill};
    kill(nix::unistd::Pid::from_raw(runtime), Signal::SIGKILL).expect("it is our child");
}

#[test]
fn an_example_that_kills_the_runtime_takes_nobody_elses_status() {
    let ends = "/// ```\n/// end();\n/// ```\nfn end() {\n    std::process::abort()\n}";
    with(&["let a = 1;", ends, "a"], |mut live| async move {
        live.evaluate(&[1, 2, 3]).await;
        let failed = |number| live.data().info(CellId(number)).map(|info| info.failed);
        assert_eq!([failed(1), failed(2), failed(3)], [Some(false); 3], "{}", live.show());
        assert!(live.shown(2).contains("the runtime died while it ran: abort (SIGABRT)"), "{}", live.shown(2));
        assert_eq!(live.evaluate(&[3]).await, "1");
        live.stop().await;
    });
}
