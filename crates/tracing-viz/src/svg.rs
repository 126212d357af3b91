//! What all SVG pictures share: the page around them, its colours and its script, and how foreign text gets in.
//!
//! A picture is one file that needs nothing else. It is light or dark as its reader likes it. Where scripts
//! run, it can be searched, and shows more of what is pointed at; where they do not, it is whole without.
//! Text only ever gets in through [`escape`], and the script only ever reads it as text.

use std::fmt::{Display, Write as _};

use crate::words;

/// The width of a character of the labels, which are 11 pixels high and all of one width.
pub(crate) const LETTER: f64 = 6.65;

/// The height of the bar on top, with the title.
pub(crate) const TOP: f64 = 44.0;

/// The width of the field to search with, which is there where scripts run.
const SEARCH: f64 = 200.0;

/// How many colours tell processes apart.
const COLOURS: usize = 8;

const STYLE: &str = include_str!("svg/style.css");
const SCRIPT: &str = include_str!("svg/script.js");

/// A picture that is being drawn.
pub(crate) struct Page {
    body: String,
}

impl Page {
    pub(crate) fn new() -> Page {
        Page { body: String::new() }
    }

    /// Adds markup; what of it is foreign was escaped.
    pub(crate) fn put(&mut self, markup: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{markup}");
    }

    /// Adds a line of text.
    pub(crate) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.put(format_args!(r#"<text x="{}" y="{}" class="{class}">{}</text>"#, Px(x), Px(y), escape(text)));
    }

    /// Begins something that can be found, pointed at, and belongs to the processes of these numbers.
    pub(crate) fn begin(&mut self, class: &str, processes: impl IntoIterator<Item = usize>, title: &str) {
        let numbers: Vec<String> = processes.into_iter().map(|number| number.to_string()).collect();
        let numbers = numbers.join(" ");
        self.put(format_args!(r#"<g class="m {class}" data-p="{numbers}"><title>{}</title>"#, escape(title)));
    }

    pub(crate) fn end(&mut self) {
        self.put("</g>");
    }

    /// The file: a picture of that size, called `title`, about which `facts` are told.
    pub(crate) fn finish(self, width: f64, height: f64, title: &str, facts: &[String]) -> String {
        let facts = facts.join(" · ");
        let start = 16.0 + words::width(title) as f64 * 9.3 + 16.0;
        let width = width.max(start + words::width(&facts) as f64 * LETTER + 36.0 + SEARCH);
        let (w, h) = (Px(width), Px(height));
        let (facts, heading) = (escape(&facts), escape(title));
        let mut out = String::with_capacity(self.body.len() + STYLE.len() + SCRIPT.len() + 1024);
        out += &format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="gr" role="img" width="{w}" height="{h}" viewBox="0 0 {w} {h}">
<title>{heading}: {facts}</title>
<style>{STYLE}</style>
<rect class="page" width="{w}" height="{h}" rx="8"/>
<text x="16" y="28" class="title">{heading}</text>
<text x="{}" y="28" class="facts">{facts}</text>
"#,
            Px(start),
        );
        out += &self.body;
        out += &script();
        out += "</svg>\n";
        out
    }
}

fn script() -> String {
    format!("<script><![CDATA[\n{SCRIPT}]]></script>\n")
}

/// A picture without its script, to stand in a page that lets none run.
///
/// ```
/// use greenroom_tracing_viz::{Sequence, still};
///
/// assert!(!still(&Sequence::default().to_svg()).contains("<script"));
/// ```
pub fn still(svg: &str) -> String {
    svg.replacen(&script(), "", 1)
}

/// A length in pixels, with as many digits as can be seen.
pub(crate) struct Px(pub(crate) f64);

impl Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round();
        if tenths % 10.0 == 0.0 { write!(f, "{}", tenths / 10.0) } else { write!(f, "{:.1}", tenths / 10.0) }
    }
}

/// The class that gives a process its colour.
pub(crate) fn colour(process: usize) -> String {
    format!("c{}", process % COLOURS)
}

/// Foreign text as text in markup: neither in an element nor in an attribute can it be anything else.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            // These are not allowed in XML, however they are written.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if c.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// As much of `text` as fits into so many pixels of a label.
pub(crate) fn fit(text: &str, pixels: f64) -> String {
    words::cut(text, (pixels / LETTER).max(0.0) as usize)
}

/// How many pixels a label takes.
pub(crate) fn extent(text: &str) -> f64 {
    words::width(text) as f64 * LETTER
}
