//! What a cell's source says about itself, without a compiler: which parts are items and which are statements,
//! the names it defines and the names it uses.
//!
//! What cannot be known from the text is over-approximated and marked so ([`Used::certain`]); whether a used name
//! exists, and where, is for the compiler's scope to say.

mod items;
mod lenient;
mod uses;
mod value;

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};
use syn::{Block, Pat, Stmt, ext::IdentExt, parse::Parser, spanned::Spanned, visit::Visit};

pub use self::{
    items::{Edit, Import},
    uses::Used,
    value::{Keep, LAST, PAST, Past},
};

/// A cell's source, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// The items, in order: they move to the top level of the cell's crate.
    pub items: Vec<Range<usize>>,
    /// What must be inserted so that later cells can reach the items, sorted by position.
    pub edits: Vec<Edit>,
    /// The statements, in order.
    pub statements: Vec<Range<usize>>,
    /// The last expression, if no `;` follows it.
    pub value: Option<Range<usize>>,
    /// How that is kept for the cells below, as a binding of the name [`LAST`]; not where it can only be `()`, or the
    /// cell has a binding of that name itself.
    pub keep: Option<Keep>,
    /// The names that the cell defines.
    pub defines: Vec<Defined>,
    /// The leaves of its `use` items.
    pub imports: Vec<Import>,
    /// The names in the bodies of its macros, by the macro's name: whoever calls the macro needs them too.
    pub macro_uses: Vec<(String, Vec<String>)>,
    /// The names that it uses and does not define before using them.
    pub uses: Vec<Used>,
    /// The values that it asks for by the numbers of their cells, sorted by position. They are among what it uses.
    pub past: Vec<Past>,
}

/// A name that a cell defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defined {
    /// The name.
    pub name: String,
    /// Where it is written, in bytes of the cell's source.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a defined name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A `let` at the top level of the cell.
    Binding,
    /// A `fn`.
    Function,
    /// A `struct`, `enum`, `union` or `type`.
    Type,
    /// A `trait`.
    Trait,
    /// A `macro_rules!`.
    Macro,
    /// A `const` or `static`.
    Constant,
    /// A `mod`.
    Module,
    /// A name that a `use` or `extern crate` brings in.
    Import,
}

/// Why a source could not be taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisError {
    /// What is wrong, and how to mend it.
    pub message: String,
    /// Where, in bytes of the cell's source.
    pub span: Range<usize>,
    /// What kind of error it is.
    pub kind: ErrorKind,
}

/// What kind of error a source has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Brackets or quotes do not match.
    Tokens,
    /// It is not Rust.
    Syntax,
    /// It is Rust, but not for a cell.
    NotForCells,
}

impl fmt::Display for AnalysisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AnalysisError {}

/// Takes a cell's source apart.
///
/// # Errors
/// When the source does not parse, or begins with an inner attribute.
pub fn analyse(source: &str) -> Result<Analysis, AnalysisError> {
    let result = parse(source).map(|statements| take_apart(&statements));
    // Every parse adds its text to a table of this thread; no span outlives this function.
    proc_macro2::extra::invalidate_current_thread_spans();
    result
}

/// The names that a source defines, also where it does not parse: then by the words after `let`, `fn`, `struct`
/// and their like.
pub fn defines(source: &str) -> Vec<Defined> {
    analyse(source).map_or_else(|_| lenient::defines(source), |analysis| analysis.defines)
}

/// What a source may use that does not parse, since it is still being typed: all of its words, and none for sure.
pub fn guess(source: &str) -> Analysis {
    lenient::uses(source)
}

fn parse(source: &str) -> Result<Vec<Stmt>, AnalysisError> {
    let tokens: proc_macro2::TokenStream = source.parse().map_err(|error: proc_macro2::LexError| AnalysisError {
        message: "brackets or quotes do not match".to_owned(),
        span: error.span().byte_range(),
        kind: ErrorKind::Tokens,
    })?;
    let parser = |input: syn::parse::ParseStream<'_>| {
        let inner = input.call(syn::Attribute::parse_inner)?;
        Ok((inner, Block::parse_within(input)?))
    };
    let (inner, statements) = parser.parse2(tokens).map_err(|error| AnalysisError {
        message: error.to_string(),
        span: error.span().byte_range(),
        kind: ErrorKind::Syntax,
    })?;
    match inner.iter().find(|attribute| !attribute.path().is_ident("doc")) {
        Some(attribute) => Err(AnalysisError {
            message: "a cell cannot have inner attributes: write `#[…]` on the item it is meant for \
                      (unstable features need a nightly compiler and are not available in cells)"
                .to_owned(),
            span: attribute.span().byte_range(),
            kind: ErrorKind::NotForCells,
        }),
        None => Ok(statements),
    }
}

fn take_apart(statements: &[Stmt]) -> Analysis {
    let mut analysis = Analysis::default();
    for (index, statement) in statements.iter().enumerate() {
        let span = statement.span().byte_range();
        match statement {
            Stmt::Item(item) => {
                analysis.items.push(span);
                items::describe(item, &mut analysis);
            }
            _ if index + 1 == statements.len() && is_value(statement) => analysis.value = Some(span),
            _ => analysis.statements.push(span),
        }
        if let Stmt::Local(local) = statement {
            let mut names = Names::default();
            names.visit_pat(&local.pat);
            for defined in names.0 {
                analysis.defines.retain(|known| known.kind != Kind::Binding || known.name != defined.name);
                analysis.defines.push(defined);
            }
        }
    }
    if let (Some(span), Some(last)) = (analysis.value.clone(), statements.last())
        && !analysis.defines.iter().any(|defined| defined.name == LAST)
    {
        analysis.keep = value::keep(last);
        if analysis.keep.is_some() {
            analysis.defines.push(Defined { name: LAST.to_owned(), span, kind: Kind::Binding });
        }
    }
    analysis.edits.sort_by_key(|edit| edit.range.start);
    (analysis.uses, analysis.past) = uses::of(statements, &analysis);
    analysis
}

/// Whether a last statement is the cell's value.
fn is_value(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(_, semi) => semi.is_none(),
        // `receive! { … }` is a value, but some macros that are written alike stand for items.
        Stmt::Macro(call) => {
            call.semi_token.is_none()
                && !["thread_local", "lazy_static", "bitflags"]
                    .iter()
                    .any(|name| call.mac.path.segments.last().is_some_and(|last| last.ident == name))
        }
        _ => false,
    }
}

/// The names that a pattern binds. A leading underscore keeps a binding inside its cell.
#[derive(Default)]
struct Names(Vec<Defined>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat(&mut self, pattern: &'ast Pat) {
        if let Pat::Ident(ident) = pattern {
            let name = ident.ident.unraw().to_string();
            if !name.starts_with('_') && !uses::is_constant_pattern(ident) {
                self.0.push(Defined { name, span: ident.ident.span().byte_range(), kind: Kind::Binding });
            }
        }
        syn::visit::visit_pat(self, pattern);
    }

    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}
