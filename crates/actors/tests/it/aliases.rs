//! Groups C and H: aliases, by which a late answer does not arrive.

use greenroom::message::Down;
use greenroom::process::Alias;
use greenroom::{ExitReason, receive, self_pid, send, spawn};

use crate::support::{end_of_new, forever, gone, has, on_node};

#[test]
fn case_54_what_is_sent_to_an_alias_that_was_removed_is_dropped() {
    on_node(async {
        let alias = Alias::new();
        assert_eq!(alias.pid(), self_pid());
        send(alias, 'a');
        send(alias, 'b');
        let stranger = async move { assert!(!alias.remove()) };
        assert_eq!(end_of_new(stranger).await, ExitReason::Normal);
        assert!(alias.remove() && !alias.remove());
        send(alias, 'c');
        assert_eq!((receive::<char>().await, receive::<char>().await), ('a', 'b'));
        assert!(!has::<char>().await);
    });
}

#[test]
fn case_55_an_alias_for_one_answer_takes_one() {
    on_node(async {
        let alias = Alias::once();
        send(alias, 'a');
        send(alias, 'b');
        assert_eq!(receive::<char>().await, 'a');
        assert!(!has::<char>().await && !alias.remove());
    });
}

#[test]
fn case_55_an_answer_ends_the_monitor_and_a_down_the_alias() {
    on_node(async {
        let server = spawn(async {
            let alias = receive::<Alias>().await;
            send(alias, 'a');
        });
        let alias = Alias::monitor(server);
        send(server, alias);
        assert_eq!(receive::<char>().await, 'a');
        gone(server).await;
        assert!(!has::<Down>().await);

        let alias = Alias::monitor(server);
        assert_eq!(receive::<Down>().await.reference, alias.reference());
        send(alias, 'b');
        assert!(!has::<char>().await);
    });
}

#[test]
fn case_105_an_answer_after_the_time_out_is_dropped() {
    on_node(async {
        let server = spawn(forever());
        let alias = Alias::monitor(server);
        assert!(!has::<char>().await);
        assert!(alias.remove());
        let late = async move { send(alias, 'x') };
        assert_eq!(end_of_new(late).await, ExitReason::Normal);
        assert!(!has::<char>().await);
        greenroom::exit(server, ExitReason::Kill);
        assert!(!has::<Down>().await);
    });
}
