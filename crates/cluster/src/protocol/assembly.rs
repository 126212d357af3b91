//! Putting long operations together again from their fragments.

use std::collections::HashMap;

use super::outbox::{IN_LANES, LANES};
use super::record::{FRAGMENT, Malformed, Record, malformed};
use crate::codec;

/// Operations of which a part has arrived.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    lanes: HashMap<u32, Partial>,
    /// What they will have together.
    total: usize,
}

#[derive(Debug)]
struct Partial {
    total: usize,
    bytes: Vec<u8>,
}

impl Assembly {
    /// Takes a record of data; gives the operation that is complete with it.
    pub(super) fn take(&mut self, record: Record<'_>) -> Result<Option<Vec<u8>>, Malformed> {
        match record {
            Record::Operation(bytes) => Ok(Some(bytes.to_vec())),
            Record::Begin { lane, total, bytes } => self.begin(lane, total as usize, bytes),
            Record::More { lane, bytes } => self.more(lane, bytes),
            Record::Hello(_) | Record::Proof(_) | Record::Verdict { .. } => {
                malformed("a record of the handshake comes after it")
            }
            Record::Tick(_) | Record::Bye => Ok(None),
        }
    }

    fn begin(&mut self, lane: u32, total: usize, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        if total > codec::LIMIT || total <= FRAGMENT || bytes.len() != FRAGMENT {
            return malformed(format!("an operation of {total} bytes begins with a fragment of {}", bytes.len()));
        }
        if self.lanes.len() >= LANES || !self.lanes.is_empty() && self.total + total > IN_LANES {
            return malformed("too many long operations are under way at once");
        }
        // Room for all of it, so that it is never moved, which would keep others waiting; it is only touched, and so only
        // taken from the machine, as bytes arrive.
        let mut all = Vec::with_capacity(total);
        all.extend_from_slice(bytes);
        if self.lanes.insert(lane, Partial { total, bytes: all }).is_some() {
            return malformed("a long operation begins twice");
        }
        self.total += total;
        Ok(None)
    }

    fn more(&mut self, lane: u32, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        let Some(partial) = self.lanes.get_mut(&lane) else { return malformed("a fragment belongs to nothing") };
        if bytes.is_empty() || partial.bytes.len() + bytes.len() > partial.total {
            return malformed("a fragment is empty, or longer than its operation");
        }
        partial.bytes.extend_from_slice(bytes);
        if partial.bytes.len() < partial.total {
            return Ok(None);
        }
        let Some(done) = self.lanes.remove(&lane) else { return Ok(None) };
        self.total -= done.total;
        Ok(Some(done.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_that_do_not_fit_are_refused() {
        let whole = vec![0; FRAGMENT];
        let begin = |lane, total| Record::Begin { lane, total, bytes: &whole };
        let with_one = || {
            let mut assembly = Assembly::default();
            assert_eq!(assembly.take(begin(1, FRAGMENT as u32 + 1)), Ok(None));
            assembly
        };
        assert!(with_one().take(begin(1, FRAGMENT as u32 + 1)).is_err());
        assert!(with_one().take(begin(2, u32::MAX)).is_err());
        assert!(with_one().take(begin(2, FRAGMENT as u32)).is_err());
        assert!(with_one().take(Record::Begin { lane: 2, total: 1 << 20, bytes: b"short" }).is_err());
        assert!(with_one().take(Record::More { lane: 2, bytes: b"x" }).is_err());
        assert!(with_one().take(Record::More { lane: 1, bytes: b"" }).is_err());
        assert!(with_one().take(Record::More { lane: 1, bytes: b"xy" }).is_err());
        assert!(with_one().take(Record::Proof([0; 32])).is_err());
        assert_eq!(
            with_one().take(Record::More { lane: 1, bytes: b"x" }).unwrap().map(|bytes| bytes.len()),
            Some(FRAGMENT + 1)
        );
    }

    #[test]
    fn not_more_is_taken_on_than_lanes_and_bytes_allow() {
        let whole = vec![0; FRAGMENT];
        let mut many = Assembly::default();
        let mut begin = |lane: u32, total: usize| many.take(Record::Begin { lane, total: total as u32, bytes: &whole });
        assert!((0..LANES as u32).all(|lane| begin(lane, FRAGMENT + 1).is_ok()));
        assert!(begin(LANES as u32, FRAGMENT + 1).is_err());
        let mut large = Assembly::default();
        let mut begin = |lane: u32| large.take(Record::Begin { lane, total: codec::LIMIT as u32, bytes: &whole });
        assert!(begin(0).is_ok() && begin(1).is_ok());
        assert!(begin(2).is_err());
    }
}
