//! Inputs: what a person sets below a cell, and the cells that use it read. Kino's words, in types.
//!
//! An input is data, and known by what it says: where the same one is shown again, it has the value that was set
//! before. Reading it binds the cell that reads: another value makes that stale. So only the process of a cell reads,
//! and all of one evaluation reads the same: what was set when that began.

mod form;
mod reads;

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use greenroom::{Local, Ref, receive, self_pid};
use serde::{Deserialize, Serialize};

pub use form::{Form, Kind, NotSuch, Value};
use reads::Told;
pub(crate) use reads::{Asked, Reads};

use crate::cell::{Output, Render};

/// An input whose value is a `T`. A cell that ends in one shows it.
///
/// Outside of a notebook there is nobody to ask: it reads as its default.
///
/// # Examples
/// ```
/// use greenroom_stage::prelude::*;
///
/// let name = Input::text("Name").default("World");
/// greenroom::run(async move {
///     assert_eq!(name.read().await.unwrap(), "World");
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Input<T> {
    form: Form,
    #[serde(skip)]
    _value: PhantomData<fn() -> T>,
}

impl Input<String> {
    /// A line of text; empty as long as nobody has set it.
    pub fn text(label: impl Into<String>) -> Self {
        Input::new(label, Kind::Text, Value::Text(String::new()))
    }

    /// The same, shown as dots.
    pub fn password(label: impl Into<String>) -> Self {
        Input::new(label, Kind::Password, Value::Text(String::new()))
    }

    /// One of several texts; the first as long as nobody has set it.
    pub fn select<O: Into<String>>(label: impl Into<String>, options: impl IntoIterator<Item = O>) -> Self {
        let options: Vec<String> = options.into_iter().map(Into::into).collect();
        let first = options.first().cloned().unwrap_or_default();
        Input::new(label, Kind::Select(options), Value::Text(first))
    }
}

impl Input<f64> {
    /// A number; 0 as long as nobody has set it.
    pub fn number(label: impl Into<String>) -> Self {
        Input::new(label, Kind::Number, Value::Number(0.0))
    }

    /// A number within bounds; the lower one as long as nobody has set it.
    pub fn range(label: impl Into<String>, bounds: RangeInclusive<f64>) -> Self {
        let (from, to) = bounds.into_inner();
        Input::new(label, Kind::Range { from, to }, Value::Number(from))
    }
}

impl Input<bool> {
    /// Yes or no; no as long as nobody has set it.
    pub fn checkbox(label: impl Into<String>) -> Self {
        Input::new(label, Kind::Checkbox, Value::Flag(false))
    }
}

impl<T: InputValue> Input<T> {
    fn new(label: impl Into<String>, kind: Kind, default: Value) -> Self {
        Input { form: Form { label: label.into(), kind, default }, _value: PhantomData }
    }

    /// Has this value as long as nobody has set another.
    ///
    /// # Panics
    /// If it is none that the input can have: no option of a select, or beyond the bounds of a range.
    #[track_caller]
    pub fn default(mut self, value: impl Into<T>) -> Self {
        let value = value.into().into_value();
        if let Err(error) = self.form.check(&value) {
            panic!("{error}");
        }
        self.form.default = value;
        self
    }

    /// The value that it had when the evaluation of this cell began.
    ///
    /// # Errors
    /// [`InputError`], if no cell shows it, or the running process is not that of a cell.
    pub async fn read(&self) -> Result<T, InputError> {
        let Some((node, leader)) = crate::io::leader() else { return Ok(self.convert(self.form.default.clone())) };
        let tag = Ref::new();
        let asked: Asked = Local((self_pid(), tag, self.form.id()));
        // Of no interest in a picture of what the cell does.
        node.send_untraced(leader, asked);
        let told = receive! { Local((about, told)): Told if about == tag => told };
        match told {
            Ok(Some(value)) => Ok(self.convert(value)),
            Ok(None) => Err(InputError { label: self.form.label.clone(), why: Why::NotShown }),
            Err(NotTheCell) => Err(InputError { label: self.form.label.clone(), why: Why::NotTheCell }),
        }
    }

    fn convert(&self, value: Value) -> T {
        match T::from_value(value) {
            Some(value) => value,
            None => unreachable!("the notebook keeps what the form accepts"),
        }
    }
}

impl<T> Render for Input<T> {
    fn render(&self) -> Output {
        Output::Input(self.form.clone())
    }
}

/// What inputs have as values.
pub trait InputValue: sealed::Sealed + Sized {
    #[doc(hidden)]
    fn from_value(value: Value) -> Option<Self>;
    #[doc(hidden)]
    fn into_value(self) -> Value;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! values {
    ($($ty:ty => $variant:ident),*) => {$(
        impl sealed::Sealed for $ty {}
        impl InputValue for $ty {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }
            fn into_value(self) -> Value {
                Value::$variant(self)
            }
        }
    )*};
}

values! { String => Text, f64 => Number, bool => Flag }

/// Why an input was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputError {
    label: String,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Why {
    NotShown,
    NotTheCell,
}

/// The asker is not the process of a cell that is being evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotTheCell;

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InputError { label, why } = self;
        match why {
            Why::NotShown => write!(f, "no cell shows the input `{label}`: end a cell in it"),
            Why::NotTheCell => write!(
                f,
                "the input `{label}` was read by a process that the cell has started: read it in the cell itself, \
                 and hand on the value"
            ),
        }
    }
}

impl std::error::Error for InputError {}
