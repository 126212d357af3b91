//! The command line: its words and its help. What a command does is for `command`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use greenroom_cluster::Address;

use crate::picture::Draw;

/// The exit code where everything went well: every cell succeeded, nothing had to be changed.
pub const EXIT_OK: u8 = 0;

/// The exit code of a run in which a cell failed.
pub const EXIT_CELL_FAILED: u8 = 1;

/// The exit code where nothing could be done: the file cannot be read, or the command is not understood.
pub const EXIT_NOTHING_RUN: u8 = 2;

const AFTER_HELP: &str = "\
Examples:
  greenroom                            a prompt: every input is a cell; `:help` there says more
  echo '1 + 1' | greenroom             the same without a terminal: prints 2
  greenroom new notes.livemd           begin a notebook
  greenroom open notes.livemd          see it as a whole, edit and evaluate it
  greenroom run notes.livemd           evaluate it and show every cell
  greenroom run notes.livemd --json    the same, one JSON object a line, for a program
  greenroom help export                what a command can do

Exit codes:
  0  every cell succeeded
  1  a cell failed
  2  nothing was run: the file cannot be read, or the command is not understood";

const AFTER_RUN: &str = "\
Examples:
  greenroom run notes.livemd           evaluate a notebook and show every cell
  greenroom run notes.livemd --json    the same, one JSON object a line, for a program

Exit codes:
  0  every cell succeeded
  1  a cell failed
  2  nothing was run: the file cannot be read, or the command is not understood";

const AFTER_OPEN: &str = "\
Keys (? shows all of them):
  j k      move              i  edit, Esc ends it      n  new cell below
  ee       evaluate a cell   ea everything             eo what is out of date
  Ctrl-C   stop              s  save                   q  leave";

const AFTER_JOIN: &str = "\
All who are at a notebook see each other's cells, outputs and changes; `:clients` lists them. The
terminal that has opened the notebook saves and closes it: the others leave with Ctrl-D, and end
when it does. Both need the same cookie (~/.greenroom.cookie, or the file that $GREENROOM_COOKIE
names) and the same build of this program, on the same machine.

Examples:
  greenroom join                  join the only notebook that is open, or list them
  greenroom join notes.livemd     join this one, at a prompt
  greenroom join --view Notes     see the one of this name as a whole

Exit codes:
  0  the person has left, or the notebook was closed
  1  a cell failed, or the terminal that had the notebook open has died
  2  there is none to join, or it is not clear which";

const AFTER_CHECK: &str = "\
Errors and warnings are those of `greenroom run`; no cell runs, so nothing is said of panics.

Exit codes:
  0  every cell compiles
  1  one does not
  2  nothing was compiled: the file cannot be read, or the command is not understood";

const AFTER_TEST: &str = "\
A saved output is expected if its comment says so; it must then be what the cell shows:

  ```rust
  1 + 1
  ```

  <!-- livebook:{\"expected\":true,\"output\":true} -->

  ```
  2
  ```

The saved outputs of such a cell stand for what it shows, in order; those that do not say
`expected` may differ. Examples in doc comments must succeed, too.

Exit codes:
  0  every cell succeeded and showed what was expected
  1  one did not
  2  nothing was run: the file cannot be read, or the command is not understood";

const AFTER_FMT: &str = "\
Cells are formatted by the toolchain's rustfmt, with the settings of the notebook's folder. A cell
that is not Rust stays as it is.

Exit codes:
  0  the file is in its canonical form now; with --check, it was before
  1  with --check: it is not, and the changes are shown
  2  the file cannot be read or written, or the command is not understood";

const AFTER_EXPORT: &str = "\
Formats:
  rs    one Rust program; branches are functions. With --output FOLDER it is a package that has
        all it needs beside crates.io: `cargo run` there runs it. Without, it is printed as a
        cargo script, which runs on this machine: `cargo +nightly -Zscript FILE`
  md    plain Markdown, with saved outputs
  html  one page that needs nothing else: code in colours, saved outputs, diagrams as SVG

Examples:
  greenroom export notes.livemd --to html --output notes.html
  greenroom export notes.livemd --to md --run           with what the cells show now
  greenroom export notes.livemd --to rs --output notes  then: cd notes && cargo run

Exit codes:
  0  it was written
  1  a cell failed where it had to be compiled or run
  2  nothing was written: a file cannot be read or written, or the command is not understood";

const AFTER_NODE: &str = "\
Cells of notebooks run there: at a prompt, `:connect NAME@HOST:PORT` joins it, and `:node NAME` evaluates on it.
Several notebooks can use it at a time; each has its own values. What one has started ends when it leaves, and the
node lives on. Notebook and node must be of the same version, with the same compiler and the same crates.
Whoever knows the cookie can run anything there, with the rights of this program.";

const AFTER_CACHE: &str = "\
The cache holds the libraries that notebooks stand on and their compiled cells. Everything in it is
made again when it is missing. When it is larger than its limit, what was not used for longest
goes; what a running notebook uses stays.

Examples:
  greenroom cache                 how large it is, and what is in it
  greenroom cache limit 2GB       keep it below two gigabytes
  greenroom cache clear           empty it

GREENROOM_CACHE names another folder for it.";

/// Notebooks whose cells are Rust, and every cell is a supervised process.
#[derive(Debug, Parser)]
#[command(name = "greenroom", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do; a prompt for Rust where nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How the prompt is shown.
    #[command(flatten)]
    pub prompt: Prompt,
}

