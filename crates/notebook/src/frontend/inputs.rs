//! What the cells of a notebook ask for: their inputs as a person names them, in the order of their cells.

use crate::session::data::{Data, InputState};
use crate::session::operation::InputId;

/// An input as its name tells it, and whether what it is set to is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) label: String,
    pub(super) is_secret: bool,
}

/// Why nobody knows which input is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoInput {
    /// No cell shows one.
    None,
    /// It is none of these.
    Unknown(Vec<String>),
    /// Several are called so.
    Several,
}

/// The inputs in the order of the cells that show them.
pub(super) fn in_order(data: &Data) -> Vec<(InputId, &InputState)> {
    let mut inputs: Vec<_> = data.inputs().iter().map(|(id, state)| (*id, state)).collect();
    inputs.sort_by_key(|(_, state)| state.shown_by.keys().map(|cell| data.document().number(*cell)).min());
    inputs
}

/// Which input is meant, by its number or its name, and what is said of it. Of two names the longer one counts.
pub(super) fn choose<'a>(labels: &[&str], said: &'a str) -> Result<(usize, &'a str), NoInput> {
    if labels.is_empty() {
        return Err(NoInput::None);
    }
    let rest = |label: &str| {
        let rest = said.get(label.len()..).filter(|_| said[..label.len()].eq_ignore_ascii_case(label))?;
        (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
    };
    let named: Vec<usize> = (0..labels.len()).filter(|place| rest(labels[*place]).is_some()).collect();
    if let Some(longest) = named.iter().copied().max_by_key(|place| labels[*place].len()) {
        let same = named.iter().filter(|place| labels[**place].len() == labels[longest].len()).count();
        return match rest(labels[longest]) {
            Some(rest) if same == 1 => Ok((longest, rest)),
            _ => Err(NoInput::Several),
        };
    }
    let (word, value) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
    let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    match number.filter(|place| *place < labels.len()) {
        Some(place) => Ok((place, value.trim())),
        None => Err(NoInput::Unknown(labels.iter().map(|label| (*label).to_owned()).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_meant_by_its_name_or_its_number() {
        let labels = ["Name", "Name of it", "Größe", "Twice", "Twice"];
        let check = |said: &'static str, expected: Result<(usize, &'static str), NoInput>| {
            assert_eq!(choose(&labels, said), expected, "{said}");
        };
        check("Name Ada", Ok((0, "Ada")));
        check("name  Ada Lovelace ", Ok((0, "Ada Lovelace")));
        check("Name", Ok((0, "")));
        check("Name of it a clock", Ok((1, "a clock")));
        check("Größe 3", Ok((2, "3")));
        check("3 5", Ok((2, "5")));
        check("Twice 1", Err(NoInput::Several));
        check("5 1", Ok((4, "1")));
        for unknown in ["6 1", "0 1", "Names x", "Gr", ""] {
            check(unknown, Err(NoInput::Unknown(labels.map(str::to_owned).to_vec())));
        }
        assert_eq!(choose(&[], "x"), Err(NoInput::None));
    }
}
