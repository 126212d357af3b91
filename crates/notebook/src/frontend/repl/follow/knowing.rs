//! What a REPL knows of the notebook after each thing that happens: what can be typed next, and what it waits for.

use std::time::Instant;

use greenroom_stage::input;

use super::{Following, Sink, what};
use crate::frontend::complete::Name;
use crate::frontend::inputs::{Asked, in_order};
use crate::frontend::others;
use crate::frontend::repl::seen::{Doing, State, Work};
use crate::session::Update;
use crate::session::data::{Data, InputState, RuntimeStatus, Status};
use crate::session::operation::CellId;

impl<S: Sink> Following<S> {
    /// What can be typed next.
    pub(super) fn know(&mut self, data: &Data) {
        let document = data.document();
        let mut known = self.known.lock();
        known.names.clear();
        known.cells.clear();
        let mut number = 0;
        for id in document.cells() {
            let Some(code) = document.cell(id).and_then(|cell| cell.code()) else { continue };
            if document.place(id).is_some_and(|place| place.section > 0) {
                number += 1;
                known.cells.push((number, crate::event::heading(&code.source)));
            }
            // What has failed defines nothing, and what runs for the first time nothing yet.
            let info = data.info(id).filter(|info| !info.failed && info.shown.is_some());
            let info = info.filter(|info| info.status == Status::Ready || info.record.is_some());
            let compiled = info.and_then(|info| info.compiled.as_ref());
            let names = compiled.into_iter().flat_map(|compiled| compiled.names.iter());
            known.names.extend(names.map(|named| Name {
                name: named.name.to_string(),
                what: what(named),
                cell: number,
            }));
        }
    }

    pub(super) fn summarise(&mut self, data: &Data, update: &Update) {
        let document = data.document();
        let mut state = self.seen.lock();
        state.is_there = true;
        state.next_id = Some(data.unused_cell_id());
        let is_code = |id: &CellId| document.cell(*id).and_then(|cell| cell.code()).is_some();
        state.cells =
            document.sections().iter().flat_map(|section| section.cells.iter().copied()).filter(is_code).collect();
        state.count = state.cells.len();
        state.last_section = document
            .sections()
            .iter()
            .rev()
            .find(|section| section.head.parent.is_none())
            .map(|section| section.head.id);
        state.lengths = document.sections().iter().map(|section| (section.head.id, section.cells.len())).collect();
        state.is_dirty = data.is_dirty();
        state.live_frames = self.frames.len();
        state.others = others(data);
        state.file = data.file().path.clone();
        let mut known = self.known.lock();
        known.next = state.count + 1;
        let asked = in_order(data).into_iter().map(|(_, InputState { form, .. })| Asked {
            label: form.label.clone(),
            is_secret: form.kind == input::Kind::Password,
        });
        known.asked = asked.collect();
        drop(known);
        state.node.clone_from(&data.runtime().node);
        state.runtime = data.runtime().status;
        // What is awaited is over when it neither waits nor runs, once it has.
        state.awaited.retain(|cell, was_seen| {
            let is_idle = data.info(*cell).is_none_or(|info| info.status == Status::Ready);
            let goes_on = !(is_idle && *was_seen);
            *was_seen |= !is_idle;
            goes_on
        });
        if let Update::Happened(operation) = update
            && state.own.as_ref() == Some(operation)
        {
            state.own = None;
        }
        self.doing(data, &mut state);
        self.seen.changed(state);
    }

    fn doing(&self, data: &Data, state: &mut State) {
        let first = data.evaluating().iter().next().copied();
        let Some(cell) = first.or_else(|| data.queued().iter().next().copied()) else {
            state.doing = None;
            return;
        };
        let number = data.document().number(cell);
        let info = data.info(cell);
        let what = match (first, data.runtime().status) {
            (None, _) | (_, RuntimeStatus::Connecting) => Work::WaitingForRuntime(data.runtime().building.clone()),
            (Some(_), _) => match info.and_then(|info| info.not_yielding_ms) {
                Some(ms) => Work::NotYielding(ms as f64),
                // Its compilation is told as it starts to run.
                None if self.started.contains(&cell) => Work::Running,
                None => Work::Compiling,
            },
        };
        let since = match &state.doing {
            Some(doing) if doing.cell == number => doing.since,
            _ => Instant::now(),
        };
        state.doing = Some(Doing { cell: number, since, what });
    }
}
