//! What the notebook's data costs: an operation on a large notebook, staleness after a change, reading and writing.
//!
//! No compiler and no runtime take part. What runs of real cells cost is in `notebook`.

use std::collections::BTreeMap;
use std::time::Instant;

use greenroom_notebook::livemd::{self, Cell, Code, Language, Notebook};
use greenroom_notebook::session::data::Data;
use greenroom_notebook::session::operation::{
    CellId, CellsOfDeleted, Definition, Evaluation, Operation, Outcome, Reach, Runtime, SectionHead, SectionId,
    Structure,
};

use crate::common::median;
use crate::report::Row;

/// What is measured here.
pub const MEASURES: &[&str] = &["apply", "staleness", "livemd"];

/// Cells in a section of the notebooks here.
const IN_SECTION: usize = 100;

/// Runs one of [`MEASURES`].
///
/// # Errors
/// An operation that was refused.
pub fn measure(measure: &str, rounds: u32) -> Result<Vec<Row>, String> {
    match measure {
        "apply" => apply(rounds),
        "staleness" => staleness(rounds),
        _ => livemd(rounds),
    }
}

/// A notebook of so many cells, each of which uses the one ten above.
fn text(cells: usize) -> String {
    let mut text = "# Large\n".to_owned();
    for number in 0..cells {
        if number.is_multiple_of(IN_SECTION) {
            text += &format!(
                "\n## Section {number}\n\nWhat it is *about*, with `code` and a [link](https://example.org).\n"
            );
        }
        let used = if number < 10 { "0".to_owned() } else { format!("v{}", number - 10) };
        text += &format!("\n```rust\nlet v{number} = {used} + {number};\nprintln!(\"{{v{number}}}\");\n```\n");
    }
    text
}

fn act(data: &mut Data, operation: impl Into<Operation>) -> Result<(), String> {
    data.apply(&operation.into()).map(drop).map_err(|refusal| refusal.to_string())
}

/// Ends the evaluation that runs; its definition has this version.
fn finish(data: &mut Data, cell: CellId, version: u64) -> Result<(), String> {
    let running = data.info(cell).and_then(|info| info.running.as_ref()).map(|running| running.id);
    let evaluation = running.ok_or("nothing runs")?;
    let source = data.document().runnable(cell).map_or("", |code| code.source.as_str());
    let name = source.split_whitespace().nth(1).unwrap_or_default().into();
    let defines = vec![Definition { name, version, reach: Reach::Named }];
    act(data, Evaluation::Finished { cell, evaluation, outcome: Outcome::Ok { defines, run_ms: 1.0, process: None } })
}

/// A notebook of which everything is evaluated.
fn evaluated(cells: usize) -> Result<Data, String> {
    let (notebook, _) = livemd::parse(&text(cells));
    let mut data = Data::new(&notebook);
    act(&mut data, Evaluation::QueueAll)?;
    let runtime = data.runtime().id;
    act(&mut data, Runtime::Connected(runtime))?;
    while let Some(&cell) = data.evaluating().first() {
        finish(&mut data, cell, 1)?;
    }
    Ok(data)
}

