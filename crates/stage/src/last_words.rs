//! What cells have shown, written where it can be read when this program is dead. An abort leaves no time to send
//! anything: what was printed a moment before is still in a mailbox, or in the buffer of a connection.
//!
//! The file belongs to the owner, who has made it, and reads it once this program has ended. It has two halves, which
//! are written in turns, so that it never grows beyond them and always holds what was shown last. Each output
//! has a number within its evaluation, by which the owner tells what it has heard already.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use bincode::config::{Configuration, standard};
use greenroom::{Local, Node, Pid};
use serde::{Deserialize, Serialize};

use crate::cell::Output;
use crate::protocol::EvaluationId;

/// How much a half holds, in bytes. What is on its way when a program dies is less by far.
const HALF: usize = 16 << 20;
/// The longest text that is kept of one output, in bytes.
const LONGEST: usize = HALF / 4;

const CONFIGURATION: Configuration = standard();

/// An output that was shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The evaluation.
    pub id: EvaluationId,
    /// Who is told of it.
    pub reply_to: Pid,
    /// The how-manyeth output of the evaluation it is, from 1.
    pub number: u64,
    /// What was shown.
    pub output: Output,
}

/// An output on its way to the leader, with its number; 0 where nobody counts.
pub(crate) type Numbered = Local<(u64, Output)>;

/// The file and who writes to it; absent before the runtime has been told of a file.
static JOURNAL: OnceLock<Mutex<Journal>> = OnceLock::new();

struct Journal {
    /// Absent if there is none, or it could not be written any more.
    writer: Option<Writer>,
    /// The evaluations whose leaders listen.
    led: HashMap<Pid, Led>,
}

struct Led {
    id: EvaluationId,
    reply_to: Pid,
    shown: u64,
}

/// Keeps what is shown in this file from now on.
///
/// # Errors
/// If it cannot be opened. Everything works without it, but for what it is there for.
pub(crate) fn keep_in(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    journal().writer = Some(Writer::new(file));
    Ok(())
}

fn journal() -> MutexGuard<'static, Journal> {
    let empty = || Mutex::new(Journal { writer: None, led: HashMap::new() });
    JOURNAL.get_or_init(empty).lock().unwrap_or_else(PoisonError::into_inner)
}

/// While this lives, what is handed to the leader is kept.
pub(crate) struct Listening(Pid);

/// The running process leads this evaluation from now on.
pub(crate) fn listen(leader: Pid, id: EvaluationId, reply_to: Pid) -> Listening {
    journal().led.insert(leader, Led { id, reply_to, shown: 0 });
    Listening(leader)
}

impl Drop for Listening {
    fn drop(&mut self) {
        journal().led.remove(&self.0);
    }
}

/// Hands an output to the leader of an evaluation. When it returns, the output outlives this program. A text of no
/// length is no output.
pub(crate) fn hand(node: &Node, leader: Pid, output: Output) {
    if matches!(&output, Output::Text(text) if text.is_empty()) {
        return;
    }
    // Locked until it is sent, so that outputs come in the order of their numbers.
    let mut journal = journal();
    let Journal { writer, led } = &mut *journal;
    let number = match led.get_mut(&leader) {
        Some(led) => {
            led.shown += 1;
            if writer.as_mut().is_some_and(|writer| writer.write(led, &output).is_err()) {
                // A full disk: nothing more is kept.
                *writer = None;
            }
            led.shown
        }
        None => 0,
    };
    let numbered: Numbered = Local((number, output));
    node.send_untraced(leader, numbered);
}

struct Writer {
    file: File,
    /// Which half is being written, and how much of it is.
    half: usize,
    used: usize,
    serial: u64,
    entry: Vec<u8>,
}

impl Writer {
    fn new(file: File) -> Self {
        Writer { file, half: 0, used: 0, serial: 0, entry: Vec::new() }
    }

    fn write(&mut self, led: &Led, output: &Output) -> io::Result<()> {
        let cut;
        let output = match output {
            Output::Text(text) if text.len() > LONGEST => {
                cut = Output::Text(text[..text.floor_char_boundary(LONGEST)].to_owned());
                &cut
            }
            other => other,
        };
        self.serial += 1;
        let serial = self.serial.to_le_bytes();
        self.entry.clear();
        self.entry.extend([0; size_of::<u32>()]);
        self.entry.extend(serial);
        let parts = (led.id, led.reply_to, led.shown, output);
        bincode::serde::encode_into_std_write(parts, &mut self.entry, CONFIGURATION).map_err(io::Error::other)?;
        let length = self.entry.len() - size_of::<u32>() - serial.len();
        self.entry[..size_of::<u32>()].copy_from_slice(&u32::try_from(length).map_err(io::Error::other)?.to_le_bytes());
        self.entry.extend(serial);
        if self.entry.len() > HALF {
            // A picture of that size is not kept; that one is missing can be seen by the numbers.
            return Ok(());
        }
        if self.used + self.entry.len() > HALF {
            (self.half, self.used) = (1 - self.half, 0);
        }
        self.file.write_all_at(&self.entry, (self.half * HALF + self.used) as u64)?;
        self.used += self.entry.len();
        Ok(())
    }
}

