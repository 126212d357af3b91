//! The types of a cell's bindings, read from the MIR that rustc writes beside the library: every export is a call
//! `…::CloneTag::put::<TYPE>(…, const "name", …)`. Nothing but this and what is below it knows what MIR
//! looks like.
//!
//! MIR erases lifetimes and prints paths as seen from the cell's own crate, so a type is parsed and written again in
//! a form that other crates can compile: see `types`.

mod types;

pub use types::{Unnameable, nameable};

/// How a binding reaches later cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// As a clone of their own.
    Clone,
    /// As `Shared<T>`, because the type is not `Clone`.
    Shared,
}

/// An export as MIR shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportCall {
    /// The binding.
    pub name: String,
    /// Which tag was chosen for its type.
    pub handover: Handover,
    /// Its type as printed.
    pub ty: String,
}

/// The exports of a cell. Code that is never reached has none.
pub fn exports(mir: &str) -> Vec<ExportCall> {
    mir.lines().filter_map(export).collect()
}

fn export(line: &str) -> Option<ExportCall> {
    const TAGS: [(&str, Handover); 2] =
        [("cell::CloneTag::put::<", Handover::Clone), ("cell::SharedTag::put::<", Handover::Shared)];
    let (start, handover) = TAGS.iter().find_map(|(tag, handover)| Some((line.find(tag)? + tag.len(), *handover)))?;
    let rest = &line[start..];
    // The arguments begin at the first `>(move` or `>(copy` that is followed by the name.
    let (end, name) = rest.match_indices(">(").find_map(|(end, _)| {
        let arguments = &rest[end + 2..];
        let is_call =
            arguments.starts_with("move ") || arguments.starts_with("copy ") || arguments.starts_with("const ");
        let name = arguments.split_once("const \"")?.1.split('"').next()?;
        is_call.then_some((end, name))
    })?;
    Some(ExportCall { name: name.to_owned(), handover, ty: rest[..end].to_owned() })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn export_calls_are_found_with_their_types() {
        let mir = r#"
        _67 = greenroom_stage::cell::CloneTag::put::<std::vec::Vec<i32>>(move _68, copy _71, const "list", move _72) -> [return: bb27, unwind: bb112];
        _81 = greenroom_stage::cell::SharedTag::put::<NoClone>(move _82, copy _85, const "nc", move _86) -> [return: bb31, unwind: bb114];
        _9 = greenroom_stage::cell::CloneTag::put::<for<'a> fn(&'a str) -> usize>(move _113, copy _116, const "export", move _117) -> [return: bb39, unwind: bb114];
        _9 = other::put::<i32>(move _113, copy _116, const "x", move _117) -> [return: bb39, unwind: bb114];
        "#;
        expect![[r#"
            list Clone std::vec::Vec<i32>
            nc Shared NoClone
            export Clone for<'a> fn(&'a str) -> usize
        "#]]
        .assert_eq(&exports(mir).iter().map(|e| format!("{} {:?} {}\n", e.name, e.handover, e.ty)).collect::<String>());
    }
}
