//! A notebook as one web page that needs nothing else: style, code in colours, outputs and diagrams are all in it.
//!
//! What a notebook says is foreign text. HTML in its prose is shown as text, and the page's own policy lets no script
//! run and loads nothing but pictures.

use console::strip_ansi_codes;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::code::{Painter, escape};
use super::markdown::is_empty_manifest;
use crate::event::{Output, OutputKind};
use crate::livemd::{Cell, Code, Notebook, SavedOutput, Smart};
use greenroom_tracing_viz::{Sequence, Tree, still};

const STYLE: &str = include_str!("page.css");

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data: http: https:";

/// The notebook as a page: with what each of its code cells has shown, in order, or else with the outputs that are saved
/// in it.
pub fn page(notebook: &Notebook, shown: Option<&[Vec<Output>]>) -> String {
    let mut shown = shown.map(|shown| shown.iter());
    let writer = Writer { painter: Painter::new() };
    let mut body = format!("<h1>{}</h1>\n", escape(&notebook.name));
    for code in notebook.setup.iter().filter(|code| !is_empty_manifest(code)) {
        body.push_str(&writer.cell(code, None));
    }
    if notebook.sections.len() > 1 {
        let entry = |(at, section): (usize, &crate::livemd::Section)| {
            format!("<li><a href=\"#section-{at}\">{}</a></li>\n", escape(&section.name))
        };
        let entries: String = notebook.sections.iter().enumerate().map(entry).collect();
        body.push_str(&format!("<nav><ol>\n{entries}</ol></nav>\n"));
    }
    for (at, section) in notebook.sections.iter().enumerate() {
        body.push_str(&format!("<section id=\"section-{at}\">\n<h2>{}</h2>\n", escape(&section.name)));
        if let Some(parent) = section.branch_parent_index.and_then(|parent| notebook.sections.get(parent)) {
            body.push_str(&format!("<p class=\"branch\">Branches from “{}”.</p>\n", escape(&parent.name)));
        }
        for cell in &section.cells {
            body.push_str(&match cell {
                Cell::Markdown(markdown) => writer.prose(&markdown.text),
                Cell::Code(code) | Cell::Smart(Smart { code, .. }) => {
                    writer.cell(code, shown.as_mut().map(|shown| shown.next().map_or(&[][..], Vec::as_slice)))
                }
            });
        }
        body.push_str("</section>\n");
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(&notebook.name)
    )
}

struct Writer {
    painter: Painter,
}

fn output(shown: &Output) -> String {
    if let Some(frame) = &shown.frame {
        return frame.outputs.iter().map(output).collect();
    }
    if let Some(image) = &shown.image {
        // It is shut off from the page, whatever an SVG may try.
        let (words, address) = (escape(&shown.text), crate::image::address(image));
        return format!("<figure><img alt=\"{words}\" src=\"{address}\"></figure>\n");
    }
    match (&shown.svg, shown.kind) {
        (Some(svg), _) => figure(svg),
        (None, OutputKind::Warning | OutputKind::Example) => String::new(),
        (None, _) => text(strip_ansi_codes(&shown.text).trim_end()),
    }
}

fn saved_output(output: &SavedOutput) -> String {
    let diagram = (output.info == "mermaid").then(|| diagram(&output.text)).flatten();
    diagram.unwrap_or_else(|| text(&output.text))
}

fn text(text: &str) -> String {
    format!("<pre class=\"output\">{}</pre>\n", escape(text))
}

/// A diagram that was saved as Mermaid, drawn as ours are; nothing, if it is of another kind.
fn diagram(mermaid: &str) -> Option<String> {
    let sequence = || Sequence::from_mermaid(mermaid).map(|sequence| sequence.to_svg());
    let tree = || Tree::from_mermaid(mermaid).map(|tree| tree.to_svg());
    sequence().or_else(tree).map(|svg| figure(&svg))
}

/// A picture of our own, or, shut off from the page, one of somebody else's.
fn figure(svg: &str) -> String {
    let still = still(svg);
    match still.len() < svg.len() {
        true => format!("<figure>{still}</figure>\n"),
        false => format!("<figure><img alt=\"\" src=\"data:image/svg+xml,{}\"></figure>\n", quoted(svg)),
    }
}

/// Text as a part of an address.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'.' | b'-' | b'_' | b'/' | b'=' | b':' | b',' | b';' => {
                quoted.push(char::from(byte));
            }
            _ => quoted.push_str(&format!("%{byte:02X}")),
        }
    }
    quoted
}

impl Writer {
    fn cell(&self, code: &Code, shown: Option<&[Output]>) -> String {
        let outputs: String = match shown {
            Some(shown) => shown.iter().map(output).collect(),
            None => code.outputs.iter().map(saved_output).collect(),
        };
        format!("<div class=\"cell\">\n{}{outputs}</div>\n", self.painted(code.language.info(), &code.source))
    }

    fn painted(&self, language: &str, source: &str) -> String {
        format!("<pre><code>{}</code></pre>\n", self.painter.paint(language, source))
    }

    fn prose(&self, text: &str) -> String {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_TASKLISTS;
        let mut events = Vec::new();
        let mut fence: Option<(String, String)> = None;
        for event in Parser::new_ext(text, options) {
            match (event, &mut fence) {
                (Event::Start(Tag::CodeBlock(kind)), _) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or("").to_owned(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    fence = Some((info, String::new()));
                }
                (Event::Text(part), Some((_, source))) => source.push_str(&part),
                (Event::End(TagEnd::CodeBlock), _) => {
                    let (info, source) = fence.take().unwrap_or_default();
                    let diagram = (info == "mermaid").then(|| diagram(&source)).flatten();
                    let html = diagram.unwrap_or_else(|| self.painted(&info, source.trim_end_matches('\n')));
                    events.push(Event::Html(html.into()));
                }
                (Event::Html(html), _) => events.push(Event::Text(html)),
                (Event::InlineHtml(html), _) => events.push(Event::Text(html)),
                (event, _) => events.push(event),
            }
        }
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, events.into_iter());
        html
    }
}
