//! Compiling all cells of a notebook without running any: each on what became of those above it.
//!
//! Blocks; the thread that it is to happen on is for the caller to choose.

use std::time::Instant;

use crate::compiler::{CellInput, CompileError, CompiledCell, Compiler, Scope};
use crate::event::{CellReport, Event, Status};
use crate::explain::Explainer;
use crate::plan::{PlannedCell, defined_below};
use crate::rustc::Cancel;

/// What cells are compiled with.
pub struct Check<'a> {
    /// The cells, in order.
    pub plan: &'a [PlannedCell],
    /// Compiles them.
    pub compiler: &'a Compiler,
    /// Puts failures into words.
    pub explainer: &'a Explainer,
    /// Stops compilations.
    pub cancel: &'a Cancel,
}

impl Check<'_> {
    /// Compiles every cell and tells what becomes of it. What did not compile is missing in what is returned.
    pub fn run(&self, tell: &mut dyn FnMut(Event)) -> Vec<Option<CompiledCell>> {
        let mut compiled: Vec<Option<CompiledCell>> = Vec::new();
        let mut counts = [0; 3];
        for place in 0..self.plan.len() {
            let (report, library) = self.cell(place, &scope(self.plan, place, &compiled), tell);
            counts[report.status as usize] += 1;
            tell(Event::Cell(report));
            compiled.push(library);
        }
        let [ok, failed, skipped] = counts;
        tell(Event::Done { ok, failed, skipped });
        compiled
    }

    fn cell(&self, place: usize, scope: &Scope, tell: &mut dyn FnMut(Event)) -> (CellReport, Option<CompiledCell>) {
        let cell = &self.plan[place];
        if self.cancel.is_cancelled() {
            return (cell.report_why(Status::Skipped, "not compiled: the check was interrupted"), None);
        }
        if let Some(drawing) = cell.foreign() {
            return (cell.report_why(Status::Error, self.explainer.draw(cell, &drawing)), None);
        }
        tell(Event::CellStarted(cell.start()));
        let begin = Instant::now();
        let input = CellInput { name: &cell.label(), source: &cell.source };
        let (mut report, compiled) = match self.compiler.compile(&input, scope, self.cancel) {
            Ok(compiled) => {
                let outputs = self.explainer.warnings(cell, &compiled).into_iter().collect();
                (CellReport { cached: compiled.cached, outputs, ..cell.report(Status::Ok) }, Some(compiled))
            }
            Err(error @ CompileError::DependsOnFailed { .. }) => {
                (cell.report_why(Status::Skipped, error.to_string()), None)
            }
            Err(error) => {
                let below = |name: &str| defined_below(self.plan, place, name);
                (cell.report_why(Status::Error, self.explainer.compile_error(cell, &error, &below)), None)
            }
        };
        if !report.cached && report.status != Status::Skipped {
            report.compile_ms = begin.elapsed().as_secs_f64() * 1000.0;
        }
        (report, compiled)
    }
}

/// What the compiler knows of the cells above one.
pub fn scope(plan: &[PlannedCell], place: usize, compiled: &[Option<CompiledCell>]) -> Scope {
    let mut scope = Scope::of(plan[place].index);
    for &above in &plan[place].ancestors {
        match compiled.get(above) {
            Some(Some(cell)) => scope.push(plan[above].label(), cell.clone()),
            Some(None) => scope.push_failed(plan[above].label(), plan[above].defines()),
            None => {}
        }
    }
    scope
}
