//! The notebook: from the text of a cell to a library that the runtime can load.

pub mod analysis;
pub mod cache;
pub mod compiler;
pub mod generate;
pub mod mir;
pub mod prelude;
pub mod rustc;
pub mod source_map;