/// How the prompt is shown.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Prompt {
    /// Use no colours; they are also off where NO_COLOR is set or the output is no terminal
    #[arg(long = "no-color")]
    pub plain: bool,

    /// Use words in place of marks, and draw nothing twice, for a screen reader; GREENROOM_SCREEN_READER=1 asks for the same
    #[arg(long)]
    pub screen_reader: bool,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Begin a notebook
    New(New),
    /// See a notebook as a whole, edit it and evaluate its cells
    Open(Open),
    /// Go to a notebook that another terminal has open, and see and change it together
    Join(Join),
    /// Evaluate a notebook from top to bottom and show every cell
    Run(Run),
    /// Draw a saved trace or supervision tree
    Draw(Draw),
    /// Compile every cell of a notebook and run none
    Check(Check),
    /// Evaluate a notebook and compare what it shows with what is expected
    Test(Test),
    /// Bring a notebook into its canonical form, with rustfmt in its cells
    Fmt(Fmt),
    /// Write a notebook as a Rust program, as Markdown or as a web page
    Export(Export),
    /// See how large the cache is, clear it or limit it
    Cache(Cache),
    /// Start a node that notebooks can run their cells on, and that others can connect to
    Node(Node),
    /// Print what a shell needs to complete this program's words
    Completions(Completions),
    /// Print the manual page
    Man,
    /// Ask whether a node can be reached, and if not, why
    Ping(Ping),
}

/// `greenroom run`
#[derive(Debug, Args)]
#[command(after_help = AFTER_RUN)]
pub struct Run {
    /// The notebook, a .livemd file
    pub file: PathBuf,

    /// Draw what the processes of both nodes told each other into this file: .svg, .mmd, .txt or .json
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// How it is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// `greenroom open`
#[derive(Debug, Args)]
#[command(after_help = AFTER_OPEN)]
pub struct Open {
    /// The notebook, a .livemd file; it is begun if there is none
    pub file: PathBuf,
}

/// `greenroom join`
#[derive(Debug, Args)]
#[command(after_help = AFTER_JOIN)]
pub struct Join {
    /// The notebook: its file, its name, or the number of the process that has it open; the only one where nothing is said
    pub notebook: Option<String>,

    /// See the notebook as a whole, as `greenroom open` does, instead of a prompt
    #[arg(long)]
    pub view: bool,

    /// List the notebooks that are open, and join none
    #[arg(long, conflicts_with_all = ["notebook", "view"])]
    pub list: bool,

    /// How the prompt is shown.
    #[command(flatten)]
    pub prompt: Prompt,
}

/// `greenroom completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `greenroom check`
#[derive(Debug, Args)]
#[command(after_help = AFTER_CHECK)]
pub struct Check {
    /// The notebook, a .livemd file
    pub file: PathBuf,

