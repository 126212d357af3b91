//! What the compiler must refuse, each with its error code, as documentation tests; in no program.
//!
//! What is no data cannot be sent:
//! ```compile_fail,E0277
//! struct Opaque;
//! greenroom::run(async { greenroom::send(greenroom::self_pid(), Opaque) });
//! ```
//! and neither received:
//! ```compile_fail,E0277
//! #[derive(Debug)]
//! struct Opaque;
//! greenroom::run(async { greenroom::receive::<Opaque>().await; });
//! ```
//! Nor can what borrows:
//! ```compile_fail,E0597
//! greenroom::run(async {
//!     let text = String::from("short-lived");
//!     greenroom::send(greenroom::self_pid(), greenroom::Local(text.as_str()));
//! });
//! ```
//! or must stay on its thread:
//! ```compile_fail,E0277
//! greenroom::run(async { greenroom::send(greenroom::self_pid(), greenroom::Local(std::rc::Rc::new(1))) });
//! ```
//! A process moves between threads, so it must not hold on to what cannot, while it waits:
//! ```compile_fail
//! greenroom::run(async {
//!     greenroom::spawn(async {
//!         let tied = std::rc::Rc::new(1);
//!         greenroom::yield_now().await;
//!         drop(tied);
//!     });
//! });
//! ```
//! It outlives the one that started it, so it must not borrow from there:
//! ```compile_fail,E0373
//! greenroom::run(async {
//!     let text = String::from("short-lived");
//!     greenroom::spawn(async { println!("{text}") });
//! });
//! ```
//! and it returns how it ends, not a value:
//! ```compile_fail,E0277
//! greenroom::run(async { greenroom::spawn(async { 42 }); });
//! ```
//! A guard sees a message, it does not take it:
//! ```compile_fail
//! greenroom::run(async {
//!     greenroom::receive! { text: String if { drop(text); true } => () }
//! });
//! ```
//! A name may be free, so what sending there returns is not to be ignored:
//! ```compile_fail
//! #![deny(unused_must_use)]
//! greenroom::run(async { greenroom::send("nobody", 1_u8); });
//! ```
//! Nor is a task:
//! ```compile_fail
//! #![deny(unused_must_use)]
//! greenroom::run(async { greenroom::Task::spawn(async { 1 }); });
//! ```
//! A clock belongs to a node:
//! ```compile_fail,E0423
//! let clock = greenroom::Clock(std::sync::Weak::new());
//! ```
//! What is sent is gone: the sender can neither see nor change it (68):
//! ```compile_fail,E0382
//! greenroom::run(async {
//!     let mut text = String::from("mine");
//!     greenroom::send(greenroom::self_pid(), text);
//!     text.push('!');
//! });
//! ```
//! A monitor or a process that is described is not started yet:
//! ```compile_fail
//! #![deny(unused_must_use)]
//! greenroom::run(async { greenroom::process::Watch::on("nobody"); });
//! ```
//! ```compile_fail
//! #![deny(unused_must_use)]
//! greenroom::run(async { greenroom::process::Builder::new().name("nobody"); });
//! ```
//! The tag of a monitor is a message:
//! ```compile_fail,E0277
//! struct Opaque;
//! greenroom::run(async { greenroom::process::Watch::on("nobody").tag(Opaque).start(); });
//! ```
//! A token is data, not something to build by hand:
//! ```compile_fail,E0451
//! let token = greenroom::seq_trace::Token { flags: 0, ..Default::default() };
//! ```
