//! `greenroom new`: a notebook to begin with.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::refuse;
use crate::cli::{EXIT_OK, New};
use crate::document::EXTENSION;

pub(super) fn new(arguments: &New) -> u8 {
    let file = match arguments.file.extension() {
        Some(_) => arguments.file.clone(),
        None => arguments.file.with_extension(EXTENSION),
    };
    let written = File::create_new(&file).and_then(|mut created| created.write_all(beginning(&file).as_bytes()));
    match written {
        Ok(()) => {
            println!("{} is there; `greenroom run {0}` runs it", file.display());
            EXIT_OK
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            refuse(format!("{}: there is such a file already\nhelp: choose another name", file.display()))
        }
        Err(error) => refuse(format!("{}: cannot be written: {error}\nhelp: is its folder there?", file.display())),
    }
}

/// The notebook, named like its file.
fn beginning(file: &Path) -> String {
    let name = file.file_stem().map(|stem| stem.to_string_lossy().replace(['-', '_'], " ")).unwrap_or_default();
    let mut letters = name.trim().chars();
    let name: String = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Notebook".to_owned(),
    };
    format!(
        "# {name}\n\n```toml\n[dependencies]\n```\n\n## First steps\n\n\
         The value of a cell's last expression is shown below it. What a cell defines, the cells below can use.\n\n\
         ```rust\nlet words = [\"hello\", \"world\"];\nwords.join(\", \")\n```\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::livemd;

    #[test]
    fn a_new_notebook_is_named_like_its_file_and_canonical() {
        let text = beginning(Path::new("some/my_first-steps.livemd"));
        let (notebook, warnings) = livemd::parse(&text);
        assert_eq!(notebook.name, "My first steps");
        assert_eq!(warnings, []);
        assert_eq!(livemd::print(&notebook), text);
    }
}
