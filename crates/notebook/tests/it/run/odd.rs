//! Cells that are odd in ways that a cell can be: each works, or says clearly why not.

use expect_test::expect;

use super::check;

#[test]
fn names_can_be_defined_again_and_shadow_what_every_cell_sees() {
    check(
        &[
            "#[derive(Debug, Clone)]\nstruct Point { x: i32 }\nlet old = Point { x: 1 };",
            "#[derive(Debug)]\nstruct Point { x: f64, y: f64 }\nPoint { x: 0.5, y: 1.5 }",
            "let new = Point { x: 2.5, y: 0.0 };\n(new.x, old.x)",
            "#[derive(Debug)]\nstruct Vec;\n#[derive(Debug)]\nstruct Pid;\n(Vec, Pid)",
            "let some: Vec = Vec;\nlet println = 1;\nprintln!(\"{println} {some:?}\")",
            "mod geometry {\n    pub mod flat {\n        pub fn area(a: u32, b: u32) -> u32 {\n            a * b\n        }\n    }\n}",
            "geometry::flat::area(3, 4)",
        ],
        expect![[r#"
            1 ok
            2 ok
              value | Point { x: 0.5, y: 1.5 }
            3 ok
              value | (2.5, 1)
            4 ok
              value | (Vec, Pid)
            5 ok
              text | 1 Vec
            6 ok
            7 ok
              value | 12
            7 ok, 0 failed, 0 skipped: 0
        "#]],
    );
}

#[test]
fn what_cannot_leave_a_cell_says_why_where_it_is_used() {
    check(
        &[
            "let text = String::from(\"word\");\nlet view = text.as_str();\nlet lazy = (1..4).map(|n| n * 2);\nlet later = async { 1 };\nview.len()",
            "view.len()",
            "lazy.count()",
            "later.await",
            "text.len()",
        ],
        expect![[r#"
            1 ok
              value | 4
            2 error
              error | error: `view` cannot leave cell 1: it borrows from `text`, a local of this cell; export an owned value (`.to_owned()`, `.clone()`)
              error |  --> cell 2:1:1 (n.livemd:14)
              error |   |
              error | 1 | view.len()
              error |   | ^^^^ used here
            3 error
              error | error: `lazy` cannot leave cell 1: the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or keep it inside a process
              error |  --> cell 3:1:1 (n.livemd:18)
              error |   |
              error | 1 | lazy.count()
              error |   | ^^^^ used here
            4 error
              error | error: `later` cannot leave cell 1: the type of a future has no name: await it in this cell, or spawn a process
              error |  --> cell 4:1:1 (n.livemd:22)
              error |   |
              error | 1 | later.await
              error |   | ^^^^^ used here
            5 ok
              value | 4
            2 ok, 3 failed, 0 skipped: 1
        "#]],
    );
}
