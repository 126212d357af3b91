//! Servers: a state, and typed calls.
//!
//! A [`GenServer`](crate::GenServer) owns its state and handles one message after the other.
//! [`accepts!`](crate::accepts!) lists what it may be sent, with the method for each and the type of the answer; what is
//! not listed does not compile.
//!
//! ```
//! use greenroom::gen_server::{GenServer, InitError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Pay(u64);
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Balance;
//!
//! #[derive(Debug)]
//! struct Account {
//!     balance: u64,
//! }
//!
//! greenroom::accepts! { Account:
//!     call pay(Pay) -> Result<u64, String>;
//!     call balance(Balance) -> u64;
//! }
//!
//! impl GenServer for Account {
//!     type Args = u64;
//!
//!     async fn init(balance: u64) -> Result<Self, InitError> {
//!         Ok(Account { balance })
//!     }
//! }
//!
//! impl Account {
//!     async fn pay(&mut self, Pay(sum): Pay) -> Result<u64, String> {
//!         self.balance = self.balance.checked_sub(sum).ok_or(format!("there are only {}", self.balance))?;
//!         Ok(self.balance)
//!     }
//!
//!     async fn balance(&mut self, _: Balance) -> u64 {
//!         self.balance
//!     }
//! }
//!
//! greenroom::run(async {
//!     let account = Account::start_link(10).await.unwrap();
//!     assert_eq!(account.call(Pay(30)).await.unwrap(), Err("there are only 10".to_owned()));
//!     assert_eq!(account.call(Balance).await.unwrap(), 10);
//! });
//! ```
//!
//! The error that the server answers with is part of the answer; that there was none is the call's own error, which says
//! who was asked what, and why nothing came:
//!
//! ```
//! # use greenroom::gen_server::{GenServer, InitError};
//! # #[derive(Debug, serde::Serialize, serde::Deserialize)]
//! # struct Balance;
//! # #[derive(Debug)]
//! # struct Account;
//! # greenroom::accepts! { Account: call balance(Balance) -> u64; }
//! # impl GenServer for Account {
//! #     type Args = ();
//! #     async fn init((): ()) -> Result<Self, InitError> { Ok(Account) }
//! # }
//! # impl Account { async fn balance(&mut self, _: Balance) -> u64 { 10 } }
//! use greenroom::gen_server::CallFailure;
//!
//! # greenroom::run(async {
//! let error = Account::at("savings").call(Balance).await.unwrap_err();
//! assert_eq!(error.why, CallFailure::NoProc);
//! # });
//! ```
//!
//! # What takes long
//! While a handler awaits, messages wait. A handler that is given its [`Caller`](crate::gen_server::Caller) can hand it
//! to another process, return [`Reply::later`](crate::gen_server::Reply::later), and go on; whoever has the caller
//! answers. What only has to come after `init` belongs into
//! [`handle_continue`](crate::GenServer::handle_continue).
//!
//! # Where it differs from OTP
//! - A handler for each type of message, in the place of clauses.
//! - A call that fails is an error, not an exit of the caller: `?` and [supervision](super::supervision) make it one.
//! - An answer that is late never arrives.
//!
//! More: [`gen_server`](crate::gen_server). Next: [state machines](super::machines).
