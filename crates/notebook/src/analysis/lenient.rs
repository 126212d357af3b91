//! The names that a broken source would probably define, so that cells which depend on it can be reported as not
//! run instead of failing with errors of their own. Comments and strings are not told from code: a name too many
//! does no harm here.

use super::{Defined, Kind};

/// The words after `let`, `fn`, `struct` and their like; for `let`, every lower-case word up to the `=`.
pub(super) fn defines(source: &str) -> Vec<Defined> {
    let mut found: Vec<Defined> = Vec::new();
    let words = words(source);
    let mut index = 0;
    while let Some((start, word)) = words.get(index).copied() {
        index += 1;
        let kind = match word {
            "fn" => Kind::Function,
            "struct" | "enum" | "union" | "type" => Kind::Type,
            "trait" => Kind::Trait,
            "macro_rules" => Kind::Macro,
            "const" | "static" => Kind::Constant,
            "mod" => Kind::Module,
            "let" => {
                let end = source[start..].find(['=', ';', '\n']).map_or(source.len(), |length| start + length);
                while let Some((start, word)) = words.get(index).copied().filter(|(start, _)| *start < end) {
                    index += 1;
                    if word.starts_with(|c: char| c.is_lowercase()) && !["mut", "ref"].contains(&word) {
                        push(&mut found, word, start, Kind::Binding);
                    }
                }
                continue;
            }
            _ => continue,
        };
        if let Some((start, name)) = words.get(index).copied() {
            push(&mut found, name, start, kind);
        }
    }
    found
}

fn push(found: &mut Vec<Defined>, name: &str, start: usize, kind: Kind) {
    if !found.iter().any(|known| known.name == name) {
        found.push(Defined { name: name.to_owned(), span: start..start + name.len(), kind });
    }
}

fn words(source: &str) -> Vec<(usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    source
        .split(|c| !is_word(c))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        .map(|word| (word.as_ptr() as usize - source.as_ptr() as usize, word))
        .collect()
}
