//! What the death of a runtime costs: how soon the cell that ran in it is marked, and how soon the next one can run.
//! A real runtime is killed, 200 times in a row.

use std::time::{Duration, Instant};

use greenroom_notebook::draw::Style;
use greenroom_notebook::live::{Client, Folders, Live, LiveOptions};
use greenroom_notebook::livemd;
use greenroom_notebook::session::data::{Data, Info, RuntimeStatus, Status};
use greenroom_notebook::session::operation::{CellId, Evaluation};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::median;
use crate::report::Row;

/// What is measured here.
pub const MEASURES: &[&str] = &["runtime_recovery"];

/// How often the runtime is killed.
const KILLS: u32 = 200;

/// Cells that say which operating-system process they run in, that never end, and that are evaluated afterwards.
const NOTEBOOK: &str = "# N\n\n## S\n\n```rust\nstd::process::id()\n```\n\n```rust\n6 * 7\n```\n\n```rust\n\
                        println!(\"it runs\");\nreceive::<()>().await\n```\n";
const WHERE: CellId = CellId(1);
const NEXT: CellId = CellId(2);
const ENDLESS: CellId = CellId(3);

/// Runs one of [`MEASURES`].
///
/// # Errors
/// What is missing, or what did not recover.
pub fn measure(_measure: &str) -> Result<Vec<Row>, String> {
    let options = LiveOptions { file: None, style: Style::Plain, columns: 80 };
    // Nobody is to find it among their own notebooks.
    let folders = Folders::of_user().map_err(|error| error.to_string())?;
    let folders = Folders { autosave: None, sessions: None, ..folders };
    let live = Live::open_in(&livemd::parse(NOTEBOOK).0, options, folders).map_err(|error| error.to_string())?;
    let mut client = live.handle().join("bench").map_err(|error| error.to_string())?;
    let (mut marked, mut next) = (Vec::new(), Vec::new());
    for _ in 0..KILLS {
        let runtime: i32 = evaluate(&live, &mut client, WHERE)?.parse().map_err(|_| "the runtime has no number")?;
        queue(&live, ENDLESS)?;
        wait(&mut client, |data| shows(data, ENDLESS))?;
        let begin = Instant::now();
        kill(Pid::from_raw(runtime), Signal::SIGKILL).map_err(|error| format!("the runtime is gone: {error}"))?;
        wait(&mut client, |data| {
            let is_over = |info: &Info| info.status == Status::Ready && info.failed;
            data.runtime().status == RuntimeStatus::Disconnected && data.info(ENDLESS).is_some_and(is_over)
        })?;
        marked.push(ms(begin.elapsed()));
        let answer = evaluate(&live, &mut client, NEXT)?;
        next.push(ms(begin.elapsed()));
        if answer != "42" {
            return Err(format!("the next cell shows {answer}"));
        }
    }
    live.close();
    let worst = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
    let row = |peer, ours: f64, bar: f64| Row {
        measure: "runtime_recovery",
        peer,
        ours,
        theirs: bar,
        unit: "ms",
        ratio: bar / ours,
        bar: Some(1.0),
    };
    Ok(vec![
        row("marked, median", median(&marked), 50.0),
        row("marked, worst", worst(&marked), 50.0),
        row("next, median", median(&next), 1_000.0),
        row("next, worst", worst(&next), 1_000.0),
    ])
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn queue(live: &Live, cell: CellId) -> Result<(), String> {
    live.handle().apply(Evaluation::Queue(vec![cell])).map_err(|error| error.to_string())
}

fn wait(client: &mut Client, is_so: impl Fn(&Data) -> bool) -> Result<(), String> {
    client.wait(is_so).map_err(|error| error.to_string())
}

fn shows(data: &Data, cell: CellId) -> bool {
    data.info(cell).is_some_and(|info| !info.outputs.is_empty())
}

/// Evaluates a cell, and returns what it shows.
fn evaluate(live: &Live, client: &mut Client, cell: CellId) -> Result<String, String> {
    queue(live, cell)?;
    wait(client, |data| data.info(cell).is_some_and(|info| info.status != Status::Ready))?;
    wait(client, |data| data.info(cell).is_some_and(|info| info.status == Status::Ready))?;
    let outputs = client.data().info(cell).map(|info| info.outputs.clone()).unwrap_or_default();
    Ok(outputs.iter().map(|output| output.text.as_str()).collect())
}
