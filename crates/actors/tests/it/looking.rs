//! Looking into the mailboxes of others: everything that waits is seen, in order, and stays where it is.

use greenroom::process::{self, messages, resume, suspend};
use greenroom::trace::Signal;
use greenroom::{ExitReason, Pid, exit, receive, self_pid, send, spawn, yield_now};

use crate::support::on_node;

/// A process that takes numbers only when it is told to, and then gives all of them back.
fn keeper() -> Pid {
    let parent = self_pid();
    spawn(async move {
        receive::<()>().await;
        loop {
            let number = receive::<u32>().await;
            send(parent, number);
        }
    })
}

fn texts(first: &[Signal]) -> Vec<String> {
    let text = |signal: &Signal| match signal {
        Signal::Info { name, text } => format!("{name} {text}"),
        other => format!("{other:?}"),
    };
    first.iter().map(text).collect()
}

#[test]
fn what_waits_is_seen_in_order_and_stays() {
    on_node(async {
        let child = keeper();
        assert_eq!(messages(child, 9).await.map(|messages| messages.len), Some(0));
        // Some of them are looked at and skipped by its receive, some are still in the inbox.
        for number in 0..4_u32 {
            send(child, number);
            if number == 1 {
                yield_now().await;
            }
        }
        send(child, "text".to_owned());
        let waiting = messages(child, 9).await.expect("it lives");
        assert_eq!(waiting.len, 5);
        assert_eq!(texts(&waiting.first), ["u32 0", "u32 1", "u32 2", "u32 3", "String \"text\""]);
        let few = messages(child, 2).await.expect("it lives");
        assert_eq!((few.len, few.first.len()), (5, 2));
        send(child, ());
        for number in 0..4_u32 {
            assert_eq!(receive::<u32>().await, number);
        }
        assert_eq!(messages(child, 9).await.map(|messages| messages.len), Some(1));
    });
}

#[test]
fn who_is_suspended_is_looked_at_and_stays_so() {
    on_node(async {
        let child = keeper();
        suspend(child).await.expect("it lives");
        send(child, ());
        send(child, 7_u32);
        let waiting = messages(child, 9).await.expect("it lives");
        assert_eq!(texts(&waiting.first), ["() ()", "u32 7"]);
        assert_eq!(process::info(child).map(|info| info.status), Some(process::Status::Suspended));
        resume(child).expect("it is suspended");
        assert_eq!(receive::<u32>().await, 7);
    });
}

#[test]
fn of_the_dead_nothing_is_seen_also_if_they_die_meanwhile() {
    on_node(async {
        let child = keeper();
        exit(child, ExitReason::Kill);
        assert_eq!(messages(child, 9).await, None);
        for _ in 0..200 {
            let child = keeper();
            send(child, 1_u32);
            let look = greenroom::Task::spawn(async move { messages(child, 9).await.map(|messages| messages.len) });
            exit(child, ExitReason::Kill);
            // Before or after: but there is an answer.
            assert!(matches!(look.await, None | Some(0 | 1)));
        }
    });
}

#[test]
fn a_message_that_cannot_be_shown_is_in_nobodys_way() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Shy;
    impl std::fmt::Debug for Shy {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("nobody shall see it")
        }
    }
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Sly(Pid);
    impl std::fmt::Debug for Sly {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            // It does what it must not count on: it sends to whoever is looked at, and asks about it.
            send(self.0, 9_u32);
            assert!(process::info(self.0).is_some());
            f.write_str("Sly")
        }
    }
    on_node(async {
        let child = keeper();
        send(child, Shy);
        send(child, Sly(child));
        send(child, 3_u32);
        let waiting = messages(child, 9).await.expect("it lives");
        assert_eq!(waiting.len, 3);
        assert!(texts(&waiting.first)[0].ends_with("(its `Debug` panics)"), "{:?}", waiting.first);
        send(child, ());
        assert_eq!((receive::<u32>().await, receive::<u32>().await), (3, 9));
    });
}

#[test]
fn many_look_while_many_send_and_everything_arrives() {
    on_node(async {
        let child = keeper();
        let senders: Vec<_> = (0..4_u32)
            .map(|sender| {
                greenroom::Task::spawn(async move {
                    for number in 0..500 {
                        send(child, sender * 1000 + number);
                        yield_now().await;
                    }
                })
            })
            .collect();
        let lookers: Vec<_> = (0..4)
            .map(|_| {
                greenroom::Task::spawn(async move {
                    let mut last = 0;
                    for _ in 0..100 {
                        let seen = messages(child, 3000).await.expect("it lives");
                        assert!(seen.len >= last && seen.first.len() == seen.len);
                        // Of each sender, the first so many.
                        for sender in 0..4 {
                            let own = |signal: &&Signal| match signal {
                                Signal::Info { text, .. } => text.parse::<u32>().is_ok_and(|n| n / 1000 == sender),
                                _ => false,
                            };
                            for (number, signal) in (sender * 1000..).zip(seen.first.iter().filter(own)) {
                                assert_eq!(texts(std::slice::from_ref(signal)), [format!("u32 {number}")]);
                            }
                        }
                        last = seen.len;
                    }
                })
            })
            .collect();
        for task in senders.into_iter().chain(lookers) {
            task.await;
        }
        assert_eq!(messages(child, 0).await.map(|messages| messages.len), Some(2000));
        send(child, ());
        for _ in 0..2000 {
            receive::<u32>().await;
        }
    });
}
