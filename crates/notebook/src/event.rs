//! What a run tells its front ends: plain data, in the order in which it happens.
//!
//! Owns the words; how they look is for `frontend`, and when they are said is for the session.

mod room;

use greenroom::Pid;
use serde::{Deserialize, Serialize};

use crate::image::Image;
use crate::session::operation::InputId;
pub use room::{MOST_SHOWN, Room};

/// One thing that happened during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The prelude is being built: `done` of `total` crates are ready and `name` is at work.
    Prelude {
        /// Crates that are ready.
        done: usize,
        /// Crates there are; zero while the number is not known.
        total: usize,
        /// What is being built.
        name: String,
    },
    /// The prelude is ready.
    PreludeDone {
        /// How long it took, in milliseconds.
        ms: f64,
    },
    /// A cell's turn has come: compiling begins.
    CellStarted(CellStart),
    /// A running cell showed something; it comes again in the cell's report.
    CellOutput {
        /// The cell's number.
        index: usize,
        /// What it showed.
        output: Output,
    },
    /// A cell is done, or will not run. A skipped cell is never started.
    Cell(CellReport),
    /// A process of a cell that was reported already has shown something, or has panicked.
    Late {
        /// The cell's number, where it is known.
        index: Option<usize>,
        /// What it showed.
        output: Output,
    },
    /// Text that a library wrote past every cell, to the runtime's own output.
    RuntimeOutput(String),
    /// A remark on the run itself.
    Notice(String),
    /// The run is over.
    Done {
        /// Cells that succeeded.
        ok: usize,
        /// Cells that failed.
        failed: usize,
        /// Cells that were not run.
        skipped: usize,
    },
}

/// A cell whose turn has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellStart {
    /// The cell's number in the document, from 1.
    pub index: usize,
    /// The name of the section that it stands in.
    pub section: String,
    /// The line of source to know it by: see [`heading`].
    pub heading: String,
    /// The line of the file on which its source starts, from 1.
    pub line: usize,
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellReport {
    /// The cell's number in the document, from 1.
    pub index: usize,
    /// The name of the section that it stands in.
    pub section: String,
    /// The line of source to know it by: see [`heading`].
    pub heading: String,
    /// The line of the file on which its source starts, from 1.
    pub line: usize,
    /// How it ended.
    pub status: Status,
    /// Time to compile, in milliseconds; zero where nothing was compiled.
    pub compile_ms: f64,
    /// Time to run, in milliseconds; zero where nothing ran.
    pub run_ms: f64,
    /// Whether the compiled cell came out of the cache.
    pub cached: bool,
    /// Everything that it showed, in order, what was told as [`Event::CellOutput`] included.
    /// A failed or skipped cell ends with an [`OutputKind::Error`] that says why.
    pub outputs: Vec<Output>,
}

/// How a cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It ran to its end.
    Ok,
    /// It did not compile, or it failed while it ran.
    Error,
    /// It was not run, for want of something that failed.
    Skipped,
}

/// One thing that a cell showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// What it is.
    pub kind: OutputKind,
    /// The thing as text: what was printed, the value, the picture, the drawn error.
    pub text: String,
    /// The type of a value, for people: it is no part of `--json`.
    pub type_name: Option<String>,
    /// A diagram's source in Mermaid.
    pub mermaid: Option<String>,
    /// A picture for a browser, as SVG.
    pub svg: Option<String>,
    /// The input that it is.
    pub input: Option<InputId>,
    /// Whether it tells of something that failed without failing the cell: an example.
    pub failed: bool,
    /// The rows of a table, of which its text has each on a line.
    pub table: Option<Box<Rows>>,
    /// An image; its text says what it is.
    pub image: Option<Box<Image>>,
    /// What a frame is and shows; its text is what all of that says.
    pub frame: Option<Box<FrameState>>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Each as its `Debug` writes it.
    pub rows: Vec<String>,
    /// How many more there were.
    pub left_out: usize,
}

/// A frame, as it is at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameState {
    /// Its process, as cells write it: by this a later state is known, which takes the place of this one.
    pub id: String,
    /// Whether it may still show something else.
    pub live: bool,
    /// What it shows.
    pub outputs: Vec<Output>,
}

/// The kinds of output. More may come; none changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// Printed text.
    Text,
    /// The value of the cell's last expression.
    Value,
    /// A sequence diagram.
    Sequence,
    /// A supervision tree.
    Tree,
    /// Another picture: a map of processes, a timeline, a flamegraph.
    Picture,
    /// Something that a person can set; its text says what it is called, and its value where nobody has set one.
    Input,
    /// A table.
    Table,
    /// An image.
    Image,
    /// What a frame shows, which may change.
    Frame,
    /// What the compiler finds odd about the cell, drawn as an error is.
    Warning,
    /// How the examples in the doc comments of the cell's items went, each beside its line.
    Example,
    /// Why the cell failed, drawn on its source and perhaps in colours (ANSI escapes, which front
    /// ends without colours take out), or why it was not run: `not run: it uses …`.
    Error,
}

