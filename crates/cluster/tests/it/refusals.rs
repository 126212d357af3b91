//! Who is not let in, and what becomes of the node that is asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use greenroom::Node;
use greenroom_cluster::protocol::{HandshakeError, Refusal};
use greenroom_cluster::{Address, Cluster, ConnectError, Cookie, Notice};

use crate::nodes::{Member, member};

pub fn connect(from: &Member, to: impl Into<Address>) -> Result<greenroom::NodeId, ConnectError> {
    let (cluster, to) = (from.cluster.clone(), to.into());
    from.node.block_on(async move { cluster.connect(to).await })
}

/// A node that listens, and what it says about it.
fn home(cookie: &Cookie) -> (Member, SocketAddr, Arc<Mutex<Vec<String>>>) {
    let said = Arc::<Mutex<Vec<String>>>::default();
    let log = said.clone();
    let node = Node::builder().name("home").workers(2).start().unwrap();
    let listener = move |notice: &Notice| log.lock().unwrap().push(notice.to_string());
    let cluster = Cluster::builder(&node).cookie(cookie.clone()).on_notice(listener).start().unwrap();
    let address = cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    (Member { node, cluster }, address, said)
}

/// Waits until the log has a line with this in it.
fn wait_for_line(said: &Mutex<Vec<String>>, part: &str) {
    let begin = Instant::now();
    while !said.lock().unwrap().iter().any(|line| line.contains(part)) {
        assert!(begin.elapsed() < Duration::from_secs(20), "`{part}` is not in {:?}", said.lock().unwrap());
        std::thread::yield_now();
    }
}

/// Somebody who knows the cookie is still let in.
fn check_it_lives(home: &Member, address: SocketAddr, cookie: &Cookie) {
    let friend = member("friend", cookie);
    assert_eq!(connect(&friend, address).unwrap(), home.node.id());
    assert_eq!(home.cluster.nodes(), [friend.node.id()]);
}

#[test]
fn case_211_a_node_with_another_cookie_is_refused_and_the_others_live_on() {
    let cookie = Cookie::random();
    let (home, address, said) = home(&cookie);
    let stranger = member("stranger", &Cookie::random());
    let refused = connect(&stranger, address);
    assert!(matches!(refused, Err(ConnectError::Handshake(_, HandshakeError::WrongCookie))), "{refused:?}");
    assert!(stranger.cluster.nodes().is_empty() && home.cluster.nodes().is_empty());
    wait_for_line(&said, "refused a connection from 127.0.0.1: stranger: the cookies differ");
    check_it_lives(&home, address, &cookie);
}

#[test]
fn case_215_noise_ends_the_connection_and_not_the_node() {
    let cookie = Cookie::random();
    let (home, address, said) = home(&cookie);
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 70_000], &[22, 3, 1, 0xff, 0xff, 1, 2, 3, 4], &[0; 5]] {
        let mut stream = TcpStream::connect(address).unwrap();
        // It may hang up while it is being shouted at.
        let _ = stream.write_all(noise);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        assert!(heard.len() < 1024, "{heard:?}");
    }
    wait_for_line(&said, "it does not speak TLS as a node does");
    check_it_lives(&home, address, &cookie);
}

#[test]
fn connecting_again_is_fine_and_to_oneself_is_not() {
    let cookie = Cookie::random();
    let (home, address, _) = home(&cookie);
    let friend = member("friend", &cookie);
    for _ in 0..3 {
        assert_eq!(connect(&friend, address).unwrap(), home.node.id());
    }
    assert_eq!(home.cluster.nodes(), [friend.node.id()]);
    assert!(matches!(connect(&home, address), Err(ConnectError::Refused(_, Refusal::Myself))));
}

#[test]
fn case_212_a_name_that_is_taken_is_refused() {
    let cookie = Cookie::random();
    let (home, address, said) = home(&cookie);
    let (first, second, namesake) = (member("worker", &cookie), member("worker", &cookie), member("home", &cookie));
    connect(&first, address).unwrap();
    assert!(matches!(connect(&second, address), Err(ConnectError::Refused(_, Refusal::NameTaken))));
    assert!(matches!(connect(&namesake, address), Err(ConnectError::Refused(_, Refusal::NameTaken))));
    wait_for_line(&said, "worker: another living node has this name");
    assert_eq!(home.cluster.nodes(), [first.node.id()]);
}

