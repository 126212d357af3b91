//! What becomes of a cell's value once it was shown: whether the cells below can have it, and how without taking
//! something from a binding that they shall have, too; and how they ask for that of a certain cell. A function of how it
//! is written.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Expr, ExprCall, Lit, Macro, Stmt, UnOp};

/// The name by which a cell has the last value above it.
pub use greenroom_stage::cell::LAST;

/// The function that the values of other cells are asked from.
pub const PAST: &str = "v";

/// How a cell's value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// As it is: nobody else has it.
    Moved,
    /// As a clone: it is a binding, or a part of one.
    Cloned,
}

/// A value that is asked for by the number of its cell: `v(3)`, or `v(-1)` for the cell before this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The number of the cell; less than 1 if it is counted back.
    pub number: i64,
    /// The whole call, in bytes of the cell's source.
    pub span: Range<usize>,
}

impl Past {
    /// The name that stands for such a value among the names that a cell uses. No other name is like it.
    pub fn name(number: i64) -> String {
        format!("{PAST}({number})")
    }

    /// The number in such a name.
    pub fn number(name: &str) -> Option<i64> {
        name.strip_prefix(PAST)?.strip_prefix('(')?.strip_suffix(')')?.parse().ok()
    }

    /// The number of the cell that is meant by the cell with this number.
    pub fn cell(number: i64, own: usize) -> Option<usize> {
        let cell = if number < 0 { own.checked_add_signed(number as isize)? } else { number as usize };
        (cell > 0).then_some(cell)
    }

    /// A part of a cell's source, cut where it asks for values: each piece, with the number that is asked for behind it.
    pub fn pieces(past: &[Past], range: Range<usize>) -> impl Iterator<Item = (Range<usize>, Option<i64>)> {
        let Range { mut start, end } = range.clone();
        let asked = past.iter().filter(move |past| range.contains(&past.span.start)).map(Some);
        asked.chain([None]).map(move |past| {
            let piece = start..past.map_or(end, |past| past.span.start);
            start = past.map_or(end, |past| past.span.end);
            (piece, past.map(|past| past.number))
        })
    }

    /// What a call asks for, if it may be such a value.
    pub(super) fn of(call: &ExprCall) -> Option<Past> {
        let Expr::Path(function) = &*call.func else { return None };
        if !function.path.is_ident(PAST) || call.args.len() != 1 {
            return None;
        }
        let literal = |expr: &Expr| match expr {
            Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<i64>().ok(),
            _ => None,
        };
        let number = match call.args.first()? {
            Expr::Unary(syn::ExprUnary { op: UnOp::Neg(_), expr, .. }) => -literal(expr)?,
            plain => literal(plain)?,
        };
        Some(Past { number, span: call.span().byte_range() })
    }
}

/// Macros that print or check something, and come to nothing.
const NOTHING: &[&str] =
    &["print", "println", "eprint", "eprintln", "assert", "assert_eq", "assert_ne", "panic", "todo", "unreachable"];

/// Macros of which it is known that they come to a value of their own.
const OWN: &[&str] = &["vec", "format", "matches", "dbg", "receive", "concat", "stringify", "line", "include_str"];

/// How the value is kept that the last statement of a cell comes to.
pub(super) fn keep(last: &Stmt) -> Option<Keep> {
    match last {
        Stmt::Expr(value, None) => expression(value),
        Stmt::Macro(call) => expanded(&call.mac),
        Stmt::Expr(_, Some(_)) | Stmt::Local(_) | Stmt::Item(_) => None,
    }
}

fn expression(value: &Expr) -> Option<Keep> {
    match value {
        Expr::Paren(inside) => expression(&inside.expr),
        Expr::Group(inside) => expression(&inside.expr),
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Unary(syn::ExprUnary { op: UnOp::Deref(_), .. }) => {
            Some(Keep::Cloned)
        }
        Expr::Macro(call) => expanded(&call.mac),
        Expr::Assign(_) | Expr::While(_) | Expr::ForLoop(_) | Expr::Return(_) => None,
        // One that nothing is broken out of with a value goes on for ever, or comes to nothing.
        Expr::Loop(inside) => {
            let mut breaks = Breaks(false);
            breaks.visit_block(&inside.body);
            breaks.0.then_some(Keep::Moved)
        }
        _ => Some(Keep::Moved),
    }
}

/// Whether something is broken out of with a value.
struct Breaks(bool);

impl<'ast> Visit<'ast> for Breaks {
    fn visit_expr_break(&mut self, broken: &'ast syn::ExprBreak) {
        self.0 |= broken.expr.is_some();
        syn::visit::visit_expr_break(self, broken);
    }
}

fn expanded(call: &Macro) -> Option<Keep> {
    let is_one_of =
        |names: &[&str]| call.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name));
    match (is_one_of(NOTHING), is_one_of(OWN)) {
        (true, _) => None,
        (_, true) => Some(Keep::Moved),
        // It may come to a part of a binding.
        (false, false) => Some(Keep::Cloned),
    }
}
