//! `greenroom export` and `greenroom new`.

use std::process::Command;

use expect_test::expect;
use greenroom_notebook::event::{Output, OutputKind};
use greenroom_notebook::export::page;
use greenroom_notebook::livemd::parse;
use greenroom_tracing_viz::Sequence;

use super::{Notebook, finish, greenroom, start};

const NOTEBOOK: &str = "# A story\n\n```toml\n[dependencies]\n```\n\n## Beginning\n\nSome *prose*, <b>bold</b>.\n\n```rust\n\
use std::collections::HashMap;\n#[derive(Debug, Clone)]\nstruct Point { x: i32 }\nstruct Once(u8);\nmacro_rules! twice {\n    ($e:expr) => {\n        ($e, double($e))\n    };\n}\n\
fn double(n: i32) -> i32 {\n    n * 2\n}\nlet list = vec![3, 1, 2];\nlet once = Once(7);\nlet mut map = HashMap::new();\nmap.insert(\"a\", Point { x: 5 });\n```\n\n\
```rust\nlet mut list = list;\nlist.sort();\nlist\n```\n\n<!-- livebook:{\"output\":true} -->\n\n```\n[1, 2, 3]\n```\n\n\
<!-- livebook:{\"branch_parent_index\":0} -->\n\n## Aside\n\n```rust\nlet list = list.len();\nstruct Point;\ntwice!(list as i32)\n```\n\n```rust\nlist + map.len()\n```\n\n\
## Middle\n\n```rust\nuse std::collections::HashMap;\nfn double(n: i32) -> i32 {\n    n * 20\n}\nlet empty: HashMap<u8, u8> = HashMap::new();\n\
println!(\"{} {} {}\", double(1), once.0, empty.len());\nmap[\"a\"].clone()\n```\n\n```rust\nlet number: u8 = \"8\".parse()?;\ntwice!(number as i32)\n```\n\n\
<!-- livebook:{\"output\":true} -->\n\n```mermaid\nsequenceDiagram\nparticipant 0 AS self();\nparticipant 1 AS #35;PID<0.61.4>;\n0->>1: INFO: <script>\n```\n";

/// What the cells of the notebook show, and so what the program prints, branch behind its parent.
const PRINTED: &str = "[1, 2, 3]\n(3, 6)\n4\n20 7 0\nPoint { x: 5 }\n(8, 16)\n";

#[test]
fn as_a_program_it_is_built_by_cargo_and_does_the_same() {
    let notebook = Notebook::new(NOTEBOOK);
    let ran = notebook.run();
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    let ran = notebook.does(&["export", "n.livemd", "--to", "rs", "-o", "story"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let folder = notebook.path().join("story");
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("exported");
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--offline"]).current_dir(&folder).env("CARGO_TARGET_DIR", target);
    let ran = finish(start(&mut cargo));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), PRINTED), "{}", ran.stderr);
    let again = notebook.does(&["export", "n.livemd", "--to", "rs", "-o", "story"]);
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("there is something in it already"), "{}", again.stderr);
    let script = notebook.does(&["export", "n.livemd", "--to", "rs"]);
    assert!(
        script.stdout.starts_with("#!/usr/bin/env -S cargo +nightly -Zscript\n---\n[dependencies"),
        "{}",
        script.stdout
    );
    let refused = Notebook::of(&["let a: u8 = \"\";"]).does(&["export", "n.livemd", "--to", "rs"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("error[E0308]"), "{}", refused.stderr);
}

#[test]
fn as_markdown_it_has_what_a_reader_needs() {
    let notebook = Notebook::new(NOTEBOOK);
    let ran = notebook.does(&["export", "n.livemd", "--to", "md"]);
    let (head, tail) = ran.stdout.split_once("## Aside").expect("the branch is in it");
    assert!(head.starts_with("# A story\n\n## Beginning\n\nSome *prose*, <b>bold</b>.\n\n```rust\nuse std"), "{head}");
    expect![[r#"


        *Branches from “Beginning”.*

        ```rust
        let list = list.len();
        struct Point;
        twice!(list as i32)
        ```

        ```rust
        list + map.len()
        ```

    "#]]
    .assert_eq(tail.split_once("## Middle").expect("the section is in it").0);
    assert!(head.ends_with("```text\n[1, 2, 3]\n```\n\n"), "{head}");
    let shown = notebook.does(&["export", "n.livemd", "--to", "md", "--run", "-o", "n.md"]);
    assert_eq!((shown.code, shown.stdout.as_str()), (Some(0), ""));
    let text = std::fs::read_to_string(notebook.path().join("n.md")).expect("it was written");
    assert!(text.ends_with("twice!(number as i32)\n```\n\n```text\n(8, 16)\n```\n"), "{text}");
}

#[test]
fn as_a_page_it_needs_nothing_else_and_foreign_text_stays_text() {
    let notebook = Notebook::new(NOTEBOOK);
    let ran = notebook.does(&["export", "n.livemd", "--to", "html"]);
    assert_eq!(ran.code, Some(0));
    let page = ran.stdout;
    for words in [
        "<title>A story</title>",
        "<em>prose</em>",
        "&lt;b&gt;bold&lt;/b&gt;",
        "<pre class=\"output\">[1, 2, 3]</pre>",
        "Branches from “Beginning”",
        "prefers-color-scheme: dark",
        "c-keyword",
        "<svg",
    ] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    for words in ["<script", "<link", "src=", "<b>", "@import"] {
        assert!(!page.contains(words), "{words} is in it");
    }
}

#[test]
fn pictures_are_drawn_and_diagrams_of_other_kinds_stay_text() {
    let text = "# N\n\n## S\n\n```mermaid\npie title Pets\n```\n\n```mermaid\ngraph TD;\n0(root):::root ---> 1(log):::worker;\n```\n\n```rust\n1\n```\n";
    let (notebook, _) = parse(text);
    let saved = page(&notebook, None);
    assert!(saved.contains("pie title Pets") && saved.matches("<svg").count() == 1, "{saved}");
    let (map, foreign) = (Sequence::default().to_svg(), "<svg onload='x'/>");
    let picture = |svg: &str| Output::new(OutputKind::Picture, "as text").with_svg(svg);
    let shown = page(&notebook, Some(&[vec![picture(&map), picture(foreign)]]));
    assert_eq!(shown.matches("<svg").count(), 2);
    assert!(shown.contains("src=\"data:image/svg+xml,%3Csvg onload=%27x%27/%3E\""), "{shown}");
    assert!(!shown.contains("as text") && !shown.contains("<script"));
}

#[test]
fn a_new_notebook_runs() {
    let notebook = Notebook::of(&["1"]);
    let made = notebook.does(&["new", "first"]);
    assert_eq!(
        (made.code, made.stdout.as_str()),
        (Some(0), "first.livemd is there; `greenroom run first.livemd` runs it\n")
    );
    let ran = finish(start(greenroom().current_dir(notebook.path()).args(["run", "first.livemd"])));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("= \"hello, world\""), "{}", ran.stdout);
    assert_eq!(notebook.does(&["fmt", "first.livemd", "--check"]).code, Some(0));
    let again = notebook.does(&["new", "first.livemd"]);
    assert_eq!((again.code, again.stderr.contains("there is such a file already")), (Some(2), true));
}
