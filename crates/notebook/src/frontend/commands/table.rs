//! The words of the commands, as help and completion know them.

/// What an argument of a command is, for those who complete it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::frontend) enum Takes {
    Nothing,
    Cell,
    File,
    Process,
    Node,
    Name,
    Code,
    /// Something that a cell asks for, by its name.
    Input,
    Command,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// A command as help and completion know it.
#[derive(Debug)]
pub(in crate::frontend) struct Word {
    pub(in crate::frontend) name: &'static str,
    /// A shorter name.
    pub(in crate::frontend) short: Option<&'static str>,
    /// What it takes, as a person writes it.
    pub(in crate::frontend) arguments: &'static str,
    pub(in crate::frontend) takes: Takes,
    pub(in crate::frontend) help: &'static str,
}

const fn word(name: &'static str, arguments: &'static str, takes: Takes, help: &'static str) -> Word {
    Word { name, short: None, arguments, takes, help }
}

const SORTS: &[&str] = &["reductions", "memory", "mailbox"];

/// All commands, in groups, as help lists them.
pub(in crate::frontend) const GROUPS: &[(&str, &[Word])] = &[
    (
        "Values and names",
        &[
            word("info", "NAME", Takes::Name, "what a name is: its type, the cell that defines it, who uses it"),
            word("type", "EXPRESSION", Takes::Code, "the type of an expression, without evaluating it"),
            word("doc", "PATH", Takes::Name, "the documentation of an item of a cell, or where others have theirs"),
            word("source", "[NAME]", Takes::Name, "the code that defines a name; without one, the whole notebook"),
            word("show", "[CELL]", Takes::Cell, "all that a cell has shown, nothing folded; without one, the last"),
        ],
    ),
    (
        "Cells",
        &[
            word("cells", "", Takes::Nothing, "the cells, and whether each is up to date"),
            word("run", "CELL|FIRST-LAST|all", Takes::Cell, "evaluate cells again, and what they stand on"),
            word("stale", "", Takes::Nothing, "evaluate what is out of date"),
            word("input", "[NAME VALUE]", Takes::Input, "set what a cell asks for; without a name, what there is"),
            word("edit", "[CELL]", Takes::Cell, "change a cell in $EDITOR and evaluate it; without one, the last"),
            word("delete", "CELL", Takes::Cell, "take a cell out of the notebook"),
            word("undo", "", Takes::Nothing, "take back the last change of the notebook"),
            word("redo", "", Takes::Nothing, "do again what was taken back"),
            word(
                "branch",
                "[NAME]",
                Takes::Nothing,
                "go on in a branch from here; without a name, back to the main flow",
            ),
            word("section", "NAME", Takes::Nothing, "begin a section"),
        ],
    ),
    (
        "The notebook",
        &[
            word(
                "deps",
                "[add NAME [VERSION]|remove NAME]",
                Takes::Words(&["add", "remove"]),
                "the crates that cells can use",
            ),
            word("open", "FILE", Takes::File, "go on with another notebook"),
            word("recover", "[NUMBER]", Takes::Nothing, "go on with a notebook that was left unsaved"),
            word("save", "[FILE]", Takes::File, "save the notebook"),
            word("export", "FILE", Takes::File, "write it as a program (.rs), a page (.html) or plain Markdown (.md)"),
            word("view", "", Takes::Nothing, "see and edit the whole notebook"),
            word(
                "clients",
                "",
                Takes::Nothing,
                "who is at this notebook; `greenroom join` in another terminal joins it",
            ),
            word("restart", "", Takes::Nothing, "end the runtime with all values, and start another"),
            Word { short: Some("q"), ..word("quit", "", Takes::Nothing, "leave") },
            Word {
                short: Some("h"),
                ..word("help", "[COMMAND]", Takes::Command, "what there is, or what a command does")
            },
        ],
    ),
    (
        "Processes",
        &[
            word(
                "ps",
                "[reductions|memory|mailbox]",
                Takes::Words(SORTS),
                "the processes of the runtime, the busiest first",
            ),
            word(
                "top",
                "[reductions|memory|mailbox]",
                Takes::Words(SORTS),
                "the same, refreshed until a key is pressed",
            ),
            word("tree", "[PROCESS]", Takes::Process, "who supervises whom"),
            word("trace", "[PROCESS]|stop|show", Takes::Process, "record what processes tell each other; draw it"),
            word("flight", "", Takes::Nothing, "the last messages of the runtime, without having asked before"),
            word("mailbox", "PROCESS", Takes::Process, "what waits in a mailbox"),
            word("state", "PROCESS", Takes::Process, "what is known of a process"),
            word("kill", "PROCESS", Takes::Process, "end a process"),
        ],
    ),
    (
        "Nodes",
        &[
            word("nodes", "", Takes::Nothing, "the nodes that the notebook knows, and where cells run"),
            word(
                "connect",
                "[NAME@]HOST[:PORT] [COOKIE]",
                Takes::Nothing,
                "join a node, with your ~/.greenroom.cookie or one for it alone",
            ),
            word(
                "node",
                "[NAME]",
                Takes::Node,
                "evaluate on this node, started by `greenroom node`; without one, in an own runtime",
            ),
        ],
    ),
];

/// All commands.
pub(in crate::frontend) fn words() -> impl Iterator<Item = &'static Word> {
    GROUPS.iter().flat_map(|(_, words)| words.iter())
}

/// The command of a name, or of its short form.
pub(in crate::frontend) fn find(name: &str) -> Option<&'static Word> {
    words().find(|word| word.name == name || word.short == Some(name))
}

impl Word {
    /// How it is written.
    pub(in crate::frontend) fn usage(&self) -> String {
        let short = self.short.map_or_else(String::new, |short| format!(", :{short}"));
        format!(":{}{short} {}", self.name, self.arguments).trim_end().to_owned()
    }
}
