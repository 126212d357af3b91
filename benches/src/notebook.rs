//! How long a cell takes from its source to its result, through the real compiler and the real program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_notebook::cache::Cache;
use greenroom_notebook::compiler::{CellInput, Compiler, Scope};
use greenroom_notebook::prelude::{self, Prelude};
use greenroom_notebook::rustc::Cancel;
use serde_json::Value;

use crate::common::median;
use crate::evcxr;
use crate::report::Row;

/// What is measured here.
pub const MEASURES: &[&str] = &["cell_latency", "cell_chain", "notebook_again", "cell_million"];

/// The cell of the figures, with a number that makes it a new one each time.
fn small_cell(number: u32) -> String {
    format!("let list = vec![1, 2, {number}];\nlist.len()")
}

/// Runs one of [`MEASURES`].
///
/// # Errors
/// What is missing, or what failed.
pub fn measure(measure: &str, rounds: u32) -> Result<Vec<Row>, String> {
    match measure {
        "cell_latency" => cell_latency(rounds),
        "cell_chain" => cell_chain(rounds),
        "notebook_again" => notebook_again(rounds),
        _ => cell_million(rounds),
    }
}

fn row(
    measure: &'static str,
    peer: &'static str,
    ours: &[f64],
    theirs: &[f64],
    unit: &'static str,
    bar: Option<f64>,
) -> Row {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| theirs / ours).collect();
    Row { measure, peer, ours: median(ours), theirs: median(theirs), unit, ratio: median(&ratios), bar }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn shown<T>(error: impl std::fmt::Display) -> Result<T, String> {
    Err(error.to_string())
}

/// The real compiler on the real prelude, with an empty cache of cells.
fn compiler(folder: &Path) -> Result<(Compiler, PathBuf), String> {
    let cache = prelude::cache_folder().or_else(shown)?;
    let prelude = Prelude::open("", &cache, &Cancel::default(), &mut |_| {}).or_else(shown)?;
    let rustc = prelude.toolchain.rustc.clone();
    let cells = Cache::open(folder, &prelude.fingerprint).or_else(shown)?;
    Ok((Compiler::new(Arc::new(prelude), cells), rustc))
}

fn cell_latency(rounds: u32) -> Result<Vec<Row>, String> {
    let folder = tempfile::tempdir().or_else(shown)?;
    let (compiler, rustc) = compiler(folder.path())?;
    let program = greenroom()?;
    run_json(&program, &folder.path().join("warm.livemd"), &small_cell(0))?;
    let (mut whole, mut command, mut compiled) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bare, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let source = small_cell(unique());
        let start = Instant::now();
        let cell = CellInput { name: "cell 1", source: &source };
        let cell = compiler.compile(&cell, &Scope::default(), &Cancel::default()).or_else(shown)?;
        compiled.push(ms(start.elapsed()));
        bare.push(ms(cell.timings.rustc));
        empty.push(empty_dylib(&rustc, folder.path())?);
        let ran = run_json(&program, &folder.path().join("cell.livemd"), &small_cell(unique()))?;
        command.push(ran.first);
        whole.push(ran.cells.iter().map(|cell| cell.compile + cell.run).sum());
    }
    let given = vec![200.0; whole.len()];
    let mut rows = vec![
        row("cell_latency", "200 ms", &whole, &given, "ms", Some(1.0)),
        row("cell_latency", "from command", &whole, &command, "ms", None),
        row("cell_latency", "rustc alone", &compiled, &bare, "ms", Some(1.0 / 2.5)),
        row("cell_latency", "empty dylib", &whole, &empty, "ms", None),
    ];
    match evcxr::measure(&program, rounds, unique) {
        Ok(more) => rows.extend(more),
        Err(why) => eprintln!("note: cell_latency: without evcxr: {why}"),
    }
    Ok(rows)
}

/// The fiftieth cell of a chain, in which each uses the one above, beside the first.
fn cell_chain(rounds: u32) -> Result<Vec<Row>, String> {
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let folder = tempfile::tempdir().or_else(shown)?;
        let (compiler, _) = compiler(folder.path())?;
        let mut scope = Scope::default();
        let mut times = Vec::new();
        for number in 1..=50 {
            let name = format!("cell {number}");
            let source = match number {
                1 => format!("let list1 = vec![1, 2, {}];\nlist1.len()", unique()),
                _ => format!(
                    "let mut list{number} = list{0};\nlist{number}.push({number});\nlist{number}.len()",
                    number - 1
                ),
            };
            let start = Instant::now();
            let cell = CellInput { name: &name, source: &source };
            let cell = compiler.compile(&cell, &scope, &Cancel::default()).or_else(shown)?;
            times.push(ms(start.elapsed()));
            scope.push(name, cell);
        }
        first.push(times[0]);
        last.push(times[49]);
    }
    Ok(vec![row("cell_chain", "first cell", &last, &first, "ms", Some(1.0 / 1.3))])
}

