//! What an inbox does with messages, by one thread and by several.

use super::envelope::Envelope;
use super::inbox::{Inbox, Messages, Pushed, Tag};

const TAG: Tag = Tag(7);

fn open() -> Inbox {
    let inbox = Inbox::closed();
    inbox.open(TAG);
    inbox
}

impl Inbox {
    fn len(&self, tag: Tag) -> u32 {
        let mut count = 0;
        self.for_each(tag, |_| count += 1);
        count
    }
}

fn texts(newest_first: Messages) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = newest_first.0;
    while let Some(node) = next {
        // SAFETY: the list is alive for as long as `newest_first`, which is dropped after this.
        next = unsafe { node.as_ref().next };
        // SAFETY: as above; the envelope is not dropped here.
        let envelope = std::mem::ManuallyDrop::new(unsafe { Envelope::from_raw(node) });
        texts.push(format!("{:?}", *envelope));
    }
    texts
}

#[test]
fn messages_come_out_newest_first_and_are_counted() {
    let inbox = open();
    for n in 0..3_u8 {
        assert!(inbox.push(TAG, Envelope::new(n)).is_ok_and(|pushed| pushed == Pushed::Quiet));
    }
    assert_eq!(inbox.len(TAG), 3);
    assert_eq!(texts(Messages(inbox.take(TAG))), ["2", "1", "0"]);
    assert_eq!(inbox.len(TAG), 0);
}

#[test]
fn only_one_who_pushes_to_a_parked_process_has_to_wake_it() {
    let inbox = open();
    assert!(inbox.park(TAG) && inbox.is_parked(TAG));
    assert!(inbox.push(TAG, Envelope::new('a')).is_ok_and(|pushed| pushed == Pushed::Wake));
    assert!(inbox.push(TAG, Envelope::new('b')).is_ok_and(|pushed| pushed == Pushed::Quiet));
    assert!(!inbox.park(TAG) && !inbox.unpark(TAG));
    assert_eq!(texts(inbox.close(TAG).0), ["'b'", "'a'"]);
}

#[test]
fn a_closed_inbox_hands_back_what_it_is_sent_and_closes_once() {
    let inbox = open();
    assert!(inbox.park(TAG));
    assert!(inbox.close(TAG).1);
    assert!(!inbox.close(TAG).1 && !inbox.park(TAG));
    let back = inbox.push(TAG, Envelope::new(String::from("back")));
    assert_eq!(back.map_err(|mut envelope| envelope.take::<String>()), Err(Some("back".into())));
}

#[test]
fn those_who_mean_an_earlier_process_are_refused() {
    let inbox = open();
    assert!(inbox.push(Tag(6), Envelope::new(1_u8)).is_err());
    assert!(!inbox.park(Tag(6)) && !inbox.close(Tag(6)).1 && inbox.take(Tag(6)).is_none());
    assert!(inbox.park(TAG));
}

#[test]
fn what_is_pushed_while_others_push_take_and_count_arrives_once() {
    const EACH: usize = if cfg!(miri) { 20 } else { 20_000 };
    let inbox = open();
    let taken = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 0..EACH {
                    assert!(inbox.push(TAG, Envelope::new(n.to_string())).is_ok());
                }
            });
        }
        scope.spawn(|| (0..EACH).for_each(|_| assert!(inbox.len(TAG) as usize <= 2 * EACH)));
        let mut taken = 0;
        while taken < 2 * EACH {
            taken += texts(Messages(inbox.take(TAG))).len();
            std::thread::yield_now();
        }
        taken
    });
    assert_eq!(taken, 2 * EACH);
}