/// Every kind of operation that people make, each somewhere in the notebook; in microseconds.
fn everyday(data: &mut Data, rounds: u32) -> Result<BTreeMap<&'static str, Vec<f64>>, String> {
    let cells: Vec<CellId> = data.document().cells().filter(|id| data.document().runnable(*id).is_some()).collect();
    let mut times: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for round in 0..rounds as usize * 20 {
        let cell = cells[(round * 7_919 + 11) % cells.len()];
        let section = data.document().section_of(cell).map_or(SectionId(1), |section| section.head.id);
        let (new, other) = (data.unused_cell_id(), SectionId(1_000_000 + round as u64));
        let head = SectionHead { id: other, name: "New".into(), parent: None, metadata: BTreeMap::new() };
        let code = Box::new(Cell::Code(Code::new(Language::Rust, "let fresh = 1;", 0)));
        let steps: [(&'static str, Operation); 9] = [
            ("edit", Structure::Edit { cell, at: 0, removed: 0, inserted: " ".into() }.into()),
            ("undo", Operation::Undo),
            ("insert", Structure::InsertCell { section, index: 3, id: new, cell: code }.into()),
            ("move", Structure::MoveCell { cell: new, section: SectionId(1), index: 0 }.into()),
            ("delete", Structure::DeleteCell(new).into()),
            ("insert section", Structure::InsertSection { index: 1, section: head }.into()),
            ("delete section", Structure::DeleteSection { section: other, cells: CellsOfDeleted::Bin }.into()),
            ("queue", Evaluation::Queue(vec![cell]).into()),
            ("cancel all", Evaluation::CancelAll.into()),
        ];
        for (name, operation) in steps {
            let begin = Instant::now();
            act(data, operation)?;
            times.entry(name).or_default().push(begin.elapsed().as_secs_f64() * 1e6);
        }
        act(data, Evaluation::Queue(vec![cell]))?;
        while let Some(&running) = data.evaluating().first() {
            let begin = Instant::now();
            finish(data, running, 1)?;
            times.entry("finish").or_default().push(begin.elapsed().as_secs_f64() * 1e6);
        }
    }
    Ok(times)
}

fn apply(rounds: u32) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut at_1_000 = BTreeMap::new();
    for (cells, peer) in [(1_000, "1 ms, 1,000"), (10_000, "1 ms, 10,000")] {
        let mut data = evaluated(cells)?;
        let times = everyday(&mut data, rounds)?;
        let all: Vec<f64> = times.values().flatten().copied().collect();
        rows.push(row("apply", peer, median(&all), 1_000.0, "µs", Some(1.0)));
        for (&name, times) in &times {
            let time = median(times);
            match cells {
                1_000 => drop(at_1_000.insert(name, time)),
                // Beside the same on a tenth of the cells.
                _ => rows.push(row("apply", name, time, at_1_000.get(name).copied().unwrap_or(f64::NAN), "µs", None)),
            }
        }
    }
    Ok(rows)
}

/// Reading a notebook of 1,000 cells and evaluating it, apart from the cells, and marking after a change.
fn staleness(rounds: u32) -> Result<Vec<Row>, String> {
    let (mut change, mut open) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let begin = Instant::now();
        let mut data = evaluated(1_000)?;
        open.push(begin.elapsed().as_secs_f64() * 1e3);
        let first = data.document().cells().find(|id| data.document().runnable(*id).is_some()).ok_or("no cells")?;
        act(&mut data, Evaluation::Queue(vec![first]))?;
        let begin = Instant::now();
        finish(&mut data, first, u64::from(round) + 2)?;
        change.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(vec![
        row("staleness", "50 ms, a change", median(&change), 50.0, "ms", Some(1.0)),
        row("staleness", "all evaluated", median(&open), 50.0, "ms", None),
    ])
}

/// Reading and writing a notebook of 5 MB.
fn livemd(rounds: u32) -> Result<Vec<Row>, String> {
    let large = text(75_000);
    let megabytes = large.len() as f64 / 1e6;
    let (mut both, mut parse) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begin = Instant::now();
        let (notebook, warnings): (Notebook, _) = livemd::parse(&large);
        parse.push(megabytes / begin.elapsed().as_secs_f64());
        let printed = livemd::print(&notebook);
        both.push(megabytes / begin.elapsed().as_secs_f64());
        if printed != large || !warnings.is_empty() {
            return Err("it is not written as it was read".to_owned());
        }
    }
    let rate = |peer, ours: f64| {
        let bar = Some(1.0);
        Row { measure: "livemd", peer, ours, theirs: 50.0, unit: "MB/s", ratio: ours / 50.0, bar }
    };
    Ok(vec![rate("50 MB/s, both", median(&both)), rate("50 MB/s, parse", median(&parse))])
}

fn row(measure: &'static str, peer: &'static str, ours: f64, theirs: f64, unit: &'static str, bar: Option<f64>) -> Row {
    Row { measure, peer, ours, theirs, unit, ratio: theirs / ours, bar }
}
