//! Records: what the stream of bytes between two nodes is cut into.
//!
//! A record is its length (four bytes, little-endian), its kind (one byte, counted in the length) and a body. No
//! record is longer than [`FRAGMENT`] and a few bytes, and before the handshake is done none is longer than
//! [`HANDSHAKE_LIMIT`], so what a peer can make this node hold for an unfinished record is bounded.

use std::fmt;

/// The most of an operation that one record carries, in bytes.
pub const FRAGMENT: usize = 64 << 10;
/// The longest record before the handshake is done, in bytes.
pub const HANDSHAKE_LIMIT: usize = 1024;
/// The longest record after it: a fragment with its header.
const RECORD_LIMIT: usize = FRAGMENT + 16;
/// The bytes of a proof.
pub(super) const PROOF: usize = 32;
/// The bytes in front of a body: length and kind.
pub(super) const HEADER: usize = 5;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// Who this is, for the handshake.
    Hello(&'a [u8]),
    /// The caller knows the cookie.
    Proof([u8; PROOF]),
    /// The listener knows it too, and says whether the caller is let in.
    Verdict { code: u8, proof: [u8; PROOF] },
    /// A sign of life; `true` asks for one in return.
    Tick(bool),
    /// A whole operation.
    Operation(&'a [u8]),
    /// The beginning of an operation of `total` bytes.
    Begin { lane: u32, total: u32, bytes: &'a [u8] },
    /// The next bytes of it.
    More { lane: u32, bytes: &'a [u8] },
    /// This end closes the connection.
    Bye,
}

/// Bytes that are no record, or one that is out of place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub(super) String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

mod kind {
    pub(super) const HELLO: u8 = 1;
    pub(super) const PROOF: u8 = 2;
    pub(super) const VERDICT: u8 = 3;
    pub(super) const TICK: u8 = 16;
    pub(super) const OPERATION: u8 = 17;
    pub(super) const BEGIN: u8 = 18;
    pub(super) const MORE: u8 = 19;
    pub(super) const BYE: u8 = 20;
}

impl<'a> Record<'a> {
    /// Appends the record to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Record::Hello(bytes) => put(out, kind::HELLO, &[bytes]),
            Record::Proof(proof) => put(out, kind::PROOF, &[&proof]),
            Record::Verdict { code, proof } => put(out, kind::VERDICT, &[&[code], &proof]),
            Record::Tick(answer) => put(out, kind::TICK, &[&[u8::from(answer)]]),
            Record::Operation(bytes) => put(out, kind::OPERATION, &[bytes]),
            Record::Begin { lane, total, bytes } => {
                put(out, kind::BEGIN, &[&lane.to_le_bytes(), &total.to_le_bytes(), bytes]);
            }
            Record::More { lane, bytes } => put(out, kind::MORE, &[&lane.to_le_bytes(), bytes]),
            Record::Bye => put(out, kind::BYE, &[]),
        }
    }

    /// Reads kind and body.
    fn read(record: &'a [u8]) -> Result<Self, Malformed> {
        let Some((&kind, body)) = record.split_first() else { return malformed("a record has no kind") };
        match kind {
            kind::HELLO => Ok(Record::Hello(body)),
            kind::PROOF => match body.try_into() {
                Ok(proof) => Ok(Record::Proof(proof)),
                Err(_) => malformed("a proof has another length"),
            },
            kind::VERDICT => match body.split_first().map(|(&code, proof)| (code, proof.try_into())) {
                Some((code, Ok(proof))) => Ok(Record::Verdict { code, proof }),
                _ => malformed("a verdict has another length"),
            },
            kind::TICK => match body {
                [0] => Ok(Record::Tick(false)),
                [1] => Ok(Record::Tick(true)),
                _ => malformed("a tick says neither yes nor no"),
            },
            kind::OPERATION => Ok(Record::Operation(body)),
            kind::BEGIN => match (number(body), body.get(4..).and_then(number), body.get(8..)) {
                (Some(lane), Some(total), Some(bytes)) => Ok(Record::Begin { lane, total, bytes }),
                _ => malformed("the beginning of an operation is cut off"),
            },
            kind::MORE => match (number(body), body.get(4..)) {
                (Some(lane), Some(bytes)) => Ok(Record::More { lane, bytes }),
                _ => malformed("a fragment is cut off"),
            },
            kind::BYE if body.is_empty() => Ok(Record::Bye),
            kind::BYE => malformed("a goodbye has more to say"),
            other => malformed(format!("there are no records of kind {other}")),
        }
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

pub(super) fn malformed<T>(why: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed(why.into()))
}

fn put(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    out.extend_from_slice(&(length as u32).to_le_bytes()); // Far below 4 GiB: see `RECORD_LIMIT`.
    out.push(kind);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// Cuts what arrives into records. It holds at most one unfinished record and what came in one go with it.
#[derive(Debug)]
pub(super) struct Splitter {
    bytes: Vec<u8>,
    /// How many of them are done with.
    taken: usize,
    limit: usize,
}

impl Splitter {
    /// For the time before the handshake is done.
    pub(super) fn new() -> Self {
        Splitter { bytes: Vec::new(), taken: 0, limit: HANDSHAKE_LIMIT }
    }

    /// From now on records may be as long as fragments are.
    pub(super) fn widen(&mut self) {
        self.limit = RECORD_LIMIT;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next record that is complete.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, Malformed> {
        let Some(length) = number(&self.bytes[self.taken..]) else { return Ok(None) };
        let length = length as usize;
        if length > self.limit {
            return malformed(format!("a record of {length} bytes is over the limit of {}", self.limit));
        }
        let start = self.taken + 4;
        let Some(record) = self.bytes.get(start..start + length) else { return Ok(None) };
        self.taken = start + length;
        Record::read(record).map(Some)
    }

    /// The bytes that are held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: &[Record<'static>] = &[
        Record::Hello(b"hello"),
        Record::Proof([7; PROOF]),
        Record::Verdict { code: 3, proof: [9; PROOF] },
        Record::Tick(true),
        Record::Operation(b""),
        Record::Operation(b"some bytes"),
        Record::Begin { lane: 1, total: 1 << 30, bytes: b"abc" },
        Record::More { lane: 1, bytes: b"def" },
        Record::Bye,
    ];

    #[test]
    fn records_are_read_as_they_were_written_however_they_are_cut() {
        let mut bytes = Vec::new();
        ALL.iter().for_each(|record| record.write(&mut bytes));
        for size in 1..bytes.len() {
            let mut splitter = Splitter::new();
            let mut read = 0;
            for piece in bytes.chunks(size) {
                splitter.push(piece);
                while let Some(record) = splitter.next().unwrap() {
                    assert_eq!(record, ALL[read]);
                    read += 1;
                }
            }
            assert_eq!(read, ALL.len());
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_bytes_are_there() {
        let mut splitter = Splitter::new();
        splitter.push(&(HANDSHAKE_LIMIT as u32 + 1).to_le_bytes());
        assert!(splitter.next().is_err());
        splitter.widen();
        assert_eq!(splitter.next(), Ok(None));
        assert!(splitter.held() < 64);
    }

    proptest! {
        #[test]
        fn any_bytes_are_records_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut splitter = Splitter::new();
            splitter.push(&bytes);
            while let Ok(Some(_)) = splitter.next() {}
        }
    }
}
