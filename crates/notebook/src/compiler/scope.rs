//! What a cell can see of the cells above it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CompiledCell, Export};
use crate::analysis::{Kind, LAST, Past};

/// The cells above a cell, from the top.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    cells: Vec<CellAbove>,
    /// The number of the cell that sees this.
    number: usize,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct CellAbove {
    /// What messages call it.
    pub name: String,
    /// What became of it: compiled, or only the names that it would define.
    pub state: Result<Arc<CompiledCell>, Vec<String>>,
}

/// An item that later cells can name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name; empty for a glob import and for `use … as _`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The path by which any crate can import it; for a glob it ends in `*`.
    pub path: String,
    /// The paths of what a macro's body names: its callers must see them.
    pub needs: Vec<(String, String)>,
}

/// Why a name is not there for a cell.
pub(super) enum Missing<'a> {
    /// Its cell has not succeeded.
    Failed(&'a str),
    /// It cannot leave its cell.
    Unavailable(&'a str, &'a str),
    /// It is a binding, and was used where only items are seen.
    Binding(&'a str),
}

/// Why there is no value of a cell that was asked for by its number.
pub(super) enum NoValue<'a> {
    /// There is no such cell above.
    NoCell,
    /// This cell has none.
    Nothing(&'a str),
    /// This cell has not succeeded.
    Failed(&'a str),
    /// That of this cell cannot leave it, for this reason.
    Unavailable(&'a str, &'a str),
}

impl Scope {
    /// What the cell with this number sees, of which nothing is known yet.
    pub fn of(number: usize) -> Scope {
        Scope { cells: Vec::new(), number }
    }

    /// The place among the cells of the one whose value is asked for by a number.
    pub fn past(&self, number: i64) -> Option<usize> {
        let name = format!("cell {}", Past::cell(number, self.number)?);
        self.cells.iter().position(|cell| cell.name == name)
    }

    /// The value that is asked for by a number.
    pub(super) fn value(&self, number: i64) -> Result<&Export, NoValue<'_>> {
        let cell = self.past(number).map(|place| &self.cells[place]).ok_or(NoValue::NoCell)?;
        let compiled = cell.state.as_ref().map_err(|_| NoValue::Failed(&cell.name))?;
        match compiled.exports.iter().find(|export| export.name == LAST) {
            Some(export) => Ok(export),
            None => Err(match compiled.unavailable.iter().find(|unavailable| unavailable.name == LAST) {
                Some(unavailable) => NoValue::Unavailable(&cell.name, &unavailable.reason),
                None => NoValue::Nothing(&cell.name),
            }),
        }
    }

    /// Adds a compiled cell below the others.
    pub fn push(&mut self, name: impl Into<String>, cell: impl Into<Arc<CompiledCell>>) {
        self.cells.push(CellAbove { name: name.into(), state: Ok(cell.into()) });
    }

    /// Adds a cell that failed, or was not run: cells that use its names are not run either.
    pub fn push_failed(&mut self, name: impl Into<String>, defines: Vec<String>) {
        self.cells.push(CellAbove { name: name.into(), state: Err(defines) });
    }

    /// Whether a cell sees the same in both.
    pub fn is_same(&self, other: &Scope) -> bool {
        let is_same = |(one, other): (&CellAbove, &CellAbove)| {
            one.name == other.name
                && match (&one.state, &other.state) {
                    (Ok(one), Ok(other)) => one.key == other.key,
                    (Err(one), Err(other)) => one == other,
                    (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
                }
        };
        self.number == other.number
            && self.cells.len() == other.cells.len()
            && self.cells.iter().zip(&other.cells).all(is_same)
    }

    /// The cells, from the top.
    pub fn cells(&self) -> &[CellAbove] {
        &self.cells
    }

    /// The compiled cells, the nearest first.
    pub(super) fn compiled(&self) -> impl Iterator<Item = &CompiledCell> {
        self.cells.iter().rev().filter_map(|cell| cell.state.as_deref().ok())
    }

    /// The nearest cell that defines a name in any way.
    pub(super) fn definer(&self, name: &str) -> Option<&CellAbove> {
        self.cells.iter().rev().find(|cell| match &cell.state {
            Ok(cell) => cell.defines.iter().any(|defined| defined.name == name),
            Err(names) => names.iter().any(|own| own == name),
        })
    }

    /// The nearest item of a name, and whether a cell that failed would define it nearer.
    pub(super) fn item(&self, name: &str) -> Option<Result<&Item, &CellAbove>> {
        self.cells.iter().rev().find_map(|cell| match &cell.state {
            Ok(compiled) => compiled.items.iter().find(|item| item.name == name).map(Ok),
            Err(names) => names.iter().any(|own| own == name).then_some(Err(cell)),
        })
    }

    /// The nearest export of a name.
    pub(super) fn binding(&self, name: &str) -> Option<(&CellAbove, &Export)> {
        self.cells.iter().rev().find_map(|cell| {
            let compiled = cell.state.as_ref().ok()?;
            Some((cell, compiled.exports.iter().find(|export| export.name == name)?))
        })
    }

    /// Why a name that some cell above defines could not be used.
    pub(super) fn missing(&self, name: &str) -> Option<Missing<'_>> {
        let cell = self.definer(name)?;
        match &cell.state {
            Err(_) => Some(Missing::Failed(&cell.name)),
            Ok(compiled) => match compiled.unavailable.iter().find(|unavailable| unavailable.name == name) {
                Some(unavailable) => Some(Missing::Unavailable(&cell.name, &unavailable.reason)),
                None => {
                    compiled.exports.iter().any(|export| export.name == name).then_some(Missing::Binding(&cell.name))
                }
            },
        }
    }
}
