//! Code in colours: text in, spans with classes out. Which class has which colour is for the page's style.

use syntect::html::{ClassStyle, ClassedHTMLGenerator};
use syntect::parsing::SyntaxSet;

/// Paints code of the languages that it knows.
pub(super) struct Painter {
    syntaxes: SyntaxSet,
}

impl Painter {
    pub(super) fn new() -> Painter {
        Painter { syntaxes: SyntaxSet::load_defaults_newlines() }
    }

    /// Code as HTML; of a language that is not known, without colours.
    pub(super) fn paint(&self, language: &str, code: &str) -> String {
        let known = self.syntaxes.find_syntax_by_token(language);
        known
            .and_then(|syntax| {
                let style = ClassStyle::SpacedPrefixed { prefix: "c-" };
                let mut generator = ClassedHTMLGenerator::new_with_class_style(syntax, &self.syntaxes, style);
                for line in code.split_inclusive('\n') {
                    let line = if line.ends_with('\n') { line.to_owned() } else { format!("{line}\n") };
                    generator.parse_html_for_line_which_includes_newline(&line).ok()?;
                }
                Some(generator.finalize().trim_end().to_owned())
            })
            .unwrap_or_else(|| escape(code))
    }
}

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            char => escaped.push(char),
        }
    }
    escaped
}
