//! Sequence diagrams: what is a step, and how it is drawn.

use std::time::Duration;

use expect_test::{Expect, expect};
use greenroom::ExitReason;
use greenroom::reason::{Location, Panic};
use greenroom::trace::{EventKind, Signal};
use greenroom_tracing_viz::sequence::{Action, ArrowKind, Options, Sequence, Targets};

use crate::make::{Story, call, info, on, pid, reply};

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
fn an_end_that_nobody_hears_of_is_marked_with_its_reason() {
    let panic = Panic {
        message: "attempt to divide by zero".into(),
        location: Some(Location { file: "src/main.rs".into(), line: 3, column: 7 }),
    };
    let story = Story::new()
        .spawn(1, 5)
        .spawn(1, 6)
        .spawn(1, 7)
        .exit(7, ExitReason::Shutdown)
        .exit(5, ExitReason::Panic(panic.into()))
        .exit(6, ExitReason::Normal)
        .exit(1, ExitReason::Shutdown);
    check(
        &story,
        80,
        expect![[r#"
            self()
               │
               ├── SPAWN ───▶ <0.5.0>
               ├── SPAWN ────────╂──────────────────────────────────▶ <0.6.0>
               ├── SPAWN ────────╂───────────────────────────────────────╂─────────▶ <0.7.0>
               │                 ┃                                       ┃ EXIT: shutd… ✕
               │                 ✕ EXIT: panic: attempt to divide by ze… ┃
               │                                                         ✕
               ✕ EXIT: shutdown"#]],
    );
    check_mermaid(
        &story,
        expect![[r#"
        sequenceDiagram
        participant 0 AS self();
        participant 1 AS #35;PID<0.5.0>;
        participant 2 AS #35;PID<0.6.0>;
        participant 3 AS #35;PID<0.7.0>;
        0->>1: SPAWN
        activate 1
        0->>2: SPAWN
        activate 2
        0->>3: SPAWN
        activate 3
        deactivate 3
        Note over 1: EXIT: panic: attempt to divide by zero
        deactivate 1
        deactivate 2
        Note over 0: EXIT: shutdown
    "#]],
    );
}

#[test]
fn an_end_at_the_very_edge_is_drawn() {
    let story = Story::new()
        .registered(2, "x")
        .info(2, 3, "a")
        .exit(3, "at the right edge of all")
        .exit(2, "at the left edge of all");
    check(
        &story,
        80,
        expect![[r#"
        x                             <0.3.0>
        │                                │
        ├── INFO: a ────────────────────▶│
        │                                ✕ EXIT: at the right edge of all
        ✕ EXIT: at the left edge of all"#]],
    );
    check(
        &story,
        22,
        expect![[r#"
        x              <0.3.0>
        │                 │
        ├── INFO: a ─────▶│
        │ EXIT: at the r… ✕
        ✕ EXIT: at the left…"#]],
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

/// Names and messages that mean something to whoever draws them.
pub fn hostile() -> Story {
    let home = Story::new()
        .registered(2, "end; deactivate 0\nparticipant 9 AS x")
        .registered(3, "%%{init: {\"theme\": \"dark\"}}%% <script>alert(1)</script>")
        .labelled(4, "\u{1b}[31mred\u{202e}#35;")
        .info(1, 2, "a;b\n0->>1: forged #59; <img src=x>")
        .info(2, 3, "style:#x; $$x$$ `y` \\n \"q\" ﬂ°°59¶ß")
        .info(3, 4, "プロセス \t 進程 ✕ │ ▶")
        .exit(4, "end");
    let far = EventKind::Send { from: pid(4), to: on("img src=x@host", 5), signal: info("\r\n") };
    home.event(far)
}

#[test]
fn hostile_names_and_messages_stay_text() {
    let story = hostile();
    check(
        &story,
        120,
        expect![[r#"
            ╭─ home@localhost ───────────────────────────────────────────────────────────────────────────────╮               ╭─…─╮
            self()        end; deactivate 0 participant 9… %%{init: {"theme": "dark"}}%% <… \u{1b}[31mred\u{202e}#35; <0.4.… <0.5.0>
               │                          │                                │                                │                   │
               ├── INFO: a;b 0->>1: fo… ─▶│                                │                                │                   │
               │                          ├── INFO: style:#x; $$x$$ `y`… ─▶│                                │                   │
               │                          │                                ├── INFO: プロセス 進程 ✕ │ ▶ ──▶│                   │
               │                          │                                │                                ✕ EXIT: end         │
               │                          │                                │                                ╶── INFO: Message ─▶│"#]],
    );
    check(
        &story,
        40,
        expect![[r#"
          0.0 µs  self()     ─▶ end; deac…  INF…
        100.0 µs  end; deac… ─▶ %%{init:…   INF…
        200.0 µs  %%{init:…  ─▶ \u{1b}[31…  INF…
        300.0 µs  \u{1b}[31… ✕              EXI…
        400.0 µs  \u{1b}[31… ─▶ <0.5.0>     INF…"#]],
    );
    check_mermaid(
        &story,
        expect![[r#"
            sequenceDiagram
            box transparent home#64;localhost
            participant 0 AS self();
            participant 1 AS #101;nd#59; deactivate 0 participant 9 AS x;
            participant 2 AS #37;#37;#123;init#58; #123;#34;theme#34;#58; #34;dark#34;#125;#125;#37;#37; #60;script#62;a…;
            participant 3 AS #92;u#123;1b#125;#91;31mred#92;u#123;202e#125;#35;35#59;<br/><0.4.0>;
            end
            box transparent img src#61;x#64;host
            participant 4 AS #35;PID<0.5.0>;
            end
            0->>1: INFO: a#59;b 0#45;#62;#62;1: forged #35;59#59; #60;img src#61;x#62;
            1->>2: INFO: #115;tyle:#35;x#59; #36;#36;x#36;#36; #96;y#96; #92;n #34;q#34; #64258;#176;#176;59#182;ß
            2->>3: INFO: プロセス 進程 #10005; #9474; #9654;
            Note over 3: EXIT: #101;nd
            3->>4: INFO: Message
        "#]],
    );
}

#[test]
fn thirty_participants_become_a_list() {
    let story = (5..34).fold(Story::new(), |story, child| {
        story.spawn(1, child).wait(500).info(child, 1, "Ready { with: \"everything\" }")
    });
    check(
        &story,
        60,
        expect![[r#"
         0.0 ms  self()   ─▶ <0.5.0>   SPAWN
         0.6 ms  <0.5.0>  ─▶ self()    INFO: Ready { with: "everyth…
         0.7 ms  self()   ─▶ <0.6.0>   SPAWN
         1.3 ms  <0.6.0>  ─▶ self()    INFO: Ready { with: "everyth…
         1.4 ms  self()   ─▶ <0.7.0>   SPAWN
         2.0 ms  <0.7.0>  ─▶ self()    INFO: Ready { with: "everyth…
         2.1 ms  self()   ─▶ <0.8.0>   SPAWN
         2.7 ms  <0.8.0>  ─▶ self()    INFO: Ready { with: "everyth…
         2.8 ms  self()   ─▶ <0.9.0>   SPAWN
         3.4 ms  <0.9.0>  ─▶ self()    INFO: Ready { with: "everyth…
         3.5 ms  self()   ─▶ <0.10.0>  SPAWN
         4.1 ms  <0.10.0> ─▶ self()    INFO: Ready { with: "everyth…
         4.2 ms  self()   ─▶ <0.11.0>  SPAWN
         4.8 ms  <0.11.0> ─▶ self()    INFO: Ready { with: "everyth…
         4.9 ms  self()   ─▶ <0.12.0>  SPAWN
         5.5 ms  <0.12.0> ─▶ self()    INFO: Ready { with: "everyth…
         5.6 ms  self()   ─▶ <0.13.0>  SPAWN
         6.2 ms  <0.13.0> ─▶ self()    INFO: Ready { with: "everyth…
         6.3 ms  self()   ─▶ <0.14.0>  SPAWN
         6.9 ms  <0.14.0> ─▶ self()    INFO: Ready { with: "everyth…
         7.0 ms  self()   ─▶ <0.15.0>  SPAWN
         7.6 ms  <0.15.0> ─▶ self()    INFO: Ready { with: "everyth…
         7.7 ms  self()   ─▶ <0.16.0>  SPAWN
         8.3 ms  <0.16.0> ─▶ self()    INFO: Ready { with: "everyth…
         8.4 ms  self()   ─▶ <0.17.0>  SPAWN
         9.0 ms  <0.17.0> ─▶ self()    INFO: Ready { with: "everyth…
         9.1 ms  self()   ─▶ <0.18.0>  SPAWN
         9.7 ms  <0.18.0> ─▶ self()    INFO: Ready { with: "everyth…
         9.8 ms  self()   ─▶ <0.19.0>  SPAWN
        10.4 ms  <0.19.0> ─▶ self()    INFO: Ready { with: "everyth…
        10.5 ms  self()   ─▶ <0.20.0>  SPAWN
        11.1 ms  <0.20.0> ─▶ self()    INFO: Ready { with: "everyth…
        11.2 ms  self()   ─▶ <0.21.0>  SPAWN
        11.8 ms  <0.21.0> ─▶ self()    INFO: Ready { with: "everyth…
        11.9 ms  self()   ─▶ <0.22.0>  SPAWN
        12.5 ms  <0.22.0> ─▶ self()    INFO: Ready { with: "everyth…
        12.6 ms  self()   ─▶ <0.23.0>  SPAWN
        13.2 ms  <0.23.0> ─▶ self()    INFO: Ready { with: "everyth…
        13.3 ms  self()   ─▶ <0.24.0>  SPAWN
        13.9 ms  <0.24.0> ─▶ self()    INFO: Ready { with: "everyth…
        14.0 ms  self()   ─▶ <0.25.0>  SPAWN
        14.6 ms  <0.25.0> ─▶ self()    INFO: Ready { with: "everyth…
        14.7 ms  self()   ─▶ <0.26.0>  SPAWN
        15.3 ms  <0.26.0> ─▶ self()    INFO: Ready { with: "everyth…
        15.4 ms  self()   ─▶ <0.27.0>  SPAWN
        16.0 ms  <0.27.0> ─▶ self()    INFO: Ready { with: "everyth…
        16.1 ms  self()   ─▶ <0.28.0>  SPAWN
        16.7 ms  <0.28.0> ─▶ self()    INFO: Ready { with: "everyth…
        16.8 ms  self()   ─▶ <0.29.0>  SPAWN
        17.4 ms  <0.29.0> ─▶ self()    INFO: Ready { with: "everyth…
        17.5 ms  self()   ─▶ <0.30.0>  SPAWN
        18.1 ms  <0.30.0> ─▶ self()    INFO: Ready { with: "everyth…
        18.2 ms  self()   ─▶ <0.31.0>  SPAWN
        18.8 ms  <0.31.0> ─▶ self()    INFO: Ready { with: "everyth…
        18.9 ms  self()   ─▶ <0.32.0>  SPAWN
        19.5 ms  <0.32.0> ─▶ self()    INFO: Ready { with: "everyth…
        19.6 ms  self()   ─▶ <0.33.0>  SPAWN
        20.2 ms  <0.33.0> ─▶ self()    INFO: Ready { with: "everyth…"#]],
    );
    check_mermaid(
        &story,
        expect![[r#"
        sequenceDiagram
        participant 0 AS self();
        participant 1 AS #35;PID<0.5.0>;
        participant 2 AS #35;PID<0.6.0>;
        participant 3 AS #35;PID<0.7.0>;
        participant 4 AS #35;PID<0.8.0>;
        participant 5 AS #35;PID<0.9.0>;
        participant 6 AS #35;PID<0.10.0>;
        participant 7 AS #35;PID<0.11.0>;
        participant 8 AS #35;PID<0.12.0>;
        participant 9 AS #35;PID<0.13.0>;
        participant 10 AS #35;PID<0.14.0>;
        participant 11 AS #35;PID<0.15.0>;
        participant 12 AS #35;PID<0.16.0>;
        participant 13 AS #35;PID<0.17.0>;
        participant 14 AS #35;PID<0.18.0>;
        participant 15 AS #35;PID<0.19.0>;
        participant 16 AS #35;PID<0.20.0>;
        participant 17 AS #35;PID<0.21.0>;
        participant 18 AS #35;PID<0.22.0>;
        participant 19 AS #35;PID<0.23.0>;
        participant 20 AS #35;PID<0.24.0>;
        participant 21 AS #35;PID<0.25.0>;
        participant 22 AS #35;PID<0.26.0>;
        participant 23 AS #35;PID<0.27.0>;
        participant 24 AS #35;PID<0.28.0>;
        participant 25 AS #35;PID<0.29.0>;
        participant 26 AS #35;PID<0.30.0>;
        participant 27 AS #35;PID<0.31.0>;
        participant 28 AS #35;PID<0.32.0>;
        participant 29 AS #35;PID<0.33.0>;
        0->>1: SPAWN
        activate 1
        1->>0: INFO: Ready { with: #34;everything#34; }
        0->>2: SPAWN
        activate 2
        2->>0: INFO: Ready { with: #34;everything#34; }
        0->>3: SPAWN
        activate 3
        3->>0: INFO: Ready { with: #34;everything#34; }
        0->>4: SPAWN
        activate 4
        4->>0: INFO: Ready { with: #34;everything#34; }
        0->>5: SPAWN
        activate 5
        5->>0: INFO: Ready { with: #34;everything#34; }
        0->>6: SPAWN
        activate 6
        6->>0: INFO: Ready { with: #34;everything#34; }
        0->>7: SPAWN
        activate 7
        7->>0: INFO: Ready { with: #34;everything#34; }
        0->>8: SPAWN
        activate 8
        8->>0: INFO: Ready { with: #34;everything#34; }
        0->>9: SPAWN
        activate 9
        9->>0: INFO: Ready { with: #34;everything#34; }
        0->>10: SPAWN
        activate 10
        10->>0: INFO: Ready { with: #34;everything#34; }
        0->>11: SPAWN
        activate 11
        11->>0: INFO: Ready { with: #34;everything#34; }
        0->>12: SPAWN
        activate 12
        12->>0: INFO: Ready { with: #34;everything#34; }
        0->>13: SPAWN
        activate 13
        13->>0: INFO: Ready { with: #34;everything#34; }
        0->>14: SPAWN
        activate 14
        14->>0: INFO: Ready { with: #34;everything#34; }
        0->>15: SPAWN
        activate 15
        15->>0: INFO: Ready { with: #34;everything#34; }
        0->>16: SPAWN
        activate 16
        16->>0: INFO: Ready { with: #34;everything#34; }
        0->>17: SPAWN
        activate 17
        17->>0: INFO: Ready { with: #34;everything#34; }
        0->>18: SPAWN
        activate 18
        18->>0: INFO: Ready { with: #34;everything#34; }
        0->>19: SPAWN
        activate 19
        19->>0: INFO: Ready { with: #34;everything#34; }
        0->>20: SPAWN
        activate 20
        20->>0: INFO: Ready { with: #34;everything#34; }
        0->>21: SPAWN
        activate 21
        21->>0: INFO: Ready { with: #34;everything#34; }
        0->>22: SPAWN
        activate 22
        22->>0: INFO: Ready { with: #34;everything#34; }
        0->>23: SPAWN
        activate 23
        23->>0: INFO: Ready { with: #34;everything#34; }
        0->>24: SPAWN
        activate 24
        24->>0: INFO: Ready { with: #34;everything#34; }
        0->>25: SPAWN
        activate 25
        25->>0: INFO: Ready { with: #34;everything#34; }
        0->>26: SPAWN
        activate 26
        26->>0: INFO: Ready { with: #34;everything#34; }
        0->>27: SPAWN
        activate 27
        27->>0: INFO: Ready { with: #34;everything#34; }
        0->>28: SPAWN
        activate 28
        28->>0: INFO: Ready { with: #34;everything#34; }
        0->>29: SPAWN
        activate 29
        29->>0: INFO: Ready { with: #34;everything#34; }
    "#]],
    );
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

#[test]
fn only_what_targets_send_or_get_is_kept() {
    let targets = Targets::Only([pid(6)].into());
    let options = Options { targets, ..Options::default() };
    let sequence = Sequence::from_trace(&crash().trace, &options);
    expect![[r#"
        self()                                               worker <0.5.0>
           │                                                        │
           ├── SPAWN ────────────────────▶ <0.6.0>                  │
           │                                  ┠── INFO: Boom ──────▶│
           │                                  ┃                     ✕ EXIT: out of tea
           │                                  ✕ EXIT: no more work
           ├── INFO: Late { to: the_party } ─▶"#]]
    .assert_eq(&sequence.to_text(80));
}

#[test]
fn what_goes_beyond_the_limit_is_counted() {
    let story = (0..12_007).fold(Story::new().spawn(1, 5), |story, turn| match turn % 2 {
        0 => story.info(1, 5, "Ping"),
        _ => story.info(5, 1, "Pong"),
    });
    let story = story.exit(5, ExitReason::Normal);
    for limit in [0, 1, 4] {
        let options = Options { limit, repeats: 0, ..Options::default() };
        let sequence = Sequence::from_trace(&story.trace, &options);
        assert_eq!(sequence.steps.len(), limit);
        assert_eq!(sequence.omitted, 12_008 - limit);
    }
    let options = Options { limit: 4, repeats: 0, ..Options::default() };
    let sequence = Sequence::from_trace(&story.trace, &options);
    expect![[r#"
        self()
           │
           ├── SPAWN ──▶ <0.5.0>
           ├── INFO: Ping ─▶┃
           │◀─ INFO: Pong ──┨
           ├── INFO: Ping ─▶┃
        … 12,004 more"#]]
    .assert_eq(&sequence.to_text(80));
    expect![[r#"
        sequenceDiagram
        participant 0 AS self();
        participant 1 AS #35;PID<0.5.0>;
        0->>1: SPAWN
        activate 1
        0->>1: INFO: Ping
        1->>0: INFO: Pong
        0->>1: INFO: Ping
        Note over 0,1: … 12,004 more
    "#]]
    .assert_eq(&sequence.to_mermaid());
}
