//! Heap memory by process. The allocator is that of the whole test program.

use std::alloc::System;

use greenroom::process::info;
use greenroom::{TrackingAllocator, exit, receive, self_pid, send, spawn, testing};

use crate::support::{Pong, forever};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::new(System);

const BLOCK: usize = 1 << 20;
/// What a test may be wrong by.
const SLACK: usize = 16 << 10;

fn heap(pid: greenroom::Pid) -> usize {
    info(pid).unwrap().heap.unwrap()
}

#[test]
fn memory_counts_for_whom_allocates_it_until_it_is_freed() {
    testing::run(|clock| async move {
        let holder = spawn(async {
            let block = vec![1_u8; BLOCK];
            receive::<Pong>().await;
            drop(block);
            forever().await;
        });
        clock.settled().await;
        let held = heap(holder);
        assert!((BLOCK..BLOCK + SLACK).contains(&held), "{held}");
        send(holder, Pong);
        clock.settled().await;
        assert!(heap(holder) < SLACK);
        exit(holder, "enough");
    });
}

#[test]
fn growing_counts_as_what_it_has_become() {
    testing::run(|_| async {
        let before = heap(self_pid());
        let mut bytes = Vec::new();
        for n in 0..BLOCK {
            bytes.push(n as u8);
        }
        let grown = heap(self_pid()) - before;
        assert!((BLOCK..=2 * BLOCK + SLACK).contains(&grown), "{grown}");
        drop(bytes);
        assert!(heap(self_pid()) <= before + SLACK);
    });
}

#[test]
fn envelopes_and_futures_are_not_their_senders_heap() {
    testing::run(|clock| async move {
        let (reader, before) = (spawn(forever()), heap(self_pid()));
        for _ in 0..1000 {
            send(reader, [0_u64; 32]);
            spawn(async {
                let block = [0_u64; 64];
                forever().await;
                drop(Box::new(block));
            });
        }
        clock.settled().await;
        let grown = heap(self_pid()).saturating_sub(before);
        assert!(grown < 10 * SLACK, "{grown}");
    });
}

#[test]
fn a_new_process_does_not_inherit_the_heap_of_the_last_one_of_its_place() {
    testing::run(|clock| async move {
        for _ in 0..100 {
            spawn(async { std::mem::forget(vec![0_u8; SLACK]) });
        }
        clock.settled().await;
        for _ in 0..100 {
            let pid = spawn(forever());
            clock.settled().await;
            assert!(heap(pid) < SLACK);
        }
    });
}
