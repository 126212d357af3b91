//! The entry points that bytes from elsewhere go through, for `fuzz/` and for the tests: each takes any bytes and panics
//! if something that must hold does not.

use std::sync::Arc;
use std::time::Duration;

use greenroom::router::Payload;
use greenroom::{NodeId, NodeName};

use crate::cookie::Cookie;
use crate::operation::{self, Operation};
use crate::protocol::{Connection, Event, HANDSHAKE_LIMIT, Peer, Role, Settings};

const NOW: Duration = Duration::ZERO;

/// A stranger says `bytes`.
pub fn handshake(bytes: &[u8]) {
    let mut listener = connection(Role::Listener, "b", &Cookie::random());
    listener.handle_input(bytes, NOW);
    answer(&mut listener);
    assert!(!listener.is_up(), "nobody has proved anything");
    assert!(said(&mut listener).len() < HANDSHAKE_LIMIT);
}

/// A node that has been let in says `bytes`.
pub fn frames(bytes: &[u8]) {
    let cookie = Cookie::random();
    let (mut caller, mut listener) = (connection(Role::Caller, "a", &cookie), connection(Role::Listener, "b", &cookie));
    for _ in 0..3 {
        listener.handle_input(&said(&mut caller), NOW);
        answer(&mut listener);
        caller.handle_input(&said(&mut listener), NOW);
        answer(&mut caller);
    }
    assert!(caller.is_up() && listener.is_up());
    listener.handle_input(bytes, NOW);
    answer(&mut listener);
    assert!(listener.is_up() != listener.is_closed());
}

/// An operation with these bytes has arrived.
pub fn operation(bytes: &[u8]) {
    let node = |name: &str| NodeId::intern(&NodeName { name: name.into(), incarnation: 1 });
    let (from, to) = (node("fuzz-a"), node("fuzz-b"));
    match operation::read(from, to, bytes.to_vec()) {
        Ok(Operation::Message(target, parcel)) => {
            assert_eq!(target.node(), to);
            parcel.decode(&mut |data| drop(erased_serde::deserialize::<(String, Vec<u64>)>(data)));
        }
        Ok(Operation::Signal(_)) | Err(_) => {}
    }
}

fn connection(role: Role, name: &str, cookie: &Cookie) -> Connection {
    let tick = Duration::from_secs(15);
    let myself = Peer { name: NodeName { name: name.into(), incarnation: 1 }, hidden: false, tick };
    let (handshake_time, high_water, limit) = (Duration::from_secs(5), 1 << 20, 1 << 30);
    let settings = Arc::new(Settings { cookie: cookie.clone(), myself, handshake_time, high_water, limit });
    Connection::new(role, settings, [7; 32], [9; 32], NOW)
}

fn said(connection: &mut Connection) -> Vec<u8> {
    let mut out = Vec::new();
    while connection.poll_transmit(&mut out, NOW) {}
    out
}

/// Says yes to everything that a node would be asked.
fn answer(connection: &mut Connection) {
    while let Some(event) = connection.poll_event() {
        match event {
            Event::Met(_) => connection.go_on(),
            Event::Proved(_) => connection.admit(),
            Event::Up(_) | Event::Operation(_) | Event::Closed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_of_strangers_are_harmless(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            handshake(&bytes);
        }

        #[test]
        fn any_bytes_of_nodes_are_harmless(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            frames(&bytes);
        }

        #[test]
        fn any_operation_is_harmless(kind in 0_u8..3, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            operation(&[&[kind], bytes.as_slice()].concat());
        }
    }
}
