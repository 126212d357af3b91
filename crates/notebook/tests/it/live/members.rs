//! What rust-analyzer knows of a notebook, by the real one; where there is none, these say that they are skipped.

use greenroom_notebook::analyzer::{self, Member};
use greenroom_notebook::rustc::Toolchain;

use super::fronts::{enter, open};

/// The program, and the standard library's sources.
pub fn is_installed() -> bool {
    let toolchain = Toolchain::find().expect("there is one");
    let has_sources = toolchain.sysroot.join("lib/rustlib/src/rust/library/core/src/lib.rs").is_file();
    let is_there = has_sources && analyzer::find(&toolchain).is_some();
    if !is_there {
        eprintln!("skipped: `rustup component add rust-analyzer rust-src`");
    }
    is_there
}

#[test]
fn fields_methods_and_items_are_known_also_of_cells_and_of_what_does_not_parse() {
    if !is_installed() {
        return;
    }
    let live = open("# N\n\n## Section\n", None).expect("it opens");
    let mut client = live.handle().join("me").expect("it is open");
    let section = client.data().document().sections()[0].head.id;
    let point = "#[derive(Clone, Debug)]\nstruct Point { across: i32, down: i32 }\nimpl Point {\n    fn origin() -> Point \
                 { Point { across: 0, down: 0 } }\n    fn length(&self, scale: f64) -> f64 { scale }\n}";
    assert_eq!(enter(&live, &mut client, point), "");
    let doubled = "trait Doubled { fn doubled(&self) -> Self; }\nimpl Doubled for Point { fn doubled(&self) -> Point { \
                   self.clone() } }";
    assert_eq!(enter(&live, &mut client, doubled), "");
    assert_eq!(enter(&live, &mut client, "let points = vec![Point { across: 3, down: 4 }]; 7_u64"), "7");
    // What is marked by `|`.
    let ask = |text: &str| {
        let place = text.find('|').expect("a mark");
        let source = text.replacen('|', "", 1);
        let found = live.handle().members(section, &source, place).expect(text);
        found.into_iter().map(|Member { text, about }| format!("{text} {about}")).collect::<Vec<_>>()
    };
    let has = |text: &str, wanted: &[&str]| {
        let found = ask(text);
        for wanted in wanted {
            assert!(found.iter().any(|found| found == wanted), "{text}: {wanted} is not among {found:#?}");
        }
        found
    };
    has("points.|", &["len() const fn(&self) -> usize", "push( fn(&mut self, T)"]);
    let fields = has("points[0].|", &["length( fn(&self, f64) -> f64", "doubled() fn(&self) -> Self"]);
    assert_eq!(fields[..2], ["across i32", "down i32"]);
    has("Point::|", &["origin() fn() -> Point"]);
    has("for point in &points {\n    let twice = point.doubled().|", &["across i32"]);
    has("let text = String::new();\ntext.le|\nlet b = 1;", &["len() const fn(&self) -> usize"]);
    has("fn far(point: &Point) -> f64 {\n    point.|\n}", &["across i32"]);
    has("it.|", &["count_ones() const fn(self) -> u32"]);
    has("v(3).|", &["count_ones() const fn(self) -> u32"]);
    assert!(ask("std::collections::Ha|").iter().any(|found| found.starts_with("HashMap ")));
    has("Supervisor::|", &["new( fn(Strategy) -> SupervisorBuilder"]);
    live.close();
}
