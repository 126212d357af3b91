//! Names, registries and groups: finding a process without its pid.
//!
//! A pid belongs to one process; what is started again has another. So what is to be found for long is found by what it
//! is:
//!
//! | | one process | any number |
//! |---|---|---|
//! | by a text | a name: [`register`](crate::register) | |
//! | by a key of any type, on this node | [`registry::unique`](crate::registry::unique) | [`registry::duplicate`](crate::registry::duplicate) |
//! | on all nodes | name and node | [`groups`](crate::groups) |
//!
//! In all of them, the dead are never found (of a group on another node, that holds once its node has said so), and
//! who learns of an end finds the name free.
//!
//! ```
//! use greenroom::{receive, register, self_pid, send};
//!
//! greenroom::run(async {
//!     register("desk", self_pid()).unwrap();
//!     send("desk", 1_u32).unwrap();
//!     assert_eq!(receive::<u32>().await, 1);
//!     // Nobody has this name: the message comes back.
//!     assert!(send("attic", 2_u32).is_err());
//! });
//! ```
//!
//! A registry has a value beside each entry:
//!
//! ```
//! use greenroom::{receive, registry, self_pid, send};
//!
//! greenroom::run(async {
//!     let topics = registry::duplicate::<&str, u8>();
//!     topics.register("news", 1);
//!     let told = topics.dispatch(&"news", |reader, _priority| send(reader, "rain".to_owned()));
//!     assert_eq!((told, receive::<String>().await), (1, "rain".to_owned()));
//! });
//! ```
//!
//! A group is one across nodes; its [`Scope`](crate::groups::Scope) is a child of a supervisor:
//!
//! ```
//! use greenroom::groups::Scope;
//! use greenroom::supervisor::{Strategy, Supervisor};
//! use greenroom::{receive, self_pid};
//!
//! greenroom::run(async {
//!     let rooms: Scope<String> = Scope::new("rooms");
//!     Supervisor::new(Strategy::OneForOne).child(rooms.spec()).start_link().await.unwrap();
//!     rooms.join("green".into(), self_pid()).await.unwrap();
//!     rooms.broadcast(&"green".into(), 'x');
//!     assert_eq!(receive::<char>().await, 'x');
//! });
//! ```
//!
//! # Where it differs from OTP
//! - Sending to a free name is an error that has the message, and unregistering one is no error.
//! - A registry is a value, and no process.
//! - A group's scope is a value; reading it asks nobody.
//!
//! More: [`registry`](crate::registry), [`groups`](crate::groups). Next: [tracing](super::tracing).
