//! What one run of rustc says about a cell: which exports must be given up and why, or why the cell is refused.

use super::{CompileError, Scope, scope::Missing};
use crate::{
    analysis::Analysis,
    generate::{Generated, Region},
    mir::Unnameable,
    rustc::{
        Outcome,
        diagnostic::{self, Diagnostic, Level, Message, Span},
    },
};

/// One attempt.
pub(super) struct Attempt {
    pub(super) text: String,
    pub(super) generated: Generated,
    pub(super) file: String,
}

impl Attempt {
    pub(super) fn diagnostics(&self, messages: &[Message]) -> Vec<Diagnostic> {
        messages
            .iter()
            .filter_map(|message| diagnostic::translate(message, &self.file, &self.generated.source_map))
            .collect()
    }

    fn region(&self, span: &Span) -> Option<&Region> {
        let range = span.range_in(&self.file)?;
        self.generated
            .regions
            .iter()
            .find(|(region, _)| region.start <= range.start && range.end <= region.end)
            .map(|(_, region)| region)
    }

    /// The exports to give up, with the reasons, if they are all that is wrong.
    pub(super) fn withheld(&self, outcome: &Outcome, analysis: &Analysis) -> Option<Vec<(String, String)>> {
        let errors: Vec<&Message> = outcome.messages.iter().filter(|message| message.is_error()).collect();
        let touched = |span: &Span| match self.region(span) {
            Some(Region::Export(name)) => Some(name.clone()),
            _ => None,
        };
        let blamed = diagnostic::blamed(&errors, touched).ok()?;
        let mut withheld: Vec<(String, String)> = Vec::new();
        for (name, message) in blamed {
            if !withheld.iter().any(|(known, _)| *known == name) {
                let told = diagnostic::translate(message, &self.file, &self.generated.source_map);
                let reason = reason(&name, told.as_ref(), analysis);
                withheld.push((name, reason));
            }
        }
        Some(withheld)
    }

    pub(super) fn refusal(&self, outcome: Outcome, analysis: &Analysis, scope: &Scope) -> CompileError {
        let errors: Vec<&Message> = outcome.messages.iter().filter(|message| message.is_error()).collect();
        // A binding whose type cannot be written here.
        for message in &errors {
            let import = message.spans.iter().find_map(|span| match self.region(span) {
                Some(Region::Import(name)) => Some(name.clone()),
                _ => None,
            });
            let Some(name) = import else { continue };
            let Some(used) = analysis.uses.iter().find(|used| used.name == name) else {
                continue;
            };
            let reason = format!("its type cannot be written here: {}", diagnostic::shorten(&message.message));
            let cell = scope.binding(&name).map_or_else(String::new, |(cell, _)| cell.name.clone());
            return CompileError::Unavailable { name, cell, reason, span: used.span.clone() };
        }
        let touches_export =
            |message: &Message| message.spans.iter().any(|span| matches!(self.region(span), Some(Region::Export(_))));
        let (own, exports): (Vec<_>, Vec<_>) = outcome.messages.iter().cloned().partition(|message| {
            !touches_export(message) || ["E0282", "E0283", "E0284"].iter().any(|code| message.has_code(code))
        });
        let mut diagnostics = self.diagnostics(&own);
        if !diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
            diagnostics.extend(self.diagnostics(&exports));
        }
        // A word in a macro that turned out to be the name of something that is not there.
        for diagnostic in &mut diagnostics {
            let Some(name) = diagnostic.undefined.clone() else {
                continue;
            };
            let span = diagnostic.primary().map_or(0..0, |label| label.range.clone());
            match scope.missing(&name) {
                Some(Missing::Failed(cell)) => {
                    return CompileError::DependsOnFailed { name, cell: cell.to_owned(), span };
                }
                Some(Missing::Unavailable(cell, reason)) => {
                    let (cell, reason) = (cell.to_owned(), reason.to_owned());
                    return CompileError::Unavailable { name, cell, reason, span };
                }
                Some(Missing::Binding(cell)) => diagnostic.help.push(format!(
                    "`{name}` is a binding of {cell}, and items do not see bindings: pass it as an argument"
                )),
                None => {}
            }
        }
        CompileError::Rustc { diagnostics }
    }
}

/// Why a binding cannot be exported, and what to do.
fn reason(name: &str, told: Option<&Diagnostic>, analysis: &Analysis) -> String {
    let Some(told) = told else {
        return "the compiler refuses its export".to_owned();
    };
    let code = told.code.as_deref().unwrap_or_default();
    if told.message.contains("{closure@") || told.message.starts_with("closure may outlive") {
        return Unnameable::Closure.to_string();
    }
    if told.message.contains("{async ") || told.message.starts_with("async block may outlive") {
        return Unnameable::Future.to_string();
    }
    let label = |words: &str| told.labels.iter().find(|label| label.text.contains(words));
    match code {
        "E0382" => {
            let into = match label("moved into").or(label("moved due to")).or(label("moved here")) {
                Some(label) if label.text.contains("closure") => "a closure",
                Some(label) if label.text.contains("coroutine") || label.text.contains("async") => "an async block",
                _ => "another value or a call",
            };
            format!("it is moved into {into} before the cell ends; move a `{name}.clone()` there to keep it")
        }
        "E0381" => "it is not given a value on every way through the cell".to_owned(),
        "E0597" | "E0505" | "E0716" | "E0521" | "E0502" | "E0506" | "E0499" | "E0515" | "E0713" | "E0310" => {
            let from = told
                .message
                .split('`')
                .nth(1)
                .filter(|from| analysis.defines.iter().any(|defined| defined.name == *from));
            match from {
                Some(from) => format!(
                    "it borrows from `{from}`, a local of this cell; export an owned value (`.to_owned()`, `.clone()`)"
                ),
                None => {
                    "it borrows from a local of this cell; export an owned value (`.to_owned()`, `.clone()`)".to_owned()
                }
            }
        }
        "E0277" if told.message.contains("between threads safely") => {
            let ty = told.message.split('`').nth(1).unwrap_or(name);
            if told.message.contains("cannot be shared") {
                format!(
                    "`{ty}` is not `Sync`, so cells cannot share it; put it into a `Mutex`, or use it in this cell only"
                )
            } else {
                format!(
                    "`{ty}` is not `Send`, so it cannot go from cell to cell; use a type that is (`Arc` for `Rc`), or \
                     use it in this cell only"
                )
            }
        }
        "E0277" if told.message.contains("`!: ") => "the cell never comes to its end".to_owned(),
        "E0277" if told.message.contains("size for values") => "its size is not known; box it".to_owned(),
        _ => told.message.clone(),
    }
}
