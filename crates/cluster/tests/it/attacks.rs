//! Attacks on the protocol: what somebody without the cookie may try who has the whole channel in hand.

use std::sync::Arc;
use std::time::Duration;

use greenroom::NodeName;
use greenroom_cluster::Cookie;
use greenroom_cluster::protocol::{
    Binding, Closed, Connection, Event, HANDSHAKE_LIMIT, HandshakeError, Peer, Role, Route, Settings, VERSION,
};
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);

fn settings(name: &str, cookie: &Cookie) -> Arc<Settings> {
    let myself =
        Peer { name: NodeName { name: name.into(), incarnation: 7 }, hidden: false, tick: Duration::from_secs(15) };
    let cookie = cookie.clone();
    Arc::new(Settings { cookie, myself, handshake_time: PATIENCE, high_water: 1 << 20, limit: 1 << 30 })
}

/// One end, which goes on by itself where its node would be asked.
struct End {
    core: Connection,
    events: Vec<Event>,
}

impl End {
    fn new(role: Role, name: &str, cookie: &Cookie, binding: Binding, nonce: u8) -> Self {
        End { core: Connection::new(role, settings(name, cookie), binding, [nonce; 32], NOW), events: Vec::new() }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.core.handle_input(bytes, NOW);
        while let Some(event) = self.core.poll_event() {
            match event {
                Event::Met(_) => self.core.go_on(),
                Event::Proved(_) => self.core.admit(),
                Event::Up(_) | Event::Operation(_) | Event::Closed(_) => {}
            }
            self.events.push(event);
        }
    }

    fn say(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.core.poll_transmit(&mut out, NOW) {}
        out
    }

    fn closed(&self) -> Option<&Closed> {
        self.events.iter().find_map(|event| match event {
            Event::Closed(why) => Some(why),
            _ => None,
        })
    }

    fn is_refused(&self, error: &HandshakeError) -> bool {
        !self.core.is_up() && self.closed() == Some(&Closed::Handshake(error.clone()))
    }
}

const HERE: Binding = [1; 32];
const ELSEWHERE: Binding = [2; 32];

/// Lets two ends talk until they have nothing more to say; gives what the caller and the listener have said.
fn talk(caller: &mut End, listener: &mut End) -> (Vec<u8>, Vec<u8>) {
    let (mut by_caller, mut by_listener) = (Vec::new(), Vec::new());
    loop {
        let (said, answered) = (caller.say(), listener.say());
        if said.is_empty() && answered.is_empty() {
            return (by_caller, by_listener);
        }
        listener.hear(&said);
        caller.hear(&answered);
        by_caller.extend(said);
        by_listener.extend(answered);
    }
}

fn pair(cookie: &Cookie) -> (End, End) {
    (End::new(Role::Caller, "a", cookie, HERE, 10), End::new(Role::Listener, "b", cookie, HERE, 20))
}

#[test]
fn nodes_with_the_same_cookie_come_together_and_say_little_on_the_way() {
    let (mut caller, mut listener) = pair(&Cookie::random());
    let (by_caller, by_listener) = talk(&mut caller, &mut listener);
    assert!(caller.core.is_up() && listener.core.is_up());
    assert!(by_caller.len() < HANDSHAKE_LIMIT && by_listener.len() < HANDSHAKE_LIMIT);
}

#[test]
fn neither_side_takes_another_cookie() {
    let right = Cookie::random();
    for wrong in
        [Cookie::random(), "00".repeat(32).parse().unwrap(), format!("{}00", &right.reveal()[..62]).parse().unwrap()]
    {
        let mut caller = End::new(Role::Caller, "a", &wrong, HERE, 1);
        let mut listener = End::new(Role::Listener, "b", &right, HERE, 2);
        talk(&mut caller, &mut listener);
        assert!(caller.is_refused(&HandshakeError::WrongCookie) && listener.is_refused(&HandshakeError::WrongCookie));
    }
}

#[test]
fn a_relay_between_two_channels_is_noticed_by_both() {
    let cookie = Cookie::random();
    let mut caller = End::new(Role::Caller, "a", &cookie, HERE, 1);
    let mut listener = End::new(Role::Listener, "b", &cookie, ELSEWHERE, 2);
    talk(&mut caller, &mut listener);
    assert!(caller.is_refused(&HandshakeError::WrongCookie) && listener.is_refused(&HandshakeError::WrongCookie));
}

