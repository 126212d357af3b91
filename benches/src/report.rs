//! How results are shown: a table for people, one JSON object a line for programs.

use std::fmt;

use serde::Serialize;

/// A figure of ours beside one of theirs.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub measure: &'static str,
    /// Beside whom.
    pub peer: &'static str,
    /// Our figure, the median of all rounds.
    pub ours: f64,
    /// Theirs.
    pub theirs: f64,
    /// What the figures are in.
    pub unit: &'static str,
    /// How many times better we are: the median of the rounds' ratios.
    pub ratio: f64,
    /// The ratio to reach, if any.
    #[serde(skip)]
    pub bar: Option<f64>,
}

impl Row {
    /// Whether the bar is missed.
    pub fn is_below(&self) -> bool {
        self.bar.is_some_and(|bar| self.ratio < bar)
    }
}

/// The head of the table.
pub fn head() -> String {
    format!("{:<19} {:<14} {:>10} {:>10} {:<6} {:>7} {:>7}", "measure", "beside", "ours", "theirs", "", "ratio", "bar")
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { measure, peer, ours, theirs, unit, ratio, bar } = self;
        let (ours, theirs, ratio) = (short(*ours), short(*theirs), short(*ratio));
        write!(f, "{measure:<19} {peer:<14} {ours:>10} {theirs:>10} {unit:<6} {ratio:>7}")?;
        if let Some(bar) = bar {
            write!(f, " {:>7}{}", short(*bar), if self.is_below() { "  below" } else { "" })?;
        }
        Ok(())
    }
}

/// A number in few characters, with three digits that count.
fn short(value: f64) -> String {
    let (value, suffix) = match value.abs() {
        size if size >= 1e6 => (value / 1e6, " M"),
        size if size >= 1e4 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown: Vec<_> = [0.5, 7.0, 42.5, 9_999.0, 12_345.0, 8_990_000.0, 19.7e6].into_iter().map(short).collect();
        assert_eq!(shown, ["0.50", "7.00", "42.5", "9999", "12.3 k", "8.99 M", "19.7 M"]);
    }

    #[test]
    fn a_row_says_when_it_is_below_its_bar() {
        let row = |ratio| Row { measure: "m", peer: "p", ours: 1.0, theirs: 2.0, unit: "/s", ratio, bar: Some(2.0) };
        assert!(row(1.9).is_below());
        assert!(!row(2.0).is_below());
        assert!(!Row { bar: None, ..row(0.1) }.is_below());
    }
}
