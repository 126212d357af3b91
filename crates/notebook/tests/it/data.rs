//! The data of a live notebook: what every operation does to it. The numbers are those of Livebook's cases.

mod evaluation;
mod properties;
mod queue;
mod staleness;
mod structure;

use std::collections::BTreeMap;
use std::sync::Arc;

use greenroom_notebook::analysis;
use greenroom_notebook::livemd::{Cell, Code, Language, parse};
use greenroom_notebook::session::data::{Data, Refusal, Status, Validity, reach, text};
use greenroom_notebook::session::operation::{
    Action, CellId, CellsOfDeleted, Definition, Evaluation, Input, InputId, Operation, Outcome, Runtime, SectionHead,
    SectionId, Structure,
};
use greenroom_stage::input::{Form, Kind, Value};
use greenroom_stage::protocol::EvaluationId;

/// A notebook and whoever obeys it, without processes: evaluations end when the test says so.
#[derive(Clone)]
struct Live {
    data: Data,
    /// Everything that was applied.
    log: Vec<Operation>,
    actions: Vec<Action>,
}

/// A section `name` of a document, branching from another if `parent` says so, with these cells.
fn section(name: &str, parent: Option<usize>, cells: &[&str]) -> String {
    let parent = parent.map(|parent| format!("<!-- livebook:{{\"branch_parent_index\":{parent}}} -->\n\n"));
    let cells: String = cells.iter().map(|cell| format!("```rust\n{cell}\n```\n\n")).collect();
    format!("{}## {name}\n\n{cells}", parent.unwrap_or_default())
}

impl Live {
    /// A notebook of these sections, with a runtime.
    fn of(sections: &[String]) -> Live {
        let mut live = Live::offline(&format!("# N\n\n{}", sections.concat()));
        live.apply(Runtime::Connect);
        live.connected();
        live.actions.clear();
        live
    }

    /// One section.
    fn cells(cells: &[&str]) -> Live {
        Live::of(&[section("S", None, cells)])
    }

    fn offline(text: &str) -> Live {
        Live { data: Data::new(&parse(text).0), log: Vec::new(), actions: Vec::new() }
    }

    #[track_caller]
    fn apply(&mut self, operation: impl Into<Operation>) {
        let operation = operation.into();
        if let Err(refusal) = self.try_apply(operation.clone()) {
            panic!("{operation:?} was refused: {refusal}");
        }
    }

    fn try_apply(&mut self, operation: impl Into<Operation>) -> Result<(), Refusal> {
        let operation = operation.into();
        let actions = self.data.apply(&operation)?;
        self.actions.extend(actions);
        self.log.push(operation);
        Ok(())
    }

    /// The runtime that was asked for is ready.
    #[track_caller]
    fn connected(&mut self) {
        self.apply(Runtime::Connected(self.data.runtime().id));
    }

    #[track_caller]
    fn down(&mut self, why: &str) {
        self.apply(Runtime::Down { runtime: self.data.runtime().id, why: why.to_owned() });
    }

    #[track_caller]
    fn queue(&mut self, numbers: &[u64]) {
        self.apply(Evaluation::Queue(numbers.iter().copied().map(CellId).collect()));
    }

    /// Ends an evaluation that runs; its definitions have this version.
    #[track_caller]
    fn succeed(&mut self, number: u64, version: u64) {
        let cell = CellId(number);
        let source = self.data.document().cell(cell).map(text).unwrap_or_default().to_owned();
        let definition = |defined: analysis::Defined| Definition {
            reach: reach(defined.kind),
            name: Arc::from(defined.name),
            version,
        };
        let defines = analysis::defines(&source).into_iter().map(definition).collect();
        self.finish(number, Outcome::Ok { defines, run_ms: 1.0, process: None });
    }

    #[track_caller]
    fn fail(&mut self, number: u64) {
        self.finish(number, Outcome::Failed { why: "it failed".to_owned(), run_ms: 1.0 });
    }

    #[track_caller]
    fn finish(&mut self, number: u64, outcome: Outcome) {
        let evaluation = self.running(number);
        self.apply(Evaluation::Finished { cell: CellId(number), evaluation, outcome });
    }

    #[track_caller]
    fn running(&self, number: u64) -> EvaluationId {
        let info = self.data.info(CellId(number)).expect("it is there");
        info.running.as_ref().unwrap_or_else(|| panic!("cell {number} does not run: {}", self.show())).id
    }

    /// Queues all of these and lets everything that comes of it succeed, always with the same versions.
    #[track_caller]
    fn evaluate(&mut self, numbers: &[u64]) {
        self.queue(numbers);
        self.settle();
    }

    #[track_caller]
    fn settle(&mut self) {
        while let Some(&CellId(number)) = self.data.evaluating().first() {
            self.succeed(number, 1);
        }
    }

    /// Evaluates a cell alone, with a version of its own.
    #[track_caller]
    fn change(&mut self, number: u64, version: u64) {
        self.queue(&[number]);
        self.succeed(number, version);
    }

    #[track_caller]
    fn write(&mut self, number: u64, source: &str) {
        let cell = CellId(number);
        let removed = self.data.document().cell(cell).map_or(0, |cell| text(cell).len());
        self.apply(Structure::Edit { cell, at: 0, removed, inserted: source.to_owned() });
    }

    /// All cells with what is known of them, in one line.
    fn show(&self) -> String {
        let cell = |id: CellId| {
            let info = self.data.info(id).expect("it is there");
            let validity = match info.validity {
                Validity::Fresh => "fresh",
                Validity::Evaluated if info.failed => "failed",
                Validity::Evaluated => "ok",
                Validity::Stale => "stale",
                Validity::Aborted => "aborted",
            };
            let status = match info.status {
                Status::Ready => "",
                Status::Queued => " queued",
                Status::Evaluating => " evaluating",
            };
            format!("{}: {validity}{status}", id.0)
        };
        self.data.document().cells().map(cell).collect::<Vec<_>>().join(", ")
    }

    #[track_caller]
    fn check(&self, expected: &str) {
        assert_eq!(self.show(), expected);
    }

    /// What is to be done, in words.
    fn done(&mut self) -> Vec<String> {
        let say = |action| match action {
            Action::Connect => "connect".to_owned(),
            Action::Disconnect => "disconnect".to_owned(),
            Action::Evaluate { cell, container, stands_on, .. } => {
                let stands_on: Vec<String> = stands_on.iter().map(|id| id.0.to_string()).collect();
                format!("evaluate {} in {} on [{}]", cell.0, container.0, stands_on.join(" "))
            }
            Action::Stop { cell, .. } => format!("stop {}", cell.0),
            Action::StopExamples { cell, .. } => format!("stop the examples of {}", cell.0),
            Action::Forget(id) => format!("forget #{}", id.0),
            Action::Abandon(cell) => format!("abandon {}", cell.0),
        };
        std::mem::take(&mut self.actions).into_iter().map(say).collect()
    }
}

fn code(source: &str) -> Box<Cell> {
    Box::new(Cell::Code(Code::new(Language::Rust, source, 0)))
}
