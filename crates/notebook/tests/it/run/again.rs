//! The second run of a notebook compiles nothing.

use super::tools::rustc;
use super::{Notebook, finish, start};

#[test]
fn an_unchanged_notebook_is_run_again_without_a_compiler() {
    let notebook = Notebook::of(&["let list = vec![1, 2, 3];", "list.len()", "panic!(\"again\")"]);
    let first = notebook.run();
    assert_eq!(first.code, Some(1), "{}", first.stderr);
    // Nothing is there to link with: whatever is compiled fails.
    let again = finish(start(notebook.command(&["--json"]).env("RUSTC", rustc()).env("PATH", notebook.path())));
    assert_eq!(again.story(), first.story());
    for index in 1..=3 {
        let cell = again.cell(index);
        assert_eq!((&cell["cached"], &cell["compile_ms"]), (&true.into(), &0.0.into()), "{cell}");
    }
}
