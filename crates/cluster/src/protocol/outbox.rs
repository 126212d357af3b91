//! What waits to be sent on a connection, and in which order it goes.
//!
//! Short operations go in the order in which they came. Long ones are cut into fragments, and between two fragments
//! there is room for everyone else: so nobody waits long behind somebody else's long message. What may not overtake
//! a long one, because sender and receiver are the same, waits in its lane. Control records go before everything.

use std::collections::VecDeque;

use super::record::{FRAGMENT, HEADER, Record};

/// How many long operations are under way at once; more wait.
pub(super) const LANES: usize = 32;
/// How many bytes all long operations that are under way may have together; one may always.
pub(super) const IN_LANES: usize = 512 << 20;

/// Between whom an operation goes: two operations whose routes may be the same keep their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The sender, as a number that differs from others'; none if that is not known.
    pub from: Option<u64>,
    /// The receiver, in the same way; none for one that is named otherwise.
    pub to: Option<u64>,
}

impl Route {
    /// Whether the two may be routes of the same sender to the same receiver.
    fn meets(&self, other: &Route) -> bool {
        let same = |a: Option<u64>, b: Option<u64>| a.is_none() || b.is_none() || a == b;
        same(self.from, other.from) && same(self.to, other.to)
    }
}

/// The connection is not up (any more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUp;

/// What became of an operation that was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    /// There is room for more.
    Open,
    /// It will go, but its sender had better wait until there is room for others of its length.
    Full(Length),
}

/// What an operation waits among. Each has a mark of its own: nobody is held back for somebody else's long message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// It goes as one record.
    Short,
    /// It goes in fragments, or behind one that does.
    Long,
}

/// A long operation, and what waits behind it.
#[derive(Debug)]
struct Lane {
    number: u32,
    /// Whether its first fragment is gone.
    started: bool,
    /// The chunks that were there before it: it does not begin until so many are gone.
    after: u64,
    bytes: Vec<u8>,
    sent: usize,
    routes: Vec<Route>,
    behind: VecDeque<(Route, Vec<u8>)>,
    /// The bytes of those behind.
    waiting: usize,
}

impl Lane {
    fn wait(&mut self, route: Route, operation: Vec<u8>) {
        self.waiting += operation.len() + HEADER;
        self.behind.push_back((route, operation));
    }
}

/// Operations that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    control: Vec<u8>,
    /// Short operations as records, in chunks of about [`FRAGMENT`] bytes.
    chunks: VecDeque<Vec<u8>>,
    /// How many chunks have gone.
    gone: u64,
    lanes: VecDeque<Lane>,
    next_lane: u32,
    queued: usize,
    fragments: u64,
}

impl Outbox {
    /// Queues a record that goes before all others.
    pub(super) fn control(&mut self, record: &Record<'_>) {
        let before = self.control.len();
        record.write(&mut self.control);
        self.queued += self.control.len() - before;
    }

    /// Queues an operation, and says among which it waits.
    pub(super) fn push(&mut self, route: Route, operation: &[u8]) -> Length {
        self.queued += operation.len() + HEADER;
        match self.lanes.iter().position(|lane| lane.routes.iter().any(|in_lane| in_lane.meets(&route))) {
            Some(first) => {
                self.merge(first, &route);
                let lane = &mut self.lanes[first];
                lane.routes.push(route);
                lane.wait(route, operation.to_vec());
                Length::Long
            }
            None if operation.len() <= FRAGMENT => {
                self.append(operation);
                Length::Short
            }
            None => {
                self.open_lane(route, operation.to_vec());
                Length::Long
            }
        }
    }

    /// How many bytes of that length wait.
    pub(super) fn waiting(&self, length: Length) -> usize {
        let long = self.lanes.iter().map(|lane| lane.bytes.len() - lane.sent + HEADER + lane.waiting).sum();
        match length {
            Length::Short => self.queued.saturating_sub(long),
            Length::Long => long,
        }
    }

    /// How many bytes wait.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// How many fragments have gone.
    pub(super) fn fragments(&self) -> u64 {
        self.fragments
    }

