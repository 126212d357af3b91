//! How the prompt feels: the real program in a pseudo-terminal, timed by what comes on the screen. Beside it evcxr,
//! typed at in the same way, where it does the same thing.

mod terminal;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::median;
use crate::evcxr;
use crate::notebook::{greenroom, unique};
use crate::report::Row;
use terminal::Terminal;

/// What is measured here.
pub const MEASURES: &[&str] = &["prompt", "enter_rested", "enter", "keypress", "idle_cpu", "flood"];

/// How long the hand rests before Enter.
const REST: Duration = Duration::from_millis(500);
/// How long nothing is done while the processor time is counted.
const IDLE: Duration = Duration::from_secs(20);
/// The lines of a long cell.
const LONG: usize = 2_000;
/// The lines of a flood.
const FLOOD: usize = 100_000;
/// So many floods it takes until the allocator holds what it will hold.
const SETTLED: usize = 3;
/// Keys that are pressed in one round.
const KEYS: usize = 20;

/// Runs one of [`MEASURES`].
///
/// # Errors
/// What is missing, or what failed.
pub fn measure(measure: &'static str, rounds: u32) -> Result<Vec<Row>, String> {
    let (program, folder) = (greenroom()?, tempfile::tempdir().map_err(shown)?);
    let (program, folder) = (program.as_path(), folder.path());
    let peer = evcxr::peer();
    if peer.is_none() {
        eprintln!("note: {measure}: without evcxr");
    }
    match measure {
        "prompt" => prompt(program, peer.as_deref(), folder, rounds),
        "enter_rested" => enter(measure, REST, 30.0, program, peer.as_deref(), folder, rounds),
        "enter" => enter(measure, Duration::ZERO, 250.0, program, peer.as_deref(), folder, rounds),
        "keypress" => keypress(program, folder, rounds),
        "idle_cpu" => idle_cpu(program, peer.as_deref(), folder),
        _ => flood(program, folder, rounds),
    }
}

