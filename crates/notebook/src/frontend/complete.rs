//! What could be typed next: names of the notebook with their types, words of the language, commands and what they
//! take, processes, nodes and files. A function of what is known and of what was typed; only paths look at the disk.

use std::path::{MAIN_SEPARATOR, Path};

use super::commands::{self, Takes, Word};
use super::inputs::Asked;
use super::syntax::{self, KEYWORDS, PRIMITIVES};
use crate::analyzer::Member;

/// What is known of a live notebook while one types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// What evaluated cells define, the nearest last.
    pub(super) names: Vec<Name>,
    /// The numbers of the cells, with a line to know each by.
    pub(super) cells: Vec<(usize, String)>,
    /// Registered names and identifiers of processes.
    pub(super) processes: Vec<String>,
    /// Nodes.
    pub(super) nodes: Vec<String>,
    /// What cells ask for, in the order in which `:input` lists it.
    pub(super) asked: Vec<Asked>,
    /// The number that the next cell gets, whoever adds it.
    pub(super) next: usize,
}

/// A name that a cell defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) name: String,
    /// What it is: the type of a binding, or `fn`, `struct` and their like.
    pub(super) what: What,
    /// The number of the cell.
    pub(super) cell: usize,
}

/// What a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A binding of this type.
    Binding(String),
    /// An item of this kind.
    Item(&'static str),
}

/// Something that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What is put in.
    pub(super) text: String,
    /// What is said of it beside.
    pub(super) about: String,
}

impl Known {
    /// The definition that a name has for the next cell.
    pub(super) fn name(&self, name: &str) -> Option<&Name> {
        self.names.iter().rev().find(|known| known.name == name)
    }
}

impl What {
    /// In a few characters, behind the name.
    pub(super) fn describe(&self) -> &str {
        match self {
            What::Binding(ty) => ty,
            What::Item(kind) => kind,
        }
    }
}

/// A place of a source after a `.` or a `::`: what could stand there is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct After {
    /// The source, without what is typed already of the name.
    pub(super) source: String,
    /// The place in it, in bytes.
    pub(super) place: usize,
}

/// The place of a text where the name of a member begins, and what is to be known of it, if there can be one.
pub(super) fn member_at(text: &str, place: usize) -> Option<(usize, After)> {
    let code = code_in(text)?;
    let before = text.get(code..place)?;
    let start = word_start(before);
    let is_member = before[..start].ends_with("::") || before[..start].ends_with('.');
    let (code_text, at) = (&text[code..], place - code);
    if !is_member
        || before[..start].ends_with("..")
        || syntax::is_comment(code_text, at)
        || syntax::string_at(code_text, at).is_some()
    {
        return None;
    }
    let source = [&before[..start], &text[place..]].concat();
    Some((code + start, After { source, place: start }))
}

/// Where the code of a text begins.
fn code_in(text: &str) -> Option<usize> {
    if !commands::is_command(text) {
        return Some(0);
    }
    let colon = text.find(':')?;
    let (name, _) = text[colon + 1..].split_once(char::is_whitespace)?;
    let takes_code = commands::find(name).is_some_and(|word| matches!(word.takes, Takes::Code));
    takes_code.then_some(colon + 1 + name.len() + 1)
}

/// The members that could stand where this was typed; `rest` is what follows.
pub(super) fn members(known: &[Member], typed: &str, rest: &str) -> Vec<Candidate> {
    let fitting = known.iter().filter(|member| member.text.starts_with(typed));
    let candidate = |Member { text, about }: &Member| {
        let text = if rest.starts_with('(') { text.trim_end_matches(['(', ')']) } else { text };
        Candidate { text: text.to_owned(), about: about.clone() }
    };
    fitting.map(candidate).collect()
}

/// What could stand at a place of a text, and where what is there already begins.
pub(super) fn complete(known: &Known, text: &str, place: usize) -> (usize, Vec<Candidate>) {
    let before = &text[..place];
    if commands::is_command(text) {
        return command(known, before);
    }
    if let Some(start) = syntax::string_at(text, place) {
        return path(&text[start..place], start);
    }
    let start = word_start(before);
    if syntax::is_comment(text, place) || before[..start].ends_with('.') || before[..start].ends_with('\'') {
        return (start, Vec::new());
    }
    (start, word(known, &before[start..]))
}

/// Where the word begins that a text ends with.
fn word_start(text: &str) -> usize {
    let word = text.char_indices().rev().take_while(|(_, char)| char.is_alphanumeric() || *char == '_');
    word.last().map_or(text.len(), |(at, _)| at)
}

fn word(known: &Known, typed: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |text: &str, about: &str| {
        if text.starts_with(typed) && !found.iter().any(|known| known.text == text) {
            found.push(Candidate { text: text.to_owned(), about: about.to_owned() });
        }
    };
    for name in known.names.iter().rev() {
        add(&name.name, name.what.describe());
    }
    // Before anything is typed only what is special about this notebook is of interest.
    if !typed.is_empty() {
        PRELUDE.iter().for_each(|name| add(name, ""));
        KEYWORDS.iter().for_each(|name| add(name, ""));
        PRIMITIVES.iter().for_each(|name| add(name, ""));
    }
    found
}

