//! All that a notebook cell sees, and the runtime node that cells run in.
//!
//! A cell is code that is compiled into a library of its own. The notebook's program never loads it:
//! it starts a *runtime*, a node in an operating-system process of its own, and sends it the path. There
//! the cell runs as a process under an evaluator. Whatever happens to it, the document is safe.
//!
//! Modules in reading order: what a cell is made of ([`cell`]), what it can use ([`prelude`], [`io`],
//! [`memory`], [`pictures`], [`table`], [`image`], [`frame`], [`input`]), a notebook outside
//! of a notebook ([`program`]), how a runtime is started ([`launch`]), what notebook and runtime tell each other
//! ([`protocol`]), and the [`runtime`] itself.

pub mod cell;
pub mod last_words;
pub mod input;
pub mod io;
pub mod memory;
mod output_macros;
pub mod pictures;
pub mod table;
pub mod image;
pub mod frame;
pub mod program;
pub mod prelude;
pub mod launch;
pub mod protocol;
pub mod inspect;
mod tracer;
mod arrivals;
mod loader;
mod store;
mod evaluator;
mod watch;
mod limit;
pub mod runtime;
