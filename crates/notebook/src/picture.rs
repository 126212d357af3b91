//! Pictures of saved traces and trees: `greenroom draw`, and the file of `run --trace`.
//!
//! What a picture looks like is for `greenroom-tracing-viz`; here is which one is asked for, and where it goes.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use greenroom::trace::Trace;
use greenroom_tracing_viz::file::{self, ReadError, Saved};
use greenroom_tracing_viz::sequence::{Marks, Options, Targets};
use greenroom_tracing_viz::{Flame, Pictures, Tree, map, tree};

use crate::draw::Style;

/// `greenroom draw`
#[derive(Debug, Args)]
pub struct Draw {
    /// A saved trace or tree, a .json file
    pub file: PathBuf,

    /// In which form; by default the one that the name after --output says, or else text
    #[arg(long = "as", value_enum)]
    pub form: Option<Form>,

    /// Which picture of a trace
    #[arg(long, value_enum, default_value_t = Picture::Sequence)]
    pub picture: Picture,

    /// Write into this file, not to standard output
    #[arg(long, short)]
    pub output: Option<PathBuf>,

    /// Keep only messages from or to processes of this name, label or identifier; may be given several times
    #[arg(long = "process", value_name = "NAME")]
    pub processes: Vec<String>,

    /// Keep only messages that have this in them
    #[arg(long, value_name = "TEXT")]
    pub containing: Option<String>,

    /// Keep only what happened in this span of the trace's own time, such as 1.5ms..2s, 20ms.. or ..1s
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub within: Option<Range<Duration>>,

    /// Draw what has changed since this trace was saved: of a flamegraph
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,

    /// How many arrows are drawn
    #[arg(long, default_value_t = LIMIT)]
    pub limit: usize,

    /// Draw every repetition of an exchange
    #[arg(long)]
    pub no_folding: bool,

    /// Text as wide as it needs to be; a pager scrolls sideways
    #[arg(long)]
    pub wide: bool,

    /// Leave out links, monitors, timers and time-outs
    #[arg(long)]
    pub no_marks: bool,
}

/// Reads a span of time.
fn span(text: &str) -> Result<Range<Duration>, String> {
    let (start, end) = text.split_once("..").ok_or("there is no `..` in it, as in 1ms..2s")?;
    let time = |text: &str, otherwise| if text.trim().is_empty() { Ok(otherwise) } else { time(text.trim()) };
    let span = time(start, Duration::ZERO)?..time(end, Duration::MAX)?;
    if span.is_empty() { Err("it ends before it begins".to_owned()) } else { Ok(span) }
}

/// Reads a time, such as `1.5ms`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit.trim() {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        _ => return Err(format!("`{text}` has no unit: ns, us, ms, s or min")),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{text}` does not begin with a number"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

/// How many arrows are drawn where nobody says otherwise.
const LIMIT: usize = 2000;

/// The form of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A picture for a browser
    Svg,
    /// Text that Mermaid draws
    Mermaid,
    /// Text for a terminal
    Text,
    /// A flamegraph of the time that processes worked, as SVG
    Flame,
    /// The trace or tree itself
    Json,
    /// A timeline for Perfetto
    Perfetto,
}

/// What a trace is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    /// Who said what to whom
    Sequence,
    /// Who talked to whom, and how often
    Map,
    /// Who lived and worked when
    Timeline,
    /// How long each process worked on each kind of message
    Flame,
    /// How many messages of each kind each process was sent
    Messages,
}

/// Why there is no picture.
#[derive(Debug)]
pub enum DrawError {
    /// The file cannot be read.
    Read(PathBuf, io::Error),
    /// It holds something else.
    Open(PathBuf, ReadError),
    /// The picture cannot be written.
    Write(PathBuf, io::Error),
    /// No process has this name.
    NoProcess(String),
    /// There is no such form of this picture.
    NoForm {
        /// What is to be drawn.
        what: &'static str,
        /// In which form.
        form: Form,
    },
    /// Only of flamegraphs is it drawn what has changed.
    NoDifference,
    /// It should be a trace, to be compared with another.
    NoTrace(PathBuf),
    /// There is nothing to be drawn.
    Empty(String),
    /// The file's name does not say in which form.
    Extension(PathBuf),
}

