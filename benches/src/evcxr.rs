//! Cells of ten kinds, in our program and in evcxr, in turn: how long each takes from its source to its result.
//!
//! Both run as they are used: ours as `greenroom run --json` on a notebook of the cells, evcxr with the same cells on
//! its standard input. The peer is the `evcxr` on the PATH, or the program that `EVCXR` names; without it only ours is measured.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::common::median;
use crate::report::Row;

/// What a cell prints when it is through, apart from its number.
const DONE: &str = "cell done";

/// A kind of cell. `NUMBER` in its source is a number that makes it a new one each time, the same in both programs.
struct Kind {
    name: &'static str,
    source: &'static str,
    /// For evcxr, where it must be written in another way.
    theirs: Option<&'static str>,
}

const fn same(name: &'static str, source: &'static str) -> Kind {
    Kind { name, source, theirs: None }
}

const KINDS: [Kind; 9] = [
    same("arithmetic", "let a = NUMBER + 40 * 2; let b = a % 7;"),
    same(
        "struct",
        "#[derive(Debug, Clone)] struct Point { x: i64, y: i64 } let p = Point { x: NUMBER, y: 2 }; let d = p.x + p.y;",
    ),
    same(
        "generic function",
        "fn largest<T: PartialOrd + Copy>(list: &[T]) -> Option<T> { let mut all = list.iter(); let mut best = *all.next()?; \
         for &item in all { if item > best { best = item; } } Some(best) } let m = largest(&[1, NUMBER, 3]); let f = largest(&[0.5, 2.5]);",
    ),
    same("closure", "let k = NUMBER; let c: Vec<i64> = (1..20).map(move |n| n * k).filter(|n| n % 2 == 0).collect();"),
    same(
        "async, channels",
        "enum Work { Add(i64), Stop } let (tx, mut rx) = tokio::sync::mpsc::channel(8); \
         tokio::spawn(async move { for n in 0..5 { tx.send(Work::Add(n + NUMBER)).await.ok(); } tx.send(Work::Stop).await.ok(); }); \
         let mut sum = 0; while let Some(work) = rx.recv().await { match work { Work::Add(n) => sum += n, Work::Stop => break } }",
    ),
    Kind {
        name: "spawn, receive",
        source: "let me = self_pid(); spawn(async move { send(me, NUMBER as i64) }); let got = receive::<i64>().await;",
        // What comes nearest there: a thread and a channel of the standard library.
        theirs: Some(
            "let (tx, rx) = std::sync::mpsc::channel::<i64>(); std::thread::spawn(move || tx.send(NUMBER as i64)); \
             let got = rx.recv().unwrap();",
        ),
    },
    same(
        "serde",
        "#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)] struct Order { id: i64, lines: Vec<String>, paid: Option<bool> } \
         let order = Order { id: NUMBER, lines: vec![String::new()], paid: None }; let copy = order.clone();",
    ),
    same("macro", "macro_rules! total { ($($n:expr),*) => { 0 $(+ $n)* } } let t = total!(1, 2, NUMBER);"),
    // Two hundred lines of items are put in its place.
    same("200 lines", ""),
];

fn source(kind: &Kind, number: u32, is_ours: bool) -> String {
    match kind.name {
        "200 lines" => (0..50)
            .map(|item| format!("pub struct Item{item} {{ pub id: i64 }} impl Item{item} {{ pub fn new(id: i64) -> Self {{ Item{item} {{ id: id + {number} }} }} pub fn twice(&self) -> i64 {{ self.id * 2 }} }} "))
            .chain(["let last = Item49::new(1).twice();".to_owned()])
            .collect(),
        _ => kind.theirs.filter(|_| !is_ours).unwrap_or(kind.source).replace("NUMBER", &number.to_string()),
    }
}

/// The peer, if it is there.
pub fn peer() -> Option<PathBuf> {
    let named = std::env::var_os("EVCXR").map(PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    named
        .into_iter()
        .chain(std::env::split_paths(&paths).map(|folder| folder.join("evcxr")))
        .find(|file| file.is_file())
}

/// One row a kind of cell, and the median, the worst, and the memory of the program itself, at each level.
///
/// # Errors
/// What is missing, or what failed.
pub fn measure(program: &Path, rounds: u32, unique: impl Fn() -> u32) -> Result<Vec<Row>, String> {
    let peer =
        peer().ok_or("evcxr is not there: `cargo install evcxr_repl --version 0.22.0 --locked`, or set EVCXR")?;
    let mut rows = Vec::new();
    for (level, name, bar, worst_bar) in
        [(Some("0"), "cells, evcxr :opt 0", 2.0, Some(1.0 / 0.7)), (None, "cells, evcxr", 3.0, None)]
    {
        let (mut ours, mut theirs): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        let (mut memory, mut their_memory) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let number = unique();
            let (times, used) = ours_once(program, number)?;
            ours.push(times);
            memory.push(used);
            let (times, used) = theirs_once(&peer, level, number)?;
            theirs.push(times);
            their_memory.push(used);
        }
        let of = |rounds: &[Vec<f64>], kind: usize| median(&rounds.iter().map(|round| round[kind]).collect::<Vec<_>>());
        let kinds: Vec<(f64, f64)> = (0..=KINDS.len()).map(|kind| (of(&ours, kind), of(&theirs, kind))).collect();
        let row = |measure, peer, ours, theirs, unit, bar| Row {
            measure,
            peer,
            ours,
            theirs,
            unit,
            ratio: theirs / ours,
            bar,
        };
        for (kind, (ours, theirs)) in kinds.iter().enumerate() {
            let kind = KINDS.get(kind).map_or("an error", |kind| kind.name);
            rows.push(row(name, kind, *ours, *theirs, "ms", worst_bar));
        }
        let ratios: Vec<f64> = kinds.iter().map(|(ours, theirs)| theirs / ours).collect();
        let (own, other): (Vec<f64>, Vec<f64>) = kinds.into_iter().unzip();
        rows.push(Row { ratio: median(&ratios), ..row(name, "median", median(&own), median(&other), "ms", Some(bar)) });
        rows.push(row(name, "memory", median(&memory), median(&their_memory), "MiB", Some(5.0)));
    }
    Ok(rows)
}

