//! What can be said of a source that does not parse: the names that it would probably define, so that cells which depend
//! on it can be reported as not run instead of failing with errors of their own; and those that it may use, while it is
//! being typed. Comments and strings are not told from code: a name too many does no harm here.

use super::{Analysis, Defined, Kind, PAST, Past, Used};

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

/// Every word as a name that may be used, and the values of other cells that are asked for.
pub(super) fn uses(source: &str) -> Analysis {
    let used = |name: String, start: usize, end: usize| Used { name, span: start..end, certain: false, binding: true };
    let mut analysis = Analysis::default();
    for (start, word) in words(source) {
        let end = start + word.len();
        match asked(&source[end..]).filter(|_| word == PAST) {
            Some((number, length)) => {
                analysis.past.push(Past { number, span: start..end + length });
                analysis.uses.push(used(Past::name(number), start, end + length));
            }
            None => analysis.uses.push(used(word.to_owned(), start, end)),
        }
    }
    analysis
}

/// The number in brackets that a text begins with, and how long that is.
fn asked(text: &str) -> Option<(i64, usize)> {
    let (number, _) = text.strip_prefix('(')?.split_once(')')?;
    Some((number.parse().ok()?, number.len() + "()".len()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_may_be_used_and_values_are_asked_for() {
        let analysis = uses("total.map(|n| n + v(3)).ma + v(-1) + v(x)");
        let names: Vec<&str> = analysis.uses.iter().map(|used| used.name.as_str()).collect();
        assert_eq!(names, ["total", "map", "n", "n", "v(3)", "ma", "v(-1)", "v", "x"]);
        assert_eq!(analysis.past.iter().map(|past| past.number).collect::<Vec<_>>(), [3, -1]);
    }
}
