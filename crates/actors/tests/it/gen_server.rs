//! Group H: servers. What all tests call, and how a call ends.

mod calls;
mod crashes;
mod debugging;
mod lives;
mod starts;

use std::time::Duration;

use greenroom::gen_server::{AnyMessage, CallError, CallFailure, Caller, GenServer, InitError, Next, Reply};
use greenroom::message::{Down, Exit};
use greenroom::{ExitReason, Pid, accepts, exit_self, self_pid, send, sleep, trap_exit};
use serde::{Deserialize, Serialize};

/// What the server of the tests can be asked for, and told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Do {
    /// Answers with what was told so far.
    Tell,
    Panic,
    /// Ends in the middle of the handler.
    Exit(String),
    /// Stops, with or without an answer.
    Stop(String),
    StopAndTell(String),
    /// Never answers.
    Nothing,
    /// Answers when told the next [`Answer`].
    Wait,
    /// Answers twice, the second time from another process.
    Twice,
    /// Handles this info next, then what waits.
    Then(u8),
    /// Waits so long for the next message.
    Idle(Duration),
}

/// Something to be noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note(pub u8);

/// Has those who wait answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer;

/// Asks who waits, for another process to answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Waiting;

/// A server that writes down what it is told, and does as it is bidden.
#[derive(Debug)]
pub struct Diary {
    pub notes: Vec<String>,
    waiting: Vec<Caller<Vec<String>>>,
    /// Who is told of its end.
    witness: Option<Pid>,
    terminate: Terminate,
}

