//! Drawings of what is wrong with a cell.

use std::ops::Range;

use expect_test::{Expect, expect};
use greenroom_notebook::draw::{CellSource, Drawing, Label, Level, Style, Suggestion, draw};

fn cell(text: &str) -> CellSource<'_> {
    CellSource { label: "cell 3", file: Some("notes.livemd"), first_line_in_file: 47, text }
}

/// The range of `part` in `text`.
fn of(text: &str, part: &str) -> Range<usize> {
    let start = text.find(part).expect("the part is in the text");
    start..start + part.len()
}

fn label(range: Range<usize>, text: &str, primary: bool) -> Label {
    let text = text.to_owned();
    Label { range, text, primary }
}

fn check(text: &str, drawing: &Drawing, expect: Expect) {
    let mut drawn = draw(&cell(text), drawing, Style::Plain, 100);
    drawn.push('\n');
    expect.assert_eq(&drawn);
}

#[test]
fn an_error_of_the_compiler_is_drawn_where_it_is() {
    let text = "let über = 1;\nlet sum: u32 = \"naïve\";\nsum";
    check(
        text,
        &Drawing {
            code: Some("E0308".to_owned()),
            labels: vec![
                label(of(text, "\"naïve\""), "expected `u32`, found `&str`", true),
                label(of(text, "u32"), "expected due to this", false),
            ],
            ..Drawing::error("mismatched types").with_help("parse it: `\"1\".parse()`")
        },
        expect![[r#"
            error[E0308]: mismatched types
             --> cell 3:2:16 (notes.livemd:48)
              |
            2 | let sum: u32 = "naïve";
              |          ---   ^^^^^^^ expected `u32`, found `&str`
              |          |
              |          expected due to this
              |
              = help: parse it: `"1".parse()`
        "#]],
    );
}

#[test]
fn a_warning_over_several_lines_is_drawn_with_all_of_them() {
    let text = "if true {\n    1\n} else {\n    2\n};";
    check(
        text,
        &Drawing {
            level: Level::Warning,
            labels: vec![label(0..text.len(), "never used", true)],
            ..Drawing::error("unused value").with_note("`#[warn(unused)]` is on by default")
        },
        expect![[r#"
            warning: unused value
             --> cell 3:1:1 (notes.livemd:47)
              |
            1 | / if true {
            2 | |     1
            3 | | } else {
            4 | |     2
            5 | | };
              | |__^ never used
              |
              = note: `#[warn(unused)]` is on by default
        "#]],
    );
}

#[test]
fn a_panic_is_drawn_from_where_it_began() {
    let text = "let list = vec![1];\n    list[7]  \n";
    let source = cell(text);
    check(
        text,
        &Drawing::panic(&source, "index out of bounds: the len is 1 but the index is 7", 2, 5),
        expect![[r#"
            error: the cell panicked: index out of bounds: the len is 1 but the index is 7
             --> cell 3:2:5 (notes.livemd:48)
              |
            2 |     list[7]  
              |     ^^^^^^^ here
        "#]],
    );
    let message = "assertion `left == right` failed\n  left: 1\n right: 2";
    check(
        text,
        &Drawing::panic(&source, message, 1, 12),
        expect![[r#"
            error: the cell panicked: assertion `left == right` failed
                     left: 1
                    right: 2
             --> cell 3:1:12 (notes.livemd:47)
              |
            1 | let list = vec![1];
              |            ^^^^^^^^ here
        "#]],
    );
    check(
        text,
        &Drawing::panic(&source, "somewhere else", 99, 1),
        expect![[r#"
            error: the cell panicked: somewhere else
             --> cell 3 (notes.livemd:47)
        "#]],
    );
}

#[test]
fn what_is_about_the_whole_cell_names_the_cell_and_its_first_line() {
    check(
        "std::process::abort()",
        &Drawing::error("the runtime ended while the cell ran: signal 6 (abort)")
            .with_note("the values of every other cell are kept")
            .with_help("look for `abort`, a stack overflow or `unsafe` code in this cell"),
        expect![[r#"
            error: the runtime ended while the cell ran: signal 6 (abort)
             --> cell 3 (notes.livemd:47)
             = note: the values of every other cell are kept
             = help: look for `abort`, a stack overflow or `unsafe` code in this cell
        "#]],
    );
    let source = CellSource { file: None, ..cell("loop {}") };
    assert!(draw(&source, &Drawing::error("ended"), Style::Plain, 100).contains("--> cell 3"));
}

#[test]
fn a_range_outside_the_source_is_moved_into_it() {
    for (text, range) in [("", 0..0), ("", 5..9), ("é", 1..1), ("é\n", 3..700), ("ab", 1..1)] {
        let drawing = Drawing { labels: vec![label(range, "here", true)], ..Drawing::error("odd") };
        assert!(draw(&cell(text), &drawing, Style::Plain, 100).contains("odd"));
    }
}

#[test]
fn colours_are_there_only_when_asked_for() {
    let drawing = Drawing::error("red");
    assert!(!draw(&cell("x"), &drawing, Style::Plain, 100).contains('\u{1b}'));
    assert!(draw(&cell("x"), &drawing, Style::Coloured, 100).contains('\u{1b}'));
}

#[test]
fn a_change_that_would_mend_it_is_drawn_as_a_change() {
    let text = "let list = vec![1];\nlet moved = list;\nlist.len()";
    let at = of(text, "list;").end - 1;
    check(
        text,
        &Drawing {
            code: Some("E0382".to_owned()),
            labels: vec![label(text.len() - 10..text.len() - 6, "used after it moved", true)],
            suggestions: vec![Suggestion {
                message: "clone the value".to_owned(),
                range: at..at,
                replacement: ".clone()".to_owned(),
            }],
            ..Drawing::error("borrow of moved value: `list`")
        },
        expect![[r#"
            error[E0382]: borrow of moved value: `list`
             --> cell 3:3:1 (notes.livemd:49)
              |
            3 | list.len()
              | ^^^^ used after it moved
              |
            help: clone the value
              |
            2 | let moved = list.clone();
              |                 ++++++++
        "#]],
    );
}

#[test]
fn a_coloured_drawing_says_both_places_too() {
    let drawing = Drawing { labels: vec![label(4..5, "", true)], ..Drawing::error("odd") };
    let drawn = draw(&cell("a\n  b"), &drawing, Style::Coloured, 100);
    assert!(drawn.contains("cell 3:2:3 (notes.livemd:48)"), "{drawn}");
}

#[test]
fn no_ranges_in_no_source_make_drawing_panic() {
    let texts = ["", "\n", "é", "a\r\nbé\n\n\tc", "let a = 1;\n  日本\u{200d}語\n\u{1b}[31m\0"];
    for text in texts {
        let end = text.len() + 2;
        for start in 0..end {
            for stop in 0..end {
                let range = Range { start, end: stop };
                let drawing = Drawing {
                    labels: vec![label(range.clone(), "here", true), label(stop..end, "", false)],
                    suggestions: vec![Suggestion {
                        message: "change it".to_owned(),
                        range,
                        replacement: "x\ny".to_owned(),
                    }],
                    ..Drawing::error("odd\nat two lines")
                };
                assert!(draw(&cell(text), &drawing, Style::Plain, 100).contains("odd"));
            }
        }
    }
}