impl fmt::Display for DrawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DrawError::Read(path, error) => write!(f, "{}: cannot be read: {error}", path.display()),
            DrawError::Open(path, error) => {
                write!(f, "{}: {error}\nhelp: `greenroom run NOTEBOOK --trace FILE.json` saves a trace", path.display())
            }
            DrawError::Write(path, error) => write!(f, "{}: cannot be written: {error}", path.display()),
            DrawError::NoProcess(name) => {
                write!(f, "no process in the trace is called {name}\nhelp: `--picture map --as text` lists who talked")
            }
            DrawError::NoForm { what, form } => {
                let name = form.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
                write!(f, "a {what} cannot be drawn as {name}: try --as svg")
            }
            DrawError::NoDifference => {
                f.write_str("what has changed is drawn of flamegraphs only\nhelp: add `--as flame`")
            }
            DrawError::NoTrace(path) => write!(f, "{}: this is a tree, and a trace is wanted", path.display()),
            DrawError::Empty(why) => f.write_str(why),
            DrawError::Extension(path) => {
                write!(
                    f,
                    "{}: the name should end in .svg, .mmd, .txt or .json, for the form of the picture",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for DrawError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DrawError::Read(_, error) | DrawError::Write(_, error) => Some(error),
            DrawError::Open(_, error) => Some(error),
            DrawError::NoProcess(_)
            | DrawError::NoForm { .. }
            | DrawError::NoDifference
            | DrawError::NoTrace(_)
            | DrawError::Empty(_)
            | DrawError::Extension(_) => None,
        }
    }
}

impl Form {
    /// The form that a file's name asks for.
    ///
    /// # Errors
    /// If its extension is none of those that are known.
    pub fn of_file(path: &Path) -> Result<Form, DrawError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => Ok(Form::Svg),
            Some("mmd" | "mermaid") => Ok(Form::Mermaid),
            Some("txt") => Ok(Form::Text),
            Some("json") => Ok(Form::Json),
            Some(_) | None => Err(DrawError::Extension(path.to_owned())),
        }
    }
}

/// Draws a saved trace or tree; text that is to be printed, in colour if that is the style. Returns what is to be printed, which is nothing if it went into a file.
///
/// # Errors
/// [`DrawError`] says what is wrong with the file, or with what was asked for.
pub fn draw(wanted: &Draw, columns: usize, style: Style) -> Result<String, DrawError> {
    let saved = opened(&wanted.file)?;
    let form = match (wanted.form, &wanted.output) {
        (Some(form), _) => form,
        (None, Some(output)) => Form::of_file(output)?,
        (None, None) => Form::Text,
    };
    let drawn = match (saved, &wanted.since) {
        (Saved::Trace(trace), Some(before)) => difference(&trace, &opened(before)?, before, (form, wanted.picture))?,
        (Saved::Trace(trace), None) => trace_as(&trace, form, wanted.picture, &options(wanted, &trace)?, columns)?,
        (Saved::Tree(_) | Saved::Group(_), Some(_)) => return Err(DrawError::NoDifference),
        (Saved::Tree(root), None) if form == Form::Json => file::tree_to_json(&root),
        (Saved::Group(group), None) if form == Form::Json => file::group_to_json(&group),
        (Saved::Tree(root), None) => tree_as(&Tree::from_node(&root, &tree::Options::default()), form, columns)?,
        (Saved::Group(group), None) => tree_as(&Tree::from_group(&group, &tree::Options::default()), form, columns)?,
    };
    match &wanted.output {
        Some(path) => write(path, &drawn).map(|()| String::new()),
        None if form == Form::Text && style == Style::Coloured => Ok(greenroom_tracing_viz::coloured(&drawn)),
        None => Ok(drawn),
    }
}

fn opened(path: &Path) -> Result<Saved, DrawError> {
    let json = std::fs::read_to_string(path).map_err(|error| DrawError::Read(path.to_owned(), error))?;
    file::read(&json).map_err(|error| DrawError::Open(path.to_owned(), error))
}

