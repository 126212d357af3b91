//! What holds for every diagram, whatever is drawn.

use std::time::Duration;

use greenroom::ExitReason;
use greenroom::trace::{EventKind, ProcessName, Signal, Trace, TraceEvent};
use greenroom::tree::{ChildKind, ChildStatus, TreeNode};
use greenroom_tracing_viz::file::{self, Saved};
use greenroom_tracing_viz::sequence::{self, Action, Sequence, Targets};
use greenroom_tracing_viz::tree::{self, Direction, Group, Role, Tree};
use greenroom_tracing_viz::{Flame, Pictures, map};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use crate::make::{on, pid, tea_house};

fn pids() -> impl Strategy<Value = greenroom::Pid> {
    prop_oneof![9 => (1..9u32).prop_map(pid), 1 => (1..3u32).prop_map(|n| on("<x;>@far", n))]
}

/// Text that means something to a renderer, among text of every other kind.
fn texts() -> impl Strategy<Value = String> {
    let marks = prop::sample::select(vec![
        "end",
        "style:",
        "classDef x:",
        ";",
        "#",
        "#59;",
        "\n",
        "<b>",
        "%%{",
        "}%%",
        "\"",
        "`",
        "$$",
        "->>",
        "\u{1b}[0m",
        "\u{202e}",
        "進程",
        "é",
        "👩\u{200d}👧",
        "1. ",
        "wrap:",
        "---",
        ":::",
        "a",
        " ",
    ]);
    prop_oneof![vec(marks, 0..8).prop_map(|marks| marks.concat()), any::<String>(), "[a-z]{0,60}",]
}

fn reasons() -> impl Strategy<Value = ExitReason> {
    prop_oneof![Just(ExitReason::Normal), Just(ExitReason::Shutdown), texts().prop_map(ExitReason::from)]
}

fn signals() -> impl Strategy<Value = Signal> {
    let named = || (texts(), texts());
    prop_oneof![
        named().prop_map(|(name, text)| Signal::Info { name, text }),
        named().prop_map(|(name, text)| Signal::Call { name, text }),
        named().prop_map(|(name, text)| Signal::Cast { name, text }),
        texts().prop_map(|text| Signal::Reply { text }),
        reasons().prop_map(Signal::Exit),
        reasons().prop_map(Signal::Down),
    ]
}

fn kinds() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        2 => (pids(), pids()).prop_map(|(parent, child)| EventKind::Spawn { parent, child }),
        4 => (pids(), pids(), signals())
            .prop_map(|(from, to, signal)| EventKind::Send { from, to, signal }),
        2 => (pids(), reasons()).prop_map(|(pid, reason)| EventKind::Exit { pid, reason }),
        1 => (pids(), pids(), pids(), texts()).prop_map(|(supervisor, old, new, id)| {
            EventKind::Restart { supervisor, old, new, id }
        }),
        1 => (pids(), pids()).prop_map(|(from, to)| EventKind::Link { from, to }),
        1 => (pids(), pids()).prop_map(|(watcher, target)| EventKind::Monitor { watcher, target }),
        1 => (pids(), option::of(pids()), any::<u32>()).prop_map(|(by, to, after)| EventKind::Timer {
            by,
            to,
            after: Duration::from_nanos(after.into()),
        }),
        1 => pids().prop_map(|by| EventKind::Timeout { by, after: Duration::from_millis(5) }),
    ]
}

fn traces() -> impl Strategy<Value = Trace> {
    let event = (0..2_000_000u64, kinds()).prop_map(|(at, kind)| TraceEvent {
        at: Duration::from_nanos(at),
        kind,
        serial: None,
    });
    let name =
        (option::of(texts()), option::of(texts())).prop_map(|(registered, label)| ProcessName { registered, label });
    (pids(), vec(event, 0..40), btree_map(pids(), name, 0..6)).prop_map(|(caller, events, names)| Trace {
        caller,
        events,
        names,
        lost: 0,
    })
}

fn options() -> impl Strategy<Value = sequence::Options> {
    let targets =
        prop_oneof![Just(Targets::All), vec(pids(), 0..3).prop_map(|pids| Targets::Only(pids.into_iter().collect())),];
    (targets, 0..60usize, 0..4usize).prop_map(|(targets, limit, repeats)| sequence::Options {
        targets,
        limit,
        repeats,
        ..sequence::Options::default()
    })
}

