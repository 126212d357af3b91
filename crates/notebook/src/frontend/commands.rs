//! The commands of the terminal: their words, what they take, and what is said of them. Carrying them out is for the
//! front ends.

mod table;

use std::fmt;
use std::path::PathBuf;

use greenroom_stage::inspect::Secret;
pub(super) use table::{GROUPS, Takes, Word, find, words};

/// What somebody wants done, other than to evaluate something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help(Option<String>),
    Info(String),
    Type(String),
    Doc(String),
    Source(Option<String>),
    Show(Option<usize>),
    Cells,
    Run(Cells),
    Stale,
    Input(Option<String>),
    Edit(Option<usize>),
    Delete(usize),
    Undo,
    Redo,
    Branch(Option<String>),
    Section(String),
    Deps(Deps),
    Open(PathBuf),
    Recover(Option<usize>),
    Save(Option<PathBuf>),
    Export(PathBuf),
    View,
    Clients,
    Restart,
    Quit,
    Ps(Option<SortBy>),
    Top(Option<SortBy>),
    Tree(Option<String>),
    Trace(Trace),
    Flight,
    Mailbox(String),
    State(String),
    Kill(String),
    Nodes,
    Connect { address: String, cookie: Option<Secret> },
    Node(Option<String>),
}

/// Which cells to evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cells {
    All,
    One(usize),
    Between(usize, usize),
}

/// What to do about dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deps {
    List,
    Add { name: String, requirement: String },
    Remove(String),
}

/// By what processes are sorted, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SortBy {
    Reductions,
    Memory,
    Mailbox,
}

/// What to do about tracing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    Start(Option<String>),
    Stop,
    Show,
}

/// Why something is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoCommand {
    /// There is none of that name; perhaps this one was meant.
    Unknown { name: String, nearest: Option<&'static str> },
    /// It takes something that was not said.
    Missing { name: &'static str, arguments: &'static str },
    /// It takes something else than was said.
    Wrong { name: &'static str, arguments: &'static str, said: String },
}

/// Whether an input is meant as a command: `::std::…` is Rust.
pub(super) fn is_command(input: &str) -> bool {
    let input = input.trim_start();
    input.starts_with(':') && !input.starts_with("::")
}

/// Reads a command; its first character is the colon.
///
/// # Errors
/// [`NoCommand`], if it is none.
pub(super) fn parse(input: &str) -> Result<Command, NoCommand> {
    let input = input.trim().trim_start_matches(':').trim();
    let (name, rest) = input.split_once(char::is_whitespace).unwrap_or((input, ""));
    let rest = rest.trim();
    let Some(word) = find(if name == "?" { "help" } else { name }) else {
        return Err(NoCommand::Unknown { name: name.to_owned(), nearest: nearest(name) });
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let asked = Asked { word, rest, words: &words };
    Ok(match word.name {
        "help" => Command::Help(asked.optional()?),
        "info" => Command::Info(asked.one()?),
        "type" => Command::Type(asked.text()?),
        "doc" => Command::Doc(asked.one()?),
        "source" => Command::Source(asked.optional()?),
        "show" => Command::Show(asked.optional_number()?),
        "cells" => asked.nothing(Command::Cells)?,
        "run" => Command::Run(asked.cells()?),
        "stale" => asked.nothing(Command::Stale)?,
        "input" => Command::Input(Some(rest.to_owned()).filter(|rest| !rest.is_empty())),
        "edit" => Command::Edit(asked.optional_number()?),
        "delete" => Command::Delete(asked.number(&asked.one()?)?),
        "undo" => asked.nothing(Command::Undo)?,
        "redo" => asked.nothing(Command::Redo)?,
        "branch" => Command::Branch((!rest.is_empty()).then(|| rest.to_owned())),
        "section" => Command::Section(asked.text()?),
        "deps" => Command::Deps(asked.deps()?),
        "open" => Command::Open(PathBuf::from(asked.text()?)),
        "recover" => Command::Recover(asked.optional_number()?),
        "save" => Command::Save((!rest.is_empty()).then(|| PathBuf::from(rest))),
        "export" => Command::Export(PathBuf::from(asked.text()?)),
        "view" => asked.nothing(Command::View)?,
        "clients" => asked.nothing(Command::Clients)?,
        "restart" => asked.nothing(Command::Restart)?,
        "quit" => asked.nothing(Command::Quit)?,
        "ps" => Command::Ps(asked.sort()?),
        "top" => Command::Top(asked.sort()?),
        "tree" => Command::Tree(asked.optional()?),
        "trace" => Command::Trace(match asked.optional()?.as_deref() {
            Some("stop") => Trace::Stop,
            Some("show") => Trace::Show,
            target => Trace::Start(target.map(str::to_owned)),
        }),
        "flight" => asked.nothing(Command::Flight)?,
        "mailbox" => Command::Mailbox(asked.one()?),
        "state" => Command::State(asked.one()?),
        "kill" => Command::Kill(asked.one()?),
        "nodes" => asked.nothing(Command::Nodes)?,
        "connect" => match words.as_slice() {
            [] => return Err(asked.missing()),
            [address, cookie @ ..] if cookie.len() < 2 => {
                let cookie = cookie.first().map(|cookie| Secret((*cookie).to_owned()));
                Command::Connect { address: (*address).to_owned(), cookie }
            }
            _ => return Err(asked.wrong()),
        },
        "node" => Command::Node(asked.optional()?),
        name => unreachable!("`{name}` is in the table of commands and nowhere read"),
    })
}

/// A command and what was said behind it.
struct Asked<'a> {
    word: &'static Word,
    rest: &'a str,
    words: &'a [&'a str],
}

