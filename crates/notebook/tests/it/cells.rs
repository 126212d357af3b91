//! The cache, the length of a chain, cancelling, and setups.

use std::{fs, path::Path};

use expect_test::expect;
use greenroom_notebook::{
    compiler::{CellInput, CompileError},
    prelude::{Prelude, PreludeError},
    rustc::Cancel,
};

use crate::support::{Chain, cache_folder};

#[test]
fn a_cell_that_was_compiled_is_found_again() {
    let mut chain = Chain::new();
    let sources = ["struct P(i32);\nlet p = P(1);", "let q = p.0;", "q + 1"];
    let first: Vec<_> = sources.map(|source| chain.cell(source)).into();
    assert!(first.iter().all(|cell| !cell.cached && cell.timings.runs == 1));
    chain.restart();
    for (source, before) in sources.iter().zip(&first) {
        let again = chain.cell(source);
        assert!(again.cached && again.timings.runs == 0);
        assert_eq!((&again.key, &again.exports, &again.uses), (&before.key, &before.exports, &before.uses));
    }
    // Another first cell: what names its type is compiled again, what only takes an i32 is not.
    chain.restart();
    assert!(!chain.cell("struct P(i32);\nlet p = P(2);").cached);
    assert!(!chain.cell(sources[1]).cached);
    assert!(chain.cell(sources[2]).cached);
}

#[test]
fn a_damaged_entry_is_compiled_again() {
    let mut chain = Chain::new();
    let cell = chain.cell("let a = 1;");
    fs::write(&cell.library, "not a library").expect("it can be written");
    chain.restart();
    assert!(!chain.cell("let a = 1;").cached);
    chain.restart();
    assert!(chain.cell("let a = 1;").cached);
}

#[test]
fn fifty_cells_stand_on_one_another() {
    let mut chain = Chain::new();
    chain.cell("struct N0(u32);\nlet n0 = N0(0).0;");
    for index in 1..50 {
        let below = index - 1;
        chain.cell(&format!(
            "struct N{index}(N{below});\nfn f{index}() -> u32 {{ {index} }}\nlet n{index} = n{below} + f{index}();"
        ));
    }
    let names: Vec<_> = (0..50).map(|index| format!("n{index}")).collect();
    assert_eq!(chain.cell(&names.join(" + ")).uses.len(), 50);
}

#[test]
fn a_cancelled_compilation_ends() {
    let mut chain = Chain::new();
    let cancel = Cancel::default();
    cancel.cancel();
    let error = chain.compiler().compile(&CellInput { name: "cell 1", source: "1" }, &chain.scope, &cancel);
    assert!(matches!(error, Err(CompileError::Cancelled)));
    chain.cell("1");
}

#[test]
fn the_place_of_a_panic_is_mapped_to_the_cell() {
    let mut chain = Chain::new();
    let source = "let a = 1;\nfn f() -> i32 {\n    panic!(\"x\")\n}\n  let b = 2;";
    let cell = chain.cell(source);
    let map = cell.source_map;
    let places: Vec<_> = (1..40).flat_map(|line| map.line_column(line, 5).map(|place| (line, place))).collect();
    let first = places.iter().find(|(_, place)| place.0 == 3).map(|(line, _)| *line);
    assert_eq!(first.and_then(|line| map.line_column(line, 5)), Some((3, 5)));
}

#[test]
fn wrong_setups_say_what_is_wrong() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let refused = |setup: &str| {
        let error = Prelude::open(setup, folder.path(), &Cancel::default(), &mut |_| {}).map(drop);
        error.err().map_or_else(String::new, |error| format!("{error}\n"))
    };
    expect![[r#"
        the setup cell is not right: string values must be quoted, expected literal string
        the setup cell is not right: only `[dependencies]` can be set up, not `features`
        the setup cell is not right: `greenroom` is part of every notebook: remove this line
        the setup cell is not right: `rand` needs a version, as in `rand = "1"`
        the setup cell is not right: the path of `local` must be absolute
    "#]]
    .assert_eq(
        &[
            refused("[dependencies]\nrand = "),
            refused("[features]\na = []"),
            refused("[dependencies]\ngreenroom = \"1\""),
            refused("[dependencies]\nrand = 1"),
            refused("[dependencies]\nlocal = { path = \"../x\" }"),
        ]
        .concat(),
    );
    let file = folder.path().join("file");
    fs::write(&file, "").expect("it can be written");
    let error = Prelude::open("", &file, &Cancel::default(), &mut |_| {}).map(drop);
    assert!(matches!(error, Err(PreludeError::Tool(_))), "{error:?}");
}

#[test]
fn a_dependency_of_the_setup_cell_is_there_for_cells() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let setup = local_crate(folder.path(), "local-crate", "pub struct Thing(pub u8);");
    let mut names = Vec::new();
    let prelude = Prelude::open(&setup, &cache_folder(), &Cancel::default(), &mut |progress| {
        names.push(progress.name);
        assert!(progress.done <= progress.total);
    });
    let prelude = prelude.unwrap_or_else(|error| panic!("{error}"));
    assert!(names.contains(&"local_crate".to_owned()), "{names:?}");
    assert!(prelude.runtime().is_file());
    let mut chain = Chain::on(prelude.into());
    chain.cell("use local_crate::Thing;\nlet thing = Thing(1);");
    chain.cell("let Thing(number) = Thing(thing.0);");
}

#[test]
fn a_dependency_that_does_not_compile_shows_why() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let setup = local_crate(folder.path(), "broken", "pub fn f() -> u8 { \"text\" }");
    let error = Prelude::open(&setup, &cache_folder(), &Cancel::default(), &mut |_| {}).map(drop);
    let Err(PreludeError::Compile { message }) = error else { panic!("{error:?}") };
    assert!(message.contains("expected `u8`, found `&str`"), "{message}");
}

/// Makes a crate, and the setup cell that names it.
fn local_crate(folder: &Path, name: &str, text: &str) -> String {
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    fs::create_dir(folder.join("src")).expect("it can be written");
    fs::write(folder.join("Cargo.toml"), manifest).expect("it can be written");
    fs::write(folder.join("src/lib.rs"), text).expect("it can be written");
    format!("[dependencies]\n{name} = {{ path = {:?} }}", folder)
}
