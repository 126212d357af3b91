//! Sequence diagrams: what is a step, and how it is drawn.

use std::time::Duration;

use expect_test::{Expect, expect};
use greenroom::ExitReason;
use greenroom::trace::Signal;
use greenroom_tracing_viz::sequence::{Action, ArrowKind, Options, Sequence};

mod crowd;
mod ends;
mod hostile;

pub use hostile::hostile;

use crate::make::{Story, call, reply};

fn drawn(story: &Story) -> Sequence {
    Sequence::from_trace(&story.trace, &Options::default())
}

fn check(story: &Story, width: usize, expected: Expect) {
    expected.assert_eq(&drawn(story).to_text(width));
}

fn check_mermaid(story: &Story, expected: Expect) {
    expected.assert_eq(&drawn(story).to_mermaid());
}

fn ping_pong() -> Story {
    Story::new()
        .spawn(1, 5)
        .info(1, 5, "Ping(<0.1.0>)")
        .info(5, 1, "Pong")
        .info(1, 5, "Stop")
        .exit(5, ExitReason::Normal)
        .send(5, 1, Signal::Down(ExitReason::Normal))
}

fn four_tasks() -> Story {
    let started = (5..9).fold(Story::new(), |story, task| story.spawn(1, task));
    [6, 5, 8, 7].into_iter().fold(started, |story, task| {
        let result = format!("Done {{ task: {task}, slept: {} }}", task * task);
        story.info(task, 1, &result).exit(task, ExitReason::Normal)
    })
}

pub fn crash() -> Story {
    Story::new()
        .registered(2, "sup")
        .labelled(5, "worker")
        .spawn(2, 5)
        .spawn(1, 6)
        .send(1, 5, call("Get(\"key\")"))
        .wait(1130)
        .send(5, 1, reply("Some(42)"))
        .info(6, 5, "Boom")
        .exit(5, "out of tea")
        .send(5, 2, Signal::Exit("out of tea".into()))
        .send(5, 1, Signal::Down("out of tea".into()))
        .spawn(2, 7)
        .restart(2, 5, 7, "worker")
        .exit(6, "no more work")
        .info(1, 6, "Late { to: the_party }")
}

