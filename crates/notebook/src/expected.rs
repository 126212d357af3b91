//! What a cell is expected to show, beside what it shows: a comparison of data.
//!
//! Owns the form in which outputs are kept in a file, too, as it is the form in which they are compared.

use console::strip_ansi_codes;
use similar::TextDiff;

use crate::event::{Output, OutputKind};
use crate::livemd::{Code, SavedOutput};

/// What a cell has shown, as a file keeps it: one saved output for each that can be kept, in order.
///
/// Text comes without the line breaks at its end and without colours, a diagram as Mermaid, of a frame what it shows last.
/// Warnings and the results of
/// examples belong to the source, not to its outputs.
pub fn saved(outputs: &[Output]) -> Vec<SavedOutput> {
    let kept = outputs
        .iter()
        .flat_map(Output::parts)
        .filter(|output| !matches!(output.kind, OutputKind::Warning | OutputKind::Example));
    let save = |output: &Output| match &output.mermaid {
        Some(mermaid) => SavedOutput::new("mermaid", mermaid.trim_end()),
        None => SavedOutput::new("", strip_ansi_codes(&output.text).trim_end()),
    };
    kept.map(save).collect()
}

/// How what a cell has shown differs from what it is expected to show; `None` if it does not.
///
/// The saved outputs of a cell stand for what it shows, in order. Only those that are marked as expected must be the
/// same, but where one is, as many must be shown as are saved.
pub fn compare(code: &Code, outputs: &[Output]) -> Option<String> {
    if !code.outputs.iter().any(|output| output.expected) {
        return None;
    }
    let got = saved(outputs);
    let text = |output: Option<&SavedOutput>| output.map_or_else(String::new, |output| format!("{}\n", output.text));
    let mut differences = Vec::new();
    for place in 0..code.outputs.len().max(got.len()) {
        let (wanted, got) = (code.outputs.get(place), got.get(place));
        let same = match (wanted, got) {
            (Some(wanted), Some(got)) => !wanted.expected || wanted.text.trim_end() == got.text,
            (None, _) | (_, None) => false,
        };
        if !same {
            differences.push(diff(("wanted", &text(wanted)), ("got", &text(got))));
        }
    }
    (!differences.is_empty()).then(|| differences.join("\n"))
}

/// The saved outputs of a cell after what it has shown was accepted: those that are expected say what was shown, the
/// others stay. What was shown beyond them is added.
pub fn accept(code: &Code, outputs: &[Output]) -> Vec<SavedOutput> {
    if !code.outputs.iter().any(|output| output.expected) {
        return code.outputs.clone();
    }
    let got = saved(outputs);
    let accepted = got.into_iter().enumerate().map(|(place, got)| match code.outputs.get(place) {
        Some(saved) if !saved.expected => saved.clone(),
        Some(_) | None => SavedOutput { expected: true, ..got },
    });
    accepted.collect()
}

/// Two texts, line by line, as a unified diff.
pub fn diff(old: (&str, &str), new: (&str, &str)) -> String {
    let lines = TextDiff::from_lines(old.1, new.1);
    lines.unified_diff().header(old.0, new.0).missing_newline_hint(false).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::livemd::Language;

    fn code(outputs: &[(&str, bool)]) -> Code {
        let outputs =
            outputs.iter().map(|(text, expected)| SavedOutput { expected: *expected, ..SavedOutput::new("", *text) });
        Code { outputs: outputs.collect(), ..Code::new(Language::Rust, "", 1) }
    }

    fn shown(texts: &[&str]) -> Vec<Output> {
        texts.iter().map(|text| Output::new(OutputKind::Value, *text)).collect()
    }

    #[test]
    fn only_what_is_expected_must_be_the_same() {
        assert_eq!(compare(&code(&[("1", false)]), &shown(&["2", "3"])), None);
        assert_eq!(compare(&code(&[("1", false), ("2", true)]), &shown(&["x", "2\n"])), None);
        let difference = compare(&code(&[("a\nb", true)]), &shown(&["a\nc"]));
        assert_eq!(difference.as_deref(), Some("--- wanted\n+++ got\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"));
    }

    #[test]
    fn nothing_is_shown_unnoticed_beside_what_is_expected() {
        assert!(compare(&code(&[("1", true)]), &shown(&["1", "2"])).is_some());
        assert!(compare(&code(&[("1", true), ("2", false)]), &shown(&["1"])).is_some());
    }

    #[test]
    fn what_is_accepted_is_what_is_expected_from_then_on() {
        let before = code(&[("any", false), ("old", true)]);
        let outputs = shown(&["other", "new", "more"]);
        let after = Code { outputs: accept(&before, &outputs), ..before };
        assert_eq!(after.outputs, code(&[("any", false), ("new", true), ("more", true)]).outputs);
        assert_eq!(compare(&after, &outputs), None);
    }
}