fn command(known: &Known, before: &str) -> (usize, Vec<Candidate>) {
    let colon = before.find(':').unwrap_or(0);
    let Some((name, rest)) = before[colon + 1..].split_once(char::is_whitespace) else {
        let typed = &before[colon + 1..];
        let named = commands::words().filter(|word| word.name.starts_with(typed));
        let found = named.map(|word| Candidate { text: word.name.to_owned(), about: word.help.to_owned() });
        return (colon + 1, found.collect());
    };
    let Some(word) = commands::find(name) else { return (before.len(), Vec::new()) };
    let start = before.len() - rest.len() + rest.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    match word.takes {
        Takes::File => path(rest, before.len() - rest.len()),
        Takes::Code => {
            let start = word_start(before);
            (start, self::word(known, &before[start..]))
        }
        // A name of several words.
        Takes::Input => (before.len() - rest.len(), argument(known, word, rest)),
        _ => (start, argument(known, word, &before[start..])),
    }
}

fn argument(known: &Known, word: &Word, typed: &str) -> Vec<Candidate> {
    let plain = |text: &str| Candidate { text: text.to_owned(), about: String::new() };
    let all: Vec<Candidate> = match word.takes {
        Takes::Nothing | Takes::File | Takes::Code => Vec::new(),
        Takes::Input => known.asked.iter().map(|asked| plain(&asked.label)).collect(),
        Takes::Cell => known
            .cells
            .iter()
            .map(|(number, line)| Candidate { text: number.to_string(), about: line.clone() })
            .collect(),
        Takes::Process => {
            let own = if word.name == "trace" { &["stop", "show"][..] } else { &[] };
            own.iter().map(|word| plain(word)).chain(known.processes.iter().map(|name| plain(name))).collect()
        }
        Takes::Node => known.nodes.iter().map(|name| plain(name)).collect(),
        Takes::Name => return self::word(&Known { names: known.names.clone(), ..Known::default() }, typed),
        Takes::Command => commands::words()
            .map(|word| Candidate { text: word.name.to_owned(), about: word.help.to_owned() })
            .collect(),
        Takes::Words(words) => words.iter().map(|word| plain(word)).collect(),
    };
    all.into_iter().filter(|candidate| candidate.text.starts_with(typed)).collect()
}

/// The files that a path could go on with.
fn path(typed: &str, start: usize) -> (usize, Vec<Candidate>) {
    let (folder, name) = typed.rsplit_once(MAIN_SEPARATOR).map_or(("", typed), |(folder, name)| (folder, name));
    let start = start + typed.len() - name.len();
    let place = match (typed.contains(MAIN_SEPARATOR), folder) {
        (false, _) => Path::new("."),
        (true, "") => Path::new("/"),
        (true, folder) => Path::new(folder),
    };
    let Ok(entries) = std::fs::read_dir(place) else { return (start, Vec::new()) };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let mut text = entry.file_name().into_string().ok()?;
            let is_hidden = text.starts_with('.') && !name.starts_with('.');
            if !text.starts_with(name) || is_hidden {
                return None;
            }
            if entry.path().is_dir() {
                text.push(MAIN_SEPARATOR);
            }
            Some(Candidate { text, about: String::new() })
        })
        .collect();
    found.sort_by(|one, other| one.text.cmp(&other.text));
    (start, found)
}

/// What to remark on a text that ends at the cursor: the type of the name that was just typed, or what a command takes.
pub(super) fn remark(known: &Known, text: &str) -> Option<String> {
    if commands::is_command(text) {
        let said = text.trim_start().strip_prefix(':')?;
        let (name, rest) = said.split_once(' ').unwrap_or((said, ""));
        let word = commands::find(name).filter(|word| !word.arguments.is_empty() && rest.is_empty())?;
        let gap = if said.contains(' ') { "" } else { " " };
        return Some(format!("{gap}{}", word.arguments));
    }
    let start = word_start(text);
    let is_alone = !text[..start].ends_with(['.', ':', '\'']) && !syntax::is_comment(text, text.len());
    let name = known.name(&text[start..]).filter(|_| is_alone && syntax::string_at(text, text.len()).is_none())?;
    match &name.what {
        What::Binding(ty) => Some(format!(": {ty}")),
        What::Item(_) => None,
    }
}

