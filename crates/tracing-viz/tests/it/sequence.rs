//! Sequence diagrams.
use crate::make::*;
use greenroom::ExitReason;
use greenroom::trace::Signal;
use greenroom_tracing_viz::Sequence;
use greenroom_tracing_viz::sequence::Options;

#[test]
fn look() {
    let ping = Story::new()
        .spawn(1, 5)
        .info(1, 5, "Ping(<0.1.0>)")
        .info(5, 1, "Pong")
        .info(1, 5, "Stop")
        .send(5, 1, Signal::Down(ExitReason::Normal))
        .exit(5, ExitReason::Normal);
    let mut tasks = Story::new();
    for t in 5..9 {
        tasks = tasks.spawn(1, t);
    }
    for t in [6, 5, 8, 7] {
        tasks = tasks.info(t, 1, &format!("TaskResult {{ id: {t}, value: {} }}", t * t)).exit(t, ExitReason::Normal);
    }
    let crash = Story::new()
        .registered(2, "sup")
        .spawn(2, 5)
        .labelled(5, "worker")
        .spawn(1, 6)
        .send(1, 5, call("Get(\"key\")"))
        .wait(1130)
        .send(5, 1, reply("Ok(42)"))
        .info(6, 5, "Boom")
        .exit(5, "index out of bounds")
        .send(5, 2, Signal::Exit("index out of bounds".into()))
        .send(5, 1, Signal::Down("index out of bounds".into()))
        .spawn(2, 7)
        .restart(2, 5, 7, "worker")
        .exit(6, "no more work to do")
        .info(1, 6, "Late { to: the_party }")
        .info(1, 7, "Hello, is anybody here? I have a very long message for you");
    let mut many = Story::new();
    for t in 5..35 {
        many = many.spawn(1, t);
        many = many.info(t, 1, "Done");
    }
    for (s, w) in [(ping, 80), (tasks, 100), (crash, 110), (many, 80)] {
        let s = Sequence::from_trace(&s.trace, &Options::default());
        for w in [w, 72] {
            println!("{}\n", s.to_text(w));
        }
        println!("{}\n", s.to_mermaid());
    }
}
