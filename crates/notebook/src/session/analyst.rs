//! The process that asks rust-analyzer. The program is started when the first question comes, for the prelude that cells
//! stand on then, and ended when none has come for a while: it takes as much memory as all of the notebook. If it ends by
//! itself, this process does, too, and the next one begins anew.

use std::sync::Arc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::{ExitReason, Local, Node, Pid, Ref, exit, exit_self, monitor, receive, self_pid, send, whereis};

use super::estate::Estate;
use super::message::ANALYST;
use crate::analyzer::{self, Member, Message, Move, NoMembers, Page, Program, Talk};
use crate::tools::Tools;

/// Without a question for so long, the program is not needed.
const QUIET: Duration = Duration::from_secs(600);
/// The first answer may take long where there are many dependencies; a program that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// To the analyst: what could stand at the place of this page? Tell the one that asks under this reference.
type Ask = Local<(Pid, Ref, Page)>;

/// The analyst's answer.
type Answer = Local<(Ref, Result<Vec<Member>, NoMembers>)>;

/// The program's thread to the analyst: this was heard from the program that is known by this reference; at its end, nothing.
type Heard = Local<(Ref, Option<Message>)>;

/// Asks what could stand at the place of a page, and waits until that is known.
pub(super) async fn ask(page: Page) -> Result<Vec<Member>, NoMembers> {
    let Some(analyst) = whereis(ANALYST) else { return Err(NoMembers::NotReady) };
    let (watch, tag) = (monitor(analyst), Ref::new());
    let request: Ask = Local((self_pid(), tag, page));
    send(analyst, request);
    let answer = receive! {
        Local((about, answer)): Answer if about == tag => answer,
        down: Down if down.reference == watch => Err(NoMembers::Failed(down.reason.to_string())),
        after PATIENCE => {
            // The next one begins anew.
            exit(analyst, ExitReason::Kill);
            Err(NoMembers::Failed(format!("it has not answered for {} s", PATIENCE.as_secs())))
        },
    };
    demonitor_flush(watch).await;
    answer
}

/// A program, and the talk with it.
struct Helper {
    tag: Ref,
    program: Program,
    talk: Talk<(Pid, Ref)>,
    /// The prelude that it knows.
    prelude: String,
}

impl Helper {
    /// Ends the program. Whoever waits for an answer hears why there is none.
    fn end(mut self, why: &NoMembers) {
        self.talk.end().into_iter().for_each(|who| answer(who, Err(why.clone())));
    }
}

/// What this process has.
enum State {
    /// No program: nobody has asked lately.
    Resting,
    Working(Box<Helper>),
    /// None that would work, for the prelude of this fingerprint: why.
    Without(String, NoMembers),
}

/// The life of the analyst.
pub(super) async fn serve(estate: Arc<Estate>) {
    let mut state = State::Resting;
    loop {
        let patience = if matches!(state, State::Working(_)) { QUIET } else { Duration::MAX };
        receive! {
            Local((from, tag, page)): Ask => match estate.tools() {
                Some(tools) => {
                    state = ready(state, &tools).await;
                    match &mut state {
                        State::Working(helper) => carry_out(helper.talk.ask((from, tag), page), &helper.program),
                        State::Without(_, why) => answer((from, tag), Err(why.clone())),
                        State::Resting => {}
                    }
                }
                None => answer((from, tag), Err(NoMembers::NotReady)),
            },
            Local((tag, heard)): Heard => {
                if let State::Working(helper) = &mut state && helper.tag == tag {
                    match heard {
                        Some(message) => carry_out(helper.talk.hear(message), &helper.program),
                        None => state = ended(state),
                    }
                }
            },
            after patience => {
                if let State::Working(helper) = std::mem::replace(&mut state, State::Resting) {
                    helper.end(&NoMembers::Superseded);
                }
            },
        }
    }
}

/// The state in which a question can be asked.
async fn ready(state: State, tools: &Arc<Tools>) -> State {
    let fingerprint = &tools.compiler.prelude().fingerprint;
    match state {
        State::Working(helper) if helper.prelude == *fingerprint => return State::Working(helper),
        State::Without(prelude, why) if prelude == *fingerprint => return State::Without(prelude, why),
        State::Working(helper) => helper.end(&NoMembers::Superseded),
        State::Without(..) | State::Resting => {}
    }
    match start(tools).await {
        Ok(helper) => State::Working(Box::new(helper)),
        Err(why) => State::Without(fingerprint.clone(), why),
    }
}

async fn start(tools: &Arc<Tools>) -> Result<Helper, NoMembers> {
    let failed = |error: &dyn std::fmt::Display| NoMembers::Failed(error.to_string());
    let (own, tag, tools) = (self_pid(), Ref::new(), tools.clone());
    let Some(node) = Node::current() else { return Err(NoMembers::NotReady) };
    let begin = move || {
        let prelude = tools.compiler.prelude();
        let program = analyzer::find(&prelude.toolchain).ok_or(NoMembers::NotInstalled)?;
        let (talk, hello) = analyzer::begin(prelude).map_err(|error| failed(&error))?;
        let hear = move |heard| {
            let heard: Heard = Local((tag, heard));
            node.send(own, heard);
        };
        let program = Program::start(&program, hear).map_err(|error| failed(&error))?;
        program.say(hello);
        Ok(Helper { tag, program, talk, prelude: prelude.fingerprint.clone() })
    };
    match greenroom::spawn_blocking(begin).await {
        Ok(begun) => begun,
        Err(reason) => Err(failed(&reason)),
    }
}

/// What is done when the program has ended by itself. One that has never worked is not tried again.
fn ended(state: State) -> State {
    let State::Working(helper) = state else { return state };
    if helper.talk.has_begun() {
        exit_self(ExitReason::Error("rust-analyzer has ended".into()));
    }
    let why = NoMembers::Failed("it has ended before it could be asked".to_owned());
    let prelude = helper.prelude.clone();
    helper.end(&why);
    State::Without(prelude, why)
}

fn carry_out(moves: Vec<Move<(Pid, Ref)>>, program: &Program) {
    for next in moves {
        match next {
            Move::Say(message) => program.say(message),
            Move::Answer(who, members) => answer(who, members),
        }
    }
}

fn answer((to, tag): (Pid, Ref), members: Result<Vec<Member>, NoMembers>) {
    let answer: Answer = Local((tag, members));
    send(to, answer);
}
