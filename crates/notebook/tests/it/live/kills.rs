//! The program itself is killed, at any moment of a session that saves by itself while cells are added and evaluated:
//! the file is whole, what was said to be saved is there, and nothing of the program stays behind.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use greenroom_notebook::disk::Lock;
use greenroom_notebook::livemd::{self, Cell, Code, Language};
use greenroom_notebook::{aside, livemd::print};

use super::files::open;
use super::*;

/// Says in which folder to work on a notebook for ever; its file is there, if it has one.
const FOREVER: &str = "GREENROOM_TEST_EDITS_IN";

/// A notebook with outputs that is saved a second after each change.
const BEGINNING: &str = "<!-- livebook:{\"autosave_interval_s\":1,\"persist_outputs\":true} -->\n\n# N\n\n## S\n";

/// What the file says after so many changes, but for outputs.
fn source(number: u64) -> String {
    if number == 1 { "std::process::id()".to_owned() } else { format!("let cell_{number} = {number};\ncell_{number}") }
}

#[test]
fn a_session_that_is_worked_on_for_ever() {
    let Some(folder) = std::env::var_os(FOREVER) else {
        // It is started by the other tests of this file, which kill it.
        return;
    };
    let folder = Path::new(&folder);
    let file = folder.join("n.livemd");
    let (live, mut client) = open(BEGINNING, file.exists().then_some(&file), Some(&folder.join("aside")));
    let say = |what: &str, number: &dyn std::fmt::Display| {
        // Whoever reads it may be gone.
        let _ = writeln!(std::io::stdout(), "\n@{what} {number}");
    };
    let section = client.data().document().sections()[0].head.id;
    // The changes that are not known to be saved, with the revisions that they have made.
    let mut unsaved = std::collections::VecDeque::new();
    for number in 1.. {
        let cell = Box::new(Cell::Code(Code::new(Language::Rust, source(number), 0)));
        let insertion = Structure::InsertCell { section, index: usize::MAX, id: CellId(number), cell };
        live.handle().apply(insertion).expect("there is such a section");
        say("added", &number);
        client.wait(|data| data.document().cells().count() as u64 == number).expect("it is open");
        unsaved.push_back((client.data().document_revision(), number));
        if number % 8 == 1 {
            live.handle().apply(Evaluation::Queue(vec![CellId(number)])).expect("it is Rust");
        }
        if number == 1 {
            client.wait(|data| data.info(CellId(1)).is_some_and(|info| info.has_values())).expect("it is open");
            let shown = client.data().info(CellId(1)).map(|info| info.outputs[0].text.clone());
            say("runtime", &shown.expect("it shows a number"));
        }
        while client.next(Some(Duration::from_millis(3))).is_some() {}
        while let Some((_, number)) = unsaved.pop_front_if(|(revision, _)| *revision <= client.data().file().saved) {
            say("saved", &number);
        }
    }
}

struct Worked {
    child: Child,
    lines: mpsc::Receiver<(String, u64)>,
    added: u64,
    saved: u64,
    runtime: u64,
}

impl Worked {
    fn start(folder: &Path) -> Worked {
        let mut child = Command::new(std::env::current_exe().expect("it runs"))
            .args(["--exact", "live::kills::a_session_that_is_worked_on_for_ever", "--nocapture"])
            .env(FOREVER, folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let said = line.strip_prefix('@').and_then(|line| line.split_once(' '));
                let said = said.and_then(|(what, number)| Some((what.to_owned(), number.parse().ok()?)));
                if let Some(said) = said
                    && sender.send(said).is_err()
                {
                    return;
                }
            }
        });
        Worked { child, lines, added: 0, saved: 0, runtime: 0 }
    }

    fn note(&mut self, (what, number): (String, u64)) {
        match what.as_str() {
            "added" => self.added = number,
            "saved" => self.saved = number,
            "runtime" => self.runtime = number,
            other => panic!("{other}"),
        }
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Worked) -> bool) {
        while !is_so(self) {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("waiting until {what}"));
            self.note(line);
        }
    }

    /// Kills it, whatever it does, and waits until its runtime is gone, too.
    fn kill(mut self) -> Worked {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
        while let Ok(line) = self.lines.recv() {
            self.note(line);
        }
        let begin = Instant::now();
        while self.runtime > 0 && is_alive(self.runtime) {
            assert!(begin.elapsed() < PATIENCE, "its runtime goes on");
            std::thread::sleep(Duration::from_millis(1));
        }
        self
    }
}