#[test]
fn a_recorded_conversation_is_worth_nothing_even_on_the_same_channel() {
    let cookie = Cookie::random();
    let (mut caller, mut listener) = pair(&cookie);
    let (by_caller, by_listener) = talk(&mut caller, &mut listener);
    let mut again = End::new(Role::Listener, "b", &cookie, HERE, 21);
    again.hear(&by_caller);
    assert!(again.is_refused(&HandshakeError::WrongCookie));
    let mut again = End::new(Role::Caller, "a", &cookie, HERE, 11);
    again.hear(&by_listener);
    assert!(!again.core.is_up() && again.closed().is_some());
}

#[test]
fn a_node_does_not_take_its_own_words_for_a_peers() {
    let cookie = Cookie::random();
    // What a caller says comes back to it.
    let mut caller = End::new(Role::Caller, "a", &cookie, HERE, 1);
    for _ in 0..4 {
        let said = caller.say();
        caller.hear(&said);
    }
    assert!(!caller.core.is_up() && caller.closed().is_some());
    // The proof of a caller that was called back is shown to the listener that it came from: a mirror, and the roles
    // are swapped.
    let mut listener = End::new(Role::Listener, "b", &cookie, HERE, 2);
    let mut mirror = End::new(Role::Caller, "b", &cookie, HERE, 2);
    listener.hear(&mirror.say());
    mirror.hear(&listener.say());
    let proof_of_a_caller = mirror.say();
    let mut victim = End::new(Role::Caller, "b", &cookie, HERE, 2);
    victim.say();
    victim.hear(&record(1, &hello_of(&End::new(Role::Caller, "b", &cookie, HERE, 2).say())));
    let mut as_verdict = vec![0];
    as_verdict.extend_from_slice(&proof_of_a_caller[5..]);
    victim.hear(&record(3, &as_verdict));
    assert!(victim.is_refused(&HandshakeError::WrongCookie), "{:?}", victim.closed());
}

/// A record, as anyone can write it.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 1).to_le_bytes().to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(body);
    bytes
}

fn hello_of(said: &[u8]) -> Vec<u8> {
    assert_eq!(said[4], 1);
    said[5..].to_vec()
}

/// Runs a handshake in which somebody changes the hello of the caller on its way.
fn with_changed_hello(change: impl Fn(&mut Vec<u8>)) -> (End, End) {
    let (mut caller, mut listener) = pair(&Cookie::random());
    let mut hello = hello_of(&caller.say());
    change(&mut hello);
    listener.hear(&record(1, &hello));
    talk(&mut caller, &mut listener);
    (caller, listener)
}

#[test]
fn every_changed_byte_of_a_hello_is_noticed() {
    let length = hello_of(&pair(&Cookie::random()).0.say()).len();
    for at in 0..length {
        let (caller, listener) = with_changed_hello(|hello| hello[at] ^= 1);
        assert!(!caller.core.is_up() && !listener.core.is_up(), "byte {at}");
        assert!(listener.closed().is_some_and(|why| matches!(why, Closed::Handshake(_))), "{:?}", listener.closed());
    }
}

#[test]
fn a_spoofed_name_and_a_lower_version_are_noticed() {
    let (_, listener) = with_changed_hello(|hello| {
        let name = hello.iter().position(|byte| *byte == b'a').unwrap();
        hello[name] = b'c';
    });
    assert!(listener.is_refused(&HandshakeError::WrongCookie), "{:?}", listener.closed());
    let (caller, listener) = with_changed_hello(|hello| hello[11 - 1] = 1);
    assert!(!caller.core.is_up() && !listener.core.is_up());
    let (_, listener) = with_changed_hello(|hello| (hello[9], hello[10]) = (1, 1));
    assert!(listener.is_refused(&HandshakeError::Version { lowest: 1, highest: 1 }), "{:?}", listener.closed());
    assert_eq!(VERSION, 2);
}

