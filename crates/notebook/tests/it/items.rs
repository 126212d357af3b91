//! Items go from cell to cell.

use expect_test::expect;

use crate::support::Chain;

#[test]
fn functions_types_and_constants_are_named_in_later_cells() {
    let mut chain = Chain::new();
    chain.cell("#[derive(Debug, Clone, PartialEq)]\nstruct P { x: i32, pub(crate) y: i32 }\nstruct T(u8);\nimpl P { const O: P = P { x: 0, y: 0 }; fn len(&self) -> i32 { self.x } async fn a(&self) {} }");
    chain.cell(
        "const K: usize = 3;\nfn first<T: Clone>(list: &[T]) -> T { list[0].clone() }\nenum E { A, B { c: i32 } }",
    );
    chain.cell(
        "let p = P { x: K as i32, ..P::O }; let T(t) = T(1); first(&[p.len()]); p.a().await; let e = E::B { c: 1 };",
    );
    let last = chain.cell("p == P::O");
    assert_eq!(last.uses, ["P", "p"]);
}

#[test]
fn macros_bring_what_they_name() {
    let mut chain = Chain::new();
    chain.cell(
        "fn helper(x: i32) -> i32 { x }\nmacro_rules! twice { ($x:expr) => { helper($x) + helper($x) } }\ntwice!(1)",
    );
    chain.cell("let a = twice!(2);");
    chain.cell("macro_rules! thrice { ($x:expr) => { twice!($x) + $x } }");
    chain.cell("thrice!(a)");
}

#[test]
fn traits_of_earlier_cells_are_in_scope() {
    let mut chain = Chain::new();
    chain.cell(
        "trait Double { fn double(&self) -> Self; }\nimpl Double for i32 { fn double(&self) -> i32 { self * 2 } }",
    );
    chain.cell("2.double()");
    chain.cell("struct Own(String);\nimpl Double for Own { fn double(&self) -> Own { Own(self.0.repeat(2)) } }");
    chain.cell("Own(String::from(\"a\")).double().0");
}

#[test]
fn imports_of_earlier_cells_are_in_scope() {
    let mut chain = Chain::new();
    chain.cell("use std::{collections::{BTreeMap, HashMap as Map}, fmt::Write as _, io::Read};\nenum Color { Red, Green }\nuse Color::*;\nuse std::rc::*;");
    chain.cell("let map: Map<u8, BTreeMap<u8, u8>> = Map::new(); let mut s = String::new(); s.write_str(\"a\")?; match Red { Red => 1, Green => 2 }");
    chain.cell("let mut buffer = String::new(); std::io::empty().read_to_string(&mut buffer)?; Rc::new(1)");
    chain.cell("use Color as Colour;");
    chain.cell("use Colour::Green as Verde; matches!(Verde, Colour::Green)");
}

#[test]
fn a_redefined_struct_is_another_type() {
    let mut chain = Chain::new();
    chain.cell("struct S { a: u8 }\nlet old = S { a: 1 };");
    chain.cell("struct S { b: u8 }\nlet new = S { b: 1 };");
    chain.cell("(old.a, new.b, S { b: 2 }.b)");
    chain.refused(
        "let s: S = old;",
        expect![[r#"
        E0308 mismatched types
          ^ 1:12 `old` expected `S`, found `Shared<S>`
          - 1:8 `S` expected due to this
          note: expected struct `S`
           found struct `Shared<S>`
    "#]],
    );
}

#[test]
fn own_definitions_win_over_the_prelude() {
    let mut chain = Chain::new();
    chain.cell("macro_rules! println { ($($x:tt)*) => { 7u8 } }\nlet a: u8 = println!(\"x\");\nstruct Output;\nlet o = Output;");
    chain.cell("let b: u8 = println!(); let Output = *o;");
}

#[test]
fn messages_with_derives_compile() {
    let mut chain = Chain::new();
    chain.cell("use serde::{Serialize, Deserialize};\n#[derive(Serialize, Deserialize, Debug, Clone)]\nenum Ping { Ping { n: u32 }, Stop }");
    chain.cell("#[derive(Serialize, Deserialize, Debug)]\nstruct Pong(Ping);\nlet p = Pong(Ping::Stop);");
    assert!(chain.cell("fn main() {}").exports.is_empty());
}
