//! Where processes live: a table of places that are reused and never freed while the node stands, which makes
//! looking up an identifier arithmetic.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::body::Body;
use crate::lock::Mutex;
use crate::pid::LocalPid;
use crate::slot::Slot;
use crate::trace::Riding;

/// The table: chunks of doubling size, made when they are first needed.
pub(crate) struct Table {
    chunks: [OnceLock<Box<[Slot]>>; CHUNKS],
    used: AtomicU32,
    vacant: Mutex<VecDeque<u32>>,
}

const FIRST_CHUNK: u32 = 1024;
const CHUNKS: usize = 21;

impl Table {
    pub(crate) fn new() -> Self {
        Table {
            chunks: [const { OnceLock::new() }; CHUNKS],
            used: AtomicU32::new(0),
            vacant: Mutex::new(VecDeque::new()),
        }
    }

    #[inline]
    fn chunk_of(index: u32) -> (usize, usize) {
        // Counted from `FIRST_CHUNK`, each chunk begins at a power of two.
        let shifted = u64::from(index) + u64::from(FIRST_CHUNK);
        let power = shifted.ilog2();
        ((power - FIRST_CHUNK.ilog2()) as usize, (shifted ^ 1 << power) as usize)
    }

    /// The place of this index, if the table has ever grown to it.
    #[inline]
    pub(crate) fn slot(&self, index: u32) -> Option<&Slot> {
        let (chunk, offset) = Self::chunk_of(index);
        self.chunks.get(chunk)?.get()?.get(offset)
    }

    fn grow_to(&self, index: u32) -> &Slot {
        let (chunk, offset) = Self::chunk_of(index);
        let chunk = self.chunks.get(chunk).unwrap_or_else(|| panic!("a node holds at most {} processes", u32::MAX));
        let size = FIRST_CHUNK << Self::chunk_of(index).0;
        let first = size - FIRST_CHUNK;
        let make = || {
            crate::heap::set_aside(size as usize * size_of::<Slot>());
            (0..size).map(|i| Slot::new(first + i)).collect()
        };
        &chunk.get_or_init(make)[offset]
    }

    /// Vacant places for a worker to keep at hand, at most `wanted` of them.
    pub(crate) fn vacant(&self, wanted: usize) -> Vec<u32> {
        let mut vacant = self.vacant.lock();
        let reused = wanted.min(vacant.len());
        if reused > 0 {
            return vacant.drain(..reused).collect();
        }
        let first = self.used.fetch_add(wanted as u32, Ordering::Relaxed);
        (first..first + wanted as u32).collect()
    }

    pub(crate) fn give_back(&self, places: impl IntoIterator<Item = u32>) {
        self.vacant.lock().extend(places);
    }

    /// Moves a process into a vacant place. The caller schedules it.
    pub(crate) fn settle(&self, index: u32, body: Body, token: Option<Box<Riding>>) -> &Slot {
        let slot = self.grow_to(index);
        // SAFETY: a vacant place that was handed out belongs to whoever got it.
        unsafe { slot.settle(body, token) };
        slot
    }

    /// Whether every process, the dead that are not cleared away included, waits for something, but for this one.
    pub(crate) fn all_wait_but(&self, one: Option<LocalPid>) -> bool {
        let used = self.used.load(Ordering::SeqCst);
        (0..used)
            .filter_map(|index| self.slot(index))
            .all(|slot| slot.inbox.is_parked(slot.tag()) || slot.is_vacant() || Some(slot.resident()) == one)
    }

    /// Every process that is alive at about this moment.
    pub(crate) fn residents(&self) -> impl Iterator<Item = (&Slot, LocalPid)> {
        let used = self.used.load(Ordering::Relaxed);
        (0..used)
            .filter_map(|index| self.slot(index))
            .map(|slot| (slot, slot.resident()))
            .filter(|(slot, pid)| slot.is_alive(*pid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Origin;

    #[test]
    fn every_index_has_a_place_of_its_own_in_chunks_of_doubling_size() {
        assert_eq!(Table::chunk_of(0), (0, 0));
        assert_eq!(Table::chunk_of(1023), (0, 1023));
        assert_eq!(Table::chunk_of(1024), (1, 0));
        assert_eq!(Table::chunk_of(3071), (1, 2047));
        assert_eq!(Table::chunk_of(3072), (2, 0));
        assert_eq!(Table::chunk_of(u32::MAX), (22, 1023));
        assert!(Table::new().slot(LocalPid::NOBODY.index()).is_none());
    }

    fn body() -> Body {
        let spawned_at = std::panic::Location::caller();
        Body::new(Origin { parent: None, leader: None, spawned_at }, std::future::pending::<()>())
    }

    #[test]
    fn a_place_has_one_process_after_the_other() {
        let table = Table::new();
        let mut before: Option<LocalPid> = None;
        for _ in 0..3 {
            let slot = table.settle(0, body(), None);
            let pid = slot.resident();
            assert!(slot.is_alive(pid) && slot.lock(pid).is_some());
            assert!(before.is_none_or(|before| before != pid && !slot.is_alive(before) && slot.lock(before).is_none()));
            let cold = slot.lock(pid).and_then(|mut locked| {
                locked.cold().label = Some("label".into());
                locked.declare_dead().1
            });
            assert!(cold.is_some_and(|cold| cold.label.is_some()) && !slot.is_alive(pid));
            // SAFETY: this thread is the only one, so it is the running one.
            unsafe {
                drop(slot.take_body());
                slot.forget_body();
            }
            drop(slot.inbox.close(slot.tag()));
            assert_eq!(slot.vacate(), Some(0));
            before = Some(pid);
        }
    }

    #[test]
    fn a_worn_out_place_is_not_taken_again() {
        let table = Table::new();
        let slot = table.grow_to(5);
        slot.wear_out();
        let slot = table.settle(5, body(), None);
        let last = slot.resident();
        assert!(slot.is_alive(last));
        assert!(slot.lock(last).is_some_and(|locked| locked.declare_dead().1.is_none()));
        assert_eq!(slot.vacate(), None);
        assert!(!slot.is_alive(last));
    }

    #[test]
    fn a_table_drops_the_bodies_and_messages_that_are_left() {
        let held = std::sync::Arc::new(());
        let table = Table::new();
        let inside = held.clone();
        let spawned_at = std::panic::Location::caller();
        let body = Body::new(Origin { parent: None, leader: None, spawned_at }, async move {
            let _inside = inside;
            std::future::pending::<()>().await;
        });
        let slot = table.settle(3, body, None);
        let message = crate::mailbox::Envelope::new(crate::Local(held.clone()));
        assert!(slot.inbox.push(slot.tag(), message).is_ok());
        assert_eq!(std::sync::Arc::strong_count(&held), 3);
        drop(table);
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    }

    #[test]
    fn vacant_places_are_handed_out_once_and_the_oldest_first() {
        let table = Table::new();
        assert_eq!(table.vacant(3), [0, 1, 2]);
        table.give_back([1, 0]);
        assert_eq!(table.vacant(1), [1]);
        assert_eq!(table.vacant(3), [0]);
        assert_eq!(table.vacant(2), [3, 4]);
    }
}
