//! The reads of one evaluation, kept by its leader: each input is asked for once.

use std::collections::HashMap;

use greenroom::{Local, Node, Pid, Ref, self_pid, send};

use super::NotTheCell;
use super::form::Value;
use crate::protocol::{EvaluationId, InputRead, ReadInput};

/// To the leader: this process reads this input, and waits for an answer under the tag.
pub(crate) type Asked = Local<(Pid, Ref, u64)>;

/// The leader's answer: the value, if any cell shows the input.
pub(crate) type Told = Local<(Ref, Result<Option<Value>, NotTheCell>)>;

/// What an evaluation has read, and what it waits for.
#[derive(Debug)]
pub(crate) struct Reads {
    id: EvaluationId,
    /// The notebook's process for this evaluation.
    notebook: Pid,
    /// The process of the cell; none once its code is through.
    reader: Option<Pid>,
    known: HashMap<u64, Option<Value>>,
    waiting: Vec<(Ref, u64)>,
}

impl Reads {
    /// Of an evaluation that begins.
    pub(crate) fn new(id: EvaluationId, notebook: Pid, reader: Pid) -> Self {
        Reads { id, notebook, reader: Some(reader), known: HashMap::new(), waiting: Vec::new() }
    }

    /// The code of the cell is through: nothing that is read now would bind it.
    pub(crate) fn end(&mut self) {
        self.reader = None;
    }

    /// Somebody reads.
    pub(crate) fn asked(&mut self, (from, tag, input): (Pid, Ref, u64)) {
        if self.reader != Some(from) {
            tell(from, tag, Err(NotTheCell));
        } else if let Some(value) = self.known.get(&input) {
            tell(from, tag, Ok(value.clone()));
        } else {
            let is_asked = self.waiting.iter().any(|(_, other)| *other == input);
            self.waiting.push((tag, input));
            if !is_asked {
                send(self.notebook, ReadInput { id: self.id, from: self_pid(), input });
            }
        }
    }

    /// The notebook has answered.
    pub(crate) fn answered(&mut self, InputRead { input, value }: InputRead) {
        let Some(reader) = self.reader else { return };
        let told = self.waiting.extract_if(.., |(_, other)| *other == input);
        told.for_each(|(tag, _)| tell(reader, tag, Ok(value.clone())));
        self.known.insert(input, value);
    }
}

fn tell(reader: Pid, tag: Ref, told: Result<Option<Value>, NotTheCell>) {
    if let Some(node) = Node::current() {
        let told: Told = Local((tag, told));
        node.send_untraced(reader, told);
    }
}