    /// Appends what goes next to `out`: everything short that came together, and one fragment. False if there is
    /// nothing.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        out.append(&mut self.control);
        if let Some(chunk) = self.chunks.pop_front() {
            out.extend_from_slice(&chunk);
            self.gone += 1;
        }
        self.queued = self.queued.saturating_sub(out.len() - before);
        self.take_fragment(out);
        out.len() > before
    }

    /// Drops all that waits.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
        self.lanes.clear();
        self.queued = self.control.len();
    }

    fn append(&mut self, operation: &[u8]) {
        let room = |chunk: &&mut Vec<u8>| chunk.len() + operation.len() <= FRAGMENT;
        let record = Record::Operation(operation);
        match self.chunks.back_mut().filter(room) {
            Some(chunk) => record.write(chunk),
            None => {
                let mut chunk = Vec::with_capacity(operation.len() + HEADER);
                record.write(&mut chunk);
                self.chunks.push_back(chunk);
            }
        }
    }

    fn open_lane(&mut self, route: Route, bytes: Vec<u8>) {
        let number = self.next_lane;
        self.next_lane = number.wrapping_add(1);
        let after = self.gone + self.chunks.len() as u64;
        let (routes, behind) = (vec![route], VecDeque::new());
        let (started, sent, waiting) = (false, 0, 0);
        self.lanes.push_back(Lane { number, started, after, bytes, sent, routes, behind, waiting });
    }

    /// Whatever `route` has to wait for shall be in one lane: an operation without a known receiver may have to wait
    /// for several. Those of them that have not begun move behind the first; those that have are finished without
    /// letting others in between.
    fn merge(&mut self, first: usize, route: &Route) {
        let mut index = first + 1;
        while index < self.lanes.len() {
            if !self.lanes[index].routes.iter().any(|other| other.meets(route)) {
                index += 1;
                continue;
            }
            let Some(mut other) = self.lanes.remove(index) else { return };
            if other.started {
                self.finish_now(&mut other);
            } else {
                self.lanes[first].wait(other.routes[0], std::mem::take(&mut other.bytes));
            }
            let lane = &mut self.lanes[first];
            lane.routes.append(&mut other.routes);
            lane.behind.append(&mut other.behind);
            lane.waiting += other.waiting;
        }
    }

    /// Queues the rest of a long operation as it is.
    fn finish_now(&mut self, lane: &mut Lane) {
        let mut chunk = Vec::new();
        for bytes in lane.bytes[lane.sent..].chunks(FRAGMENT) {
            Record::More { lane: lane.number, bytes }.write(&mut chunk);
            self.fragments += 1;
        }
        self.queued += chunk.len().saturating_sub(lane.bytes.len() - lane.sent + HEADER);
        self.chunks.push_back(chunk);
    }

    /// One fragment of the lane whose turn it is.
    fn take_fragment(&mut self, out: &mut Vec<u8>) {
        let (count, size) = self
            .lanes
            .iter()
            .filter(|lane| lane.started)
            .fold((0, 0), |(count, size), lane| (count + 1, size + lane.bytes.len()));
        let fits = |lane: &Lane| count == 0 || count < LANES && size + lane.bytes.len() <= IN_LANES;
        let may_start = |lane: &Lane| self.gone >= lane.after && fits(lane);
        let Some(index) = self.lanes.iter().position(|lane| lane.started || may_start(lane)) else { return };
        let Some(mut lane) = self.lanes.remove(index) else { return };
        let bytes = &lane.bytes[lane.sent..];
        let bytes = &bytes[..bytes.len().min(FRAGMENT)];
        if lane.started {
            Record::More { lane: lane.number, bytes }.write(out);
        } else {
            let total = lane.bytes.len() as u32; // The largest operation is far below 4 GiB.
            Record::Begin { lane: lane.number, total, bytes }.write(out);
        }
        lane.started = true;
        self.fragments += 1;
        lane.sent += bytes.len();
        self.queued = self.queued.saturating_sub(bytes.len());
        if lane.sent < lane.bytes.len() {
            return self.lanes.push_back(lane);
        }
        self.queued = self.queued.saturating_sub(HEADER);
        self.leave(lane);
    }

    /// A long operation is gone: what waited behind it goes on, up to the next long one.
    fn leave(&mut self, lane: Lane) {
        let mut behind = lane.behind.into_iter();
        while let Some((route, bytes)) = behind.next() {
            if bytes.len() <= FRAGMENT {
                self.append(&bytes);
                continue;
            }
            self.open_lane(route, bytes);
            if let Some(next) = self.lanes.back_mut() {
                behind.for_each(|(route, bytes)| next.wait(route, bytes));
                next.routes.extend(next.behind.iter().map(|(route, _)| *route));
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::assembly::Assembly;
    use crate::protocol::record::Splitter;
    use proptest::prelude::*;

    fn route(from: u64, to: u64) -> Route {
        Route { from: Some(from), to: Some(to) }
    }

    /// Everything that waits, as the other side sees it.
    fn drain(outbox: &mut Outbox) -> Vec<Vec<u8>> {
        let (mut splitter, mut assembly, mut seen) = (Splitter::new(), Assembly::default(), Vec::new());
        splitter.widen();
        let mut out = Vec::new();
        while outbox.take(&mut out) {
            splitter.push(&out);
            out.clear();
            while let Some(record) = splitter.next().unwrap() {
                seen.extend(assembly.take(record).unwrap());
            }
        }
        assert_eq!(outbox.queued(), 0);
        seen
    }

    #[test]
    fn a_short_operation_does_not_wait_behind_a_long_one_of_others() {
        let mut outbox = Outbox::default();
        outbox.push(route(1, 2), &vec![0; 10 * FRAGMENT]);
        let mut out = Vec::new();
        outbox.take(&mut out);
        outbox.push(route(1, 3), b"to somebody else");
        outbox.push(route(4, 2), b"from somebody else");
        outbox.push(route(1, 2), b"behind");
        out.clear();
        assert!(outbox.take(&mut out));
        assert!(out.len() < 2 * FRAGMENT);
        let has = |text: &[u8]| out.windows(text.len()).any(|window| window == text);
        assert!(has(b"to somebody else") && has(b"from somebody else") && !has(b"behind"));
    }

    #[test]
    fn case_79_between_the_same_two_a_long_one_keeps_its_place() {
        let mut outbox = Outbox::default();
        let long = vec![7; 3 * FRAGMENT + 1];
        for operation in [b"first".as_slice(), &long, b"second", &long, b"third"] {
            outbox.push(route(1, 2), operation);
        }
        assert_eq!(drain(&mut outbox), [b"first".to_vec(), long.clone(), b"second".to_vec(), long, b"third".to_vec()]);
    }

    #[test]
    fn what_goes_to_a_name_waits_for_everything_of_its_sender() {
        let mut outbox = Outbox::default();
        let long = |byte| vec![byte; 2 * FRAGMENT];
        outbox.push(route(1, 2), &long(2));
        outbox.push(route(1, 3), &long(3));
        outbox.take(&mut Vec::new());
        outbox.take(&mut Vec::new());
        outbox.push(Route { from: Some(1), to: None }, b"named");
        let mut out = Vec::new();
        let mut last = Vec::new();
        while outbox.take(&mut out) {
            last = std::mem::take(&mut out);
        }
        assert!(last.ends_with(b"named"));
    }

    proptest! {
        /// Whatever is queued, whenever something goes: everything arrives once, and between the same two in order.
        #[test]
        fn order_holds_for_each_pair(
            steps in prop::collection::vec((0_u64..3, prop::option::of(0_u64..3), 0_usize..5, any::<bool>()), 1..60)
        ) {
            let (mut splitter, mut assembly) = (Splitter::new(), Assembly::default());
            splitter.widen();
            let mut outbox = Outbox::default();
            let (mut sent, mut seen) = (Vec::new(), Vec::new());
            let mut out = Vec::new();
            for (number, &(from, to, size, take)) in steps.iter().enumerate() {
                let mut operation = vec![from as u8, to.map_or(9, |to| to as u8), number as u8];
                operation.resize(3 + size * FRAGMENT / 2, 0);
                outbox.push(Route { from: Some(from), to }, &operation);
                sent.push(operation[..3].to_vec());
                if take {
                    outbox.take(&mut out);
                }
            }
            while outbox.take(&mut out) {}
            splitter.push(&out);
            while let Some(record) = splitter.next().unwrap() {
                seen.extend(assembly.take(record).unwrap().map(|bytes| bytes[..3].to_vec()));
            }
            prop_assert_eq!(outbox.queued(), 0);
            prop_assert_eq!(seen.len(), sent.len());
            for (earlier, a) in seen.iter().enumerate() {
                for b in &seen[earlier + 1..] {
                    let same = a[0] == b[0] && (a[1] == b[1] || a[1] == 9 || b[1] == 9);
                    prop_assert!(!same || a[2] < b[2], "{:?} came before {:?}", a, b);
                }
            }
        }
    }
}
