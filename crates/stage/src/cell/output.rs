//! What appears below a cell, as data. How it is drawn is up to the front ends.

use serde::{Deserialize, Serialize};

use crate::input::Form;

/// One output of a cell. Later versions add kinds and change none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Output {
    /// Text that the cell, or a process that it started, has printed.
    Text(String),
    /// The value of the cell's last expression.
    Value {
        /// The value as its `Debug` writes it.
        text: String,
        /// The name of its type.
        type_name: String,
    },
    /// A sequence diagram.
    Sequence {
        /// The diagram for a terminal.
        text: String,
        /// The same diagram as Mermaid source.
        mermaid: String,
        /// The same diagram for a browser.
        svg: String,
    },
    /// A supervision tree.
    Tree {
        /// The tree for a terminal.
        text: String,
        /// The same tree as Mermaid source.
        mermaid: String,
        /// The same tree for a browser.
        svg: String,
    },
    /// Any other picture: a map of processes, a timeline.
    Picture {
        /// What it shows, for a terminal.
        text: String,
        /// The picture for a browser.
        svg: String,
    },
    /// An error that the cell reports without failing.
    Error(String),
    /// A flamegraph, to be drawn by whoever shows it.
    Flame {
        /// What weighs most, for a terminal.
        text: String,
        /// What it is a picture of.
        title: String,
        /// What weights are counted in.
        unit: String,
        /// The stacks as lines `outermost;…;innermost weight`.
        folded: String,
    },
    /// Something that a person can set: see [`Input`](crate::input::Input).
    Input(Form),
}

/// How a type shows itself as the value of a cell. Types without it are shown by their `Debug`.
///
/// # Examples
/// ```
/// use greenroom_stage::cell::{Output, Render};
///
/// struct Celsius(f32);
///
/// impl Render for Celsius {
///     fn render(&self) -> Output {
///         Output::Text(format!("{} °C", self.0))
///     }
/// }
/// ```
pub trait Render {
    /// The output that stands for this value.
    fn render(&self) -> Output;
}

impl Render for Output {
    fn render(&self) -> Output {
        self.clone()
    }
}
