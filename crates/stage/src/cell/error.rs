//! How a cell fails without panicking: the error that left it through `?`, and where.

use std::{error::Error, fmt, panic::Location};

/// The error that ended a cell, with the place of the `?` (or `return`) that let it out.
///
/// Every error type converts into it, so `?` works in a cell on any `Result` whose error is a
/// [`std::error::Error`]. It is no such error itself: the conversion from all errors would then include its own.
pub struct CellError {
    message: String,
    location: &'static Location<'static>,
}

impl CellError {
    pub(crate) fn new(message: String, location: &'static Location<'static>) -> Self {
        Self { message, location }
    }

    /// What went wrong, with the chain of causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place in the generated file where the error left the cell.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for CellError {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(chain(&error), Location::caller())
    }
}

impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {})", self.message, self.location)
    }
}

/// The error and its causes on one line; a cause that the text before it already ends with is not said twice.
fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.ends_with(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}
