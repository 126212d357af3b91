//! Who is not let in.

use std::io::{Read, Write};
use std::net::TcpStream;

use greenroom_cluster::{ConnectError, Cookie, HandshakeError, ListenError};

use crate::nodes::{Member, member};

fn connect(from: &Member, to: std::net::SocketAddr) -> Result<greenroom::NodeId, ConnectError> {
    let cluster = from.cluster.clone();
    from.node.block_on(async move { cluster.connect(to).await })
}

#[test]
fn case_211_a_node_with_another_cookie_is_refused_and_the_others_live_on() {
    let cookie = Cookie::random();
    let (home, friend, stranger) =
        (member("home", &cookie), member("friend", &cookie), member("stranger", &Cookie::random()));
    let address = home.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let refused = connect(&stranger, address);
    assert!(matches!(refused, Err(ConnectError::Handshake(HandshakeError::WrongCookie))), "{refused:?}");
    assert!(stranger.cluster.nodes().is_empty());
    assert_eq!(connect(&friend, address).unwrap(), home.node.id());
    assert_eq!(home.cluster.nodes(), [friend.node.id()]);
}

#[test]
fn case_215_noise_and_oversized_frames_end_the_connection_and_not_the_node() {
    let cookie = Cookie::random();
    let (home, friend) = (member("home", &cookie), member("friend", &cookie));
    let address = home.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &u32::MAX.to_le_bytes(), &[4, 0, 0, 0, 1, 2, 3, 4]] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(noise).unwrap();
        // It says hello, then hangs up, by the book or by a reset.
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        assert!(heard.len() < 1024 + 4);
    }
    assert_eq!(connect(&friend, address).unwrap(), home.node.id());
}

#[test]
fn a_second_connection_to_the_same_node_is_refused() {
    let cookie = Cookie::random();
    let (home, friend) = (member("home", &cookie), member("friend", &cookie));
    let address = home.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    connect(&friend, address).unwrap();
    assert!(matches!(connect(&friend, address), Err(ConnectError::Connected(_))));
    assert!(matches!(connect(&home, address), Err(ConnectError::Handshake(HandshakeError::Myself))));
}

#[test]
fn nobody_listens_beyond_this_machine() {
    let home = member("home", &Cookie::random());
    let refused = home.cluster.listen("0.0.0.0:0".parse().unwrap());
    assert!(matches!(refused, Err(ListenError::NotLoopback(_))));
}
