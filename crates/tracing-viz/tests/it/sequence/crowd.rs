//! More than can be drawn: many participants, many messages, and a choice among them.

use expect_test::expect;
use greenroom::ExitReason;
use greenroom_tracing_viz::sequence::{Options, Sequence, Targets};

use super::{check, check_mermaid, crash};
use crate::make::{Story, pid};

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
