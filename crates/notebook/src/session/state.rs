//! How far a run has come: what is compiled, what has its values in the runtime, what failed.

use greenroom_stage::protocol::EvaluationId;

use crate::compiler::{CompiledCell, Scope};
use crate::event::Status;
use crate::plan::PlannedCell;

pub(super) struct Progress {
    cells: Vec<State>,
    last_id: u64,
    ok: usize,
    failed: usize,
    skipped: usize,
    /// The person wants it to end: nothing more is run.
    pub(super) interrupted: bool,
}

#[derive(Default)]
enum State {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// It is compiled; its values are in the runtime under this evaluation, or were lost with one.
    Compiled(Box<CompiledCell>, Option<EvaluationId>),
    /// It failed, or was not run; it would have defined these names.
    Failed(Vec<String>),
}

impl Progress {
    pub(super) fn new(cells: usize) -> Self {
        let cells = std::iter::repeat_with(State::default).take(cells).collect();
        Progress { cells, last_id: 0, ok: 0, failed: 0, skipped: 0, interrupted: false }
    }

    pub(super) fn count(&mut self, status: Status) {
        match status {
            Status::Ok => self.ok += 1,
            Status::Error => self.failed += 1,
            Status::Skipped => self.skipped += 1,
        }
    }

    pub(super) fn counts(&self) -> (usize, usize, usize) {
        (self.ok, self.failed, self.skipped)
    }

    pub(super) fn next_id(&mut self) -> EvaluationId {
        self.last_id += 1;
        EvaluationId(self.last_id)
    }

    pub(super) fn compiled(&mut self, place: usize, cell: CompiledCell) {
        self.cells[place] = State::Compiled(Box::new(cell), None);
    }

    pub(super) fn failed(&mut self, place: usize, defines: Vec<String>) {
        self.cells[place] = State::Failed(defines);
    }

    pub(super) fn evaluated(&mut self, place: usize, id: EvaluationId) {
        if let State::Compiled(_, evaluation) = &mut self.cells[place] {
            *evaluation = Some(id);
        }
    }

    /// All values are gone.
    pub(super) fn lose_runtime(&mut self) {
        for cell in &mut self.cells {
            if let State::Compiled(_, evaluation) = cell {
                *evaluation = None;
            }
        }
    }

    pub(super) fn compiled_cell(&self, place: usize) -> Option<&CompiledCell> {
        match &self.cells[place] {
            State::Compiled(cell, _) => Some(cell),
            State::Waiting | State::Failed(_) => None,
        }
    }

    /// The cell whose values are in the runtime under this evaluation.
    pub(super) fn place_of(&self, id: EvaluationId) -> Option<usize> {
        self.cells.iter().position(|cell| matches!(cell, State::Compiled(_, Some(evaluation)) if *evaluation == id))
    }

    /// What the compiler knows of the cells above this one.
    pub(super) fn scope(&self, plan: &[PlannedCell], place: usize) -> Scope {
        let mut scope = Scope::default();
        for &above in &plan[place].ancestors {
            let name = plan[above].label();
            match &self.cells[above] {
                State::Compiled(cell, _) => scope.push(name, (**cell).clone()),
                State::Failed(defines) => scope.push_failed(name, defines.clone()),
                State::Waiting => {}
            }
        }
        scope
    }

    /// The cells whose bindings this one imports, from the top.
    fn definers(&self, plan: &[PlannedCell], place: usize) -> Vec<usize> {
        let cell = self.compiled_cell(place);
        cell.map_or_else(Vec::new, |cell| self.definers_among(&plan[place].ancestors, cell))
    }

    /// Those of some cells, from the top, whose bindings a cell below them imports.
    fn definers_among(&self, above: &[usize], cell: &CompiledCell) -> Vec<usize> {
        let exports = |above: usize, name: &str| {
            self.compiled_cell(above).is_some_and(|above| above.exports.iter().any(|export| export.name == name))
        };
        let nearest = |name: &String| above.iter().rev().copied().find(|&above| exports(above, name));
        let mut definers: Vec<usize> = cell.uses.iter().filter_map(nearest).collect();
        definers.sort_unstable();
        definers.dedup();
        definers
    }

    /// The evaluations that hold what this cell imports.
    pub(super) fn stands_on(&self, plan: &[PlannedCell], place: usize) -> Vec<EvaluationId> {
        self.evaluations(self.definers(plan, place))
    }

    /// The evaluations that hold what something imports that stands right below this cell.
    pub(super) fn below(&self, plan: &[PlannedCell], place: usize, cell: &CompiledCell) -> Vec<EvaluationId> {
        let above: Vec<usize> = plan[place].ancestors.iter().copied().chain([place]).collect();
        self.evaluations(self.definers_among(&above, cell))
    }

    fn evaluations(&self, places: Vec<usize>) -> Vec<EvaluationId> {
        let evaluation = |above: usize| match self.cells[above] {
            State::Compiled(_, evaluation) => evaluation,
            State::Waiting | State::Failed(_) => None,
        };
        places.into_iter().filter_map(evaluation).collect()
    }

    /// The cells that have to be evaluated again before this one can be, from the top.
    pub(super) fn lost(&self, plan: &[PlannedCell], place: usize) -> Vec<usize> {
        self.lost_of(plan, self.definers(plan, place))
    }

    /// The same for something that stands right below this cell.
    pub(super) fn lost_below(&self, plan: &[PlannedCell], place: usize, cell: &CompiledCell) -> Vec<usize> {
        let above: Vec<usize> = plan[place].ancestors.iter().copied().chain([place]).collect();
        self.lost_of(plan, self.definers_among(&above, cell))
    }

    fn lost_of(&self, plan: &[PlannedCell], mut open: Vec<usize>) -> Vec<usize> {
        let mut lost = Vec::new();
        while let Some(above) = open.pop() {
            if matches!(self.cells[above], State::Compiled(_, None)) && !lost.contains(&above) {
                lost.push(above);
                open.extend(self.definers(plan, above));
            }
        }
        lost.sort_unstable();
        lost
    }
}