fn trees() -> impl Strategy<Value = TreeNode> {
    let node = |children: BoxedStrategy<Vec<TreeNode>>| {
        let kind = prop::sample::select(vec![ChildKind::Supervisor, ChildKind::Worker]);
        let status = prop::sample::select(vec![ChildStatus::Running, ChildStatus::Restarting, ChildStatus::NotStarted]);
        let names = (texts(), option::of(texts()));
        (names, option::of(pids()), kind, status, 0..3u64, vec(pids(), 0..3), children).prop_map(
            |((id, registered), pid, kind, status, restarts, links, children)| TreeNode {
                id,
                pid,
                registered,
                kind,
                status,
                strategy: None,
                restarts,
                uptime: None,
                mailbox: None,
                memory: None,
                links,
                children,
            },
        )
    };
    node(Just(Vec::new()).boxed()).prop_recursive(4, 40, 8, move |below| node(vec(below, 0..8).boxed()))
}

/// The first line that is wider than asked or holds a character that does not show.
fn misfit(text: &str, width: usize) -> Option<&str> {
    text.split('\n').find(|line| line.width() > width || line.contains(char::is_control))
}

proptest! {
    #[test]
    fn every_sequence_fits_the_width(trace in traces(), options in options(), width in 0..160usize) {
        let text = Sequence::from_trace(&trace, &options).to_text(width);
        prop_assert_eq!(misfit(&text, width), None);
    }

    #[test]
    fn every_sequence_is_one_mermaid_line_a_statement(trace in traces(), options in options()) {
        let sequence = Sequence::from_trace(&trace, &options);
        let mermaid = sequence.to_mermaid();
        prop_assert_eq!(misfit(&mermaid, usize::MAX), None);
        let known = |line: &str| {
            line.is_empty()
                || line.starts_with(|c: char| c.is_ascii_digit())
                || ["sequenceDiagram", "participant ", "activate ", "deactivate ", "Note over ", "loop ", "box ", "end"]
                    .iter()
                    .any(|start| line.starts_with(start))
        };
        prop_assert_eq!(mermaid.split('\n').find(|line| !known(line)), None);
    }

    #[test]
    fn every_picture_can_be_read_back_from_mermaid(trace in traces(), options in options(), root in trees()) {
        let mermaid = trace.sequence_of(&options).to_mermaid();
        prop_assert_eq!(Sequence::from_mermaid(&mermaid).map(|read| read.to_mermaid()), Some(mermaid));
        let mermaid = Tree::from_node(&root, &tree::Options::default()).to_mermaid(Direction::TopDown);
        prop_assert_eq!(Tree::from_mermaid(&mermaid).map(|read| read.to_mermaid(Direction::TopDown)), Some(mermaid));
    }

    #[test]
    fn whatever_is_read_as_mermaid_is_drawn_or_not(lines in vec(texts(), 0..8), cut in 0..600usize) {
        let known = tea_house().trace.sequence().to_mermaid();
        let cut = known.floor_char_boundary(cut);
        let text = format!("{}{}", &known[..cut], lines.join("\n"));
        if let Some(sequence) = Sequence::from_mermaid(&text) {
            prop_assert!(roxmltree::Document::parse(&sequence.to_svg()).is_ok());
        }
        if let Some(tree) = Tree::from_mermaid(&format!("graph TD;\n{text}")) {
            prop_assert!(roxmltree::Document::parse(&tree.to_svg()).is_ok());
        }
    }

    #[test]
    fn every_picture_is_well_formed_and_says_nothing_but_text(trace in traces(), options in options(), root in trees()) {
        let pictures = [
            trace.sequence_of(&options).to_svg(),
            trace.map(&map::Options::default()).to_svg(),
            trace.timeline().to_svg(),
            Tree::from_node(&root, &tree::Options::default()).to_svg(),
        ];
        for svg in pictures {
            let document = match roxmltree::Document::parse(&svg) {
                Ok(document) => document,
                Err(error) => return Err(TestCaseError::fail(format!("{error} in {svg}"))),
            };
            // Neither elements nor attributes other than ours.
            for node in document.descendants().filter(roxmltree::Node::is_element) {
                let known = ["svg", "g", "title", "style", "script", "rect", "circle", "path", "text", "tspan"];
                prop_assert!(known.contains(&node.tag_name().name()), "{:?}", node.tag_name());
                prop_assert!(node.attributes().all(|attribute| !attribute.name().starts_with("on")));
            }
            let scripts = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "script")));
            prop_assert_eq!(scripts.count(), 1);
        }
    }

    #[test]
    fn every_trace_and_tree_is_read_as_it_was_saved(trace in traces(), root in trees()) {
        let mut trace = trace;
        trace.names.retain(|_, name| *name != ProcessName::default());
        prop_assert_eq!(file::read(&file::trace_to_json(&trace)).unwrap(), Saved::Trace(trace));
        prop_assert_eq!(file::read(&file::tree_to_json(&root)).unwrap(), Saved::Tree(root.clone()));
        let node = Group { name: root.id.clone(), role: Role::Node, groups: vec![], trees: vec![root.clone()] };
        let group = Group { name: "all".into(), role: Role::Cluster, groups: vec![node], trees: vec![root] };
        prop_assert_eq!(file::read(&file::group_to_json(&group)).unwrap(), Saved::Group(group));
    }

    #[test]
    fn whatever_is_read_is_a_trace_or_an_error(text in texts(), cut in 0..2000usize) {
        let json = file::trace_to_json(&tea_house().trace);
        let cut = json.floor_char_boundary(cut);
        let rest = &json[json.floor_char_boundary(cut + 7)..];
        let spoilt = file::read(&[&json[..cut], text.as_str(), rest].concat());
        if let Ok(Saved::Trace(trace)) = &spoilt {
            trace.sequence();
        }
        prop_assert!(!matches!(spoilt, Ok(Saved::Tree(_) | Saved::Group(_))));
        prop_assert!(file::read(&text).is_err());
    }

    #[test]
    fn stacks_have_one_line_each(trace in traces()) {
        for flame in [Flame::of_busy(&trace), Flame::of_messages(&trace)] {
            for line in flame.to_folded().lines() {
                prop_assert!(line.rsplit_once(' ').is_some_and(|(stack, weight)| {
                    stack.split(';').count() == 3 && weight.parse::<u64>().is_ok()
                }), "{}", line);
            }
        }
    }

    #[test]
    fn clocks_are_brought_together_so_that_nothing_arrives_before_it_was_sent(
        skew in 0..1_000_000_000u64,
        delays in vec(1..100_000u64, 1..20),
    ) {
        let (near, far) = (pid(1), on("far", 2));
        let mut now = 5_000_000_000_u64;
        let mut here = Trace { caller: near, events: vec![], names: Default::default(), lost: 1 };
        let mut there = here.clone();
        let event = |at, kind| TraceEvent { at: Duration::from_nanos(at), kind, serial: None };
        for (number, delay) in delays.iter().enumerate() {
            let signal = Signal::Info { name: "Item".into(), text: number.to_string() };
            here.events.push(event(now, EventKind::Send { from: near, to: far, signal: signal.clone() }));
            now += delay;
            there.events.push(event(now - skew, EventKind::Receive { by: far, signal: signal.clone() }));
            there.events.push(event(now - skew, EventKind::Send { from: far, to: near, signal: signal.clone() }));
            now += delay;
            here.events.push(event(now, EventKind::Receive { by: near, signal }));
        }
        let merged = greenroom_tracing_viz::merge(vec![here, there]).unwrap();
        prop_assert_eq!((merged.events.len(), merged.lost), (delays.len() * 4, 2));
        for arrow in Sequence::from_trace(&merged, &sequence::Options { repeats: 0, ..Default::default() }).steps {
            if let Action::Arrow(arrow) = arrow.action {
                // The middle between both ways is right to the nanosecond here, as both are equally long.
                prop_assert!(arrow.waited.is_some_and(|waited| waited > Duration::ZERO));
            }
        }
    }

    #[test]
    fn nobody_is_deactivated_who_was_not_active(trace in traces(), options in options()) {
        let sequence = Sequence::from_trace(&trace, &options);
        let mut active = vec![false; sequence.participants.len()];
        for step in &sequence.steps {
            match &step.action {
                Action::Arrow(arrow) if arrow.activates => {
                    prop_assert!(!std::mem::replace(&mut active[arrow.to], true));
                }
                Action::Exit(exit) if exit.deactivates => {
                    prop_assert!(std::mem::replace(&mut active[exit.participant], false));
                }
                Action::Arrow(_) | Action::Exit(_) | Action::Mark(_) => {}
            }
        }
    }

    #[test]
    fn every_tree_fits_the_width(root in trees(), children in 0..6usize, width in 0..160usize) {
        let tree = Tree::from_node(&root, &tree::Options { children, ..tree::Options::default() });
        let text = tree.to_text(width);
        prop_assert_eq!(misfit(&text, width), None);
        let mermaid = tree.to_mermaid(Direction::TopDown);
        prop_assert_eq!(misfit(&mermaid, usize::MAX), None);
    }
}
