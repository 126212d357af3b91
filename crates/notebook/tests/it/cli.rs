//! The command line and the files that it names.

use std::path::Path;

use clap::Parser as _;
use expect_test::{Expect, expect};
use greenroom_notebook::cli::{Cli, Command};
use greenroom_notebook::document::open;

/// A folder with a few files, gone when dropped.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let put =
        |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file can be written");
    put("notes.livemd", b"# Notes\n\n## One\n\n```rust\n1\n```\n");
    put("other.livemd", b"# Words only\n\n## One\n\n```sh\nls\n```\n");
    put("noise.bin", b"ok\xff\xfe");
    folder
}

fn check(name: &str, expect: Expect) {
    let folder = folder();
    let root = format!("{}/", folder.path().display());
    let said = match open(Path::new(&format!("{root}{name}"))) {
        Ok(document) => format!("{} with {} warnings", document.notebook.name, document.warnings.len()),
        Err(error) => error.to_string(),
    };
    expect.assert_eq(&said.replace(&root, ""));
}

#[test]
fn a_file_opens_or_the_message_says_what_to_do() {
    check("notes.livemd", expect!["Notes with 0 warnings"]);
    check(
        "note.livemd",
        expect![[r#"
            note.livemd: there is no such file
            help: did you mean notes.livemd?"#]],
    );
    check(
        "notes",
        expect![[r#"
        notes: there is no such file
        help: did you mean notes.livemd?"#]],
    );
    check(
        "quite/different.livemd",
        expect![[r#"
        quite/different.livemd: there is no such file
        help: check the path; a notebook is a .livemd file"#]],
    );
    check(
        "",
        expect![[r#"
        : this is a folder, not a notebook
        help: did you mean notes.livemd or other.livemd?"#]],
    );
    check(
        "noise.bin",
        expect![[r#"
        noise.bin: not UTF-8 text: byte 2 belongs to no character
        help: save it as UTF-8, or name another file: this one may be no notebook"#]],
    );
    check(
        "other.livemd",
        expect![[r#"
        other.livemd: there is no code cell in it
        help: code stands between a line ```rust and a line ```, not indented"#]],
    );
}

#[test]
fn the_help_gives_examples_and_exit_codes() {
    expect![[r#"
        Notebooks whose cells are Rust, and every cell is a supervised process

        Usage: greenroom [OPTIONS] [COMMAND]

        Commands:
          new          Begin a notebook
          open         See a notebook as a whole, edit it and evaluate its cells
          join         Go to a notebook that another terminal has open, and see and change it together
          run          Evaluate a notebook from top to bottom and show every cell
          draw         Draw a saved trace or supervision tree
          check        Compile every cell of a notebook and run none
          test         Evaluate a notebook and compare what it shows with what is expected
          fmt          Bring a notebook into its canonical form, with rustfmt in its cells
          export       Write a notebook as a Rust program, as Markdown or as a web page
          cache        See how large the cache is, clear it or limit it
          node         Start a node that notebooks can run their cells on, and that others can connect to
          completions  Print what a shell needs to complete this program's words
          man          Print the manual page
          ping         Ask whether a node can be reached, and if not, why
          help         Print this message or the help of the given subcommand(s)

        Options:
              --no-color       Use no colours; they are also off where NO_COLOR is set or the output is no terminal
              --screen-reader  Use words in place of marks, and draw nothing twice, for a screen reader; GREENROOM_SCREEN_READER=1 asks for the same
          -h, --help           Print help
          -V, --version        Print version

        Examples:
          greenroom                            a prompt: every input is a cell; `:help` there says more
          echo '1 + 1' | greenroom             the same without a terminal: prints 2
          greenroom new notes.livemd           begin a notebook
          greenroom open notes.livemd          see it as a whole, edit and evaluate it
          greenroom run notes.livemd           evaluate it and show every cell
          greenroom run notes.livemd --json    the same, one JSON object a line, for a program
          greenroom help export                what a command can do

        Exit codes:
          0  every cell succeeded
          1  a cell failed
          2  nothing was run: the file cannot be read, or the command is not understood
    "#]]
    .assert_eq(&Cli::help());
}

#[test]
fn run_takes_a_file_and_says_how_to_show_it() {
    let Ok(Cli { command: Some(Command::Run(run)), .. }) =
        Cli::try_parse_from(["greenroom", "run", "notes.livemd", "--json"])
    else {
        panic!("the command is understood");
    };
    assert_eq!(run.file, Path::new("notes.livemd"));
    assert!(run.shown.json && !run.shown.no_color);
    assert!(Cli::try_parse_from(["greenroom"]).is_ok_and(|cli| cli.command.is_none()));
    let error = Cli::try_parse_from(["greenroom", "rnu"]).expect_err("there is no such command");
    assert_eq!(error.exit_code(), 2);
}