fn notebook_again(rounds: u32) -> Result<Vec<Row>, String> {
    let folder = tempfile::tempdir().or_else(shown)?;
    let program = greenroom()?;
    let file = folder.path().join("again.livemd");
    let cells: Vec<_> = (0..10).map(|_| small_cell(unique())).collect();
    let text = cells.join("\n```\n\n```rust\n");
    run_json(&program, &file, &text)?;
    let (mut first, mut end) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let ran = run_json(&program, &file, &text)?;
        if ran.cells.iter().any(|cell| !cell.cached) {
            return Err("a cell was compiled again".to_owned());
        }
        first.push(ran.first);
        end.push(ran.end);
    }
    let given = vec![300.0; first.len()];
    Ok(vec![
        row("notebook_again", "300 ms", &first, &given, "ms", Some(1.0)),
        row("notebook_again", "10 cells, end", &end, &first, "ms", None),
    ])
}

const MILLION: &str = r#"
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Ask(Pid);
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Told;
let me = self_pid();
let start = std::time::Instant::now();
let pids: Vec<Pid> = (0..1_000_000).map(|_| spawn(async { let Ask(from) = receive::<Ask>().await; send(from, Told); })).collect();
for &pid in &pids { send(pid, Ask(me)); }
for _ in &pids { receive::<Told>().await; }
let took = start.elapsed().as_secs_f64();
let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("").replace("kB", "");
let peak = peak.trim().parse::<f64>().unwrap_or(f64::NAN) / 1024.0;
println!("million {took} {peak}");
"#;

/// A million processes, each of which answers a message and ends, from a cell.
fn cell_million(rounds: u32) -> Result<Vec<Row>, String> {
    let folder = tempfile::tempdir().or_else(shown)?;
    let program = greenroom()?;
    let (mut seconds, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let ran = run_json(&program, &folder.path().join("million.livemd"), MILLION)?;
        let words: Vec<_> = ran.text.split_whitespace().collect();
        let figures: Vec<f64> = words.iter().filter_map(|word| word.parse().ok()).collect();
        let [took, peak] = figures[..] else { return Err(format!("the cell said: {}", ran.text)) };
        seconds.push(took);
        peaks.push(peak);
    }
    let given = vec![3.0; seconds.len()];
    Ok(vec![
        row("cell_million", "3 s", &seconds, &given, "s", Some(1.0)),
        row("cell_million", "peak memory", &peaks, &peaks, "MiB", None),
    ])
}

/// A number that was not used before.
pub fn unique() -> u32 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (since.as_micros() % 1_000_000_000) as u32
}

/// Milliseconds for a dylib with nothing in it.
fn empty_dylib(rustc: &Path, folder: &Path) -> Result<f64, String> {
    let file = folder.join("empty.rs");
    std::fs::write(&file, "").or_else(shown)?;
    let start = Instant::now();
    let status = Command::new(rustc)
        .args(["--crate-type=dylib", "--edition=2024", "-Cprefer-dynamic", "-Cdebuginfo=0", "-Copt-level=0"])
        .arg("--out-dir")
        .arg(folder)
        .arg(&file)
        .status()
        .or_else(shown)?;
    if status.success() { Ok(ms(start.elapsed())) } else { Err("rustc refused an empty file".to_owned()) }
}

/// The program, which is built beside this one.
pub fn greenroom() -> Result<PathBuf, String> {
    let program = std::env::current_exe().or_else(shown)?.with_file_name("greenroom");
    if program.is_file() {
        return Ok(program);
    }
    Err(format!("{} is missing: run `cargo build --release -p greenroom-notebook` first", program.display()))
}

struct Ran {
    cells: Vec<RanCell>,
    /// Everything that was printed.
    text: String,
    /// Milliseconds from the command to the first result, and to the end.
    first: f64,
    end: f64,
}

struct RanCell {
    compile: f64,
    run: f64,
    cached: bool,
}

/// Runs a notebook of these cells with the program and reads what it says.
fn run_json(program: &Path, file: &Path, cells: &str) -> Result<Ran, String> {
    use std::io::BufRead;
    std::fs::write(file, format!("# Measured\n\n```rust\n{cells}\n```\n")).or_else(shown)?;
    let start = Instant::now();
    let mut command = Command::new(program);
    command.args(["run", "--json"]).arg(file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().or_else(shown)?;
    let stdout = child.stdout.take().ok_or("no output")?;
    let mut ran = Ran { cells: Vec::new(), text: String::new(), first: f64::NAN, end: f64::NAN };
    for line in std::io::BufReader::new(stdout).lines() {
        let line = line.or_else(shown)?;
        let event: Value = serde_json::from_str(&line).or_else(shown)?;
        if event["event"] != "cell" {
            continue;
        }
        if ran.cells.is_empty() {
            ran.first = ms(start.elapsed());
        }
        if event["status"] != "ok" {
            return Err(format!("a cell failed: {line}"));
        }
        let number = |name: &str| event[name].as_f64().unwrap_or(f64::NAN);
        let cached = event["cached"].as_bool().unwrap_or(false);
        ran.cells.push(RanCell { compile: number("compile_ms"), run: number("run_ms"), cached });
        for output in event["outputs"].as_array().into_iter().flatten() {
            if output["kind"] == "text" {
                ran.text.push_str(output["text"].as_str().unwrap_or_default());
            }
        }
    }
    let status = child.wait().or_else(shown)?;
    ran.end = ms(start.elapsed());
    if status.success() { Ok(ran) } else { Err(format!("the program ended with {status}")) }
}
