//! `greenroom draw`: saved traces in every form, and messages that say what is wrong.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser as _;
use greenroom::trace::{EventKind, ProcessName, Signal, Trace, TraceEvent};
use greenroom::{NodeId, NodeName, Pid};
use greenroom_notebook::cli::{Cli, Command};
use greenroom_notebook::draw::Style;
use greenroom_notebook::event::Output;
use greenroom_notebook::picture::draw;
use greenroom_tracing_viz::file;
use greenroom_tracing_viz::tree::{Group, Role};

fn trace() -> Trace {
    let node = NodeId::intern(&NodeName { name: "home".into(), incarnation: 0 });
    let (one, other) = (Pid::from_parts(node, 1, 0), Pid::from_parts(node, 2, 0));
    let signal = Signal::Info { name: "Ping".into(), text: "Ping(7)".into() };
    let event = |at, kind| TraceEvent { at: Duration::from_micros(at), kind, serial: None };
    let events = vec![
        event(1, EventKind::Spawn { parent: one, child: other }),
        event(2, EventKind::Send { from: one, to: other, signal: signal.clone() }),
        event(3, EventKind::Receive { by: other, signal }),
        event(9, EventKind::Exit { pid: other, reason: "done".into() }),
    ];
    let name = ProcessName { registered: Some("echo".into()), label: None };
    Trace { caller: one, events, names: [(other, name)].into(), lost: 0 }
}

/// What `greenroom draw` prints for the trace with these arguments, or its error.
fn drawn(arguments: &[&str]) -> Result<String, String> {
    drawn_of(&file::trace_to_json(&trace()), arguments)
}

/// The same of what is saved.
fn drawn_of(json: &str, arguments: &[&str]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("trace.json");
    std::fs::write(&saved, json).unwrap();
    let words = ["greenroom", "draw", saved.to_str().unwrap()].into_iter().chain(arguments.iter().copied());
    let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
    let Some(Command::Draw(wanted)) = cli.command else { panic!("another command") };
    draw(&wanted, 80, Style::Plain).map_err(|error| error.to_string())
}

#[test]
fn a_trace_is_drawn_in_every_form() {
    assert!(drawn(&[]).unwrap().contains("INFO: Ping(7)"));
    assert!(drawn(&["--as", "svg"]).unwrap().starts_with("<svg"));
    assert!(drawn(&["--as", "mermaid"]).unwrap().starts_with("sequenceDiagram"));
    assert!(drawn(&["--as", "flame"]).unwrap().contains("echo"));
    assert!(drawn(&["--as", "perfetto"]).unwrap().contains("traceEvents"));
    assert_eq!(drawn(&["--as", "json"]).unwrap(), file::trace_to_json(&trace()));
    assert!(drawn(&["--picture", "map"]).unwrap().contains("self() ─▶ echo"));
    assert!(drawn(&["--picture", "timeline", "--as", "svg"]).unwrap().contains("Timeline"));
}

#[test]
fn the_trees_of_a_cluster_are_drawn_in_every_form() {
    let node = |name: &str| Group { name: name.into(), role: Role::Node, groups: vec![], trees: vec![] };
    let groups = vec![node("a@host"), node("b@host")];
    let json = file::group_to_json(&Group { name: "shop".into(), role: Role::Cluster, groups, trees: vec![] });
    assert_eq!(drawn_of(&json, &[]).unwrap(), "Cluster shop\n├─ Node a@host\n└─ Node b@host\n");
    for (form, begin) in [("svg", "<svg"), ("mermaid", "graph TD;"), ("json", "{\"greenroom\": \"group\"")] {
        let drawn = drawn_of(&json, &["--as", form]).unwrap();
        assert!(drawn.starts_with(begin) && drawn.contains("shop"), "{drawn}");
    }
    assert!(drawn_of(&json, &["--as", "flame"]).unwrap_err().contains("tree"));
}

#[test]
fn a_flamegraph_of_a_cell_is_drawn_where_it_is_shown() {
    let flame = |folded: &str| greenroom_stage::cell::Output::Flame {
        text: "100.0 % main".into(),
        title: "Busy <time>".into(),
        unit: "ns".into(),
        folded: folded.into(),
    };
    let shown = Output::from(flame("home;main;Ping 7\nhome;main;<b>&Pong 3\n"));
    let svg = shown.svg.unwrap();
    assert!(svg.contains("&lt;b&gt;&amp;Pong") && svg.contains("Busy &lt;time&gt;") && !svg.contains("<b>"), "{svg}");
    assert_eq!(shown.text, "100.0 % main");
    assert_eq!(Output::from(flame("")).svg, None, "nothing took any time");
}

#[test]
fn flamegraphs_are_drawn_and_compared() {
    assert!(drawn(&["--picture", "messages"]).unwrap().starts_with("100.0 % ██████████ 1 messages  echo › Ping"));
    assert!(drawn(&["--picture", "messages", "--as", "svg"]).unwrap().contains("<svg"));
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before.json");
    std::fs::write(&before, file::trace_to_json(&trace())).unwrap();
    let since = |more: &[&str]| drawn(&[&["--since", before.to_str().unwrap()], more].concat());
    assert!(since(&["--picture", "messages", "--as", "flame"]).unwrap().contains("what has changed"));
    assert!(since(&[]).unwrap_err().contains("add `--as flame`"));
}

#[test]
fn only_what_is_asked_for_is_drawn() {
    assert!(drawn(&["--within", "1h.."]).unwrap_err().contains("`1h` has no unit: ns, us, ms, s or min"));
    assert!(drawn(&["--within", "5s..20ms"]).unwrap_err().contains("it ends before it begins"));
    assert_eq!(drawn(&["--within", "1min.."]).unwrap(), "(no messages)\n");
    assert!(drawn(&["--within", "..1s"]).unwrap().contains("Ping(7)"));
    assert!(drawn(&["--process", "echo", "--containing", "ping"]).unwrap().contains("Ping(7)"));
    assert_eq!(drawn(&["--containing", "Pong"]).unwrap(), "(no messages)\n");
    assert!(drawn(&["--limit", "1"]).unwrap().contains("… 1 more"));
}

#[test]
fn a_picture_goes_into_the_file_that_is_named_in_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| -> PathBuf { folder.path().join(name) };
    assert_eq!(drawn(&["-o", file("out.svg").to_str().unwrap()]), Ok(String::new()));
    assert!(std::fs::read_to_string(file("out.svg")).unwrap().starts_with("<svg"));
    let error = drawn(&["-o", file("out.png").to_str().unwrap()]).unwrap_err();
    assert!(error.contains("should end in .svg"), "{error}");
}

#[test]
fn what_cannot_be_drawn_is_explained() {
    assert!(drawn(&["--process", "nobody"]).unwrap_err().contains("no process in the trace is called nobody"));
    assert!(drawn(&["--picture", "timeline"]).unwrap_err().contains("a timeline cannot be drawn as text"));
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.json");
    std::fs::write(&other, "{}").unwrap();
    let Some(Command::Draw(wanted)) = Cli::parse_from(["greenroom", "draw", other.to_str().unwrap()]).command else {
        panic!("another command")
    };
    assert!(draw(&wanted, 80, Style::Plain).unwrap_err().to_string().contains("this is no saved trace or tree"));
}
