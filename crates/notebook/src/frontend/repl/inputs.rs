//! `:input`: what the cells of the notebook ask for, and setting it.

use std::fmt::Write;

use super::Repl;
use crate::frontend::inputs::{NoInput, choose, in_order};
use crate::session::data::{Data, InputState};
use crate::session::operation::{Input, InputId};

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