impl Asked<'_> {
    fn missing(&self) -> NoCommand {
        NoCommand::Missing { name: self.word.name, arguments: self.word.arguments }
    }

    fn wrong(&self) -> NoCommand {
        NoCommand::Wrong { name: self.word.name, arguments: self.word.arguments, said: self.said() }
    }

    /// What was said, but for what nobody else is to see.
    fn said(&self) -> String {
        let whole = format!(":{} {}", self.word.name, self.rest);
        let said = super::secrets::without(&whole, &[]);
        said.split_once(' ').map_or_else(String::new, |(_, said)| said.to_owned())
    }

    fn nothing(&self, command: Command) -> Result<Command, NoCommand> {
        if self.rest.is_empty() { Ok(command) } else { Err(self.wrong()) }
    }

    fn text(&self) -> Result<String, NoCommand> {
        if self.rest.is_empty() { Err(self.missing()) } else { Ok(self.rest.to_owned()) }
    }

    fn one(&self) -> Result<String, NoCommand> {
        self.optional()?.ok_or_else(|| self.missing())
    }

    fn optional(&self) -> Result<Option<String>, NoCommand> {
        match self.words {
            [] => Ok(None),
            [one] => Ok(Some((*one).to_owned())),
            _ => Err(self.wrong()),
        }
    }

    fn number(&self, word: &str) -> Result<usize, NoCommand> {
        let digits = word.trim_start_matches('[').trim_end_matches(']');
        digits.parse().map_err(|_| self.wrong())
    }

    fn optional_number(&self) -> Result<Option<usize>, NoCommand> {
        self.optional()?.map(|word| self.number(&word)).transpose()
    }

    fn cells(&self) -> Result<Cells, NoCommand> {
        let said = self.one()?;
        if said == "all" {
            return Ok(Cells::All);
        }
        match said.split_once('-') {
            Some((first, last)) => Ok(Cells::Between(self.number(first)?, self.number(last)?)),
            None => Ok(Cells::One(self.number(&said)?)),
        }
    }

    fn sort(&self) -> Result<Option<SortBy>, NoCommand> {
        Ok(match self.optional()?.as_deref() {
            None => None,
            Some("reductions") => Some(SortBy::Reductions),
            Some("memory") => Some(SortBy::Memory),
            Some("mailbox") => Some(SortBy::Mailbox),
            Some(_) => return Err(self.wrong()),
        })
    }

    fn deps(&self) -> Result<Deps, NoCommand> {
        match self.words {
            [] => Ok(Deps::List),
            ["add", name] => match name.split_once('@') {
                Some((name, version)) => Ok(Deps::Add { name: name.to_owned(), requirement: version.to_owned() }),
                None => Ok(Deps::Add { name: (*name).to_owned(), requirement: "*".to_owned() }),
            },
            ["add", name, version] => {
                Ok(Deps::Add { name: (*name).to_owned(), requirement: version.trim_matches('"').to_owned() })
            }
            ["remove", name] => Ok(Deps::Remove((*name).to_owned())),
            _ => Err(self.wrong()),
        }
    }
}

