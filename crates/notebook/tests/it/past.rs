//! The values of cells, for the cells below: the last one as `it`, that of a certain cell as `v(3)`.

use expect_test::{Expect, expect};

use crate::support::Chain;

/// What a cell hands on: its bindings with their types, and why others stay.
#[track_caller]
fn check(sources: &[&str], expected: Expect) {
    let mut chain = Chain::new();
    let mut last = None;
    for source in sources {
        last = Some(chain.cell(source));
    }
    let cell = last.expect("there is a cell");
    let exports = cell.exports.iter().map(|export| format!("{}: {:?} {}\n", export.name, export.handover, export.ty));
    let others = cell.unavailable.iter().map(|other| format!("{}: ! {}\n", other.name, other.reason));
    expected.assert_eq(&exports.chain(others).collect::<String>());
}

#[test]
fn a_value_is_kept_and_takes_nothing_from_the_bindings() {
    check(
        &["let list = vec![1, 2];\nlist"],
        expect![[r#"
            list: Clone std::vec::Vec<i32>
            it: Clone std::vec::Vec<i32>
        "#]],
    );
    check(
        &["let pair = (String::new(), 1);\npair.0"],
        expect![[r#"
            pair: Clone (std::string::String, i32)
            it: Clone std::string::String
        "#]],
    );
    check(
        &["let list = std::sync::Arc::new(std::sync::Mutex::new(vec![1]));\nlist.lock().unwrap().len()"],
        expect![[r#"
            list: Clone std::sync::Arc<std::sync::Mutex<std::vec::Vec<i32>>>
            it: Clone usize
        "#]],
    );
    check(
        &["struct Once(u8);\nOnce(1).0"],
        expect![[r#"
            it: Clone u8
        "#]],
    );
}

#[test]
fn what_cannot_be_kept_says_so() {
    check(
        &["let list = vec![1, 2];\nlist.iter().max()"],
        expect![[r#"
            list: Clone std::vec::Vec<i32>
            it: ! it borrows from `list`, a local of this cell; export an owned value (`.to_owned()`, `.clone()`)
        "#]],
    );
    check(
        &["let flag = std::sync::atomic::AtomicBool::new(true);\nflag"],
        expect![[r#"
            flag: Shared std::sync::atomic::AtomicBool
            it: ! it is not `Clone`, and belongs to a binding: use that
        "#]],
    );
    let mut chain = Chain::new();
    chain.cell("|x: u8| x + 1");
    chain.refused(
        "it(1)",
        expect![[r#"
            1:1 `it` cannot leave cell 1: the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or keep it inside a process
        "#]],
    );
}

#[test]
fn what_comes_to_nothing_is_no_value() {
    check(&["println!(\"a\")"], expect![""]);
    check(
        &["let mut a = vec![1];\na.push(2)"],
        expect![[r#"
        a: Clone std::vec::Vec<i32>
    "#]],
    );
    check(
        &["std::process::exit(1)"],
        expect![[r#"
        it: ! the cell never comes to its end
    "#]],
    );
    check(&["loop {}"], expect![""]);
    check(
        &["loop { break 5 }"],
        expect![[r#"
        it: Clone i32
    "#]],
    );
    let mut chain = Chain::new();
    chain.cell("7_u8");
    chain.cell("fn nothing() {}\nnothing()");
    assert_eq!(chain.cell("let seven = it;").exports[0].ty, "u8");
    assert_eq!(chain.cell("let it = 1.5_f32;").exports.len(), 1);
    assert_eq!(chain.cell("let own = it;").exports[0].ty, "f32");
}

#[test]
fn a_cell_without_a_value_cannot_be_asked_for_one() {
    let mut chain = Chain::new();
    chain.cell("let a = 1;");
    chain.refused(
        "v(1)",
        expect![[r#"
            - cell 1 has no value: it does not end in an expression
              ^ 1:1 `v(1)` 
        "#]],
    );
    chain.refused(
        "1 + v(9)",
        expect![[r#"
            - `v(9)` is the value of no cell above that was evaluated
              ^ 1:5 `v(9)` 
        "#]],
    );
    chain.scope.push_failed("cell 2", Vec::new());
    chain.refused(
        "v(2)",
        expect![[r#"
            1:1 not run: it uses `v(2)`, and cell 2, which defines it, has not succeeded
        "#]],
    );
}

#[test]
fn a_function_of_the_same_name_is_the_users_own() {
    let mut chain = Chain::new();
    chain.cell("fn v(x: u8) -> char { x as char }");
    assert_eq!(chain.cell("let letter = v(65);").exports[0].ty, "char");
    assert_eq!(chain.cell("let v = |x: u8| x;\nlet same = v(1);").exports[0].ty, "u8");
}
