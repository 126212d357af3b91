//! Documents: what is read from them, the warnings, and that writing gives back what was read.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use greenroom_notebook::livemd::{Cell, Code, Notebook, parse, print};

const ACCEPTANCE: &str = include_str!("livemd/acceptance.livemd");

/// Shows a notebook and its warnings in a form for people.
fn outline(text: &str) -> String {
    let (notebook, warnings) = parse(text);
    let mut out = format!("{:?}", notebook.name);
    if notebook.persist_outputs {
        out.push_str(" persist_outputs");
    }
    if !notebook.metadata.is_empty() {
        let _ = write!(out, " {:?}", notebook.metadata);
    }
    out.push('\n');
    for comment in &notebook.comments {
        let _ = writeln!(out, "comment {comment:?}");
    }
    for code in &notebook.setup {
        let _ = write!(out, "setup ");
        outline_code(&mut out, code);
    }
    for section in &notebook.sections {
        let _ = write!(out, "section {}:{:?}", section.line, section.name);
        if let Some(parent) = section.branch_parent_index {
            let _ = write!(out, " branches from {parent}");
        }
        out.push('\n');
        for cell in &section.cells {
            match cell {
                Cell::Markdown(prose) => {
                    let _ = writeln!(out, "  prose {}:{:?}", prose.line, prose.text);
                }
                Cell::Code(code) => {
                    out.push_str("  ");
                    outline_code(&mut out, code);
                }
                Cell::Smart(smart) => {
                    let _ = write!(out, "  smart {} {} {} ", smart.kind, smart.attrs, smart.chunks);
                    outline_code(&mut out, &smart.code);
                }
            }
        }
    }
    if let Some(stamp) = &notebook.stamp {
        let _ = writeln!(out, "stamp {stamp:?}");
    }
    for warning in &warnings {
        let _ = writeln!(out, "! {warning}");
    }
    out
}

fn outline_code(out: &mut String, code: &Code) {
    let attributes = &code.attributes;
    let _ = write!(out, "{} {}:{:?}", code.language.info(), code.line, code.source);
    if attributes.continue_on_error {
        out.push_str(" continue_on_error");
    }
    if attributes.reevaluate_automatically {
        out.push_str(" reevaluate_automatically");
    }
    if attributes.output_size != Default::default() {
        let _ = write!(out, " {:?}", attributes.output_size);
    }
    if !attributes.metadata.is_empty() {
        let _ = write!(out, " {:?}", attributes.metadata);
    }
    for output in &code.outputs {
        let _ = write!(out, " => {}{:?}", output.info, output.text);
    }
    out.push('\n');
}

fn check(text: &str, expect: Expect) {
    expect.assert_eq(&outline(text));
    // Whatever was read, its canonical form reads without end in the same way.
    let printed = print(&parse(text).0);
    assert_eq!(print(&parse(&printed).0), printed);
}

