//! What appears below a cell, as data. How it is drawn is up to the front ends.

use std::fmt;

use greenroom::Pid;
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
    /// A table.
    Table {
        /// Its rows, each as its `Debug` writes it.
        rows: Vec<String>,
        /// How many more there were.
        left_out: usize,
    },
    /// An image.
    Image {
        /// Its form: `image/png`, `image/jpeg`, `image/gif`, `image/webp` or `image/svg+xml`.
        mime: String,
        /// Its file.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// What a frame shows now, all of it: it takes the place of what the same frame has shown before.
    Frame {
        /// The frame's process, by which it is known.
        frame: Pid,
        /// What it shows.
        outputs: Vec<Output>,
        /// Whether it may still show something else.
        is_live: bool,
    },
}

impl Output {
    /// About how many bytes it holds.
    pub(crate) fn size(&self) -> usize {
        match self {
            Output::Text(text) | Output::Error(text) => text.len(),
            Output::Value { text, type_name } => text.len() + type_name.len(),
            Output::Sequence { text, mermaid, svg } | Output::Tree { text, mermaid, svg } => {
                text.len() + mermaid.len() + svg.len()
            }
            Output::Picture { text, svg } => text.len() + svg.len(),
            Output::Flame { text, title, unit, folded } => text.len() + title.len() + unit.len() + folded.len(),
            Output::Table { rows, .. } => rows.iter().map(String::len).sum(),
            Output::Image { mime, bytes } => mime.len() + bytes.len(),
            Output::Frame { outputs, .. } => outputs.iter().map(Output::size).sum(),
            Output::Input(form) => form.size(),
        }
    }
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

impl<T: Render + ?Sized> Render for &T {
    fn render(&self) -> Output {
        (**self).render()
    }
}

/// What can be shown where an output is wanted: whatever shows itself, and texts and numbers as they are printed.
pub trait IntoOutput {
    /// The output that stands for this.
    fn into_output(self) -> Output;
}

impl<T: Render> IntoOutput for T {
    fn into_output(self) -> Output {
        self.render()
    }
}

impl IntoOutput for String {
    fn into_output(self) -> Output {
        Output::Text(self)
    }
}

impl IntoOutput for fmt::Arguments<'_> {
    fn into_output(self) -> Output {
        Output::Text(self.to_string())
    }
}

macro_rules! as_printed {
    ($($type:ty),*) => {
        $(impl IntoOutput for $type {
            fn into_output(self) -> Output {
                Output::Text(self.to_string())
            }
        })*
    };
}

as_printed!(&str, &String, bool, char, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64);