/// Whether there is such a process that was not only not collected yet.
fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Checks that a file has the first cells, at least those that were saved. How many there are.
#[track_caller]
fn is_whole(file: &Path, worked: &Worked) -> u64 {
    let text = std::fs::read_to_string(file).expect("it is there");
    let (notebook, warnings) = livemd::parse(&text);
    assert_eq!(warnings, [], "{text}");
    assert_eq!(print(&notebook), text);
    let sources: Vec<String> = notebook.code_cells().map(|(_, code)| code.source.clone()).collect();
    let count = sources.len() as u64;
    let expected: Vec<String> = (1..=count).map(source).collect();
    assert_eq!(sources, expected);
    assert!(count >= worked.saved, "{count} cells, but {} were saved", worked.saved);
    // It may have been killed after it has added one and before it said so.
    assert!(count <= worked.added + 1, "{count} cells of {}", worked.added);
    count
}

/// How often to kill it: a few show it; `GREENROOM_KILLS=1000` is for whoever wants to be sure.
fn kills() -> u64 {
    std::env::var("GREENROOM_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(6)
}

#[test]
fn whenever_the_program_is_killed_its_file_is_whole_its_runtime_gone_and_its_lock_free() {
    drop(prelude());
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("n.livemd");
    let mut lost = 0;
    for round in 0..kills() {
        std::fs::write(&file, BEGINNING).expect("it can be written");
        let mut worked = Worked::start(folder.path());
        match round % 3 {
            // At the start, or while the first cell is evaluated.
            0 => worked.until("it begins", |worked| worked.added > 0),
            // Before, while or after it is saved for the first time: about 250 changes later.
            1 => worked.until("it works", move |worked| worked.added > 1 + round * 37 % 400),
            _ => worked.until("it is saved", move |worked| worked.saved > 0 && worked.added % 7 == round % 7),
        }
        let worked = worked.kill();
        let count = is_whole(&file, &worked);
        lost = lost.max(worked.added.saturating_sub(count));
        let locks = aside::locks(&crate::support::cache_folder());
        let begin = Instant::now();
        // A compiler that it had just started holds it until it has become one.
        while let Err(error) = Lock::take(&file, &locks) {
            assert!(begin.elapsed() < PATIENCE, "{error}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    println!("at most {lost} cells were lost, each of which was added since the last save");
}

#[test]
fn what_a_killed_program_has_saved_aside_is_left_for_the_next_one() {
    drop(prelude());
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (aside, locks) = (folder.path().join("aside"), aside::locks(&crate::support::cache_folder()));
    let mut worked = Worked::start(folder.path());
    worked.until("it has a runtime", |worked| worked.runtime > 0);
    let saved = || std::fs::read_dir(&aside).into_iter().flatten().flatten();
    let is_saved = |path: &Path| path.extension().is_some_and(|extension| extension == "livemd");
    let begin = Instant::now();
    while !saved().any(|entry| is_saved(&entry.path())) {
        assert!(begin.elapsed() < PATIENCE, "it is not saved");
        std::thread::sleep(Duration::from_millis(1));
    }
    // As long as it lives, nobody takes it for one that was left.
    assert_eq!(aside::left(&aside, &locks), []);
    let worked = worked.kill();
    let left = aside::left(&aside, &locks);
    assert_eq!(left.len(), 1);
    let count = is_whole(&left[0].path, &worked);
    assert_eq!(left[0].read(), Some(("N".to_owned(), count as usize)));

    let text = std::fs::read_to_string(&left[0].path).expect("it is there");
    let (live, client) = open(&text, None, Some(&aside));
    live.handle().recover(&left[0].path).expect("nobody has it");
    assert!(live.handle().data().expect("it is open").is_dirty());
    assert_eq!(aside::left(&aside, &locks), [], "it is at work again");
    assert!(live.handle().recover(&left[0].path).is_err(), "only once");
    let file = folder.path().join("mine.livemd");
    live.handle().save(Some(&file)).expect("it can be written");
    assert!(file.exists() && !left[0].path.exists());
    drop(client);
    live.close();
}
