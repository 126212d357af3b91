//! The inbox: who pushes, takes, counts and closes, at once.

use loom::sync::Arc;
use loom::thread;

use crate::mailbox::{Envelope, Kept, Tag};
use crate::place::{GENERATION, Place, TAG, try_all};

#[test]
fn what_two_push_while_it_is_taken_arrives_once_and_in_order() {
    try_all(|| {
        let place = Place::new();
        let senders = [[10, 11], [20, 21]].map(|numbers| {
            let place = place.clone();
            thread::spawn(move || numbers.map(|number| assert!(place.send(number))))
        });
        let mut taken = place.inbox().drain(TAG);
        for sender in senders {
            sender.join().unwrap();
        }
        taken.extend(place.inbox().drain(TAG));
        let of = |sender: u32| -> Vec<u32> { taken.iter().copied().filter(|n| n / 10 == sender).collect() };
        assert_eq!((of(1), of(2), taken.len()), (vec![10, 11], vec![20, 21], 4));
        assert_eq!(Arc::strong_count(&place.envelopes), 1);
    });
}

#[test]
fn who_counts_makes_others_wait_and_loses_nothing() {
    try_all(|| {
        let place = Place::new();
        assert!(place.send(1));
        let sender = thread::spawn({
            let place = place.clone();
            move || assert!(place.send(2))
        });
        let mut counted = 0;
        place.inbox().for_each(TAG, |head| counted += head.number());
        assert!(counted == 1 || counted == 3);
        sender.join().unwrap();
        assert_eq!(place.inbox().drain(TAG), [1, 2]);
    });
}

#[test]
fn who_asks_finds_all_that_it_has_sent_wherever_it_is() {
    try_all(|| {
        let (place, kept) = (Place::new(), Arc::new(Kept::new()));
        assert!(place.send(1));
        let owner = thread::spawn({
            let (place, kept) = (place.clone(), kept.clone());
            move || place.inbox().drain_into(&kept, TAG).len() + place.inbox().drain_into(&kept, TAG).len()
        });
        assert!(place.send(2));
        assert!(matches!(place.inbox().count_with(&kept, TAG), None | Some((2, 2))));
        let taken = owner.join().unwrap();
        assert_eq!(taken + place.inbox().drain(TAG).len(), 2);
    });
}

#[test]
fn a_message_for_a_closed_inbox_comes_back_or_goes_with_it() {
    try_all(|| {
        let place = Place::new();
        let sender = thread::spawn({
            let place = place.clone();
            move || [place.send(1), place.send(2)]
        });
        let (messages, was_parked) = place.inbox().close(TAG);
        assert!(!was_parked);
        drop(messages);
        let sent = sender.join().unwrap();
        assert!(sent[0] || !sent[1], "once closed, it stays so");
        assert_eq!(Arc::strong_count(&place.envelopes), 1, "nothing is left behind");
    });
}

#[test]
fn what_is_meant_for_an_earlier_process_never_reaches_the_next() {
    try_all(|| {
        let place = Place::new();
        let sender = thread::spawn({
            let place = place.clone();
            move || place.send(1)
        });
        let next = Tag::of_generation(GENERATION + 1);
        drop(place.inbox().close(TAG));
        place.inbox().open(next);
        assert!(place.inbox().push(next, Envelope::new(2, &place.envelopes)).is_ok());
        let arrived_early = sender.join().unwrap();
        assert_eq!(place.inbox().drain(next), [2]);
        assert!(place.inbox().drain(TAG).is_empty());
        assert_eq!(Arc::strong_count(&place.envelopes), 1, "arrived early: {arrived_early}");
    });
}
