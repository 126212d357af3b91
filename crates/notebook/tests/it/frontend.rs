//! What the front ends show of a run.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use expect_test::{Expect, expect};
use greenroom_notebook::draw::{CellSource, Drawing, Label, Style, draw};
use greenroom_notebook::event::{CellReport, CellStart, Event, Output, OutputKind, Status, heading};
use greenroom_notebook::frontend::{Frontend, Json, Look, Plain, Progress};

/// A stream that can be read after it was written.
#[derive(Clone, Default)]
struct Page(Rc<RefCell<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).expect("a front end writes UTF-8")
    }
}

fn check_plain(events: &[Event], expect: Expect) {
    let (out, aside) = (Page::default(), Page::default());
    let mut frontend = Plain::new(out.clone(), Progress::lines(aside.clone()), Look::PAGE);
    for event in events {
        frontend.event(event).expect("a page can be written");
    }
    expect.assert_eq(&both(&out, &aside));
}

fn check_json(events: &[Event], expect: Expect) {
    let (out, aside) = (Page::default(), Page::default());
    let mut frontend = Json::new(out.clone(), Progress::lines(aside.clone()));
    for event in events {
        frontend.event(event).expect("a page can be written");
    }
    expect.assert_eq(&both(&out, &aside));
}

/// stdout, then stderr if there is any.
fn both(out: &Page, aside: &Page) -> String {
    match aside.text().as_str() {
        "" => out.text(),
        aside => format!("{}=== stderr\n{aside}", out.text()),
    }
}

fn started(index: usize, section: &str, source: &str) -> Event {
    Event::CellStarted(CellStart { index, section: section.to_owned(), heading: heading(source), line: 10 * index })
}

fn report(index: usize, section: &str, source: &str, status: Status, outputs: Vec<Output>) -> CellReport {
    CellReport {
        index,
        section: section.to_owned(),
        heading: heading(source),
        line: 10 * index,
        status,
        compile_ms: 131.7204,
        run_ms: 0.42,
        cached: false,
        outputs,
    }
}

fn text(index: usize, text: &str) -> Event {
    let output = Output::new(OutputKind::Text, text);
    Event::CellOutput { index, output }
}

const SEQUENCE: &str = "  self()         child
   │              │
   │    SPAWN     │
   ├─────────────►│
   │    INFO: ping│
   ├─────────────►│
";

/// A run in which everything happens.
fn run() -> Vec<Event> {
    let source = "let sum: u32 = \"naïve\";\nsum";
    let error = draw(
        &CellSource { label: "cell 3", file: Some("notes.livemd"), first_line_in_file: 30, text: source },
        &Drawing {
            code: Some("E0308".to_owned()),
            labels: vec![Label { range: 15..23, text: "expected `u32`, found `&str`".to_owned(), primary: true }],
            ..Drawing::error("mismatched types")
        },
        Style::Coloured,
        100,
    );
    let greet = "let child = spawn(greet);\nchild.pid()";
    let draw_it = "render_seq_trace(async { a_function_with_a_name_that_is_long(one, two).await }).await";
    vec![
        started(1, "Setup", "use std::fmt::Debug;"),
        Event::Cell(CellReport {
            cached: true,
            run_ms: 0.0,
            ..report(1, "Setup", "use std::fmt::Debug;", Status::Ok, vec![])
        }),
        started(2, "Processes", greet),
        text(2, "Hel"),
        text(2, "lo\n"),
        text(2, "10%\r50%\r100%\nbye"),
        Event::RuntimeOutput("a library says hello\n".to_owned()),
        Event::Cell(report(
            2,
            "Processes",
            greet,
            Status::Ok,
            vec![
                Output::new(OutputKind::Text, "Hello\n10%\r50%\r100%\nbye"),
                Output::new(OutputKind::Value, "Child {\n    pid: <0.12.0>,\n}"),
            ],
        )),
        started(3, "Processes", source),
        Event::Cell(CellReport {
            run_ms: 0.0,
            ..report(3, "Processes", source, Status::Error, vec![Output::new(OutputKind::Error, error)])
        }),
        Event::Cell(report(
            4,
            "Processes",
            "sum + 1",
            Status::Skipped,
            vec![Output::new(OutputKind::Error, "not run: it uses `sum`, and cell 3, which defines it, failed")],
        )),
        started(5, "Pictures", draw_it),
        Event::Cell(CellReport {
            run_ms: 1_320.0,
            ..report(
                5,
                "Pictures",
                draw_it,
                Status::Ok,
                vec![
                    Output::diagram(OutputKind::Sequence, SEQUENCE, "sequenceDiagram"),
                    Output::new(OutputKind::Value, "()"),
                ],
            )
        }),
        started(6, "Pictures", "panic!()"),
        Event::Cell(report(6, "Pictures", "panic!()", Status::Error, vec![Output::new(OutputKind::Error, "error: x")])),
        Event::Done { ok: 3, failed: 2, skipped: 1 },
    ]
}

