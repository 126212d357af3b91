//! Case 53 and the alias option: monitors with a message of their own, and with an alias.

use greenroom::message::{Down, TaggedDown, Target};
use greenroom::process::{Alias, Until, Watch, demonitor_flush, info};
use greenroom::{ExitReason, Local, demonitor, exit, monitor, receive, register, self_pid, send, spawn};

use crate::support::{Pong, echo, forever, gone, has, on_node, round_trip};

#[test]
fn case_53_a_tag_replaces_that_of_down() {
    on_node(async {
        let victim = spawn(forever());
        let tagged = Watch::on(victim).tag(String::from("mine")).start();
        let number = Watch::on(victim).tag(7_u32).start();
        let plain = monitor(victim);
        exit(victim, "over");
        let TaggedDown { tag, reference, target, reason } = receive::<TaggedDown<String>>().await;
        assert_eq!((tag.as_str(), reference, target), ("mine", tagged, Target::Pid(victim)));
        assert_eq!(reason, ExitReason::from("over"));
        let down = receive::<TaggedDown<u32>>().await;
        assert_eq!((down.tag, down.reference), (7, number));
        assert_eq!(receive::<Down>().await.reference, plain);
        assert!(!has::<Down>().await);
    });
}

#[test]
fn case_53_a_tag_is_told_at_once_for_the_dead_and_for_free_names() {
    on_node(async {
        let dead = spawn(async {});
        gone(dead).await;
        Watch::on(dead).tag('d').start();
        assert_eq!(receive::<TaggedDown<char>>().await.reason, ExitReason::NoProc);
        Watch::on("nobody").tag('n').start();
        let down = receive::<TaggedDown<char>>().await;
        assert_eq!(down.target, Target::Name("nobody".into(), greenroom::node()));
        Watch::on(self_pid()).tag('s').start();
        assert!(info(self_pid()).unwrap().monitors.is_empty());
    });
}

#[test]
fn case_53_a_demonitor_takes_the_tag_with_it() {
    on_node(async {
        let held = std::sync::Arc::new(());
        let victim = spawn(forever());
        let reference = Watch::on(victim).tag(Local(held.clone())).start();
        assert!(demonitor(reference));
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
        exit(victim, "over");
        assert!(!has::<TaggedDown<Local<std::sync::Arc<()>>>>().await);
        // A tag that is never told goes with its watcher.
        let target = spawn(forever());
        let inside = held.clone();
        let watcher = spawn(async move {
            Watch::on(target).tag(Local(inside)).start();
        });
        gone(watcher).await;
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    });
}

#[test]
fn an_alias_works_until_its_monitor_ends() {
    on_node(async {
        let victim = spawn(forever());
        let alias = Watch::on(victim).start_with_alias(Until::Demonitored);
        for n in 0..2_u32 {
            send(alias, n);
            assert_eq!(receive::<u32>().await, n);
        }
        assert!(demonitor(alias.reference()));
        send(alias, 2_u32);
        assert!(!has::<u32>().await);
        let alias = Watch::on(victim).start_with_alias(Until::Demonitored);
        exit(victim, "over");
        assert_eq!(receive::<Down>().await.reference, alias.reference());
        send(alias, 3_u32);
        assert!(!has::<u32>().await && !alias.remove());
    });
}

#[test]
fn an_alias_works_until_it_is_removed_whatever_becomes_of_its_monitor() {
    on_node(async {
        let victim = spawn(forever());
        let alias = Watch::on(victim).start_with_alias(Until::Removed);
        exit(victim, "over");
        assert_eq!(receive::<Down>().await.reference, alias.reference());
        send(alias, 'x');
        assert_eq!(receive::<char>().await, 'x');
        assert!(alias.remove() && !alias.remove());
        send(alias, 'y');
        assert!(!has::<char>().await);
        let victim = spawn(forever());
        let alias = Watch::on(victim).start_with_alias(Until::Removed);
        assert!(alias.remove());
        exit(victim, "over");
        assert_eq!(receive::<Down>().await.reference, alias.reference(), "the monitor goes on");
    });
}

#[test]
fn an_alias_for_a_reply_ends_its_monitor_and_its_tag_with_that() {
    on_node(async {
        let server = spawn(echo());
        let alias = Watch::on(server).tag('t').start_with_alias(Until::Replied);
        assert_eq!(info(server).unwrap().monitored_by, [self_pid()]);
        send(alias, 1_u32);
        send(alias, 2_u32);
        assert_eq!(receive::<u32>().await, 1);
        assert!(info(server).unwrap().monitored_by.is_empty());
        exit(server, ExitReason::Kill);
        assert!(!has::<TaggedDown<char>>().await && !has::<Down>().await && !has::<u32>().await);
    });
}

#[test]
fn a_demonitor_ends_the_alias_of_a_reply_also_when_it_comes_too_late() {
    on_node(async {
        let victim = spawn(forever());
        let alias = Alias::monitor(victim);
        exit(victim, "over");
        assert!(!demonitor_flush(alias.reference()).await);
        send(alias, 'x');
        assert!(!has::<char>().await && !has::<Down>().await);
    });
}

#[test]
fn a_tagged_monitor_by_name_follows_the_process() {
    on_node(async {
        let server = spawn(echo());
        register("tagged", server).unwrap();
        let reference = Watch::on("tagged").tag(Pong).start();
        greenroom::unregister("tagged");
        round_trip(server).await;
        exit(server, "over");
        let down = receive::<TaggedDown<Pong>>().await;
        assert_eq!((down.reference, down.target), (reference, Target::Name("tagged".into(), greenroom::node())));
    });
}