/// What the file of a runtime that has ended holds, oldest first.
///
/// # Errors
/// If the file cannot be read.
pub fn read(file: &File) -> io::Result<Vec<Kept>> {
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?.min(2 * HALF);
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    let (first, second) = bytes.split_at(length.min(HALF));
    let mut entries = entries(first);
    entries.extend(self::entries(second));
    entries.sort_by_key(|(serial, _)| *serial);
    Ok(entries.into_iter().map(|(_, kept)| kept).collect())
}

/// The entries of a half. It ends where an entry is not the one after the one before: there, writing had stopped.
fn entries(mut half: &[u8]) -> Vec<(u64, Kept)> {
    let mut entries = Vec::new();
    while let Some((serial, body, rest)) = split(half)
        && entries.last().is_none_or(|(last, _)| serial == last + 1)
        && let Ok(((id, reply_to, number, output), _)) = bincode::serde::decode_from_slice(body, CONFIGURATION)
    {
        entries.push((serial, Kept { id, reply_to, number, output }));
        half = rest;
    }
    entries
}

/// The first entry, and what comes behind it.
fn split(half: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (length, rest) = half.split_first_chunk()?;
    let (serial, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (again, rest) = rest.split_first_chunk()?;
    (serial == again).then(|| (u64::from_le_bytes(*serial), body, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these texts, written by a writer.
    fn file(texts: impl IntoIterator<Item = String>) -> File {
        let path =
            std::env::temp_dir().join(format!("last-words-{}-{:?}", std::process::id(), std::thread::current().id()));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).expect("a file");
        std::fs::remove_file(path).expect("it is there");
        let mut writer = Writer::new(file.try_clone().expect("it is open"));
        let node = Node::builder().name("last-words@127.0.0.1").workers(1).start().expect("a node");
        let reply_to = node.spawn(async {});
        let mut led = Led { id: EvaluationId(7), reply_to, shown: 0 };
        for text in texts {
            led.shown += 1;
            writer.write(&led, &Output::Text(text)).expect("it can be written");
        }
        file
    }

    #[test]
    fn what_was_written_is_read_in_order() {
        let read = read(&file((1..=1000).map(|line| format!("line {line}\n")))).expect("it can be read");
        assert_eq!(read.len(), 1000);
        for (number, kept) in (1..).zip(&read) {
            assert_eq!((kept.id, kept.number), (EvaluationId(7), number));
            assert_eq!(kept.output, Output::Text(format!("line {number}\n")));
        }
    }

    #[test]
    fn a_file_that_is_full_keeps_what_came_last() {
        // About three halves, in pieces that do not divide them, and a last one in the middle of old entries.
        let text = |number: usize| format!("{number} {}", "x".repeat(100_003 + number % 7));
        let count = 3 * HALF / 100_020;
        let file = file((1..=count).map(text));
        assert!(file.metadata().expect("it is open").len() <= 2 * HALF as u64);
        let read = read(&file).expect("it can be read");
        let first = usize::try_from(read[0].number).expect("it is small");
        assert!(first <= count - HALF / 100_100 + 1, "at least half a file: {first} of {count}");
        let all: Vec<Output> = (first..=count).map(|number| Output::Text(text(number))).collect();
        assert!(all.iter().eq(read.iter().map(|kept| &kept.output)), "and nothing of what was written before");
    }

    #[test]
    fn an_entry_that_was_cut_by_the_end_is_not_read() {
        let file = file(["whole".to_owned(), "cut".to_owned()]);
        let length = file.metadata().expect("it is open").len();
        file.set_len(length - 1).expect("it is open");
        let read = read(&file).expect("it can be read");
        assert_eq!(read.iter().map(|kept| kept.output.clone()).collect::<Vec<_>>(), [Output::Text("whole".to_owned())]);
    }

    #[test]
    fn of_a_text_that_is_too_long_the_beginning_is_kept() {
        let read = read(&file(["é".repeat(LONGEST)])).expect("it can be read");
        let Output::Text(text) = &read[0].output else { panic!("it is a text") };
        assert!(text.len() <= LONGEST && text.len() > LONGEST - 4);
    }
}
