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
        out += &format!("{}: {:?} {}\n", export.name, export.handover, export.ty.replace(&defined.key, "KEY"));
        names.push(export.name.clone());
    }
    for unavailable in &defined.unavailable {
        out += &format!("{}: ! {}\n", unavailable.name, unavailable.reason);
    }
    let uses: String = names.iter().map(|name| format!("let _ = &r#{name};\n")).collect();
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
    expect![[r#"
        int: Clone i32
        float: Clone f32
        text: Clone &'static str
        string: Clone std::string::String
        unit: Clone ()
        list: Clone std::vec::Vec<i32>
        point: Clone cell_KEY::Point
        once: Shared cell_KEY::Once
        tuple: Clone (u8, char, std::option::Option<std::boxed::Box<cell_KEY::Point>>)
        array: Clone [[u64; 3]; 2]
        map: Clone std::collections::HashMap<&'static str, i32>
        boxed: Shared std::boxed::Box<dyn std::ops::Fn(i32) -> i32 + std::marker::Send + std::marker::Sync>
        bound: Clone std::sync::Arc<dyn for<'a> std::ops::Fn(&'a str) -> &str + std::marker::Send + std::marker::Sync>
        pointer: Clone for<'a> fn(&'a str) -> usize
        returns: Clone for<'a> fn(&'a str, u8) -> &'a str
        generic: Clone cell_KEY::G<3, true, 'x'>
        inner: Shared cell_KEY::deep::In<u8>
        cow: Clone std::borrow::Cow<'static, str>
        slice: Clone &'static [i32]
        sender: Clone tokio::sync::mpsc::UnboundedSender<cell_KEY::Point>
        receiver: Shared tokio::sync::mpsc::UnboundedReceiver<cell_KEY::Point>
        shapes: Shared std::vec::Vec<std::boxed::Box<dyn cell_KEY::Shape + std::marker::Send + std::marker::Sync>>
        duration: Clone std::time::Duration
        shared: Clone greenroom_stage::cell::Shared<std::vec::Vec<u8>>
        task: Shared tokio::task::JoinHandle<i32>
        result: Shared std::result::Result<(), std::io::Error>
        range: Clone std::ops::RangeInclusive<i32>
        dynamic: Clone std::option::Option<&'static (dyn std::fmt::Debug + std::marker::Send + std::marker::Sync)>
        mutex: Clone std::sync::Arc<std::sync::Mutex<i32>>
        type: Clone i32
    "#]]
    .assert_eq(&types);
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
    expect![[r#"
        kept: Clone i32
        owner: Clone std::vec::Vec<i32>
        other: Clone i32
        counted: ! `Rc<i32>` is not `Send`, so it cannot go from cell to cell; use a type that is (`Arc` for `Rc`), or use it in this cell only
        cell: ! `Cell<i32>` is not `Sync`, so cells cannot share it; put it into a `Mutex`, or use it in this cell only
        future: ! the type of a future has no name: await it in this cell, or spawn a process
        borrower: ! it borrows from `owner`, a local of this cell; export an owned value (`.to_owned()`, `.clone()`)
        closure: ! the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or keep it inside a process
        moved: ! it is moved into another value or a call before the cell ends; move a `moved.clone()` there to keep it
        into_closure: ! it is moved into a closure before the cell ends; move a `into_closure.clone()` there to keep it
        function: ! the type of a function has no name: give the binding the type `fn(i32) -> i32`
        lazy: ! the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or keep it inside a process
    "#]].assert_eq(&types);
    chain.refused("let a = kept;\nmoved.len()", expect![[r#"
        2:1 `moved` cannot leave cell 1: it is moved into another value or a call before the cell ends; move a `moved.clone()` there to keep it
    "#]]);
    chain.refused("closure(1)", expect![[r#"
        1:1 `closure` cannot leave cell 1: the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or keep it inside a process
    "#]]);
}

#[test]
fn the_nearest_definer_wins() {
    let mut chain = Chain::new();
    chain.cell("let x = 1; let y = x;");
    chain.cell("let x = \"one\";");
    let third = chain.cell("let z: &str = x; let x = x.len() + y as usize;");
    assert_eq!(third.uses, ["x", "y"]);
    assert_eq!(chain.cell("let w = x;").exports[0].ty, "usize");
}

#[test]
fn names_of_failed_cells_are_refused_before_anything_is_compiled() {
    let mut chain = Chain::new();
    chain.cell("let x = 1;");
    chain.scope.push_failed("cell 2", vec!["x".to_owned(), "f".to_owned()]);
    chain.refused(
        "1 +\nx",
        expect![[r#"
        2:1 not run: it uses `x`, and cell 2, which defines it, has not succeeded
    "#]],
    );
    chain.refused(
        "fn g() { f() }",
        expect![[r#"
        1:10 not run: it uses `f`, and cell 2, which defines it, has not succeeded
    "#]],
    );
    chain.cell("let f = 2; f + 1");
}

#[test]
fn a_question_mark_and_awaits_work_in_a_cell() {
    let mut chain = Chain::new();
    chain.cell("let n: i32 = \"5\".parse()?;\ntokio::task::yield_now().await;\nlet m = n;");
    chain.cell("n + m");
}

#[test]
fn names_of_the_generated_code_are_free_for_the_user() {
    let mut chain = Chain::new();
    chain.cell("let value = 1; let cx = 2; let tag = 3; struct Exported; let Context = 4; value");
    chain.cell("let value = value + cx + tag; value");
}

#[test]
fn a_cell_that_never_ends_exports_nothing() {
    let mut chain = Chain::new();
    let cell = chain.cell("let x = 1;\nloop { tokio::task::yield_now().await; }");
    assert_eq!(cell.exports, []);
    expect!["the cell never comes to its end"].assert_eq(&cell.unavailable[0].reason);
    chain.cell("return Ok(());");
}
