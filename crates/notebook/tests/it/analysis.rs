//! What the text of a cell alone tells.

use expect_test::{Expect, expect};
use greenroom_notebook::analysis::{self, analyse};

#[track_caller]
fn check(source: &str, expected: Expect) {
    let text = match analyse(source) {
        Ok(analysis) => {
            let names = analysis.defines.iter().map(|defined| {
                let text = &source[defined.span.clone()];
                let is_value = defined.name == analysis::LAST && analysis.value == Some(defined.span.clone());
                assert!(text == defined.name || text == "self" || is_value);
                format!(" {}:{:?}", defined.name, defined.kind)
            });
            let uses = analysis.uses.iter().map(|used| {
                let certain = if used.certain { "" } else { "?" };
                format!(" {}{certain}{}", used.name, if used.binding { "" } else { "(item)" })
            });
            let value = analysis.value.as_ref().map_or("", |range| &source[range.clone()]);
            format!("defines{}\nuses{}\nvalue {value}\n", names.collect::<String>(), uses.collect::<String>())
        }
        Err(error) => format!("{}: {error}\n", source[error.span.clone()].to_owned()),
    };
    expected.assert_eq(&text);
}

#[test]
fn statements_define_what_their_patterns_bind() {
    check(
        "let (a, [b, ..]) = f(x); let P { c, d: e @ Some(_), .. } = y else { return Ok(()) }; let _hidden = a;",
        expect![[r#"
            defines a:Binding b:Binding c:Binding e:Binding
            uses Ok P(item) Some(item) f x y
            value 
        "#]],
    );
}

#[test]
fn locals_are_not_used_from_above() {
    check(
        "let x = x + 1; for i in 0..n { let z = i; g(z, |q| q + x); } if let Some(k) = o && k > 1 { k } else { l }",
        expect![[r#"
            defines x:Binding it:Binding
            uses Some(item) g l n o x
            value if let Some(k) = o && k > 1 { k } else { l }
        "#]],
    );
}

#[test]
fn format_strings_and_macros_use_names() {
    check(
        r#"println!("{a} {b:?} {:w$} {{no}} {c}", d, c = e); json!({ "k": v, f.g: 1 }); format!("{a}")"#,
        expect![[r#"
            defines it:Binding
            uses a b d e f? format(item) json(item) println(item) v? w
            value format!("{a}")
        "#]],
    );
}

#[test]
fn values_of_other_cells_are_used_by_their_numbers() {
    check(
        "v(3) + it; println!(\"{}\", v(-1)); fn own() { v(4) } v(x);",
        expect![[r#"
            defines own:Function
            uses it println(item) v v(-1) v(3) x
            value 
        "#]],
    );
    check(
        "let v = |n| n; v(1);",
        expect![[r#"
            defines v:Binding
            uses
            value 
        "#]],
    );
}

#[test]
fn items_define_their_names_and_see_only_items() {
    check(
        "use std::{io::{self, Write as W}, fmt::*}; struct S<T>(T, Other); impl S<u8> { fn f(&self, x: i32) -> i32 { x + K } } \
         macro_rules! m { () => { helper() } } fn g<T: Tr>(t: T) { y }",
        expect![[r#"
            defines io:Import W:Import S:Type m:Macro g:Function
            uses K(item) Other(item) Tr(item) helper?(item) i32(item) std?(item) u8(item) y(item)
            value 
        "#]],
    );
}

#[test]
fn inner_attributes_are_refused() {
    check(
        "#![feature(x)]\nlet a = 1;",
        expect![[r##"
        #![feature(x)]: a cell cannot have inner attributes: write `#[…]` on the item it is meant for (unstable features need a nightly compiler and are not available in cells)
    "##]],
    );
}

#[test]
fn a_source_that_does_not_parse_still_tells_its_names() {
    let names: Vec<_> =
        analysis::defines("let (a, mut b) = ;\nfn f( {}\nstruct S {\nconst K").into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["a", "b", "f", "S", "K"]);
}
