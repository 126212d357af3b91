//! Group J: agents.

use std::time::Duration;

use greenroom::gen_server::CallFailure;
use greenroom::supervisor::{Strategy, Supervisor};
use greenroom::{Agent, ExitReason, exit, spawn_monitor, whereis};

use crate::support::{end_of, gone, leaving_nothing};

#[test]
fn an_agent_keeps_a_value_that_is_looked_at_and_changed() {
    leaving_nothing(|_| async {
        let words = Agent::start_link_named("words", Vec::new).await.unwrap();
        words.update(|words: &mut Vec<String>| words.push("a".to_owned())).await.unwrap();
        words.cast(|words| words.push("b".to_owned()));
        assert_eq!(words.get(|words| words.join(" ")).await.unwrap(), "a b");
        assert_eq!(words.get_and_update(std::mem::take).await.unwrap(), ["a", "b"]);
        assert_eq!(words.get(Vec::len).await, Ok(0));
        assert_eq!(Agent::<Vec<String>>::at(whereis("words").unwrap()).get(Vec::len).await, Ok(0));
        words.stop().await.unwrap();
        assert_eq!(words.get(Vec::len).await.unwrap_err().why, CallFailure::NoProc);
    });
}

#[test]
fn case_182_an_agent_survives_a_time_out_of_its_caller() {
    leaving_nothing(|clock| async move {
        let agent = Agent::start(|| 1_u64).await.unwrap();
        greenroom::gen_server::ServerRef::<greenroom::agent::Keeper<u64>>::new(agent.pid()).suspend().await.unwrap();
        let second = Duration::from_secs(1);
        let caller = spawn_monitor(async move {
            let error = agent.within(second).update(|n| *n = 2).await.unwrap_err();
            assert_eq!(error.why, CallFailure::Timeout(second));
        });
        clock.pass(second).await;
        assert_eq!(end_of(caller).await, ExitReason::Normal);
        greenroom::gen_server::ServerRef::<greenroom::agent::Keeper<u64>>::new(agent.pid()).resume().await.unwrap();
        assert_eq!(agent.get(|n| *n).await, Ok(2));
        agent.stop().await.unwrap();
    });
}

#[test]
fn case_182_an_update_that_panics_ends_the_agent_and_the_call() {
    leaving_nothing(|_| async {
        let agent = Agent::start(|| 1_u64).await.unwrap();
        let error = agent.update(|_| panic!("update fails")).await.unwrap_err();
        let CallFailure::Ended(ExitReason::Panic(panic)) = error.why else { panic!("{error}") };
        assert_eq!(panic.message, "update fails");
        gone(agent.pid()).await;
        let broken = Agent::start(|| -> u64 { panic!("start fails") }).await.unwrap_err();
        assert!(broken.to_string().contains("start fails"), "{broken}");
    });
}

#[test]
fn an_agent_is_a_child_that_begins_anew() {
    leaving_nothing(|clock| async move {
        let supervisor =
            Supervisor::new(Strategy::OneForOne).child(Agent::spec("count", || 1_u64)).start_link().await.unwrap();
        let pid_of = || async move { supervisor.which_children().await.unwrap()[0].pid.unwrap() };
        let first = Agent::<u64>::at(pid_of().await);
        first.update(|n| *n = 7).await.unwrap();
        exit(first.pid(), ExitReason::Kill);
        gone(first.pid()).await;
        clock.settled().await;
        assert_eq!(Agent::<u64>::at(pid_of().await).get(|n| *n).await, Ok(1));
        greenroom::unlink(supervisor.pid());
        exit(supervisor.pid(), ExitReason::Kill);
        gone(supervisor.pid()).await;
    });
}
