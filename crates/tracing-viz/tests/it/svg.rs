//! SVG pictures, and what is made for other programs to draw: each beside a file that it has to be like.
//!
//! `UPDATE_EXPECT=1` writes the files anew; look at them before you keep them.

use expect_test::expect_file;
use greenroom_tracing_viz::map::Map;
use greenroom_tracing_viz::sequence::Options;
use greenroom_tracing_viz::tree::{self, Direction, Facts, Group, Role, Tree};
use greenroom_tracing_viz::{Flame, Pictures, file, map};

use crate::make::{Story, info, pid, tea_house};
use crate::tree::{service, spare};

/// A map that leaves someone out.
fn small_map() -> Map {
    tea_house().info(7, 8, "aside").trace.map(&map::Options { processes: 4 })
}

pub fn described() -> Tree {
    let facts = Facts {
        mailbox: Some(1_204),
        memory: Some(48_200),
        uptime: Some(std::time::Duration::from_secs(7_384)),
        strategy: Some("one for one".into()),
    };
    Tree::from_node(&service(), &tree::Options::default()).with_facts(&[(pid(6), facts)].into())
}

#[test]
fn a_sequence() {
    let sequence = tea_house().trace.sequence();
    expect_file!["golden/sequence.svg"].assert_eq(&sequence.to_svg());
    expect_file!["golden/sequence.txt"].assert_eq(&sequence.to_text(140));
    expect_file!["golden/sequence-narrow.txt"].assert_eq(&sequence.to_text(60));
    expect_file!["golden/sequence.mmd"].assert_eq(&sequence.to_mermaid());
}

#[test]
fn a_sequence_in_colour_says_the_same() {
    let sequence = tea_house().trace.sequence();
    let coloured = sequence.to_ansi(140);
    expect_file!["golden/sequence.ansi"].assert_eq(&coloured);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain += before;
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    assert_eq!(plain + rest, sequence.to_text(140));
}

#[test]
fn a_long_sequence_repeats_its_heads_and_says_what_is_missing() {
    let story = (0..200).fold(Story::new().registered(2, "echo"), |story, turn| match turn % 2 {
        0 => story.info(1, 2, &format!("Ping({turn})")),
        _ => story.info(2, 1, &format!("Pong({turn})")),
    });
    let mut trace = story.trace;
    trace.lost = 31;
    let svg = trace.sequence_of(&Options { repeats: 0, limit: 100, ..Options::default() }).to_svg();
    expect_file!["golden/sequence-long.svg"].assert_eq(&svg);
    assert!(svg.contains("… 100 more") && svg.contains("31 events lost"));
}

#[test]
fn a_tree() {
    expect_file!["golden/tree.svg"].assert_eq(&described().to_svg());
    expect_file!["golden/tree.txt"].assert_eq(&described().to_text(100));
}

#[test]
fn a_cluster_of_trees() {
    let group = |name: &str, role, groups, trees| Group { name: name.into(), role, groups, trees };
    let shop = group("shop", Role::Application, vec![], vec![service()]);
    let home = group("home@localhost", Role::Node, vec![shop.clone()], vec![spare()]);
    let far = group("kitchen@far", Role::Node, vec![], vec![]);
    let cluster = group("tea", Role::Cluster, vec![home, far], vec![]);
    let tree = Tree::from_group(&cluster, &tree::Options::default());
    expect_file!["golden/cluster.svg"].assert_eq(&tree.to_svg());
    expect_file!["golden/cluster.txt"].assert_eq(&tree.to_text(100));
    expect_file!["golden/cluster.mmd"].assert_eq(&tree.to_mermaid(Direction::LeftRight));
    expect_file!["golden/cluster.json"].assert_eq(&file::group_to_json(&cluster));
    let application = Tree::from_group(&shop, &tree::Options::default());
    assert!(application.to_text(100).starts_with("Application shop\n└─ root <0.5.0>  supervisor, one for one\n"));
}

#[test]
fn a_map() {
    expect_file!["golden/map.svg"].assert_eq(&small_map().to_svg());
    expect_file!["golden/map.txt"].assert_eq(&small_map().to_text(80));
    expect_file!["golden/map.mmd"].assert_eq(&small_map().to_mermaid());
}

#[test]
fn a_timeline() {
    let timeline = tea_house().trace.timeline();
    expect_file!["golden/timeline.svg"].assert_eq(&timeline.to_svg());
    expect_file!["golden/timeline.json"].assert_eq(&timeline.to_perfetto());
}

#[test]
fn a_file() {
    expect_file!["golden/trace.json"].assert_eq(&file::trace_to_json(&tea_house().trace));
    expect_file!["golden/tree.json"].assert_eq(&file::tree_to_json(&service()));
}

#[test]
fn stacks() {
    let trace = tea_house().trace;
    expect_file!["golden/busy.folded"].assert_eq(&Flame::of_busy(&trace).to_folded());
    expect_file!["golden/messages.folded"].assert_eq(&Flame::of_messages(&trace).to_folded());
}

#[test]
fn what_waits_in_a_mailbox_is_counted_on_the_timeline() {
    let story = (0..3).fold(Story::new(), |story, _| story.info(1, 2, "tick"));
    let trace = (0..3).fold(story, |story, _| story.received(pid(2), info("tick"))).trace;
    let lanes = trace.timeline().lanes;
    assert_eq!(lanes[1].deepest(), 3);
    assert_eq!(lanes[1].waiting.last().map(|(_, depth)| *depth), Some(0));
}

#[cfg(feature = "flame")]
#[test]
fn a_flamegraph_and_what_changed() {
    let trace = tea_house().trace;
    let (busy, messages) = (Flame::of_busy(&trace), Flame::of_messages(&trace));
    expect_file!["golden/flame.svg"].assert_eq(&busy.to_svg().unwrap());
    let svg = messages.difference_to_svg(&busy).unwrap();
    assert!(svg.contains("what has changed"));
    assert!(Flame::of_busy(&Story::new().trace).to_svg().is_err());
}
