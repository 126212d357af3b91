//! Ends that no arrow tells of.

use expect_test::expect;
use greenroom::ExitReason;
use greenroom::reason::{Location, Panic};

use super::{check, check_mermaid};
use crate::make::Story;

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
