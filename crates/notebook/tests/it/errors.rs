//! Errors stand where the user wrote them.

use expect_test::expect;

use crate::support::{Chain, draw};

#[test]
fn syntax_errors_stand_where_they_are() {
    let mut chain = Chain::new();
    chain.refused(
        "let a = 1;\nlet b = ;",
        expect![[r#"
        - expected expression, found `;`
          ^ 2:9 `;` expected expression
    "#]],
    );
    chain.refused(
        "fn f() {\n  let x = 1;\n",
        expect![[r#"
            - this file contains an unclosed delimiter
              ^ 1:8 `{` unclosed delimiter
        "#]],
    );
    chain.refused(
        "let a = 1;\n}\nlet b = 2;",
        expect![[r#"
            - unexpected closing delimiter: `}`
              ^ 2:1 `}` unexpected closing delimiter
        "#]],
    );
    chain.refused(
        "let s = \"abc",
        expect![[r#"
        E0765 unterminated double quote string
          ^ 1:9 `"abc` 
    "#]],
    );
    chain.refused("#![feature(x)]", expect![[r#"
        - a cell cannot have inner attributes: write `#[…]` on the item it is meant for (unstable features need a nightly compiler and are not available in cells)
          ^ 1:1 `#![feature(x)]` 
    "#]]);
}

#[test]
fn type_errors_stand_where_they_are_below_hoisted_items() {
    let mut chain = Chain::new();
    chain.refused(
        "let a = 1;\nstruct P { x: i32, y: Missing }\nfn f(é: i32) -> String { é }\nlet s: String = a;",
        expect![[r#"
            E0425 cannot find type `Missing` in this scope
              ^ 2:23 `Missing` not found in this scope
            E0308 mismatched types
              ^ 3:26 `é` expected `String`, found `i32`
              - 3:17 `String` expected `String` because of return type
              try: try using a conversion method `.to_string()`
            E0308 mismatched types
              ^ 4:17 `a` expected `String`, found integer
              - 4:8 `String` expected due to this
              try: try using a conversion method `.to_string()`
        "#]],
    );
    chain.refused("let v = Vec::new();", expect![[r#"
        E0282 type annotations needed for `Vec<_>`
          - 1:9 `Vec::new()` type must be known at this point
          ^ 1:5 `v` 
          try: consider giving `v` an explicit type, where the type for type parameter `T` is specified `: std::vec::Vec<T>`
    "#]]);
    chain.refused(
        "let s: std::string::String = std::vec::Vec::<u8>::new();\ns.nothing()",
        expect![[r#"
            E0308 mismatched types
              ^ 1:30 `std::vec::Vec::<u8>::new()` expected `String`, found `Vec<u8>`
              - 1:8 `std::string::String` expected due to this
              note: expected struct `String`
               found struct `Vec<u8>`
            E0599 no method named `nothing` found for struct `String` in the current scope
              ^ 2:3 `nothing` method not found in `String`
        "#]],
    );
}

#[test]
fn borrow_errors_stand_where_they_are() {
    let mut chain = Chain::new();
    chain.refused(
        "let v = vec![1];\nlet w = v;\nv.len()",
        expect![[r#"
        E0382 borrow of moved value: `v`
          - 2:9 `v` value moved here
          ^ 3:1 `v` value borrowed here after move
          - 1:5 `v` move occurs because `v` has type `Vec<i32>`, which does not implement the `Copy` trait
    "#]],
    );
    chain.refused(
        "let mut v = vec![1];\nlet first = &v[0];\nv.push(2);\nprintln!(\"{first}\");",
        expect![[r#"
            E0502 cannot borrow `v` as mutable because it is also borrowed as immutable
              ^ 3:1 `v.push(2)` mutable borrow occurs here
              - 2:14 `v` immutable borrow occurs here
              - 4:12 `first` immutable borrow later used here
        "#]],
    );
}

#[test]
fn unknown_names_are_told() {
    let mut chain = Chain::new();
    chain.cell("let bound = 1;");
    chain.refused(
        "nowhere + 1",
        expect![[r#"
        E0425 cannot find value `nowhere` in this scope
          ^ 1:1 `nowhere` not found in this scope
    "#]],
    );
    chain.refused(
        "let m = HashMap::<u8, u8>::new();",
        expect![[r#"
        E0433 cannot find type `HashMap` in this scope
          ^ 1:9 `HashMap` use of undeclared type `HashMap`
          help: consider importing this struct: `use std::collections::HashMap;`
    "#]],
    );
    chain.refused(
        "fn f() -> i32 { bound }",
        expect![[r#"
        E0425 cannot find value `bound` in this scope
          ^ 1:17 `bound` not found in this scope
          help: `bound` is a binding of cell 1, and items do not see bindings: pass it as an argument
    "#]],
    );
    let error = chain.try_cell("nowhere()").map(drop);
    let Err(greenroom_notebook::compiler::CompileError::Rustc { diagnostics }) = error else { panic!("{error:?}") };
    assert_eq!(diagnostics[0].undefined.as_deref(), Some("nowhere"));
}

#[test]
fn a_value_that_is_not_send_cannot_be_held_across_an_await() {
    let mut chain = Chain::new();
    chain.refused(
        "let r = std::rc::Rc::new(1);\ntokio::task::yield_now().await;\nprintln!(\"{r}\");",
        expect![[r#"
            - `Rc<i32>` cannot be held across an `.await`: it is not `Send`
              - 2:26 `await` await occurs here, with `r` maybe used later
              ^ 1:5 `r` has type `Rc<i32>` which is not `Send`
              note: a cell is a process, which may go on on another thread after an `.await`
              help: let it go before the `.await` (in a block of its own), or use a type that is `Send`, such as `Arc` instead of `Rc`
        "#]],
    );
}

#[test]
fn impls_for_types_of_other_cells_say_where_to_write_them() {
    let mut chain = Chain::new();
    chain.cell("struct P;");
    chain.refused(
        "impl P { fn f(&self) {} }",
        expect![[r#"
        E0116 cannot define inherent `impl` for a type outside of the crate where the type is defined
          ^ 1:1 `impl P` impl for type defined outside of crate
          help: every cell is a crate: write the `impl` in the cell that defines the type (or the trait)
    "#]],
    );
    chain.refused(
        "impl std::fmt::Display for P { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { Ok(()) } }",
        expect![[r#"
        E0117 only traits defined in the current crate can be implemented for types defined outside of the crate
          - 1:28 `P` `P` is not defined in the current crate
          ^ 1:1 `impl std::fmt::Display for P` 
          help: every cell is a crate: write the `impl` in the cell that defines the type (or the trait)
    "#]],
    );
}

#[test]
fn warnings_that_matter_are_kept() {
    let mut chain = Chain::new();
    let source = "async fn f() {}\nlet unused = 1;\nf();";
    let cell = chain.cell(source);
    let drawn: String = cell.warnings.iter().map(|warning| draw(source, warning)).collect();
    expect![[r#"
        unused_must_use unused implementer of `Future` that must be used
          ^ 3:1 `f()` 
          note: futures do nothing unless you `.await` or poll them
    "#]]
    .assert_eq(&drawn);
}

#[test]
fn carriage_returns_do_not_move_the_places() {
    let mut chain = Chain::new();
    chain.refused(
        "let é = 1;\r\nstruct P {\r\n    x: u8,\r\n}\r\nlet s: u8 = \"ü\";",
        expect![[r#"
            E0308 mismatched types
              ^ 5:13 `"ü"` expected `u8`, found `&str`
              - 5:8 `u8` expected due to this
        "#]],
    );
}