impl Output {
    /// An output that has no Mermaid source.
    pub fn new(kind: OutputKind, text: impl Into<String>) -> Self {
        Output {
            kind,
            text: text.into(),
            type_name: None,
            mermaid: None,
            svg: None,
            input: None,
            failed: false,
            table: None,
            image: None,
            frame: None,
        }
    }

    /// A table, in text a line for each row.
    pub fn table(table: Rows) -> Self {
        let mut text: String = table.rows.iter().map(|row| format!("{row}\n")).collect();
        if table.left_out > 0 {
            text.push_str(&format!("… {} more rows\n", table.left_out));
        }
        Output { table: Some(Box::new(table)), ..Output::new(OutputKind::Table, text) }
    }

    /// An image, and what it is in words.
    pub fn image(image: Image) -> Self {
        let words = image.words();
        Output { image: Some(Box::new(image)), ..Output::new(OutputKind::Image, words) }
    }

    /// What a frame shows; each of it on lines of its own.
    pub fn frame(frame: FrameState) -> Self {
        let line = |output: &Output| match output.text.ends_with('\n') || output.text.is_empty() {
            true => output.text.clone(),
            false => format!("{}\n", output.text),
        };
        let text: String = frame.outputs.iter().map(line).collect();
        Output { frame: Some(Box::new(frame)), ..Output::new(OutputKind::Frame, text) }
    }

    /// The outputs that this one consists of: those that a frame shows, or itself.
    pub fn parts(&self) -> &[Output] {
        match &self.frame {
            Some(frame) => &frame.outputs,
            None => std::slice::from_ref(self),
        }
    }

    /// About how many bytes it holds.
    pub fn size(&self) -> usize {
        let parts = self.frame.iter().flat_map(|frame| &frame.outputs);
        let image = self.image.as_ref().map_or(0, |image| image.bytes.len());
        self.text.len() + image + parts.map(Output::size).sum::<usize>()
    }

    /// A diagram: its picture in text and its source in Mermaid.
    pub fn diagram(kind: OutputKind, text: impl Into<String>, mermaid: impl Into<String>) -> Self {
        Output { mermaid: Some(mermaid.into()), ..Output::new(kind, text) }
    }

    /// The same with its picture for a browser.
    pub fn with_svg(self, svg: impl Into<String>) -> Self {
        Output { svg: Some(svg.into()), ..self }
    }
}

impl From<greenroom_stage::cell::Output> for Output {
    fn from(output: greenroom_stage::cell::Output) -> Self {
        use greenroom_stage::cell::Output as Shown;
        match output {
            Shown::Text(text) => Output::new(OutputKind::Text, text),
            Shown::Value { text, type_name } => {
                Output { type_name: Some(type_name), ..Output::new(OutputKind::Value, text) }
            }
            Shown::Sequence { text, mermaid, svg } => {
                Output::diagram(OutputKind::Sequence, text, mermaid).with_svg(svg)
            }
            Shown::Tree { text, mermaid, svg } => Output::diagram(OutputKind::Tree, text, mermaid).with_svg(svg),
            Shown::Picture { text, svg } => Output::new(OutputKind::Picture, text).with_svg(svg),
            Shown::Input(form) => {
                Output { input: Some(InputId(form.id())), ..Output::new(OutputKind::Input, form.to_string()) }
            }
            Shown::Error(text) => Output::new(OutputKind::Error, text),
            Shown::Flame { text, title, unit, folded } => {
                let shown = Output::new(OutputKind::Picture, text);
                // Where nothing took any time, there is no picture.
                match greenroom_tracing_viz::flame::draw(&title, &unit, &folded) {
                    Ok(svg) => shown.with_svg(svg),
                    Err(_) => shown,
                }
            }
            Shown::Table { rows, left_out } => Output::table(Rows { rows, left_out }),
            Shown::Image { mime, bytes } => Output::image(Image { mime, bytes: bytes.into() }),
            Shown::Frame { frame, outputs, is_live } => Output::frame(FrameState {
                id: own_name(frame),
                live: is_live,
                outputs: outputs.into_iter().map(Output::from).collect(),
            }),
            other => Output::new(OutputKind::Text, format!("{other:?}")),
        }
    }
}