/// The command that a name was most likely meant for.
fn nearest(name: &str) -> Option<&'static str> {
    let near = |word: &Word| strsim::jaro_winkler(word.name, name);
    let best = words().max_by(|one, other| near(one).total_cmp(&near(other)))?;
    (near(best) > 0.75).then_some(best.name)
}

impl fmt::Display for NoCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoCommand::Unknown { name, nearest: Some(nearest) } => {
                write!(f, "there is no `:{name}`: did you mean `:{nearest}`?")
            }
            NoCommand::Unknown { name, nearest: None } => {
                write!(f, "there is no `:{name}`: `:help` lists what there is")
            }
            NoCommand::Missing { name, arguments } => write!(f, "`:{name}` takes something: `:{name} {arguments}`"),
            NoCommand::Wrong { name, arguments: "", said } => {
                write!(f, "`:{name}` takes nothing, but `{said}` was said")
            }
            NoCommand::Wrong { name, arguments, said } => {
                write!(f, "`:{name}` cannot take `{said}`: it is `:{name} {arguments}`")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(input: &str) -> String {
        match parse(input) {
            Ok(command) => panic!("{command:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_command_of_the_table_is_read() {
        for word in words() {
            let argument = match word.name {
                "run" | "delete" => " 1",
                "connect" => " 127.0.0.1:4370",
                "node" => " shop@host",
                _ if word.arguments.is_empty() || word.arguments.starts_with('[') => "",
                _ => " x",
            };
            assert!(parse(&format!(":{}{argument}", word.name)).is_ok(), "{}", word.name);
            assert!(!word.help.is_empty());
        }
    }

    #[test]
    fn arguments_are_taken_apart() {
        assert_eq!(parse(":run [3]"), Ok(Command::Run(Cells::One(3))));
        assert_eq!(parse(":run 2-4"), Ok(Command::Run(Cells::Between(2, 4))));
        assert_eq!(parse(":q"), Ok(Command::Quit));
        assert_eq!(parse(":?"), Ok(Command::Help(None)));
        assert_eq!(parse(": type  a + b "), Ok(Command::Type("a + b".to_owned())));
        let add = Deps::Add { name: "rand".to_owned(), requirement: "0.9".to_owned() };
        assert_eq!(parse(":deps add rand 0.9"), Ok(Command::Deps(add.clone())));
        assert_eq!(parse(":deps add rand@0.9"), Ok(Command::Deps(add)));
        assert_eq!(parse(":trace show"), Ok(Command::Trace(Trace::Show)));
        assert_eq!(parse(":trace worker"), Ok(Command::Trace(Trace::Start(Some("worker".to_owned())))));
    }

    #[test]
    fn what_is_no_command_is_answered_with_what_would_be_one() {
        assert_eq!(said(":halp"), "there is no `:halp`: did you mean `:help`?");
        assert_eq!(said(":zzz"), "there is no `:zzz`: `:help` lists what there is");
        assert_eq!(said(":run"), "`:run` takes something: `:run CELL|FIRST-LAST|all`");
        assert_eq!(said(":run x"), "`:run` cannot take `x`: it is `:run CELL|FIRST-LAST|all`");
        assert_eq!(said(":undo 3"), "`:undo` takes nothing, but `3` was said");
    }

    #[test]
    fn a_path_from_the_root_is_rust() {
        assert!(is_command(" :help"));
        assert!(!is_command("::std::mem::size_of::<u8>()"));
        assert!(!is_command("1"));
    }
}
