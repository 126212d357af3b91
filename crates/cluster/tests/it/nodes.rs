//! Pairs of connected nodes for the tests, and what messages between them promise.

use greenroom::message::Target;
use greenroom::{Node, Pid, Ref, receive, register, self_pid, send};
use greenroom_cluster::{Cluster, Cookie};
use serde::{Deserialize, Serialize};

/// A node with its cluster.
pub struct Member {
    pub node: Node,
    pub cluster: Cluster,
}

pub fn member(name: &str, cookie: &Cookie) -> Member {
    let node = Node::builder().name(name).workers(2).start().unwrap();
    let cluster = Cluster::builder(&node).cookie(cookie.clone()).start().unwrap();
    Member { node, cluster }
}

/// Two nodes that are connected; the first has connected to the second.
pub fn pair() -> (Member, Member) {
    let cookie = Cookie::random();
    let (near, far) = (member("near", &cookie), member("far", &cookie));
    let address = far.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let cluster = near.cluster.clone();
    near.node.block_on(async move { cluster.connect(address).await }).unwrap();
    (near, far)
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Letter {
    number: u64,
    from: Option<Pid>,
    reference: Ref,
    text: String,
}

#[test]
fn typed_messages_arrive_as_they_were_sent() {
    let (near, far) = pair();
    let echo = far.node.spawn(async {
        loop {
            let letter = receive::<Letter>().await;
            if let Some(from) = letter.from {
                send(from, letter);
            }
        }
    });
    near.node.block_on(async move {
        let reference = Ref::new();
        let letter = |number| Letter { number, from: Some(self_pid()), reference, text: "ä".repeat(number as usize) };
        send(echo, letter(1000));
        assert_eq!(receive::<Letter>().await, letter(1000));
    });
}

#[test]
fn case_69_a_message_of_another_type_stays_bytes_and_stays_queued() {
    let (near, far) = pair();
    let collector = far.node.spawn(async {
        let caller = receive::<Pid>().await;
        let text = receive::<String>().await;
        send(caller, text);
        let number = receive::<u64>().await;
        send(caller, number);
    });
    near.node.block_on(async move {
        send(collector, 7_u64);
        send(collector, "text".to_owned());
        send(collector, self_pid());
        assert_eq!(receive::<String>().await, "text");
        assert_eq!(receive::<u64>().await, 7);
    });
}

#[test]
fn case_72_messages_keep_their_order_across_nodes() {
    const COUNT: u64 = 50_000;
    let (near, far) = pair();
    let (done, finished) = std::sync::mpsc::channel();
    let sink = far.node.spawn(async move {
        for expected in 0..COUNT {
            assert_eq!(receive::<u64>().await, expected);
        }
        done.send(()).unwrap();
    });
    near.node.block_on(async move {
        for number in 0..COUNT {
            send(sink, number);
        }
    });
    finished.recv().unwrap();
}

#[test]
fn case_67_a_name_on_another_node_is_reached_and_an_unknown_one_drops() {
    let (near, far) = pair();
    let far_id = far.node.id();
    far.node.block_on(async {
        greenroom::spawn(async {
            register("greeter", self_pid()).unwrap();
            let caller = receive::<Pid>().await;
            send(caller, "hello".to_owned());
        });
        while greenroom::whereis("greeter").is_none() {
            greenroom::yield_now().await;
        }
    });
    near.node.block_on(async move {
        send(("nobody", far_id), 1_u64);
        send(("greeter", far_id), self_pid());
        assert_eq!(receive::<String>().await, "hello");
    });
}

#[test]
fn identifiers_carry_their_node() {
    let (near, far) = pair();
    let theirs = far.node.spawn(async { receive::<()>().await });
    let shown = near.node.block_on(async move { (theirs.to_string(), self_pid().to_string()) });
    assert!(shown.0.starts_with("<far."), "{}", shown.0);
    assert!(shown.1.starts_with("<0."), "{}", shown.1);
    assert_eq!(Target::Pid(theirs).node(), far.node.id());
}

#[test]
fn both_sides_know_that_they_are_connected() {
    let (near, far) = pair();
    assert_eq!(near.cluster.nodes(), [far.node.id()]);
    assert_eq!(far.cluster.nodes(), [near.node.id()]);
}
