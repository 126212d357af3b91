//! Errors stand where the user wrote them.

use expect_test::expect;

use crate::support::{Chain, draw};

#[test]
fn syntax_errors_stand_where_they_are() {
    let mut chain = Chain::new();
    chain.refused("let a = 1;\nlet b = ;", expect![[r#""#]]);
    chain.refused("fn f() {\n  let x = 1;\n", expect![[r#""#]]);
    chain.refused("let a = 1;\n}\nlet b = 2;", expect![[r#""#]]);
    chain.refused("let s = \"abc", expect![[r#""#]]);
    chain.refused("#![feature(x)]", expect![[r#""#]]);
}

#[test]
fn type_errors_stand_where_they_are_below_hoisted_items() {
    let mut chain = Chain::new();
    chain.refused(
        "let a = 1;\nstruct P { x: i32, y: Missing }\nfn f(é: i32) -> String { é }\nlet s: String = a;",
        expect![[r#""#]],
    );
    chain.refused("let v = Vec::new();", expect![[r#""#]]);
    chain.refused(
        "let s: std::string::String = std::vec::Vec::<u8>::new();\ns.nothing()",
        expect![[r#""#]],
    );
}

#[test]
fn borrow_errors_stand_where_they_are() {
    let mut chain = Chain::new();
    chain.refused("let v = vec![1];\nlet w = v;\nv.len()", expect![[r#""#]]);
    chain.refused(
        "let mut v = vec![1];\nlet first = &v[0];\nv.push(2);\nprintln!(\"{first}\");",
        expect![[r#""#]],
    );
}

#[test]
fn unknown_names_are_told() {
    let mut chain = Chain::new();
    chain.cell("let bound = 1;");
    chain.refused("nowhere + 1", expect![[r#""#]]);
    chain.refused("let m = HashMap::<u8, u8>::new();", expect![[r#""#]]);
    chain.refused("fn f() -> i32 { bound }", expect![[r#""#]]);
    let error = chain.try_cell("nowhere()").map(drop);
    let Err(greenroom_notebook::compiler::CompileError::Rustc { diagnostics }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(diagnostics[0].undefined.as_deref(), Some("nowhere"));
}

#[test]
fn a_value_that_is_not_send_cannot_be_held_across_an_await() {
    let mut chain = Chain::new();
    chain.refused(
        "let r = std::rc::Rc::new(1);\ntokio::task::yield_now().await;\nprintln!(\"{r}\");",
        expect![[r#""#]],
    );
}

#[test]
fn impls_for_types_of_other_cells_say_where_to_write_them() {
    let mut chain = Chain::new();
    chain.cell("struct P;");
    chain.refused("impl P { fn f(&self) {} }", expect![[r#""#]]);
    chain.refused("impl std::fmt::Display for P { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { Ok(()) } }", expect![[r#""#]]);
}

#[test]
fn warnings_that_matter_are_kept() {
    let mut chain = Chain::new();
    let source = "async fn f() {}\nlet unused = 1;\nf();";
    let cell = chain.cell(source);
    let drawn: String = cell
        .warnings
        .iter()
        .map(|warning| draw(source, warning))
        .collect();
    expect![[r#""#]].assert_eq(&drawn);
}