#[test]
fn a_conversation_that_is_cut_off_at_any_byte_lets_nobody_in_and_ends_in_time() {
    let cookie = Cookie::random();
    let (mut caller, mut listener) = pair(&cookie);
    let (by_caller, _) = talk(&mut caller, &mut listener);
    for length in 0..by_caller.len() {
        let mut listener = End::new(Role::Listener, "b", &cookie, HERE, 20);
        listener.hear(&by_caller[..length]);
        assert!(!listener.core.is_up() && listener.closed().is_none());
        // Hanging on does not help …
        assert_eq!(listener.core.next_timeout(), Some(NOW + PATIENCE));
        listener.core.handle_timeout(NOW + PATIENCE);
        listener.hear(&by_caller[length..]);
        assert_eq!(listener.closed(), Some(&Closed::TooSlow));
        // … and hanging up is no harm.
        let mut listener = End::new(Role::Listener, "b", &cookie, HERE, 20);
        listener.hear(&by_caller[..length]);
        listener.core.handle_end("");
        listener.hear(&[]);
        assert!(!listener.core.is_up());
    }
}

#[test]
fn who_says_one_byte_at_a_time_has_no_more_time_than_others() {
    let cookie = Cookie::random();
    let mut listener = End::new(Role::Listener, "b", &cookie, HERE, 2);
    let hello = End::new(Role::Caller, "a", &cookie, HERE, 1).say();
    let mut now = NOW;
    for byte in hello {
        listener.core.handle_input(&[byte], now);
        now += Duration::from_millis(100);
        if listener.core.next_timeout().is_some_and(|due| due <= now) {
            listener.core.handle_timeout(now);
            break;
        }
    }
    listener.hear(&[]);
    assert_eq!(listener.closed(), Some(&Closed::TooSlow));
    assert!(now <= NOW + PATIENCE + Duration::from_millis(100));
}

#[test]
fn nothing_long_is_heard_of_a_stranger() {
    for length in [HANDSHAKE_LIMIT as u32 + 1, 1 << 20, u32::MAX] {
        let mut listener = End::new(Role::Listener, "b", &Cookie::random(), HERE, 2);
        listener.hear(&length.to_le_bytes());
        assert!(listener.is_refused(&HandshakeError::NotANode), "{:?}", listener.closed());
    }
}

#[test]
fn an_operation_before_the_proof_is_not_heard() {
    let cookie = Cookie::random();
    for after_hello in [false, true] {
        let mut listener = End::new(Role::Listener, "b", &cookie, HERE, 2);
        if after_hello {
            listener.hear(&End::new(Role::Caller, "a", &cookie, HERE, 1).say());
        }
        listener.hear(&record(17, b"do something"));
        assert!(listener.closed().is_some());
        assert!(!listener.events.iter().any(|event| matches!(event, Event::Operation(_))));
        assert!(listener.core.queue(Route { from: None, to: None }, b"x").is_err());
    }
}

#[test]
fn case_213_bad_names_are_refused() {
    for bad in ["", "a\nb", &"x".repeat(256)] {
        let cookie = Cookie::random();
        let (mut caller, mut listener) = (End::new(Role::Caller, bad, &cookie, HERE, 1), pair(&cookie).1);
        talk(&mut caller, &mut listener);
        assert!(listener.is_refused(&HandshakeError::BadName));
    }
}

#[test]
fn a_node_that_has_been_let_in_and_breaks_the_protocol_is_dropped() {
    for bad in [record(1, b"hello again"), record(2, &[0; 32]), record(19, b"1234x"), record(99, b""), record(16, b"?")]
    {
        let (mut caller, mut listener) = pair(&Cookie::random());
        talk(&mut caller, &mut listener);
        listener.hear(&bad);
        assert!(matches!(listener.closed(), Some(Closed::Malformed(_))), "{:?}", listener.closed());
    }
}

proptest! {
    /// Whatever a stranger says, nothing is believed, and little is kept or answered.
    #[test]
    fn random_bytes_let_nobody_in(bytes in prop::collection::vec(any::<u8>(), 0..3000), chunk in 1_usize..400) {
        let mut listener = End::new(Role::Listener, "b", &Cookie::random(), HERE, 2);
        for piece in bytes.chunks(chunk) {
            listener.hear(piece);
        }
        prop_assert!(!listener.core.is_up());
        prop_assert!(listener.say().len() < HANDSHAKE_LIMIT);
    }

    /// Whatever a node says that has been let in, it is taken or the connection ends.
    #[test]
    fn random_records_do_no_harm(
        records in prop::collection::vec((0_u8..24, prop::collection::vec(any::<u8>(), 0..200)), 0..20)
    ) {
        let (mut caller, mut listener) = pair(&Cookie::random());
        talk(&mut caller, &mut listener);
        for (kind, body) in records {
            listener.hear(&record(kind, &body));
        }
        prop_assert!(listener.core.is_up() != listener.closed().is_some());
    }
}
