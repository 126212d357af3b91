//! The state of a live notebook as data, and what every operation does to it: [`Data::apply`] is a function of the
//! data and the operation alone. No process, clock, channel or file is in scope here. Whoever applies the same
//! operations in the same order has the same data.
//!
//! One file a family of operations: `structure`, `evaluation`, `inputs`, `clients`, `runtime`, `file`.
//! Beside them `document` is what stands where, `staleness` who is out of date, `queue` who comes next and
//! `history` the way back.

mod clients;
mod document;
mod evaluation;
mod file;
mod history;
mod info;
mod inputs;
mod queue;
mod refusal;
mod runtime;
mod staleness;
mod structure;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::operation::{Action, CellId, ClientId, File, InputId, Operation, Visitor};
use crate::livemd::{Cell, Notebook};
pub use document::{Document, Place, Section, text};
pub use file::FileState;
pub use info::{Info, Record, Standing, Status, Validity};
pub use inputs::InputState;
pub use refusal::Refusal;
pub use runtime::{RuntimeState, RuntimeStatus};
pub use staleness::reach;
pub use structure::Binned;

/// The state of a live notebook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Data {
    document: Document,
    infos: FxHashMap<CellId, Info>,
    bin: BTreeMap<CellId, Binned>,
    /// No name is used twice, not even after its cell is gone.
    used_ids: BTreeSet<CellId>,
    history: history::History,
    index: staleness::Index,
    /// The cells that wait for their turn.
    queued: BTreeSet<CellId>,
    /// The cells that are being evaluated.
    evaluating: BTreeSet<CellId>,
    /// The cells whose examples are being run: their flows wait for that.
    examined: BTreeSet<CellId>,
    /// The cells that evaluate by themselves when they are stale.
    automatic: BTreeSet<CellId>,
    inputs: Arc<BTreeMap<InputId, InputState>>,
    clients: BTreeMap<ClientId, Visitor>,
    runtime: RuntimeState,
    file: FileState,
    last_evaluation: u64,
    revision: u64,
    document_revision: u64,
}

impl Data {
    /// The data of a notebook of which nothing was evaluated yet.
    ///
    /// # Examples
    /// ```
    /// use greenroom_notebook::livemd;
    /// use greenroom_notebook::session::data::{Data, Validity};
    /// use greenroom_notebook::session::operation::{Action, Evaluation};
    ///
    /// let (notebook, _) = livemd::parse("# N\n\n## S\n\n```rust\n1 + 1\n```\n");
    /// let mut data = Data::new(&notebook);
    /// let cell = data.document().cells().next().unwrap();
    /// assert_eq!(data.info(cell).unwrap().validity, Validity::Fresh);
    /// let actions = data.apply(&Evaluation::Queue(vec![cell]).into()).unwrap();
    /// assert_eq!(actions, [Action::Connect]);
    /// ```
    pub fn new(notebook: &Notebook) -> Data {
        Data::of(Document::new(notebook))
    }

    /// The data of a document of which nothing was evaluated yet.
    pub fn of(document: Document) -> Data {
        let mut data = Data {
            infos: FxHashMap::default(),
            bin: BTreeMap::new(),
            used_ids: document.cells().collect(),
            history: history::History::default(),
            index: staleness::Index::default(),
            queued: BTreeSet::new(),
            evaluating: BTreeSet::new(),
            examined: BTreeSet::new(),
            automatic: BTreeSet::new(),
            inputs: Arc::default(),
            clients: BTreeMap::new(),
            runtime: RuntimeState::default(),
            file: FileState::default(),
            last_evaluation: 0,
            revision: 0,
            document_revision: 0,
            document,
        };
        let cells: Vec<CellId> = data.document.cells().collect();
        for id in cells {
            data.admit(id);
        }
        data
    }

    /// Lets something happen. Returns what is to be done now; that it was done, or was not, comes back as operations.
    ///
    /// # Errors
    /// [`Refusal`], if it cannot happen. Then nothing has changed.
    pub fn apply(&mut self, operation: &Operation) -> Result<Vec<Action>, Refusal> {
        let mut actions = Vec::new();
        // Whatever changes the document from here on has changed it at this revision.
        self.revision += 1;
        if let Err(refusal) = self.happen(operation, &mut actions) {
            self.revision -= 1;
            return Err(refusal);
        }
        let changes = matches!(operation, Operation::Structure(_) | Operation::Undo | Operation::Redo);
        if changes || *operation == Operation::File(File::Recovered) {
            self.document_revision = self.revision;
        }
        self.queue_automatic();
        self.advance(&mut actions);
        Ok(actions)
    }

    fn happen(&mut self, operation: &Operation, actions: &mut Vec<Action>) -> Result<(), Refusal> {
        match operation {
            Operation::Structure(operation) => self.change(operation, actions),
            Operation::Undo => self.undo(actions),
            Operation::Redo => self.redo(actions),
            Operation::Evaluation(operation) => self.evaluation(operation, actions),
            Operation::Input(operation) => self.input(operation),
            Operation::Client(operation) => self.client(operation),
            Operation::Runtime(operation) => self.runtime_changed(operation, actions),
            Operation::File(operation) => self.file_changed(operation),
        }
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What is known of a cell.
    pub fn info(&self, cell: CellId) -> Option<&Info> {
        self.infos.get(&cell)
    }

    /// The deleted cells.
    pub fn bin(&self) -> &BTreeMap<CellId, Binned> {
        &self.bin
    }

    /// The cells that wait for their turn.
    pub fn queued(&self) -> &BTreeSet<CellId> {
        &self.queued
    }

    /// The cells that are being evaluated.
    pub fn evaluating(&self) -> &BTreeSet<CellId> {
        &self.evaluating
    }

    /// The cells whose examples are being run.
    pub fn examined(&self) -> &BTreeSet<CellId> {
        &self.examined
    }

    /// The inputs that cells show, with their values.
    pub fn inputs(&self) -> &BTreeMap<InputId, InputState> {
        &self.inputs
    }

    /// Those who look at it.
    pub fn clients(&self) -> &BTreeMap<ClientId, Visitor> {
        &self.clients
    }

    /// The runtime.
    pub fn runtime(&self) -> &RuntimeState {
        &self.runtime
    }

    /// The file.
    pub fn file(&self) -> &FileState {
        &self.file
    }

    /// How many operations have been applied.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision at which the document, as it is saved, has changed last.
    pub fn document_revision(&self) -> u64 {
        self.document_revision
    }

    /// Whether the document says something that its file does not.
    pub fn is_dirty(&self) -> bool {
        self.document_revision > self.file.saved
    }

    /// A name that no cell has or had.
    pub fn unused_cell_id(&self) -> CellId {
        CellId(self.used_ids.last().map_or(1, |last| last.0 + 1))
    }

    /// Gets to know a cell that is in the document now.
    fn admit(&mut self, id: CellId) {
        let Some(cell) = self.document.cell(id) else { return };
        let info = self.infos.entry(id).or_default();
        info.digest = staleness::digest(text(cell));
        info.outline = None;
        let is_automatic = cell.code().is_some_and(|code| code.attributes.reevaluate_automatically);
        if is_automatic && self.document.runnable(id).is_some() {
            self.automatic.insert(id);
        } else {
            self.automatic.remove(&id);
        }
    }

    fn known(&self, id: CellId) -> Result<&Cell, Refusal> {
        self.document.cell(id).ok_or(Refusal::NoSuchCell(id))
    }

    fn info_mut(&mut self, id: CellId) -> &mut Info {
        self.infos.entry(id).or_default()
    }
}