#[test]
fn ping_pong_is_drawn() {
    check(
        &ping_pong(),
        80,
        expect![[r#"
        self()
           │
           ├── SPAWN ───────────▶ <0.5.0>
           ├── INFO: Ping(<0.1.0>) ─▶┃
           │◀─ INFO: Pong ───────────┨
           ├── INFO: Stop ──────────▶┃
           │◀─ DOWN: normal ─────────✕"#]],
    );
    check_mermaid(
        &ping_pong(),
        expect![[r#"
        sequenceDiagram
        participant 0 AS self();
        participant 1 AS #35;PID<0.5.0>;
        0->>1: SPAWN
        activate 1
        0->>1: INFO: Ping(#60;0.1.0#62;)
        1->>0: INFO: Pong
        0->>1: INFO: Stop
        1->>0: DOWN: normal
        deactivate 1
    "#]],
    );
}

#[test]
fn tasks_end_where_they_have_sent_their_last_message() {
    check(
        &four_tasks(),
        100,
        expect![[r#"
        self()
           │
           ├── SPAWN ─────────────────────────▶ <0.5.0>
           ├── SPAWN ──────────────────────────────╂─────────▶ <0.6.0>
           ├── SPAWN ──────────────────────────────╂──────────────╂─────────▶ <0.7.0>
           ├── SPAWN ──────────────────────────────╂──────────────╂──────────────╂─────────▶ <0.8.0>
           │◀─ INFO: Done { task: 6, slept: 36 } ──╂──────────────✕              ┃              ┃
           │◀─ INFO: Done { task: 5, slept: 25 } ──✕                             ┃              ┃
           │◀─ INFO: Done { task: 8, slept: 64 } ────────────────────────────────╂──────────────✕
           │◀─ INFO: Done { task: 7, slept: 49 } ────────────────────────────────✕"#]],
    );
    check(
        &four_tasks(),
        70,
        expect![[r#"
        self()
           │
           ├── SPAWN ───▶ <0.5.0>
           ├── SPAWN ────────╂─────────▶ <0.6.0>
           ├── SPAWN ────────╂──────────────╂─────────▶ <0.7.0>
           ├── SPAWN ────────╂──────────────╂──────────────╂─────────▶ <0.8.0>
           │◀─ INFO: Done { task: 6, sle… ──✕              ┃              ┃
           │◀─ INFO: Done… ──✕                             ┃              ┃
           │◀─ INFO: Done { task: 8, slept: 64 } ──────────╂──────────────✕
           │◀─ INFO: Done { task: 7, slept: 49 } ──────────✕"#]],
    );
    check(
        &four_tasks(),
        50,
        expect![[r#"
        0.0 ms  self()  ─▶ <0.5.0>  SPAWN
        0.1 ms  self()  ─▶ <0.6.0>  SPAWN
        0.2 ms  self()  ─▶ <0.7.0>  SPAWN
        0.3 ms  self()  ─▶ <0.8.0>  SPAWN
        0.4 ms  <0.6.0> ─▶ self()   INFO: Done { task: 6,…
        0.5 ms  <0.6.0> ✕           EXIT: normal
        0.6 ms  <0.5.0> ─▶ self()   INFO: Done { task: 5,…
        0.7 ms  <0.5.0> ✕           EXIT: normal
        0.8 ms  <0.8.0> ─▶ self()   INFO: Done { task: 8,…
        0.9 ms  <0.8.0> ✕           EXIT: normal
        1.0 ms  <0.7.0> ─▶ self()   INFO: Done { task: 7,…
        1.1 ms  <0.7.0> ✕           EXIT: normal"#]],
    );
    check_mermaid(
        &four_tasks(),
        expect![[r#"
        sequenceDiagram
        participant 0 AS self();
        participant 1 AS #35;PID<0.5.0>;
        participant 2 AS #35;PID<0.6.0>;
        participant 3 AS #35;PID<0.7.0>;
        participant 4 AS #35;PID<0.8.0>;
        0->>1: SPAWN
        activate 1
        0->>2: SPAWN
        activate 2
        0->>3: SPAWN
        activate 3
        0->>4: SPAWN
        activate 4
        2->>0: INFO: Done { task: 6, slept: 36 }
        deactivate 2
        1->>0: INFO: Done { task: 5, slept: 25 }
        deactivate 1
        4->>0: INFO: Done { task: 8, slept: 64 }
        deactivate 4
        3->>0: INFO: Done { task: 7, slept: 49 }
        deactivate 3
    "#]],
    );
}

#[test]
fn a_crash_is_told_to_those_who_watch_and_mended_by_a_restart() {
    check(
        &crash(),
        100,
        expect![[r#"
            self()                           sup
               │                              │
               │                              ├── SPAWN ────▶ worker <0.5.0>
               ├── SPAWN ─────────────────────┼──────────────────────╂───────────▶ <0.6.0>
               ├── CALL: Get("key") ──────────┼─────────────────────▶┃                ┃
               │◀─ REPLY (1.2 ms): Some(42) ──┼──────────────────────┨                ┃
               │                              │                      ┃◀─ INFO: Boom ──┨
               │                              │◀─ EXIT: out of tea ──┨                ┃
               │◀─ DOWN: out of tea ──────────┼──────────────────────✕                ┃
               │                              ├── RESTART: worker ────────────────────╂────────────────▶ <0.7.0>
               │                              │                                       ✕ EXIT: no more work  ┃
               ├── INFO: Late { to: the_party } ─────────────────────────────────────▶                      ┃"#]],
    );
    check_mermaid(
        &crash(),
        expect![[r#"
        sequenceDiagram
        participant 0 AS self();
        participant 1 AS sup;
        participant 2 AS worker<br/><0.5.0>;
        participant 3 AS #35;PID<0.6.0>;
        participant 4 AS #35;PID<0.7.0>;
        1->>2: SPAWN
        activate 2
        0->>3: SPAWN
        activate 3
        0->>2: CALL: Get(#34;key#34;)
        2->>0: REPLY (1.2 ms): Some(42)
        3->>2: INFO: Boom
        2->>1: EXIT: out of tea
        2->>0: DOWN: out of tea
        deactivate 2
        1->>4: RESTART: worker
        activate 4
        Note over 3: EXIT: no more work
        deactivate 3
        0->>3: INFO: Late { to: the_party }
    "#]],
    );
}

#[test]
fn calls_and_replies_are_paired_like_brackets() {
    let story = Story::new()
        .registered(2, "cache")
        .send(1, 2, call("Outer"))
        .send(2, 3, call("Other"))
        .send(1, 2, call("Inner"))
        .send(2, 1, reply("1"))
        .send(3, 2, reply("2"))
        .wait(2_000_000)
        .send(2, 1, reply("3"))
        .send(2, 1, reply("of nothing"))
        .send(1, 2, Signal::Cast { name: "Stop".into(), text: String::new() });
    check(
        &story,
        80,
        expect![[r#"
            self()                   cache                  <0.3.0>
               │                       │                       │
               ├── CALL: Outer ───────▶│                       │
               │                       ├── CALL: Other ───────▶│
               ├── CALL: Inner ───────▶│                       │
               │◀─ REPLY (100 µs): 1 ──┤                       │
               │                       │◀─ REPLY (300 µs): 2 ──┤
               │◀─ REPLY (2.0 s): 3 ───┤                       │
               │◀─ REPLY: of nothing ──┤                       │
               ├── CAST: Stop ────────▶│                       │"#]],
    );
    let latencies: Vec<Option<Duration>> = drawn(&story)
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Arrow(arrow) => match arrow.kind {
                ArrowKind::Reply { latency } => Some(latency),
                _ => None,
            },
            Action::Exit(_) | Action::Mark(_) => None,
        })
        .collect();
    let micros = |span| Some(Duration::from_micros(span));
    assert_eq!(latencies, [micros(100), micros(300), micros(2_000_500), None]);
}

#[test]
fn an_empty_trace_says_so() {
    check(&Story::new(), 80, expect!["(no messages)"]);
    check_mermaid(
        &Story::new(),
        expect![[r#"
        sequenceDiagram
    "#]],
    );
}

#[test]
fn what_is_sent_to_oneself_is_left_out() {
    let story = Story::new().info(1, 1, "note to self");
    assert_eq!(drawn(&story), Sequence::default());
}

#[test]
fn events_are_ordered_by_time_and_keep_their_order_within_an_instant() {
    let mut story = ping_pong();
    let expected = drawn(&story);
    story.trace.events.reverse();
    assert_eq!(drawn(&story), expected);
    for event in &mut story.trace.events {
        event.at = Duration::ZERO;
    }
    let Action::Arrow(first) = &drawn(&story).steps[0].action else { panic!("no arrow") };
    assert_eq!(first.label, "DOWN: normal");
}