/// The flamegraph of what has changed from one trace to another.
fn difference(after: &Trace, before: &Saved, path: &Path, asked: (Form, Picture)) -> Result<String, DrawError> {
    let Saved::Trace(before) = before else { return Err(DrawError::NoTrace(path.to_owned())) };
    let flame = match asked {
        (Form::Flame, Picture::Sequence | Picture::Flame) | (Form::Svg, Picture::Flame) => Flame::of_busy,
        (Form::Flame | Form::Svg, Picture::Messages) => Flame::of_messages,
        _ => return Err(DrawError::NoDifference),
    };
    flame(after).difference_to_svg(&flame(before)).map_err(|error| DrawError::Empty(error.to_string()))
}

/// Writes the trace of a run in the form that the file's name asks for.
///
/// # Errors
/// [`DrawError`], if the name asks for none, or the file cannot be written.
pub fn save(trace: &Trace, path: &Path, columns: usize) -> Result<(), DrawError> {
    let options = Options { limit: LIMIT, marks: Marks::Hidden, ..Options::default() };
    write(path, &trace_as(trace, Form::of_file(path)?, Picture::Sequence, &options, columns)?)
}

fn write(path: &Path, text: &str) -> Result<(), DrawError> {
    std::fs::write(path, text).map_err(|error| DrawError::Write(path.to_owned(), error))
}

fn trace_as(
    trace: &Trace,
    form: Form,
    picture: Picture,
    options: &Options,
    columns: usize,
) -> Result<String, DrawError> {
    match (form, picture) {
        (Form::Json, _) => return Ok(file::trace_to_json(trace)),
        (Form::Perfetto, _) => return Ok(trace.timeline().to_perfetto()),
        (Form::Flame, Picture::Messages) => return flame_as(&Flame::of_messages(trace), Form::Svg, columns),
        (Form::Flame, _) => return flame_as(&Flame::of_busy(trace), Form::Svg, columns),
        (Form::Svg | Form::Mermaid | Form::Text, _) => {}
    }
    let drawn = match picture {
        Picture::Sequence => {
            let sequence = trace.sequence_of(options);
            match form {
                Form::Svg => sequence.to_svg(),
                Form::Mermaid => sequence.to_mermaid(),
                _ => sequence.to_text(columns) + "\n",
            }
        }
        Picture::Map => {
            let map = trace.map(&map::Options::default());
            match form {
                Form::Svg => map.to_svg(),
                Form::Mermaid => map.to_mermaid(),
                _ => map.to_text(columns) + "\n",
            }
        }
        Picture::Timeline => match form {
            Form::Svg => trace.timeline().to_svg(),
            _ => return Err(DrawError::NoForm { what: "timeline", form }),
        },
        Picture::Flame => flame_as(&Flame::of_busy(trace), form, columns)?,
        Picture::Messages => flame_as(&Flame::of_messages(trace), form, columns)?,
    };
    Ok(drawn)
}

fn tree_as(tree: &Tree, form: Form, columns: usize) -> Result<String, DrawError> {
    match form {
        Form::Svg => Ok(tree.to_svg()),
        Form::Mermaid => Ok(tree.to_mermaid(tree::Direction::default())),
        Form::Text => Ok(tree.to_text(columns) + "\n"),
        Form::Json | Form::Flame | Form::Perfetto => Err(DrawError::NoForm { what: "tree", form }),
    }
}

fn flame_as(flame: &Flame, form: Form, columns: usize) -> Result<String, DrawError> {
    match form {
        Form::Svg => flame.to_svg().map_err(|error| DrawError::Empty(error.to_string())),
        Form::Text => Ok(flame.to_text(columns) + "\n"),
        form => Err(DrawError::NoForm { what: "flamegraph", form }),
    }
}

fn options(wanted: &Draw, trace: &Trace) -> Result<Options, DrawError> {
    let mut targets = Targets::All;
    for name in &wanted.processes {
        let all = greenroom_tracing_viz::processes_called(trace, name);
        if all.is_empty() {
            return Err(DrawError::NoProcess(name.clone()));
        }
        targets = match targets {
            Targets::All => Targets::Only(all),
            Targets::Only(before) => Targets::Only(&before | &all),
        };
    }
    let repeats = if wanted.no_folding { 0 } else { Options::default().repeats };
    let marks = if wanted.no_marks { Marks::Hidden } else { Marks::Shown };
    let (containing, within) = (wanted.containing.clone(), wanted.within.clone());
    Ok(Options { targets, containing, within, limit: wanted.limit, repeats, marks })
}