    /// How it is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// `greenroom test`
#[derive(Debug, Args)]
#[command(after_help = AFTER_TEST)]
pub struct Test {
    /// The notebook, a .livemd file
    pub file: PathBuf,

    /// Write what the cells show into the file, where something else was expected
    #[arg(long)]
    pub accept: bool,

    /// How it is shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// How what happens is shown.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Shown {
    /// Print one JSON object a line: one for each cell, and one at the end
    #[arg(long)]
    pub json: bool,

    /// Use no colours; they are also off where NO_COLOR is set or the output is no terminal
    #[arg(long)]
    pub no_color: bool,
}

/// `greenroom fmt`
#[derive(Debug, Args)]
#[command(after_help = AFTER_FMT)]
pub struct Fmt {
    /// The notebook, a .livemd file
    pub file: PathBuf,

    /// Print the canonical form and leave the file as it is
    #[arg(long)]
    pub stdout: bool,

    /// Show what would change and leave the file as it is
    #[arg(long, conflicts_with = "stdout")]
    pub check: bool,
}

/// `greenroom export`
#[derive(Debug, Args)]
#[command(after_help = AFTER_EXPORT)]
pub struct Export {
    /// The notebook, a .livemd file
    pub file: PathBuf,

    /// What to write
    #[arg(long, value_enum)]
    pub to: Format,

    /// Where to write it: a file, or for rs a new folder; printed where nothing is said
    #[arg(long, short)]
    pub output: Option<PathBuf>,

    /// Evaluate the notebook first, and write what its cells show instead of saved outputs
    #[arg(long)]
    pub run: bool,
}

/// What a notebook is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One Rust program.
    Rs,
    /// Markdown.
    Md,
    /// A web page.
    Html,
}

/// `greenroom new`
#[derive(Debug, Args)]
pub struct New {
    /// The file to write, a .livemd file; there must be none of that name
    pub file: PathBuf,
}

/// `greenroom cache`
#[derive(Debug, Args)]
#[command(after_help = AFTER_CACHE)]
pub struct Cache {
    /// What to do with it; shown where nothing is said.
    #[command(subcommand)]
    pub action: Option<CacheAction>,
}

/// What can be done with the cache.
#[derive(Debug, Subcommand)]
pub enum CacheAction {
    /// Show how large it is, and what is in it
    Show,
    /// Empty it, but for what running notebooks use
    Clear,
    /// Set how large it may become, such as 500MB or 2GB
    Limit {
        /// The size, in bytes or with a unit: kB, MB, GB
        size: String,
    },
}

/// `greenroom node`
#[derive(Debug, Args)]
#[command(after_help = AFTER_NODE)]
pub struct Node {
    /// The name of the node
    #[arg(long, value_name = "NAME@HOST")]
    pub name: String,

    /// Where others connect to it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4370")]
    pub listen: SocketAddr,

    /// A node to stay connected to, as HOST:PORT or NAME@HOST:PORT; may be given several times
    #[arg(long = "peer", value_name = "NODE")]
    pub peers: Vec<Address>,

    /// A file of such nodes, one a line
    #[arg(long, value_name = "FILE")]
    pub peers_file: Option<PathBuf>,

    /// The file with the cookie; $GREENROOM_COOKIE or ~/.greenroom.cookie if not given, made if it is not there
    #[arg(long, value_name = "FILE")]
    pub cookie: Option<PathBuf>,

    /// Do not be listed by other nodes
    #[arg(long)]
    pub hidden: bool,

    /// Run the cells of notebooks with the setup of this one; without it, of those that name no crates
    #[arg(long, value_name = "FILE")]
    pub notebook: Option<PathBuf>,
}

/// `greenroom ping`
#[derive(Debug, Args)]
pub struct Ping {
    /// The node, as HOST:PORT or NAME@HOST:PORT
    pub node: Address,

    /// The file with the cookie; $GREENROOM_COOKIE or ~/.greenroom.cookie if not given
    #[arg(long, value_name = "FILE")]
    pub cookie: Option<PathBuf>,
}

impl Cli {
    /// The help text, as for a person who asked for nothing.
    pub fn help() -> String {
        Cli::command().render_help().to_string()
    }
}
