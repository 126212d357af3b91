//! A notebook in other forms: as Markdown, as a web page, as a program. Functions of the document and of what its cells
//! were compiled to; files are for the commands.

mod code;
mod markdown;
mod page;
mod program;

pub use markdown::markdown;
pub use page::page;
pub use program::{Package, ProgramError, package, script};
