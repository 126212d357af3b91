//! The streams of the simulated network: bytes on their way, late, stalled or cut off.

use std::collections::VecDeque;
use std::time::Duration;

/// How many bytes are on their way at most; a sender waits for room, as with a socket.
pub const WINDOW: usize = 200_000;

/// A small generator of numbers that look random, the same for the same seed.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub fn nonce(&mut self) -> [u8; 32] {
        let mut nonce = [0; 32];
        nonce.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_le_bytes()));
        nonce
    }
}

/// One direction of a stream.
#[derive(Default)]
pub struct Pipe {
    on_the_way: VecDeque<(Duration, Vec<u8>)>,
    bytes: usize,
    /// The writer has closed it: what is on the way still arrives.
    pub ended: bool,
    /// It was cut off: nothing arrives any more but the end.
    pub cut: bool,
    /// Nothing gets through for the time being.
    pub stalled: bool,
}

impl Pipe {
    pub fn has_room(&self) -> bool {
        self.bytes < WINDOW
    }

    pub fn write(&mut self, bytes: Vec<u8>, arrives: Duration) {
        if self.cut || self.ended {
            return;
        }
        self.bytes += bytes.len();
        let arrives = self.on_the_way.back().map_or(arrives, |(last, _)| arrives.max(*last));
        self.on_the_way.push_back((arrives, bytes));
    }

    /// What has arrived by now, at most so many bytes.
    pub fn read(&mut self, now: Duration, most: usize) -> Option<Vec<u8>> {
        if self.cut || self.stalled {
            return None;
        }
        let (arrives, bytes) = self.on_the_way.front_mut()?;
        if *arrives > now {
            return None;
        }
        let rest = bytes.split_off(bytes.len().min(most));
        let read = std::mem::replace(bytes, rest);
        if bytes.is_empty() {
            self.on_the_way.pop_front();
        }
        self.bytes -= read.len();
        Some(read)
    }

    /// When the next bytes can be read.
    pub fn next_arrival(&self) -> Option<Duration> {
        let arrives = self.on_the_way.front().map(|(arrives, _)| *arrives);
        arrives.filter(|_| !self.cut && !self.stalled)
    }

    /// Whether the reader has come to the end.
    pub fn is_over(&self) -> bool {
        self.cut || self.ended && !self.stalled && self.on_the_way.is_empty()
    }
}
