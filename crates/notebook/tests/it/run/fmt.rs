//! `greenroom fmt`: the canonical form of a file, and of its cells.

use std::os::unix::fs::PermissionsExt;

use expect_test::expect;

use super::{Notebook, finish, greenroom, start};

const UGLY: &str = "Notes\n=====\n\n## One\nprose   stays\n~~~rust\nlet  a=vec![1,2 ,3];\n// a comment\nstruct P{x:i32}\n\
                    let text = \"two\n   lines\";\n/** doc\n    more */\nfn f(){}\na.len()\n~~~\n\n```rust\nlet b = ;\n  c\n```\n\n```elixir\nIO.puts( 1 )\n```\n";

#[test]
fn a_file_becomes_canonical_and_stays_so() {
    let notebook = Notebook::new(UGLY);
    let file = notebook.path().join("n.livemd");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("it is ours");
    let printed = notebook.does(&["fmt", "n.livemd", "--stdout"]);
    assert_eq!((printed.code, notebook.text().as_str()), (Some(0), UGLY));
    let checked = notebook.does(&["fmt", "n.livemd", "--check"]);
    assert_eq!((checked.code, notebook.text().as_str()), (Some(1), UGLY));
    assert!(checked.stdout.contains("\n+let a = vec![1, 2, 3];\n"), "{}", checked.stdout);
    let done = notebook.does(&["fmt", "n.livemd"]);
    assert_eq!(done.code, Some(0));
    expect![[r##"
        # Notes

        ## One

        prose   stays

        ```rust
        let a = vec![1, 2, 3];
        // a comment
        struct P {
            x: i32,
        }
        let text = "two
           lines";
        /** doc
        more */
        fn f() {}
        a.len()
        ```

        ```rust
        let b = ;
          c
        ```

        ```elixir
        IO.puts( 1 )
        ```
    "##]]
    .assert_eq(&notebook.text());
    assert_eq!(notebook.text(), printed.stdout);
    assert!(done.stderr.contains("line 19: this cell is not Rust and stays as it is"), "{}", done.stderr);
    let mode = std::fs::metadata(&file).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(notebook.does(&["fmt", "n.livemd", "--check"]).code, Some(0));
}

#[test]
fn without_rustfmt_the_document_is_formatted_and_cells_stay() {
    let notebook = Notebook::new(UGLY);
    let mut command = greenroom();
    command.current_dir(notebook.path()).args(["fmt", "n.livemd"]).env("PATH", "/nowhere").env("RUSTC", "/nowhere");
    let ran = finish(start(&mut command));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("rustup component add rustfmt"), "{}", ran.stderr);
    assert!(notebook.text().starts_with("# Notes\n\n## One\n\nprose   stays\n\n```rust\nlet  a=vec![1,2 ,3];\n"));
}