/// The cells in our program: milliseconds for each, and the memory of the program at its most.
fn ours_once(program: &Path, number: u32) -> Result<(Vec<f64>, f64), String> {
    let folder = tempfile::tempdir().map_err(shown)?;
    let file = folder.path().join("kinds.livemd");
    let mut text = format!("# Kinds\n\n## Cells\n\n```rust\nlet warm = {number};\n```\n\n");
    for kind in &KINDS {
        text += &format!("```rust\n{}\n```\n\n", source(kind, number, true));
    }
    text += &format!("```rust\nlet wrong: u8 = \"{number}\";\n```\n");
    std::fs::write(&file, text).map_err(shown)?;
    let mut command = Command::new(program);
    command.args(["run", "--json"]).arg(&file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(shown)?;
    let lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    let (mut times, mut memory, mut last) = (Vec::new(), 0.0, None);
    for line in lines {
        let line = line.map_err(shown)?;
        let now = Instant::now();
        memory = peak(&child).unwrap_or(memory);
        if !line.starts_with("{\"event\":\"cell\"") {
            continue;
        }
        let is_wrong = line.contains("\"status\":\"error\"");
        if is_wrong != (times.len() == KINDS.len()) {
            return Err(format!("a cell went otherwise than it should: {line}"));
        }
        // The first cell only warms up.
        if let Some(last) = last.replace(now) {
            times.push((now - last).as_secs_f64() * 1e3);
        }
    }
    child.wait().map_err(shown)?;
    if times.len() == KINDS.len() + 1 { Ok((times, memory)) } else { Err("a cell is missing".to_owned()) }
}

/// The same in evcxr, with the crates that ours has already.
fn theirs_once(program: &Path, level: Option<&str>, number: u32) -> Result<(Vec<f64>, f64), String> {
    let mut command = Command::new("sh");
    // Errors go to standard error: they are waited for, too.
    command.args(["-c", "exec \"$0\" 2>&1"]).arg(program);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(shown)?;
    let mut stdin = child.stdin.take().ok_or("no input")?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let mut ask = |text: &str, answer: &str| -> Result<f64, String> {
        let start = Instant::now();
        writeln!(stdin, "{text}").map_err(shown)?;
        wait_for(&mut output, answer)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    if let Some(level) = level {
        ask(&format!(":opt {level}"), "Optimization")?;
    }
    let done = |at: usize| format!("println!(\"{{}} {at}\", \"{DONE}\");");
    let crates = ":dep tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"sync\", \"time\"] }\n:dep serde = { version = \"1\", features = [\"derive\"] }";
    ask(&format!("{crates}\nlet warm = {number}; {}", done(0)), &format!("{DONE} 0"))?;
    // Awaiting needs its runtime, which is started by the first that does.
    ask(&format!("tokio::time::sleep(std::time::Duration::ZERO).await; {}", done(0)), &format!("{DONE} 0"))?;
    let mut times = Vec::new();
    for (at, kind) in KINDS.iter().enumerate() {
        let text = format!("{} {}", source(kind, number, false), done(at + 1));
        times.push(ask(&text, &format!("{DONE} {}", at + 1)).map_err(|error| format!("{}: {error}", kind.name))?);
    }
    times.push(ask(&format!("let wrong: u8 = \"{number}\";"), "mismatched types")?);
    let memory = peak(&child).unwrap_or(f64::NAN);
    drop(stdin);
    // It has said all that it was asked for.
    let _ = child.kill();
    child.wait().map_err(shown)?;
    Ok((times, memory))
}

/// Reads until a text appears. An error that was not asked for ends it.
fn wait_for(output: &mut impl Read, answer: &str) -> Result<(), String> {
    let mut seen = String::new();
    let mut part = [0; 4096];
    while !seen.contains(answer) {
        let read = output.read(&mut part).map_err(shown)?;
        seen.push_str(&String::from_utf8_lossy(&part[..read]));
        if read == 0
            || (seen.contains("Error:") || seen.contains("[E0"))
                && !seen.contains(answer)
                && !answer.contains("mismatched")
        {
            return Err(format!("evcxr said: {seen}"));
        }
    }
    Ok(())
}

/// The most memory that a program itself has used, without those that it started, in MiB.
fn peak(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}