/// How to start it.
#[derive(Clone, Debug)]
pub enum Init {
    Plain,
    /// It traps exits, and tells of its end.
    Trapping(Pid),
    /// It tells of its end, and panics at it.
    PanickingAtTheEnd(Pid),
    Ignore,
    Stop(&'static str),
    Fail,
    Panic,
    Never,
    /// It notes this in `handle_continue`, when it has told that it is about to, and was sent something.
    Continuing(Pid),
    PanickingNext,
    /// Its first wait is this long.
    Idle(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Terminate {
    Quietly,
    Panicking,
    Idle(Duration),
    Continuing(Pid),
    PanickingNext,
}

/// What a diary tells its witness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum News {
    Continuing,
    Terminated(ExitReason),
    Dropped,
}

accepts! { Diary:
    call ask(Do, caller) -> Vec<String>;
    call waiting(Waiting) -> Vec<Caller<Vec<String>>>;
    cast note(Note);
    cast bid(Do);
    cast answer(Answer);
    info info(Note);
    info down(Down);
    info exit(Exit);
}

impl GenServer for Diary {
    type Args = Init;

    async fn init(init: Init) -> Result<Self, InitError> {
        let mut diary = Diary { notes: vec![], waiting: vec![], witness: None, terminate: Terminate::Quietly };
        match init {
            Init::Plain => {}
            Init::Trapping(witness) => {
                trap_exit(true);
                diary.witness = Some(witness);
            }
            Init::PanickingAtTheEnd(witness) => {
                diary.witness = Some(witness);
                diary.terminate = Terminate::Panicking;
            }
            Init::Ignore => return Err(InitError::Ignore),
            Init::Stop(reason) => return Err(InitError::stop(reason)),
            Init::Fail => drop("x".parse::<u8>()?),
            Init::Panic => panic!("init fails"),
            Init::Never => sleep(Duration::MAX).await,
            Init::Continuing(test) => diary.terminate = Terminate::Continuing(test),
            Init::PanickingNext => diary.terminate = Terminate::PanickingNext,
            Init::Idle(time) => diary.terminate = Terminate::Idle(time),
        }
        Ok(diary)
    }

    async fn handle_continue(&mut self) -> Next {
        match self.terminate {
            Terminate::Idle(time) => return Next::timeout(time),
            Terminate::Continuing(test) => {
                send(test, News::Continuing);
                greenroom::receive::<Answer>().await;
                self.notes.push("continued".to_owned());
            }
            Terminate::PanickingNext => panic!("continue fails"),
            Terminate::Quietly | Terminate::Panicking => {}
        }
        Next::go()
    }

    async fn handle_info(&mut self, message: AnyMessage) -> Next {
        match message.take::<Letter>() {
            Ok(Letter(text)) if text == "panic" => panic!("info fails"),
            Ok(Letter(text)) => self.notes.push(format!("undeclared {text}")),
            Err(other) => self.notes.push(format!("unknown {}", other.type_name())),
        }
        Next::go()
    }

    async fn handle_timeout(&mut self) -> Next {
        self.notes.push("idle".to_owned());
        Next::go()
    }

    async fn terminate(&mut self, reason: &ExitReason) {
        if let Some(witness) = self.witness {
            send(witness, News::Terminated(reason.clone()));
        }
        assert!(self.terminate != Terminate::Panicking, "terminate fails");
    }
}

/// What the diary has not declared.
#[derive(Debug, Serialize, Deserialize)]
pub struct Letter(pub String);

impl Diary {
    async fn ask(&mut self, what: Do, caller: Caller<Vec<String>>) -> Reply<Vec<String>> {
        match what {
            Do::Tell => self.notes.clone().into(),
            Do::Panic => panic!("call fails"),
            Do::Exit(reason) => exit_self(reason),
            Do::Stop(reason) => Reply::later().and(Next::stop(reason)),
            Do::StopAndTell(reason) => Reply::now(self.notes.clone()).and(Next::stop(reason)),
            Do::Nothing => Reply::later(),
            Do::Wait => {
                self.waiting.push(caller);
                Reply::later()
            }
            Do::Twice => {
                let same: Caller<Vec<String>> = copy(&caller);
                greenroom::spawn(async move { same.reply(vec!["second".to_owned()]) });
                Reply::now(vec!["first".to_owned()])
            }
            Do::Then(n) => Reply::now(vec![]).and(Next::then(Note(n))),
            Do::Idle(time) => Reply::now(vec![]).and(Next::timeout(time)),
        }
    }

    async fn waiting(&mut self, _: Waiting) -> Vec<Caller<Vec<String>>> {
        std::mem::take(&mut self.waiting)
    }

    async fn note(&mut self, Note(n): Note) {
        self.notes.push(format!("cast {n}"));
    }

    async fn bid(&mut self, what: Do) -> Result<Next, std::num::ParseIntError> {
        Ok(match what {
            Do::Panic => panic!("cast fails"),
            Do::Stop(reason) if reason == "error" => Next::stop(reason.parse::<u8>()?.to_string()),
            Do::Stop(reason) => Next::stop(reason),
            other => {
                self.notes.push(format!("{other:?}"));
                Next::go()
            }
        })
    }

    async fn answer(&mut self, _: Answer) {
        for caller in self.waiting.drain(..) {
            caller.reply(self.notes.clone());
        }
    }

    async fn info(&mut self, Note(n): Note) {
        self.notes.push(format!("info {n}"));
    }

    async fn down(&mut self, down: Down) {
        self.notes.push(format!("down {}", down.reason));
    }

    async fn exit(&mut self, exit: Exit) {
        self.notes.push(format!("exit {}", exit.reason));
    }
}

impl Drop for Diary {
    fn drop(&mut self) {
        if let Some(witness) = self.witness {
            send(witness, News::Dropped);
        }
    }
}

/// A caller travels as data, which may be read twice.
fn copy(caller: &Caller<Vec<String>>) -> Caller<Vec<String>> {
    serde_json::from_value(serde_json::to_value(caller).unwrap()).unwrap()
}

/// A server that accepts something else.
#[derive(Debug)]
pub struct Other;
accepts! { Other: }
impl GenServer for Other {
    type Args = ();
    async fn init((): ()) -> Result<Self, InitError> {
        Ok(Other)
    }
}

/// Why a call was not answered.
pub fn why<T: std::fmt::Debug>(outcome: Result<T, CallError>) -> CallFailure {
    outcome.unwrap_err().why
}

pub fn ended(reason: &str) -> CallFailure {
    CallFailure::Ended(ExitReason::from(reason))
}

/// The message of the panic for which a server ended.
pub fn panic_of(reason: &ExitReason) -> &str {
    match reason {
        ExitReason::Panic(panic) => {
            assert!(panic.location.is_some());
            &panic.message
        }
        other => panic!("{other} is no panic"),
    }
}

/// Starts a diary that is linked to nobody.
pub async fn diary() -> greenroom::ServerRef<Diary> {
    Diary::start(Init::Plain).await.unwrap()
}

/// What it has noted.
pub async fn notes(diary: greenroom::ServerRef<Diary>) -> Vec<String> {
    diary.call(Do::Tell).await.unwrap()
}

pub fn me() -> Pid {
    self_pid()
}