#[test]
fn a_person_reads_headings_outputs_and_how_it_went() {
    check_plain(
        &run(),
        expect![[r#"
            ── Setup ───────────────────────────────────────────────────────────────────────

            [1] use std::fmt::Debug;
                ✓ cached

            ── Processes ───────────────────────────────────────────────────────────────────

            [2] let child = spawn(greet); …
                Hello
                100%
                ┆ a library says hello
                bye
                = Child {
                      pid: <0.12.0>,
                  }
                ✓ compiled in 132 ms, ran in 0.4 ms

            [3] let sum: u32 = "naïve"; …
                error[E0308]: mismatched types
                 --> cell 3:1:16 (notes.livemd:30)
                  |
                1 | let sum: u32 = "naïve";
                  |                ^^^^^^^ expected `u32`, found `&str`
                ✗ did not compile (132 ms)

            [4] sum + 1
                – not run: it uses `sum`, and cell 3, which defines it, failed

            ── Pictures ────────────────────────────────────────────────────────────────────

            [5] render_seq_trace(async { a_function_with_a_name_that_is_long(one, two).awai…
                  self()         child
                   │              │
                   │    SPAWN     │
                   ├─────────────►│
                   │    INFO: ping│
                   ├─────────────►│
                = ()
                ✓ compiled in 132 ms, ran in 1.32 s

            [6] panic!()
                error: x
                ✗ compiled in 132 ms, failed after 0.4 ms

            3 ok · 2 failed · 1 not run
        "#]],
    );
}

#[test]
fn a_program_reads_one_object_a_line() {
    check_json(
        &run(),
        expect![[r#"
            {"event":"cell","index":1,"section":"Setup","status":"ok","compile_ms":131.72,"run_ms":0.0,"cached":true,"outputs":[]}
            {"event":"late","cell":null,"output":{"kind":"text","text":"a library says hello\n"}}
            {"event":"cell","index":2,"section":"Processes","status":"ok","compile_ms":131.72,"run_ms":0.42,"cached":false,"outputs":[{"kind":"text","text":"Hello\n10%\r50%\r100%\nbye"},{"kind":"value","text":"Child {\n    pid: <0.12.0>,\n}"}]}
            {"event":"cell","index":3,"section":"Processes","status":"error","compile_ms":131.72,"run_ms":0.0,"cached":false,"outputs":[{"kind":"error","text":"error[E0308]: mismatched types\n --> cell 3:1:16 (notes.livemd:30)\n  |\n1 | let sum: u32 = \"naïve\";\n  |                ^^^^^^^ expected `u32`, found `&str`"}]}
            {"event":"cell","index":4,"section":"Processes","status":"skipped","compile_ms":131.72,"run_ms":0.42,"cached":false,"outputs":[{"kind":"error","text":"not run: it uses `sum`, and cell 3, which defines it, failed"}]}
            {"event":"cell","index":5,"section":"Pictures","status":"ok","compile_ms":131.72,"run_ms":1320.0,"cached":false,"outputs":[{"kind":"sequence","text":"  self()         child\n   │              │\n   │    SPAWN     │\n   ├─────────────►│\n   │    INFO: ping│\n   ├─────────────►│\n","mermaid":"sequenceDiagram"},{"kind":"value","text":"()"}]}
            {"event":"cell","index":6,"section":"Pictures","status":"error","compile_ms":131.72,"run_ms":0.42,"cached":false,"outputs":[{"kind":"error","text":"error: x"}]}
            {"event":"done","ok":3,"failed":2,"skipped":1}
            === stderr
            a library says hello
        "#]],
    );
}

#[test]
fn what_is_under_way_goes_to_stderr() {
    let prelude = |done, name: &str| Event::Prelude { done, total: 3, name: name.to_owned() };
    let events = [
        prelude(0, "serde"),
        prelude(1, "tokio"),
        Event::PreludeDone { ms: 83_210.0 },
        Event::Notice("line 3: odd".to_owned()),
        Event::Done { ok: 0, failed: 0, skipped: 0 },
    ];
    check_plain(
        &events,
        expect![[r#"
        0 ok
        === stderr
        building the prelude: 0 of 3, serde (0 s)
        prelude ready in 1 min 23 s
        line 3: odd
    "#]],
    );
    check_json(
        &events,
        expect![[r#"
        {"event":"done","ok":0,"failed":0,"skipped":0}
        === stderr
        building the prelude: 0 of 3, serde (0 s)
        prelude ready in 1 min 23 s
        line 3: odd
    "#]],
    );
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let coloured = Look { coloured: true, ..Look::PAGE };
    for (look, expected) in [(coloured, true), (coloured.without_colours(), false)] {
        let out = Page::default();
        let mut frontend = Plain::new(out.clone(), Progress::lines(io::sink()), look);
        for event in run() {
            frontend.event(&event).expect("a page can be written");
        }
        assert_eq!(out.text().contains('\u{1b}'), expected);
        let out = out.text();
        let plain = console::strip_ansi_codes(&out);
        assert!(plain.lines().all(|line| console::measure_text_width(line) <= 80));
    }
}

#[test]
fn a_narrow_terminal_shortens_headings() {
    let out = Page::default();
    let look = Look { width: 20, coloured: false };
    let mut frontend = Plain::new(out.clone(), Progress::lines(io::sink()), look);
    let event = started(12, "A section with a long name", "let a_name_that_is_long = 1;");
    frontend.event(&event).expect("a page can be written");
    expect![[r#"
        ── A section w… ────

        [12] let a_name_tha…
    "#]]
    .assert_eq(&out.text());
}
