//! Names and messages that would like to be more than text.

use expect_test::expect;
use greenroom::trace::EventKind;

use super::{check, check_mermaid};
use crate::make::{Story, info, on, pid};

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
