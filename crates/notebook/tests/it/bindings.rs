//! Bindings go from cell to cell.

use expect_test::expect;

use crate::support::Chain;

/// The type of the only binding of a cell, after a later cell has used it.
#[track_caller]
fn flows(chain: &mut Chain, sources: &[&str]) -> String {
    let mut out = String::new();
    let mut names = Vec::new();
    let defined = chain.cell(&sources.join("\n"));
    for export in &defined.exports {
        out += &format!(
            "{}: {:?} {}\n",
            export.name,
            export.handover,
            export.ty.replace(&defined.key, "KEY")
        );
        names.push(export.name.clone());
    }
    for unavailable in &defined.unavailable {
        out += &format!("{}: ! {}\n", unavailable.name, unavailable.reason);
    }
    let uses: String = names
        .iter()
        .map(|name| format!("let _ = &{name};\n"))
        .collect();
    assert_eq!(chain.cell(&uses).uses.len(), names.len());
    out
}

#[test]
fn bindings_of_many_types_flow_to_the_next_cell() {
    let mut chain = Chain::new();
    let types = flows(
        &mut chain,
        &[
            "#[derive(Clone, Debug)] struct Point { x: i32 }",
            "struct Once(u8);",
            "mod deep { pub struct In<T>(pub T); }",
            "#[derive(Clone)] struct G<const N: usize, const B: bool, const C: char>;",
            "trait Shape { fn area(&self) -> f64; }",
            "let int = 1;",
            "let float = 1.5f32;",
            "let text = \"abc\";",
            "let string = String::from(text);",
            "let unit = ();",
            "let list = vec![1, 2, 3];",
            "let point = Point { x: 1 };",
            "let once = Once(1);",
            "let tuple = (1u8, 'c', Some(Box::new(point.clone())));",
            "let array = [[0u64; 3]; 2];",
            "let map = std::collections::HashMap::from([(\"a\", 1)]);",
            "let boxed: Box<dyn Fn(i32) -> i32 + Send + Sync> = Box::new(|x| x);",
            "let bound: std::sync::Arc<dyn for<'a> Fn(&'a str) -> &'a str + Send + Sync> = std::sync::Arc::new(|x| x);",
            "let pointer: fn(&str) -> usize = str::len;",
            "let returns: for<'a> fn(&'a str, u8) -> &'a str = |x, _| x;",
            "let generic = G::<3, true, 'x'>;",
            "let inner = deep::In(1u8);",
            "let cow = std::borrow::Cow::Borrowed(\"x\");",
            "let slice: &'static [i32] = &[1, 2];",
            "let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<Point>();",
            "let shapes: Vec<Box<dyn Shape + Send + Sync>> = vec![];",
            "let duration = std::time::Duration::from_secs(1);",
            "let shared = Shared::new(vec![1u8]);",
            "let task = tokio::task::spawn_blocking(|| 1);",
            "let result: Result<(), std::io::Error> = Ok(());",
            "let range = 0..=5;",
            "let dynamic: Option<&'static (dyn std::fmt::Debug + Send + Sync)> = None;",
            "let mutex = std::sync::Arc::new(std::sync::Mutex::new(0));",
            "let r#type = 1;",
        ],
    );
    expect![[r#""#]].assert_eq(&types);
}

#[test]
fn what_cannot_leave_its_cell_says_why() {
    let mut chain = Chain::new();
    let types = flows(
        &mut chain,
        &[
            "fn double(x: i32) -> i32 { x * 2 }",
            "let kept = 1;",
            "let owner = vec![1];",
            "let borrower = &owner[0];",
            "let moved = vec![1];",
            "let other = 2;",
            "drop(moved);",
            "let into_closure = vec![1];",
            "std::thread::spawn(move || into_closure.len());",
            "let counted = std::rc::Rc::new(1);",
            "let cell = std::cell::Cell::new(1);",
            "let closure = |x: i32| x + kept;",
            "let function = double;",
            "let lazy = [1].into_iter().map(|x| x);",
            "let future = async { 1 };",
        ],
    );
    expect![[r#""#]].assert_eq(&types);
    chain.refused("let a = kept;\nmoved.len()", expect![[r#""#]]);
    chain.refused("closure(1)", expect![[r#""#]]);
}

#[test]
fn the_nearest_definer_wins() {
    let mut chain = Chain::new();
    chain.cell("let x = 1; let y = x;");
    chain.cell("let x = \"one\";");
    let third = chain.cell("let z: &str = x; let x = x.len() + y;");
    assert_eq!(third.uses, ["x", "y"]);
    assert_eq!(chain.cell("let w = x;").exports[0].ty, "usize");
}

#[test]
fn names_of_failed_cells_are_refused_before_anything_is_compiled() {
    let mut chain = Chain::new();
    chain.cell("let x = 1;");
    chain
        .scope
        .push_failed("cell 2", vec!["x".to_owned(), "f".to_owned()]);
    chain.refused("1 +\nx", expect![[r#""#]]);
    chain.refused("fn g() { f() }", expect![[r#""#]]);
    chain.cell("let f = 2; f + 1");
}

#[test]
fn a_question_mark_and_awaits_work_in_a_cell() {
    let mut chain = Chain::new();
    chain.cell("let n: i32 = \"5\".parse()?;\ntokio::task::yield_now().await;\nlet m = n;");
    chain.cell("n + m");
}
