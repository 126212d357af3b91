//! Waking and ending: no wake-up is lost, nobody runs twice, and nothing is heard of the dead.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use crate::life::flag;
use crate::place::{Place, try_all};

#[test]
fn a_process_that_parks_sees_every_message() {
    try_all(|| {
        let place = Place::new();
        let senders = [1, 2].map(|number| {
            let place = place.clone();
            thread::spawn(move || assert!(place.send(number)))
        });
        assert!(!place.run(|_, seen| seen.len() == 2));
        for sender in senders {
            sender.join().unwrap();
        }
    });
}

#[test]
fn a_process_that_parks_sees_what_its_waker_was_called_for() {
    try_all(|| {
        let place = Place::new();
        let events = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let wakers = [0, 1].map(|event| {
            let (place, events) = (place.clone(), events.clone());
            thread::spawn(move || {
                events[event].store(true, Ordering::Release);
                place.wake();
            })
        });
        assert!(!place.run(|_, _| events.iter().all(|event| event.load(Ordering::Acquire))));
        for waker in wakers {
            waker.join().unwrap();
        }
    });
}

#[test]
fn a_message_and_a_waker_at_once_wake_it_once_and_for_both() {
    try_all(|| {
        let place = Place::new();
        let event = Arc::new(AtomicBool::new(false));
        let sender = thread::spawn({
            let place = place.clone();
            move || assert!(place.send(1))
        });
        let waker = thread::spawn({
            let (place, event) = (place.clone(), event.clone());
            move || {
                event.store(true, Ordering::Release);
                place.wake();
            }
        });
        assert!(!place.run(|_, seen| seen.len() == 1 && event.load(Ordering::Acquire)));
        sender.join().unwrap();
        waker.join().unwrap();
    });
}

#[test]
fn a_process_that_is_killed_is_cleared_away_whatever_it_does_and_gets() {
    try_all(|| {
        let place = Place::new();
        let killer = thread::spawn({
            let place = place.clone();
            move || place.kill(|| ())
        });
        let sender = thread::spawn({
            let place = place.clone();
            move || {
                place.send(1);
            }
        });
        assert!(place.run(|_, seen| {
            seen.clear();
            false
        }));
        killer.join().unwrap();
        sender.join().unwrap();
        assert_eq!(Arc::strong_count(&place.envelopes), 1, "no message is left behind");
    });
}

#[test]
fn nothing_is_handed_over_once_others_are_told_of_the_end() {
    try_all(|| {
        let place = Place::new();
        // Written while it is handed over, and by the killer when it tells the others: never at once.
        let told = Arc::new(UnsafeCell::new(Vec::new()));
        let killer = thread::spawn({
            let (place, told) = (place.clone(), told.clone());
            // SAFETY: a model: `loom` checks that nobody else is there at the same time.
            move || place.kill(|| told.with_mut(|told| unsafe { (*told).push("end") }))
        });
        for _ in 0..2 {
            if let Some(_handing_over) = place.life().hand_over() {
                // SAFETY: as above.
                told.with_mut(|told| unsafe { (*told).push("message") });
            }
        }
        killer.join().unwrap();
        // SAFETY: as above.
        told.with(|told| assert_eq!(unsafe { (*told).last() }, Some(&"end")));
    });
}

#[test]
fn a_process_that_is_woken_to_hand_something_over_while_it_is_killed_says_nothing_after_its_end() {
    try_all(|| {
        let place = Place::new();
        let told = Arc::new(UnsafeCell::new(Vec::new()));
        let sender = thread::spawn({
            let place = place.clone();
            move || {
                place.send(1);
            }
        });
        let killer = thread::spawn({
            let (place, told) = (place.clone(), told.clone());
            // SAFETY: a model: `loom` checks that nobody else is there at the same time.
            move || place.kill(|| told.with_mut(|told| unsafe { (*told).push("end") }))
        });
        let ended = place.run(|flags, seen| {
            assert_eq!(flags & flag::DEAD, 0);
            if !seen.is_empty() {
                seen.clear();
                if let Some(_handing_over) = place.life().hand_over() {
                    // SAFETY: as above.
                    told.with_mut(|told| unsafe { (*told).push("message") });
                }
            }
            false
        });
        assert!(ended);
        sender.join().unwrap();
        killer.join().unwrap();
        // SAFETY: as above.
        told.with(|told| assert_eq!(unsafe { (*told).last() }, Some(&"end")));
    });
}