#[test]
fn case_204_an_earlier_life_of_a_node_is_refused_once_a_later_one_was_seen() {
    let cookie = Cookie::random();
    let (home, address, _) = home(&cookie);
    let (earlier, later) = (member("worker", &cookie), member("worker", &cookie));
    connect(&later, address).unwrap();
    later.node.shutdown();
    while !home.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
    let refused = connect(&earlier, address);
    assert!(matches!(refused, Err(ConnectError::Refused(_, Refusal::OldIncarnation))), "{refused:?}");
}

#[test]
fn another_node_than_the_one_that_was_asked_for_is_not_kept() {
    let cookie = Cookie::random();
    let (_home, address, _) = home(&cookie);
    let friend = member("friend", &cookie);
    let wanted: Address = format!("someone@{address}").parse().unwrap();
    assert!(matches!(connect(&friend, wanted), Err(ConnectError::OtherNode(..))));
}

#[test]
fn where_nobody_listens_the_error_says_so() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = connect(&member("friend", &Cookie::random()), free).unwrap_err();
    assert!(refused.to_string().contains(&free.to_string()) && refused.to_string().contains("refused"), "{refused}");
}

#[test]
fn ten_thousand_half_open_connections_take_no_more_than_their_share_and_keep_nobody_out() {
    // In a program of its own, whose memory is that of this test alone.
    const ALONE: &str = "GREENROOM_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "refusals::ten_thousand_half_open_connections_take_no_more_than_their_share_and_keep_nobody_out";
        let mut program = std::process::Command::new(std::env::current_exe().unwrap());
        let ran = program.args(["--exact", name]).env(ALONE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let cookie = Cookie::random();
    let (home, address, said) = home(&cookie);
    check_it_lives(&home, address, &cookie);
    let before = resident();
    let mut open = std::collections::VecDeque::new();
    for number in 0..10_000 {
        open.push_back(TcpStream::connect(address).unwrap());
        if open.len() > 500 {
            open.pop_front();
        }
        if number == 5_000 {
            let friend = member("another", &cookie);
            let joined = (0..5).find_map(|_| connect(&friend, address).ok());
            assert_eq!(joined, Some(home.node.id()));
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
    wait_for_line(&said, "too many are half open");
    assert!(said.lock().unwrap().len() < 200, "the log is not flooded");
    let friend = member("third", &cookie);
    assert!((0..5).any(|_| connect(&friend, address).is_ok()));
}

/// The memory of this program that is in use, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Somebody who stands between two nodes, and may change what goes through.
fn between(target: SocketAddr, change: fn(usize, &mut [u8])) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (near, far) = (listener.accept().unwrap().0, TcpStream::connect(target).unwrap());
        let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        std::thread::spawn(move || pass_on(&mut from, &mut to, change));
        pass_on(&mut { far }, &mut { near }, |_, _| ());
    });
    address
}

fn pass_on(from: &mut TcpStream, to: &mut TcpStream, change: fn(usize, &mut [u8])) {
    let (mut buffer, mut passed) = ([0; 4096], 0);
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        change(passed, &mut buffer[..read]);
        passed += read;
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[test]
fn what_is_changed_on_its_way_ends_the_connection() {
    let cookie = Cookie::random();
    let (home, address, _) = home(&cookie);
    let friend = member("friend", &cookie);
    // In the handshake …
    let changed = between(address, |passed, bytes| {
        if passed == 0 {
            bytes[40] ^= 1;
        }
    });
    assert!(connect(&friend, changed).is_err());
    // … and after it.
    static ARMED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    let changed = between(address, |_, bytes| {
        if ARMED.load(std::sync::atomic::Ordering::SeqCst) {
            bytes[bytes.len() / 2] ^= 1;
        }
    });
    assert_eq!(connect(&friend, changed).unwrap(), home.node.id());
    ARMED.store(true, std::sync::atomic::Ordering::SeqCst);
    let home_id = home.node.id();
    friend.node.block_on(async move {
        greenroom::monitor(("nobody", home_id));
        let down = greenroom::receive::<greenroom::message::Down>().await;
        assert_eq!(down.reason, greenroom::ExitReason::NoConnection);
    });
    while !home.cluster.nodes().is_empty() {
        std::thread::yield_now();
    }
    check_it_lives(&home, address, &cookie);
}