/// A process of the runtime as its cells write it.
pub fn own_name(pid: Pid) -> String {
    pid.to_string().replacen(&pid.node().to_string(), "0", 1)
}

/// Adds an output as a report keeps it: text that follows text continues it, and what a frame shows takes the place of
/// what it has shown.
pub fn push_output(outputs: &mut Vec<Output>, output: Output) {
    if let Some(frame) = &output.frame
        && let Some(old) = outputs.iter_mut().find(|old| old.frame.as_ref().is_some_and(|old| old.id == frame.id))
    {
        *old = output;
        return;
    }
    match outputs.last_mut() {
        Some(last) if last.kind == OutputKind::Text && output.kind == OutputKind::Text => {
            continue_text(&mut last.text, &output.text);
        }
        _ if output.kind == OutputKind::Text => {
            let mut text = String::new();
            continue_text(&mut text, &output.text);
            outputs.push(Output { text, ..output });
        }
        _ => outputs.push(output),
    }
}

/// A carriage return at the very end stays: what comes next says what it goes back over.
fn continue_text(text: &mut String, more: &str) {
    if !more.contains('\r') && !text.ends_with('\r') {
        return text.push_str(more);
    }
    let last_line = text.rfind('\n').map_or(0, |end| end + 1);
    let open = text.split_off(last_line) + more;
    for line in open.split_inclusive('\n') {
        let written = line.trim_end_matches(['\r', '\n']);
        text.push_str(written.rsplit('\r').next().unwrap_or(written));
        match line.as_bytes().last() {
            Some(b'\n') => text.push('\n'),
            Some(b'\r') => text.push('\r'),
            _ => {}
        }
    }
}

/// The line to know a cell by: the first line of its source that is neither blank nor a comment,
/// with ` …` where more code follows.
pub fn heading(source: &str) -> String {
    let mut code = source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    match (code.next(), code.next()) {
        (Some(only), None) => only.to_owned(),
        (Some(first), Some(_)) => format!("{first} …"),
        (None, _) => source.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(empty)").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_known_by_its_first_line_of_code() {
        assert_eq!(heading("1 + 1"), "1 + 1");
        assert_eq!(heading("\n// why\n  let a = 1;\n\na\n"), "let a = 1; …");
        assert_eq!(heading("// only words\n"), "// only words");
        assert_eq!(heading(" \n"), "(empty)");
    }

    fn state(id: &str, text: &str) -> Output {
        let outputs = vec![Output::new(OutputKind::Text, text)];
        Output::frame(FrameState { id: id.to_owned(), live: true, outputs })
    }

    #[test]
    fn what_a_frame_shows_takes_the_place_of_what_it_has_shown() {
        let mut outputs = Vec::new();
        push_output(&mut outputs, state("<0.1.0>", "1"));
        push_output(&mut outputs, Output::new(OutputKind::Text, "between\n"));
        push_output(&mut outputs, state("<0.2.0>", "other"));
        push_output(&mut outputs, state("<0.1.0>", "2"));
        let texts: Vec<_> = outputs.iter().map(|output| output.text.as_str()).collect();
        assert_eq!(texts, ["2\n", "between\n", "other\n"]);
    }

    #[test]
    fn case_58_what_is_gone_back_over_is_gone() {
        let check = |texts: &[&str], expected: &str| {
            let mut outputs = Vec::new();
            texts.iter().for_each(|text| push_output(&mut outputs, Output::new(OutputKind::Text, *text)));
            assert_eq!(outputs[0].text, expected, "{texts:?}");
            assert_eq!(outputs.len(), 1);
        };
        check(&["Hola", " amigo!"], "Hola amigo!");
        check(&["Hola\rHey"], "Hey");
        check(&["Hola\nHmm\rHey"], "Hola\nHey");
        check(&["Hola\nHmm", "\rHey"], "Hola\nHey");
        check(&["10%\r", "50%\r", "100%\n", "done\n"], "100%\ndone\n");
        check(&["10%\r"], "10%\r");
        check(&["of\r\nWindows\r", "\n"], "of\nWindows\n");
        check(&["a\rb\nc\rd\r"], "b\nd\r");
    }

    #[test]
    fn text_that_follows_text_continues_it() {
        let mut outputs = Vec::new();
        push_output(&mut outputs, Output::new(OutputKind::Text, "a\n"));
        push_output(&mut outputs, Output::new(OutputKind::Text, "b\n"));
        push_output(&mut outputs, Output::new(OutputKind::Value, "1"));
        push_output(&mut outputs, Output::new(OutputKind::Text, "c\n"));
        let texts: Vec<_> = outputs.iter().map(|output| output.text.as_str()).collect();
        assert_eq!(texts, ["a\nb\n", "1", "c\n"]);
    }
}
