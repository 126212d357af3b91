//! `:input`: what the cells of the notebook ask for, and setting it.

use std::fmt::Write;

use super::Repl;
use crate::session::data::{Data, InputState};
use crate::session::operation::{Input, InputId};

/// Why nobody knows which input is meant.
#[derive(Debug, PartialEq, Eq)]
enum NoInput {
    /// No cell shows one.
    None,
    /// It is none of these.
    Unknown(Vec<String>),
    /// Several are called so.
    Several,
}

impl Repl {
    /// Lists the inputs, or sets one: `NAME VALUE`, or `NUMBER VALUE`.
    pub(super) fn input(&mut self, said: Option<&str>) {
        let data = self.data();
        let inputs = in_order(&data);
        let Some(said) = said else {
            return match inputs.is_empty() {
                true => self.tell("no cell shows an input: end one in `Input::text(\"Name\")`"),
                false => self.tell(&list(&data, &inputs)),
            };
        };
        let labels: Vec<&str> = inputs.iter().map(|(_, state)| state.form.label.as_str()).collect();
        match choose(&labels, said) {
            Ok((place, text)) => self.set(&data, inputs[place], text),
            Err(NoInput::None) => self.complain("no cell shows an input"),
            Err(NoInput::Unknown(labels)) => {
                self.complain(&format!("which input? There are: {}", labels.join(", ")));
            }
            Err(NoInput::Several) => self.complain("several inputs are called so: say its number in `:input`"),
        }
    }

    fn set(&mut self, before: &Data, (id, state): (InputId, &InputState), text: &str) {
        let value = match state.form.read(text) {
            Ok(value) => value,
            Err(not) => return self.complain(&not.to_string()),
        };
        let shown = state.form.shown(&value);
        if let Err(refusal) = self.apply(Input::Set { input: id, value }) {
            return self.complain(&refusal.to_string());
        }
        let stale = stale(&self.data()).saturating_sub(stale(before));
        let rest = match stale {
            0 => String::new(),
            1 => "; a cell is stale now, and `:stale` evaluates it".to_owned(),
            more => format!("; {more} cells are stale now, and `:stale` evaluates them"),
        };
        self.tell(&format!("{} is {shown}{rest}", state.form.label));
    }
}

/// How many cells wait to be evaluated again.
fn stale(data: &Data) -> usize {
    data.document().cells().filter(|cell| data.info(*cell).is_some_and(|info| info.is_outdated())).count()
}

/// The inputs in the order of the cells that show them.
fn in_order(data: &Data) -> Vec<(InputId, &InputState)> {
    let mut inputs: Vec<_> = data.inputs().iter().map(|(id, state)| (*id, state)).collect();
    inputs.sort_by_key(|(_, state)| state.shown_by.keys().map(|cell| data.document().number(*cell)).min());
    inputs
}

fn list(data: &Data, inputs: &[(InputId, &InputState)]) -> String {
    let widest = inputs.iter().map(|(_, state)| console::measure_text_width(&state.form.label)).max().unwrap_or(0);
    let mut text = String::new();
    for (place, (_, state)) in inputs.iter().enumerate() {
        let label = console::pad_str(&state.form.label, widest, console::Alignment::Left, None);
        let cells: Vec<_> = state.shown_by.keys().map(|cell| format!("[{}]", data.document().number(*cell))).collect();
        let (value, wanted, cells) = (state.form.shown(&state.value), state.form.wanted(), cells.join(" "));
        // A `String` takes everything.
        let _ = writeln!(text, "{:>3}  {label}  {value}  ({wanted})  {cells}", place + 1);
    }
    text
}

/// Which input is meant, by its number or its name, and what is said of it. Of two names the longer one counts.
fn choose<'a>(labels: &[&str], said: &'a str) -> Result<(usize, &'a str), NoInput> {
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
