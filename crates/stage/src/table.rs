//! Tables as outputs: rows as their `Debug` writes them. How they become columns is for the front ends.

use std::fmt::{Debug, Write};

use crate::cell::bounded::Bounded;
use crate::cell::{Output, Render};

/// The most rows that are kept.
const MOST_ROWS: usize = 10_000;
/// The longest row, in bytes.
const LONGEST: usize = 4 << 10;
/// The most that all rows take together, in bytes.
const MOST: usize = 2 << 20;
/// So many rows are counted beyond those that are kept.
const COUNTED: usize = 1_000_000;

/// Rows that show themselves as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    rows: Vec<String>,
    left_out: usize,
}

/// A table of these rows: structs, whose fields are its columns, or tuples; anything else is a column of its own.
///
/// # Examples
/// ```
/// use greenroom_stage::io::emit;
/// use greenroom_stage::table::table;
///
/// emit(table([("tea", 3), ("rice", 5)]));
/// ```
pub fn table<T: Debug>(rows: impl IntoIterator<Item = T>) -> Table {
    let mut table = Table { rows: Vec::new(), left_out: 0 };
    let mut bytes = 0;
    let mut rows = rows.into_iter();
    while table.rows.len() < MOST_ROWS && bytes < MOST {
        let Some(row) = rows.next() else { return table };
        let text = written(&row);
        bytes += text.len();
        table.rows.push(text);
    }
    table.left_out = rows.take(COUNTED).count();
    table
}

fn written(row: &dyn Debug) -> String {
    let mut text = Bounded::stopping(LONGEST);
    // It fails when there is enough of it, or when the row's `Debug` has no more to say.
    let _ = write!(text, "{row:?}");
    text.into_text().replace('\n', " ")
}

impl Render for Table {
    fn render(&self) -> Output {
        Output::Table { rows: self.rows.clone(), left_out: self.left_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_end_are_bounded_and_counted() {
        let endless = table(0..);
        assert_eq!((endless.rows.len(), endless.left_out), (MOST_ROWS, COUNTED));
        let long = table(["x".repeat(10_000)]);
        assert!(long.rows[0].len() < LONGEST + 100 && long.rows[0].ends_with("… the rest was cut"));
    }
}
