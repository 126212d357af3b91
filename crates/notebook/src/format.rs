//! The canonical form of a notebook: its document as `livemd` prints it, its Rust cells as rustfmt writes them.
//!
//! A cell is no file: its statements are put into a function, formatted there, and taken out again. What rustfmt
//! does not take stays as it is, byte for byte. Files are for the commands.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::analysis;
use crate::livemd::{self, Cell, Code, Language, Notebook, Smart};
use crate::rustc::Toolchain;

/// The toolchain's rustfmt, at work in one folder, whose settings it follows.
#[derive(Clone, Debug)]
pub struct Rustfmt {
    program: PathBuf,
    folder: PathBuf,
}

/// A notebook in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formatted {
    /// The text of the file.
    pub text: String,
    /// The lines of the file, as it was, on which the sources start that are not Rust and stay as they are.
    pub verbatim: Vec<usize>,
}

impl Rustfmt {
    /// The rustfmt that belongs to the compiler, else the one on the PATH. `None` if there is none.
    pub fn find(folder: &Path) -> Option<Rustfmt> {
        let own = Toolchain::find().map(|toolchain| toolchain.sysroot.join("bin/rustfmt"));
        let programs = own.into_iter().chain([PathBuf::from("rustfmt")]);
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        programs.map(|program| Rustfmt { program, folder: folder.to_owned() }).find(|rustfmt| {
            let mut command = Command::new(&rustfmt.program);
            let answer = command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            answer.status().is_ok_and(|status| status.success())
        })
    }

    /// Formats a file. `None` if it is not Rust, or rustfmt fails.
    pub fn format(&self, text: &str) -> Option<String> {
        let mut child = Command::new(&self.program)
            .args(["--edition=2024", "--quiet", "--emit=stdout"])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let stdin = child.stdin.take();
        let text = text.to_owned();
        // Both pipes at once: neither side may wait for the other.
        let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(text.as_bytes())));
        let output = child.wait_with_output().ok()?;
        let written = writer.join().ok()??;
        (written.is_ok() && output.status.success()).then(|| String::from_utf8(output.stdout).ok())?
    }
}

/// Brings a notebook into its canonical form. Without a rustfmt, cells stay as they are.
pub fn format(notebook: &Notebook, rustfmt: Option<&Rustfmt>) -> Formatted {
    let mut notebook = notebook.clone();
    let mut verbatim = Vec::new();
    if let Some(rustfmt) = rustfmt {
        let mut codes: Vec<&mut Code> = codes(&mut notebook)
            .filter(|code| code.language == Language::Rust && !code.source.trim().is_empty())
            .collect();
        let sources: Vec<_> = codes.iter().map(|code| code.source.as_str()).collect();
        let formatted = cells(&sources, rustfmt);
        for (code, formatted) in codes.iter_mut().zip(formatted) {
            match formatted {
                Some(formatted) => code.source = formatted,
                None => verbatim.push(code.line),
            }
        }
    }
    Formatted { text: livemd::print(&notebook), verbatim }
}

/// All code of a notebook, apart from what the forms of smart cells write.
fn codes(notebook: &mut Notebook) -> impl Iterator<Item = &mut Code> {
    let cells = notebook.sections.iter_mut().flat_map(|section| &mut section.cells);
    notebook.setup.iter_mut().chain(cells.filter_map(|cell| match cell {
        Cell::Code(code) => Some(code),
        Cell::Markdown(_) | Cell::Smart(Smart { .. }) => None,
    }))
}

/// Formats sources: all in one go, and one by one if rustfmt takes only some of them.
fn cells(sources: &[&str], rustfmt: &Rustfmt) -> Vec<Option<String>> {
    let parse: Vec<_> = sources.iter().map(|source| analysis::analyse(source).is_ok()).collect();
    let right: Vec<_> = sources.iter().zip(&parse).filter(|(_, parses)| **parses).map(|(source, _)| *source).collect();
    let together = rustfmt.format(&wrap(&right)).and_then(|text| unwrap(&text, right.len()));
    let one = |source: &str| rustfmt.format(&wrap(&[source])).and_then(|text| unwrap(&text, 1)?.pop());
    let mut formatted = match together {
        Some(formatted) => formatted.into_iter().map(Some).collect::<Vec<_>>(),
        None => right.iter().map(|source| one(source)).collect(),
    }
    .into_iter();
    parse.into_iter().map(|parses| if parses { formatted.next().flatten() } else { None }).collect()
}

/// The line that begins the function around a source.
fn head(number: usize) -> String {
    format!("async fn greenroom_cell_{number}() {{\n")
}

/// A file with a function for each source.
fn wrap(sources: &[&str]) -> String {
    let function = |(number, source): (usize, &&str)| format!("{}{source}\n}}\n", head(number));
    sources.iter().enumerate().map(function).collect()
}

/// The sources in such a file after it was formatted; `None` if it does not look as expected.
fn unwrap(text: &str, count: usize) -> Option<Vec<String>> {
    let mut sources = Vec::new();
    let mut rest = text;
    for number in 0..count {
        rest = rest.split_once(head(number).as_str())?.1;
        let end = if number + 1 == count { rest.len() } else { rest.find(&head(number + 1))? };
        sources.push(dedent(rest[..end].trim_end().strip_suffix('}')?)?);
    }
    Some(sources)
}

/// The body of a function moved to the margin, but for what stands inside of strings and comments of several lines.
fn dedent(body: &str) -> Option<String> {
    let kept = inside_of_literals(body)?;
    let mut source = String::new();
    let mut start = 0;
    for line in body.split_inclusive('\n') {
        let is_inside = kept.iter().any(|range| range.start < start && start < range.end);
        source.push_str(if is_inside { line } else { line.strip_prefix("    ").unwrap_or(line) });
        start += line.len();
    }
    Some(source.trim_matches('\n').trim_end().to_owned())
}

/// Where the literals are that go over several lines.
fn inside_of_literals(body: &str) -> Option<Vec<std::ops::Range<usize>>> {
    fn visit(tokens: proc_macro2::TokenStream, found: &mut Vec<std::ops::Range<usize>>) {
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Group(group) => visit(group.stream(), found),
                proc_macro2::TokenTree::Literal(literal) => found.push(literal.span().byte_range()),
                proc_macro2::TokenTree::Ident(_) | proc_macro2::TokenTree::Punct(_) => {}
            }
        }
    }
    let mut found = Vec::new();
    if let Ok(tokens) = body.parse() {
        visit(tokens, &mut found);
        // A doc comment is a literal to the parser, but rustfmt moves it.
        found.retain(|range| body[range.clone()].contains('\n') && !body[range.clone()].starts_with("/*"));
        // Every parse adds its text to a table of this thread; no span outlives this function.
        proc_macro2::extra::invalidate_current_thread_spans();
        return Some(found);
    }
    None
}
