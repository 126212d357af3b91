//! What holds for every diagram, whatever is drawn.

use std::time::Duration;

use greenroom::ExitReason;
use greenroom::trace::{EventKind, ProcessName, Signal, Trace, TraceEvent};
use greenroom::tree::{ChildKind, ChildStatus, TreeNode};
use greenroom_tracing_viz::sequence::{self, Action, Sequence, Targets};
use greenroom_tracing_viz::tree::{self, Direction, Tree};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use crate::make::{on, pid};

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
    })
}

fn options() -> impl Strategy<Value = sequence::Options> {
    let targets =
        prop_oneof![Just(Targets::All), vec(pids(), 0..3).prop_map(|pids| Targets::Only(pids.into_iter().collect())),];
    (targets, 0..60usize).prop_map(|(targets, limit)| sequence::Options { targets, limit })
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
                || ["sequenceDiagram", "participant ", "activate ", "deactivate ", "Note over "]
                    .iter()
                    .any(|start| line.starts_with(start))
        };
        prop_assert_eq!(mermaid.split('\n').find(|line| !known(line)), None);
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
                Action::Arrow(_) | Action::Exit(_) => {}
            }
        }
    }

    #[test]
    fn every_tree_fits_the_width(root in trees(), children in 0..6usize, width in 0..160usize) {
        let tree = Tree::from_node(&root, &tree::Options { children });
        let text = tree.to_text(width);
        prop_assert_eq!(misfit(&text, width), None);
        let mermaid = tree.to_mermaid(Direction::TopDown);
        prop_assert_eq!(misfit(&mermaid, usize::MAX), None);
    }
}
