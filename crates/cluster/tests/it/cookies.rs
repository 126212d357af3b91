//! Nodes that have a cookie of their own, as after `erlang:set_cookie/2`.

use std::net::SocketAddr;

use greenroom::NodeId;
use greenroom_cluster::protocol::HandshakeError;
use greenroom_cluster::{Address, ConnectError, Cookie};

use crate::nodes::{Member, member};
use crate::reaching::part;
use crate::refusals::connect;

fn listening(name: &str, cookie: &Cookie) -> (Member, SocketAddr) {
    let member = member(name, cookie);
    let address = member.cluster.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    (member, address)
}

fn connect_with(from: &Member, to: impl Into<Address>, cookie: &Cookie) -> Result<NodeId, ConnectError> {
    let (cluster, to, cookie) = (from.cluster.clone(), to.into(), cookie.clone());
    from.node.block_on(async move { cluster.connect_with(to, cookie).await })
}

fn is_wrong_cookie<T>(outcome: &Result<T, ConnectError>) -> bool {
    matches!(outcome, Err(ConnectError::Handshake(_, HandshakeError::WrongCookie)))
}

#[test]
fn a_call_with_the_other_nodes_cookie_is_let_in_and_so_is_every_later_one() {
    let theirs = Cookie::random();
    let (shop, place) = listening("shop", &theirs);
    let guest = member("guest", &Cookie::random());
    assert!(is_wrong_cookie(&connect(&guest, place)));
    assert_eq!(connect_with(&guest, place, &theirs).unwrap(), shop.node.id());
    part(&guest, &shop);
    // Remembered under the name of the node, not of the address.
    assert_eq!(connect(&guest, place).unwrap(), shop.node.id());
}

#[test]
fn a_wrong_cookie_is_told_and_not_remembered() {
    let theirs = Cookie::random();
    let (shop, place) = listening("shop", &theirs);
    let guest = member("guest", &theirs);
    assert!(is_wrong_cookie(&connect_with(&guest, place, &Cookie::random())));
    assert_eq!(connect(&guest, place).unwrap(), shop.node.id());
}

#[test]
fn the_cookie_of_one_node_is_used_for_no_other() {
    let (own, theirs) = (Cookie::random(), Cookie::random());
    let (shop, shops) = listening("shop", &theirs);
    let (bank, banks) = listening("bank", &own);
    let guest = member("guest", &own);
    guest.cluster.set_cookie("shop", theirs);
    assert_eq!(connect(&guest, shops).unwrap(), shop.node.id());
    assert_eq!(connect(&guest, banks).unwrap(), bank.node.id());
}

#[test]
fn a_node_that_calls_proves_itself_with_the_cookie_that_was_set_for_it() {
    let (own, theirs) = (Cookie::random(), Cookie::random());
    let (home, place) = listening("home", &own);
    home.cluster.set_cookie("shop", theirs.clone());
    // Whoever has the name but not the cookie is not let in, also with the cookie of all others.
    let impostor = member("shop", &own);
    assert!(is_wrong_cookie(&connect(&impostor, place)));
    let shop = member("shop", &theirs);
    assert_eq!(connect(&shop, place).unwrap(), home.node.id());
    let friend = member("friend", &own);
    assert_eq!(connect(&friend, place).unwrap(), home.node.id());
}

#[test]
fn it_is_known_where_a_node_is_that_was_connected_to() {
    let cookie = Cookie::random();
    let (shop, place) = listening("shop", &cookie);
    let guest = member("guest", &cookie);
    assert_eq!(guest.cluster.address_of("shop"), None);
    connect(&guest, place).unwrap();
    assert_eq!(guest.cluster.address_of("shop"), Some(place.into()));
    drop(shop);
}