fn row(measure: &'static str, peer: &'static str, ours: f64, theirs: f64, unit: &'static str, bar: Option<f64>) -> Row {
    Row { measure, peer, ours, theirs, unit, ratio: theirs / ours, bar }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn shown(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn worst(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::NAN, f64::max)
}

/// From the start of the program to a prompt, when nothing is to be built.
fn prompt(program: &Path, peer: Option<&Path>, folder: &Path, rounds: u32) -> Result<Vec<Row>, String> {
    let once = |program: &Path, prompt: &str| {
        let terminal = Terminal::start(program, &[], folder)?;
        Ok::<_, String>(ms(terminal.see(prompt)? - terminal.started))
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // The first one may have to read it all from the disk.
    once(program, "[1]›")?;
    for _ in 0..rounds.max(10) {
        ours.push(once(program, "[1]›")?);
        if let Some(peer) = peer {
            theirs.push(once(peer, ">>")?);
        }
    }
    let mut rows = vec![
        row("prompt", "100 ms", median(&ours), 100.0, "ms", Some(1.0)),
        row("prompt", "100 ms, worst", worst(&ours), 100.0, "ms", None),
    ];
    if peer.is_some() {
        rows.push(row("prompt", "evcxr", median(&ours), median(&theirs), "ms", None));
    }
    Ok(rows)
}

/// A program at whose prompt small cells are entered, each a new one.
struct Typist {
    terminal: Terminal,
    /// Whether it hears letters one by one, as a hand types them; the peer is given the line at once.
    by_letters: bool,
}

impl Typist {
    /// Starts a program and has it do its first cell, which may wait for much.
    fn start(program: &Path, folder: &Path, by_letters: bool) -> Result<Typist, String> {
        let terminal = Terminal::start(program, &[], folder)?;
        terminal.prompt()?;
        let mut typist = Typist { terminal, by_letters };
        for _ in 0..3 {
            typist.enter(REST)?;
        }
        Ok(typist)
    }

    /// Types a cell, rests, presses Enter: milliseconds from there to its value.
    fn enter(&mut self, rest: Duration) -> Result<f64, String> {
        let number = unique();
        self.terminal.prompt()?;
        let line = format!("let list = vec![1, 2, {number}]; list.len() + list[2]");
        match self.by_letters {
            true => line.chars().try_for_each(|key| self.terminal.keys(key.encode_utf8(&mut [0; 4])).map(drop))?,
            false => drop(self.terminal.keys(&line)?),
        }
        self.terminal.see("len() + list[2]")?;
        std::thread::sleep(rest);
        let pressed = self.terminal.keys("\r")?;
        let answer = (u64::from(number) + 3).to_string();
        let shown = self.terminal.wait(|screen| {
            screen.lines().any(|line| line.trim_start_matches("= ").split_whitespace().next() == Some(&answer))
        })?;
        Ok(ms(shown - pressed))
    }
}

fn enter(
    measure: &'static str,
    rest: Duration,
    bar: f64,
    program: &Path,
    peer: Option<&Path>,
    folder: &Path,
    rounds: u32,
) -> Result<Vec<Row>, String> {
    let mut us = Typist::start(program, folder, true)?;
    let start = |peer| Typist::start(peer, folder, false).inspect_err(|why| eprintln!("note: {measure}: evcxr: {why}"));
    let mut they = peer.and_then(|peer| start(peer).ok());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(5) * 4 {
        ours.push(us.enter(rest)?);
        if let Some(they) = &mut they {
            theirs.push(they.enter(rest)?);
        }
    }
    let name = if bar < 100.0 { "30 ms" } else { "250 ms" };
    let mut rows = vec![
        row(measure, name, median(&ours), bar, "ms", Some(1.0)),
        row(measure, "worst", worst(&ours), bar, "ms", None),
    ];
    if they.is_some() {
        rows.push(row(measure, "evcxr", median(&ours), median(&theirs), "ms", Some(10.0).filter(|_| bar < 100.0)));
    }
    Ok(rows)
}

/// A long cell: at the prompt, where it was pasted, and in the document view, where it is edited.
fn keypress(program: &Path, folder: &Path, rounds: u32) -> Result<Vec<Row>, String> {
    let lines: Vec<_> = (0..LONG).map(|line| format!("let value{line} = {line} + \"text\".len();")).collect();
    let text = lines.join("\n");
    let mut at_prompt = Vec::new();
    let mut terminal = Terminal::start(program, &[], folder)?;
    terminal.prompt()?;
    terminal.keys(&format!("\u{1b}[200~{text}\n// \u{1b}[201~"))?;
    terminal.see("let value1999")?;
    for _ in 0..rounds.max(5) {
        at_prompt.extend(type_word(&mut terminal)?);
    }
    drop(terminal);
    let file = folder.join("long.livemd");
    std::fs::write(&file, format!("# Long\n\n## Section\n\n```rust\n{text}\n// \n```\n")).map_err(shown)?;
    let mut in_view = Vec::new();
    let mut terminal = Terminal::start(program, &["open", "long.livemd"], folder)?;
    terminal.see("let value0")?;
    // Edits the cell, at its end.
    terminal.keys("\r")?;
    terminal.keys("\u{1b}[1;5F")?;
    terminal.see("let value1999")?;
    for _ in 0..rounds.max(5) {
        in_view.extend(type_word(&mut terminal)?);
    }
    Ok(vec![
        row("keypress", "view, 16 ms", median(&in_view), 16.0, "ms", Some(1.0)),
        row("keypress", "view, worst", worst(&in_view), 16.0, "ms", None),
        row("keypress", "prompt, 16 ms", median(&at_prompt), 16.0, "ms", Some(1.0)),
        row("keypress", "prompt, worst", worst(&at_prompt), 16.0, "ms", None),
    ])
}

/// Types a word letter by letter, each when the last is there, and takes it back: the milliseconds of each letter.
fn type_word(terminal: &mut Terminal) -> Result<Vec<f64>, String> {
    // Behind a comment's sign: the letters alone are on the screen already.
    let mut word = "// ".to_owned();
    let mut times = Vec::new();
    for at in 0..KEYS {
        let letter = char::from(b'a' + at as u8);
        word.push(letter);
        let pressed = terminal.keys(letter.encode_utf8(&mut [0; 4]))?;
        times.push(ms(terminal.see(&word)? - pressed));
    }
    for _ in 0..KEYS {
        terminal.keys("\u{7f}")?;
    }
    // What is drawn anew was wiped away before.
    terminal.wait(|screen| screen.contains("let value1999") && !screen.contains("// a"))?;
    Ok(times)
}

/// The processor time of the program and all that it has started, while nobody does anything.
fn idle_cpu(program: &Path, peer: Option<&Path>, folder: &Path) -> Result<Vec<Row>, String> {
    let percent = |program: &Path, by_letters| {
        let typist = Typist::start(program, folder, by_letters)?;
        let id = typist.terminal.id().ok_or("the program has no number")?;
        // What comes after a value is over by then.
        std::thread::sleep(Duration::from_secs(2));
        let (before, begin) = (busy(id), Instant::now());
        std::thread::sleep(IDLE);
        Ok::<_, String>((busy(id).saturating_sub(before)).as_secs_f64() / begin.elapsed().as_secs_f64() * 100.0)
    };
    let ours = percent(program, true)?;
    let mut rows = vec![row("idle_cpu", "0.1 %", ours, 0.1, "%", Some(1.0))];
    match peer.map(|peer| percent(peer, false)) {
        Some(Ok(theirs)) => rows.push(row("idle_cpu", "evcxr", ours, theirs, "%", None)),
        Some(Err(why)) => eprintln!("note: idle_cpu: evcxr: {why}"),
        None => {}
    }
    Ok(rows)
}

/// The time that processors have spent on a program and those that it has started.
fn busy(id: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let mut nanoseconds = 0;
    let mut children = Duration::ZERO;
    for task in tasks {
        let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        nanoseconds += read("schedstat").split_whitespace().next().and_then(|time| time.parse().ok()).unwrap_or(0);
        children += read("children").split_whitespace().filter_map(|child| child.parse().ok()).map(busy).sum();
    }
    Duration::from_nanos(nanoseconds) + children
}

/// A process prints a hundred thousand lines while somebody types.
fn flood(program: &Path, folder: &Path, rounds: u32) -> Result<Vec<Row>, String> {
    let mut typist = Typist::start(program, folder, true)?;
    let id = typist.terminal.id().ok_or("the program has no number")?;
    let (mut keys, mut memory, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..SETTLED as u32 + rounds.max(5) {
        typist.terminal.prompt()?;
        // What an earlier round has left on the screen is not this one's.
        typist.terminal.keys(&format!(
            "spawn(async {{ for n in 0..{FLOOD} {{ println!(\"{round}: line {{n}}\"); if n % 100 == 0 {{ yield_now().await }} }} }});"
        ))?;
        let pressed = typist.terminal.keys("\r")?;
        typist.terminal.see(&format!("{round}: line 1"))?;
        let mut word = String::new();
        // Letters, one when the last is there, until the flood is over.
        let last = format!("{round}: line {}", FLOOD - 1);
        while !typist.terminal.shows(&last) {
            let letter = char::from(b'a' + (word.len() % 26) as u8);
            word.push(letter);
            let at = typist.terminal.keys(letter.encode_utf8(&mut [0; 4]))?;
            keys.push(ms(typist.terminal.wait(|screen| screen.contains(&word))? - at));
        }
        seconds.push(pressed.elapsed().as_secs_f64());
        // Ctrl-U: the line is taken back.
        typist.terminal.keys("\u{15}")?;
        memory.push(resident(id).ok_or("the program is gone")?);
    }
    let growth = memory.last().copied().unwrap_or_default() - memory.get(SETTLED - 1).copied().unwrap_or_default();
    Ok(vec![
        row("flood", "keys, 100 ms", median(&keys), 100.0, "ms", Some(1.0)),
        row("flood", "keys, worst", worst(&keys), 100.0, "ms", None),
        row("flood", "growth, 16 MiB", growth.max(0.01), 16.0, "MiB", Some(1.0)),
        row("flood", "in all, 30 s", median(&seconds), 30.0, "s", Some(1.0)),
    ])
}

/// What a program itself holds of the memory, in MiB.
fn resident(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}