#[test]
fn a_name_sections_prose_and_code_make_a_notebook() {
    check(
        "# Sums\n\n```toml\n[dependencies]\nrand = \"0.9\"\n```\n\n## First\n\nSome *prose*.\n\n* a list\n\n```rust\nlet a = 1;\na + 1\n```\n\n## Second\n\n```rust\n```\n",
        expect![[r#"
            "Sums"
            setup toml 4:"[dependencies]\nrand = \"0.9\""
            section 8:"First"
              prose 10:"Some *prose*.\n\n* a list"
              rust 15:"let a = 1;\na + 1"
            section 19:"Second"
              rust 22:""
        "#]],
    );
}

#[test]
fn case_56_the_acceptance_text_imports_without_warnings_and_exports_identically() {
    let (notebook, warnings) = parse(ACCEPTANCE);
    assert_eq!(warnings, []);
    assert_eq!(print(&notebook), ACCEPTANCE);
    check(
        ACCEPTANCE,
        expect![[r#"
        "Everything" persist_outputs {"autosave_interval_s": Number(10)}
        comment "Written for the tests"
        setup toml 8:"[dependencies]\nitertools = \"0.14\""
        setup rust 13:"use itertools::Itertools;"
        section 16:"Words and code"
          prose 18:"A paragraph with `code`, *stress*, a [link](https://example.org) and a [reference][ref].\n\n* a list\n  * in a list\n\n[ref]: https://example.org\n\n| a | table |\n| - | ----- |\n| 1 | 2     |\n\n### A heading of the third level"
          rust 34:"let words = [\"über\", \"naïve\"];\n\nwords.len()" continue_on_error reevaluate_automatically Wide => "2" => mermaid"sequenceDiagram"
          prose 51:"First prose cell."
          prose 55:"Second prose cell, which shows code:\n\n```rust\nnever_run();\n```\n\n```sh\nls\n```"
          rust 68:"let inner = \"\n```\n\";"
        section 75:"A branch" branches from 0
          rust 78:""
          smart greenroom.demo "eyJhIjoxfQ" [[0,5],[7,5]] rust 83:"a + 1\n\nb + 1"
          elixir 89:"self()"
          erlang 93:"self()."
        section 96:"An empty section"
        stamp {"offset": Number(58), "stamp": String("c3RhbXA")}
    "#]],
    );
}

#[test]
fn case_57_fences_grow_prose_is_kept_apart_and_code_in_prose_stays_prose() {
    let text = "\
# Marks

## One

First.

<!-- livebook:{\"break_markdown\":true} -->

Second, with code:

<!-- livebook:{\"force_markdown\":true} -->

```rust
not_a_cell();
```

and more.

````rust
let fence = r\"
```
\";
````
";
    check(
        text,
        expect![[r#"
        "Marks"
        section 3:"One"
          prose 5:"First."
          prose 9:"Second, with code:\n\n```rust\nnot_a_cell();\n```\n\nand more."
          rust 20:"let fence = r\"\n```\n\";"
    "#]],
    );
    assert_eq!(print(&parse(text).0), text);
}

#[test]
fn several_names_send_every_heading_one_level_down() {
    check(
        "# One\n\n```rust\n1\n```\n\n# Two\n\n## Deeper\n\n###### Deepest\n\nUnder\n-----\n\nwords\n",
        expect![[r####"
            "Untitled notebook"
            section 1:"One"
              rust 4:"1"
            section 7:"Two"
              prose 9:"### Deeper\n\n**Deepest**\n\n### Under\n\nwords"
            ! line 7: 2 headings `# …`, where one names the notebook; every heading goes one level down
        "####]],
    );
}

#[test]
fn a_name_that_is_not_first_moves_up_with_its_comments() {
    check(
        "Prose before.\n\n<!-- by me -->\n<!-- livebook:{\"persist_outputs\":true} -->\n\n# Late\n\n## One\n\n```rust\n1\n```\n",
        expect![[r#"
            "Late" persist_outputs
            comment "by me"
            section 1:"Section"
              prose 1:"Prose before."
            section 8:"One"
              rust 11:"1"
            ! line 1: no heading `## …` stands above this; it goes to a section called "Section"
            ! line 6: the notebook's name is not at the top; it is moved there, with its comments
        "#]],
    );
}

#[test]
fn what_stands_before_the_first_section_gets_one() {
    check(
        "# Loose\n\nWelcome.\n\n```rust\n1\n```\n\n## Named\n\n<!-- livebook:{\"branch_parent_index\":0} -->\n\n## Branch\n",
        expect![[r#"
            "Loose"
            section 3:"Section"
              prose 3:"Welcome."
              rust 6:"1"
            section 9:"Named"
            section 13:"Branch" branches from 1
            ! line 3: no heading `## …` stands above this; it goes to a section called "Section"
        "#]],
    );
    check(
        "# No section\n\n```rust\n1\n```\n\n```rust\n2\n```\n",
        expect![[r#"
        "No section"
        section 3:"Section"
          rust 4:"1"
          rust 8:"2"
        ! line 3: no heading `## …` stands above this; it goes to a section called "Section"
    "#]],
    );
    check(
        "just words\n",
        expect![[r#"
        "Untitled notebook"
        section 1:"Section"
          prose 1:"just words"
        ! line 1: no heading `# …` names the notebook; it is called "Untitled notebook"
        ! line 1: no heading `## …` stands above this; it goes to a section called "Section"
    "#]],
    );
    check(
        "",
        expect![[r#"
        "Untitled notebook"
        ! line 1: no heading `# …` names the notebook; it is called "Untitled notebook"
    "#]],
    );
}

#[test]
fn the_setup_is_code_before_the_first_section() {
    check(
        "# Rust\n\n```rust\nuse std::fmt;\n```\n\n## One\n\n```toml\n[dependencies]\n```\n",
        expect![[r#"
            "Rust"
            setup rust 4:"use std::fmt;"
            section 7:"One"
              prose 9:"```toml\n[dependencies]\n```"
        "#]],
    );
    check(
        "# Both\n\nFirst some words.\n\n```toml\n[dependencies]\nserde = \"1\"\n```\n\n```toml\nelse = 1\n```\n\n## One\n",
        expect![[r#"
            "Both"
            setup toml 6:"[dependencies]\nserde = \"1\""
            section 3:"Section"
              prose 3:"First some words."
              prose 10:"```toml\nelse = 1\n```"
            section 14:"One"
            ! line 3: no heading `## …` stands above this; it goes to a section called "Section"
        "#]],
    );
    check(
        "# Elixir\n\n```elixir\nMix.install([])\n```\n\n```pyproject.toml\n[project]\n```\n\n## One\n\n```erlang\nself().\n```\n\n```python\n1\n```\n",
        expect![[r#"
            "Elixir"
            setup elixir 4:"Mix.install([])"
            setup pyproject.toml 8:"[project]"
            section 11:"One"
              erlang 14:"self()."
              python 18:"1"
        "#]],
    );
}

#[test]
fn a_section_branches_only_from_an_earlier_one_that_does_not() {
    check(
        "# Branches\n\n## 0\n\n<!-- livebook:{\"branch_parent_index\":0} -->\n\n## 1\n\n<!-- livebook:{\"branch_parent_index\":1} -->\n\n## 2\n\n<!-- livebook:{\"branch_parent_index\":3} -->\n\n## 3\n\n<!-- livebook:{\"branch_parent_index\":\"x\"} -->\n\n## 4\n",
        expect![[r#"
            "Branches"
            section 3:"0"
            section 7:"1" branches from 0
            section 11:"2"
            section 15:"3"
            section 19:"4"
            ! line 11: the section branches from section 1, which is itself a branch; it does not branch
            ! line 15: the section branches from section 3, which is not above it; it does not branch
            ! line 19: `branch_parent_index` is "x", not the number of a section, from 0; it is left out
        "#]],
    );
}

#[test]
fn a_branch_that_is_told_below_its_heading_is_none_and_says_so() {
    check(
        "# Branches\n\n## 0\n\n## 1\n\n<!-- livebook:{\"branch_parent_index\":0} -->\n\n```rust\n1\n```\n",
        expect![[r#"
            "Branches"
            section 3:"0"
            section 5:"1"
              rust 10:"1" {"branch_parent_index": Number(0)}
            ! line 9: `branch_parent_index` stands above a cell; a section branches where it stands above the heading
        "#]],
    );
}

#[test]
fn only_a_fence_that_says_the_language_and_no_more_is_a_cell() {
    check(
        "# Fences\n\n## One\n\n```rust ignore\n1\n```\n\n```sh\nls\n```\n\n* in a list\n\n  ```rust\n  2\n  ```\n\n> ```rust\n> 3\n> ```\n\n    ```rust\n\n~~~rust\n4\n~~~\n\n  ```rust\n    5\n  ```\n",
        expect![[r#"
            "Fences"
            section 3:"One"
              prose 5:"```rust ignore\n1\n```\n\n```sh\nls\n```\n\n* in a list\n\n  ```rust\n  2\n  ```\n\n> ```rust\n> 3\n> ```\n\n    ```rust"
              rust 26:"4"
              rust 30:"  5"
        "#]],
    );
}

#[test]
fn odd_metadata_is_reported_and_never_loses_prose() {
    check(
        "# Odd\n\n## One\n\n<!-- livebook:{\"continue_on_error\":5,\"future\":1} -->\n\n```rust\n1\n```\n\n<!-- livebook:{\"output\":true} -->\n\n```\none\n```\n\nWords.\n\n<!-- livebook:{\"output\":true} -->\n\n```\nwhose?\n```\n\n<!-- livebook:{nonsense} -->\n\n<!-- livebook:{\"a\":1} -->\n\nwords\n<!-- livebook:{\"a\":2} -->\n---\n\n<!-- a remark -->\n",
        expect![[r#"
            "Odd"
            section 3:"One"
              rust 8:"1" {"future": Number(1)} => "one"
              prose 17:"Words.\n\n```\nwhose?\n```\n\n<!-- livebook:{nonsense} -->\n\nwords\n\n---\n\n<!-- a remark -->"
            ! line 7: `continue_on_error` is 5, not true or false; it is left out
            ! line 21: a saved output that follows no code cell; it stays as prose
            ! line 25: metadata that is not a JSON object (key must be a string at line 1 column 2); it is left as a comment
            ! line 27: metadata that belongs to nothing below it; it is left out
            ! line 30: metadata that belongs to nothing below it; it is left out
        "#]],
    );
}

/// What Livebook writes besides what the acceptance text has: a form's cell, a query, attached files, a Python setup,
/// a diagram that was saved, an application's settings.
const LIVEBOOK: &str = r##"<!-- livebook:{"app_settings":{"access_type":"public","slug":"tea"},"autosave_interval_s":30,"default_language":"elixir","file_entries":[{"type":"attachment","name":"tea.csv"}]} -->

# Tea

```elixir
Mix.install([
  {:kino, "~> 0.19"}
])
```

```pyproject.toml
[project]
name = "tea"
dependencies = []
```

## Processes

Message passing, *drawn*:

```elixir
Kino.Process.render_seq_trace(fn ->
  send(child, {:ping, self()})
end)
```

<!-- livebook:{"output":true} -->

```mermaid
sequenceDiagram
participant 0 AS self();
participant 1 AS #35;PID<0.161.0>;
0->>1: INFO: tuple
```

<!-- livebook:{"reevaluate_automatically":true} -->

```python
[n * 2 for n in range(3)]
```

<!-- livebook:{"branch_parent_index":0} -->

## Aside

<!-- livebook:{"attrs":"eyJhIjoxfQ","chunks":[[0,5],[7,5]],"kind":"Elixir.KinoDB.SQLCell","livebook_object":"smart_cell"} -->

```elixir
query
```

<!-- livebook:{"force_markdown":true} -->

```elixir
shown, not run
```

<!-- livebook:{"offset":640,"stamp":"QTEyOEdDTQ"} -->
"##;

#[test]
fn what_livebook_writes_opens_without_warnings_and_is_written_as_it_was() {
    let (notebook, warnings) = parse(LIVEBOOK);
    assert_eq!(warnings, []);
    assert_eq!(print(&notebook), LIVEBOOK);
    assert_eq!(notebook.setup.len(), 2);
    assert_eq!(notebook.sections[1].branch_parent_index, Some(0));
    let diagram = &notebook.code_cells().next().unwrap().1.outputs[0];
    assert!(greenroom_tracing_viz::Sequence::from_mermaid(&diagram.text).is_some());
}

#[test]
fn a_fence_that_is_never_closed_runs_to_the_end() {
    check(
        "# Open\n\n## One\n\n```rust\n1\n\n## Two\n",
        expect![[r#"
        "Open"
        section 3:"One"
          rust 6:"1\n\n## Two"
        ! line 5: the fence is never closed; everything below it is in the cell
    "#]],
    );
}

#[test]
fn an_attached_file_does_not_lead_out_of_its_folder() {
    check(
        "<!-- livebook:{\"file_entries\":[{\"name\":\"a.csv\"},{\"name\":\"../b\"}]} -->\n\n# Files\n",
        expect![[r#"
            "Files" {"file_entries": Array [Object {"name": String("a.csv")}]}
            ! line 3: 1 attached file(s) with a path for a name are left out
        "#]],
    );
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_not_matter() {
    let text = ACCEPTANCE.replace('\n', "\r\n");
    assert_eq!(parse(&format!("\u{feff}{text}")), parse(ACCEPTANCE));
}

#[test]
fn an_old_smart_cell_with_plain_attributes_opens() {
    check(
        "# Old\n\n## One\n\n<!-- livebook:{\"attrs\":{\"a\":1},\"kind\":\"db\",\"livebook_object\":\"smart_cell\"} -->\n\n```elixir\n1\n```\n\n<!-- livebook:{\"livebook_object\":\"smart_cell\"} -->\n\n```rust\n2\n```\n",
        expect![[r#"
            "Old"
            section 3:"One"
              smart db {"a":1} null elixir 8:"1"
              rust 14:"2"
            ! line 13: the smart cell does not say its kind; it becomes a code cell
        "#]],
    );
}

#[test]
fn no_text_makes_the_parser_panic_and_every_canonical_form_is_stable() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..4_000 {
        let text = match round % 2 {
            0 => mutated(ACCEPTANCE, &mut random),
            _ => soup(&mut random),
        };
        let (notebook, warnings) = parse(&text);
        assert_lines_are_true(&text, &notebook);
        assert!(warnings.iter().all(|warning| warning.line >= 1));
        let printed = print(&notebook);
        let again = print(&parse(&printed).0);
        assert_eq!(printed, again, "from {text:?}");
    }
}

/// The line of a cell is where its source stands.
fn assert_lines_are_true(text: &str, notebook: &Notebook) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = text.lines().collect();
    for (_, code) in notebook.code_cells() {
        let first = code.source.lines().next().unwrap_or("").trim();
        let there = lines.get(code.line - 1).copied().unwrap_or("");
        assert!(
            there.contains(first) || first.contains('\u{fffd}'),
            "{first:?} is not in line {} of {text:?}",
            code.line
        );
    }
}

/// A small generator, so that a failure comes back.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

fn mutated(text: &str, random: &mut Random) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 if at < bytes.len() => bytes[at] = b"#`~\n\r-=<>!{}\" \t\0\xff\\*"[random.below(19)],
            2 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => bytes.truncate(end.max(1)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn soup(random: &mut Random) -> String {
    const PIECES: [&str; 32] = [
        "# ",
        "## ",
        "###### ",
        "```",
        "````",
        "~~~",
        "rust",
        "elixir",
        "toml",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "    ",
        "\t",
        "- ",
        "> ",
        "1. ",
        "---",
        "===",
        "words",
        "é",
        "<!-- livebook:{\"output\":true} -->",
        "<!-- livebook:{\"force_markdown\":true} -->",
        "<!-- livebook:{\"break_markdown\":true} -->",
        "<!-- livebook:{\"branch_parent_index\":0} -->",
        "<!--",
        "-->",
        "<div>",
        "[dependencies]",
        "\\",
        "#",
    ];
    (0..random.below(40)).map(|_| PIECES[random.below(PIECES.len())]).collect()
}
