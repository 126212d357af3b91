//! Group E: what arrives in which order.

use greenroom::message::Down;
use greenroom::{ExitReason, exit, monitor, process, receive, self_pid, send, spawn, spawn_monitor};

use crate::support::{Ping, Pong, end_of, forever, on_node, other};

#[test]
fn case_72_200_000_messages_of_one_sender_arrive_in_order_and_without_gap() {
    on_node(async {
        let receiver = self_pid();
        spawn(async move {
            for n in 0..200_000_u32 {
                send(receiver, n);
            }
        });
        for n in 0..200_000_u32 {
            assert_eq!(receive::<u32>().await, n);
        }
    });
}

#[test]
fn case_73_messages_and_exit_signals_share_one_order_2000_of_2000() {
    on_node(async {
        for _ in 0..2000 {
            let victim = spawn_monitor(async {
                loop {
                    receive! {
                        'm': char => (),
                        'b': char => greenroom::exit_self("bad"),
                    }
                }
            });
            for message in ['m', 'm'] {
                send(victim.0, message);
            }
            exit(victim.0, "good");
            send(victim.0, 'b');
            exit(victim.0, "bad");
            assert_eq!(end_of(victim).await, other("good"));
        }
    });
}

#[test]
fn case_73_the_last_message_comes_before_the_news_of_the_end_2000_of_2000() {
    on_node(async {
        let parent = self_pid();
        for _ in 0..2000 {
            let child = spawn_monitor(async move {
                send(parent, 'x');
                send(parent, 'y');
            });
            let seen = [receive_any().await, receive_any().await, receive_any().await];
            assert_eq!(seen, ["x", "y", "down"]);
            assert!(!greenroom::demonitor(child.1));
        }
    });
}

async fn receive_any() -> String {
    receive! {
        text: char => text.to_string(),
        _down: Down => "down".into(),
    }
}

#[test]
fn case_73_nothing_is_heard_of_the_killed_after_the_news_of_their_end() {
    on_node(async {
        let parent = self_pid();
        for _ in 0..1000 {
            let chatty = spawn_monitor(async move {
                loop {
                    for _ in 0..20 {
                        send(parent, Pong);
                    }
                    greenroom::yield_now().await;
                }
            });
            receive::<Pong>().await;
            exit(chatty.0, ExitReason::Kill);
            end_of(chatty).await;
            let after_down = process::info(parent).unwrap().message_queue_len;
            // Everything that was sent came before, and is thrown away.
            for _ in 0..after_down {
                receive::<Pong>().await;
            }
            greenroom::yield_now().await;
            assert_eq!(process::info(parent).unwrap().message_queue_len, 0);
        }
    });
}

#[test]
fn case_74_a_monitor_lands_before_a_message_that_is_sent_after_it() {
    on_node(async {
        for _ in 0..2000 {
            let victim = spawn(async {
                receive::<Ping>().await;
                greenroom::exit_self("asked to")
            });
            let watch = monitor(victim);
            send(victim, Ping(self_pid()));
            assert_eq!(end_of((victim, watch)).await, other("asked to"));
        }
    });
}

#[test]
fn case_77_each_of_several_senders_keeps_its_own_order() {
    on_node(async {
        let receiver = self_pid();
        for sender in 0..8_u32 {
            spawn(async move {
                for n in 0..20_000_u32 {
                    send(receiver, (sender, n));
                }
            });
        }
        let mut next = [0_u32; 8];
        for _ in 0..8 * 20_000 {
            let (sender, n) = receive::<(u32, u32)>().await;
            assert_eq!(n, next[sender as usize]);
            next[sender as usize] += 1;
        }
        exit(spawn(forever()), ExitReason::Kill);
    });
}