/// What every cell sees and people type often.
const PRELUDE: &[&str] = &[
    "self_pid",
    "send",
    "receive!",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "monitor",
    "demonitor",
    "link",
    "unlink",
    "exit",
    "register",
    "unregister",
    "whereis",
    "sleep",
    "yield_now",
    "trap_exit",
    "send_after",
    "is_alive",
    "emit",
    "Supervisor",
    "Strategy",
    "ChildSpec",
    "Restart",
    "Shutdown",
    "Task",
    "Node",
    "Pid",
    "Ref",
    "ExitReason",
    "Local",
    "Shared",
    "Output",
    "Render",
    "Duration",
    "Serialize",
    "Deserialize",
    "render_seq_trace",
    "render_sup_tree",
    "println!",
    "print!",
    "eprintln!",
    "dbg!",
    "format!",
    "vec!",
    "assert!",
    "assert_eq!",
    "panic!",
    "matches!",
    "String",
    "Vec",
    "Option",
    "Result",
    "Some",
    "None",
    "Ok",
    "Err",
    "Box",
    "std",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let name = |name: &str, what, cell| Name { name: name.to_owned(), what, cell };
        Known {
            names: vec![
                name("total", What::Binding("u8".to_owned()), 1),
                name("tower", What::Item("fn"), 2),
                name("total", What::Binding("Vec<i32>".to_owned()), 3),
            ],
            cells: vec![(1, "let total = 1;".to_owned()), (12, "fn tower() …".to_owned())],
            processes: vec!["worker".to_owned()],
            nodes: vec!["other@host".to_owned()],
            asked: vec![Asked { label: "Name of it".to_owned(), is_secret: false }],
            next: 13,
        }
    }

    fn texts(text: &str) -> Vec<String> {
        complete(&known(), text, text.len()).1.into_iter().map(|candidate| candidate.text).collect()
    }

    #[test]
    fn names_come_with_their_latest_type() {
        let (start, found) = complete(&known(), "1 + to", 6);
        assert_eq!(start, 4);
        let found: Vec<_> = found.into_iter().map(|candidate| (candidate.text, candidate.about)).collect();
        assert_eq!(found, [("total".to_owned(), "Vec<i32>".to_owned()), ("tower".to_owned(), "fn".to_owned())]);
    }

    #[test]
    fn words_of_the_language_and_of_every_cell_follow() {
        assert_eq!(texts("whe"), ["whereis", "where"]);
        assert_eq!(texts("self_"), ["self_pid"]);
        assert!(texts("a.to").is_empty());
        assert!(texts("// to").is_empty());
    }

    #[test]
    fn members_are_asked_for_where_they_can_stand() {
        let asked = |text: &str| {
            let place = text.find('|').expect("a mark");
            member_at(&text.replacen('|', "", 1), place).map(|(start, after)| (start, after.source, after.place))
        };
        let at = |start, source: &str, place| Some((start, source.to_owned(), place));
        assert_eq!(asked("total.|"), at(6, "total.", 6));
        assert_eq!(asked("(total.le|).max(1)"), at(7, "(total.).max(1)", 7));
        assert_eq!(asked("Vec::|"), at(5, "Vec::", 5));
        assert_eq!(asked(":type total.fi|"), at(12, "total.", 6));
        for none in ["total|", "0..|", "// a.|", "\"a.|", ":run a.|", ":|", "|"] {
            assert_eq!(asked(none), None, "{none}");
        }
    }

    #[test]
    fn members_stand_without_the_brackets_that_are_there() {
        let known = [("len()", "fn(&self) -> usize"), ("left", "u8"), ("map(", "")];
        let known = known.map(|(text, about)| Member { text: text.to_owned(), about: about.to_owned() });
        let texts = |typed, rest| members(&known, typed, rest).into_iter().map(|found| found.text).collect::<Vec<_>>();
        assert_eq!(texts("le", ""), ["len()", "left"]);
        assert_eq!(texts("m", "(1)"), ["map"]);
    }

    #[test]
    fn commands_complete_themselves_and_what_they_take() {
        assert_eq!(texts(":mai"), ["mailbox"]);
        assert_eq!(texts(":run 1"), ["1", "12"]);
        assert_eq!(texts(":kill w"), ["worker"]);
        assert_eq!(texts(":node o"), ["other@host"]);
        assert_eq!(texts(":ps m"), ["memory", "mailbox"]);
        assert_eq!(texts(":type tot"), ["total"]);
        assert_eq!(texts(":help tr"), ["tree", "trace"]);
        assert_eq!(texts(":input Name o"), ["Name of it"]);
        assert_eq!(texts(":nothing x"), [""; 0]);
    }

    #[test]
    fn paths_complete_in_strings_and_after_commands() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("data.csv"), "").expect("a file");
        std::fs::create_dir(folder.path().join("daily")).expect("a folder");
        let typed = format!("read(\"{}/da", folder.path().display());
        assert_eq!(texts(&typed), ["daily/", "data.csv"]);
        let typed = format!(":open {}/dat", folder.path().display());
        assert_eq!(texts(&typed), ["data.csv"]);
    }

    #[test]
    fn what_was_typed_is_remarked_on() {
        assert_eq!(remark(&known(), "total").as_deref(), Some(": Vec<i32>"));
        assert_eq!(remark(&known(), "a.total"), None);
        assert_eq!(remark(&known(), ":run").as_deref(), Some(" CELL|FIRST-LAST|all"));
        assert_eq!(remark(&known(), ":run ").as_deref(), Some("CELL|FIRST-LAST|all"));
        assert_eq!(remark(&known(), ":run 1"), None);
    }
}
