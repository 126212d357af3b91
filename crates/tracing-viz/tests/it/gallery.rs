//! Every kind of picture, small and large, in a real browser: nothing is cut off, no two pieces of text lie on each
//! other, and none is too small to read.
//!
//! With `GREENROOM_GALLERY=FOLDER`, the pictures are left there, with how they look in both themes, to be looked at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use greenroom::tree::TreeNode;
use greenroom_tracing_viz::sequence::Options;
use greenroom_tracing_viz::tree::{self, Group, Role, Tree};
use greenroom_tracing_viz::{Pictures, map};

use crate::browser::opened;
use crate::make::{Story, call, info, pid, reply, tea_house};
use crate::svg::described;
use crate::tree::service;

/// So many exchanges between eight processes, none of them like the one before.
fn talk(messages: u32) -> Story {
    let story =
        (2..8).fold(Story::new(), |story, number| story.spawn(1, number).labelled(number, &format!("worker {number}")));
    (0..messages / 4).fold(story, |story, number| {
        let (one, other) = (1 + number % 8, 1 + (number * 3 + 1 + number % 2) % 8);
        let (one, other) = if one == other { (one, 1 + other % 8) } else { (one, other) };
        let order =
            format!("Order {{ table: {number}, tea: \"oolong {}\" }}", "of spring ".repeat(number as usize % 4));
        story
            .send(one, other, call(&order))
            .received(pid(other), call(&order))
            .wait(u64::from(number % 50) * 7)
            .send(other, one, reply(&format!("Cup({number})")))
            .info(one, 1 + (number * 5 + 2) % 8, &format!("Thanks {number}"))
            .received(pid(1 + (number * 5 + 2) % 8), info(&format!("Thanks {number}")))
    })
}

/// A tree of so many processes, in branches of forty.
fn forest(processes: usize) -> TreeNode {
    let leaf = service().children.into_iter().find(|child| child.children.is_empty()).expect("it has a worker");
    let branch = |number: usize| {
        let children = (0..40).map(|index| TreeNode { id: format!("worker {number}.{index}"), ..leaf.clone() });
        TreeNode { id: format!("branch {number}"), children: children.collect(), ..service() }
    };
    TreeNode { children: (0..processes / 41).map(branch).collect(), ..service() }
}

fn pictures() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |name: &str, svg: String| all.push((name.to_owned(), svg));
    let unfolded = Options { repeats: 0, limit: 2000, ..Options::default() };
    for messages in [20, 1000] {
        let trace = talk(messages).trace;
        add(&format!("sequence-{messages}"), trace.sequence_of(&unfolded).to_svg());
        add(&format!("map-{messages}"), trace.map(&map::Options::default()).to_svg());
        add(&format!("timeline-{messages}"), trace.timeline().to_svg());
        #[cfg(feature = "flame")]
        {
            use greenroom_tracing_viz::Flame;
            let (busy, sent) = (Flame::of_busy(&trace), Flame::of_messages(&trace));
            add(&format!("flame-{messages}"), busy.to_svg().unwrap());
            add(&format!("difference-{messages}"), sent.difference_to_svg(&busy).unwrap());
        }
    }
    add("sequence-crash", tea_house().trace.sequence().to_svg());
    add("sequence-hostile", crate::sequence::hostile().trace.sequence().to_svg());
    add("tree-described", described().to_svg());
    add("tree-2000", Tree::from_node(&forest(2000), &tree::Options::default()).to_svg());
    let group = |name: &str, role, groups, trees| Group { name: name.into(), role, groups, trees };
    let shop = group("shop", Role::Application, vec![], vec![service()]);
    let cluster =
        group("tea", Role::Cluster, vec![group("home@localhost", Role::Node, vec![shop], vec![service()])], vec![]);
    add("cluster", Tree::from_group(&cluster, &tree::Options::default()).to_svg());
    all
}

/// What looks at the texts of a picture: says what is wrong with them.
const LOOK: &str = r#"
const texts = [...document.querySelectorAll('svg text')].filter(text => text.textContent.trim()
    && getComputedStyle(text).visibility === 'visible' && getComputedStyle(text).display !== 'none'
    && text.getClientRects().length);
const frame = document.querySelector('svg').getBoundingClientRect();
const boxes = texts.map(text => ({ text: text.textContent, box: text.getBoundingClientRect(), style: getComputedStyle(text) }));
const wrong = [];
for (const { text, box } of boxes) {
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        wrong.push('cut off: ' + text);
}
boxes.sort((a, b) => a.box.top - b.box.top);
for (let i = 0; i < boxes.length; i++)
    for (let j = i + 1; j < boxes.length && boxes[j].box.top < boxes[i].box.bottom; j++) {
        const [a, b] = [boxes[i].box, boxes[j].box];
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 2 && high > 4) wrong.push('on each other: ' + boxes[i].text + ' | ' + boxes[j].text);
    }
for (const { text, style } of boxes)
    if (parseFloat(style.fontSize) < 8) wrong.push('too small: ' + text);
document.body.textContent = 'RESULT ' + boxes.length + ' texts; ' + wrong.length + ' wrong; ' + wrong.slice(0, 12).join(' ; ');
"#;

fn page(folder: &Path, name: &str, svg: &str) -> PathBuf {
    let file = folder.join(format!("{name}.look.html"));
    fs::write(&file, format!("<!DOCTYPE html><meta charset=utf-8><body style='margin:0'>{svg}<script>{LOOK}</script>"))
        .unwrap();
    file
}

#[test]
fn every_kind_of_picture_is_whole_and_legible() {
    let temporary = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("GREENROOM_GALLERY").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(folder).unwrap();
    let mut wrong = Vec::new();
    for (name, svg) in pictures() {
        fs::write(folder.join(format!("{name}.svg")), &svg).unwrap();
        let Some((page, said)) = opened(&page(folder, &name, &svg)) else { return };
        let result = page.split("RESULT ").nth(1).unwrap_or(&said).split('<').next().unwrap_or("");
        if !result.contains("; 0 wrong;") {
            wrong.push(format!("{name}: {result}"));
        }
        if kept.is_some() {
            for (theme, scheme) in [("light", "1"), ("dark", "0")] {
                photograph(folder, &name, theme, scheme);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How a picture looks, beside it.
fn photograph(folder: &Path, name: &str, theme: &str, scheme: &str) {
    let status = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1500,1000"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--screenshot={}", folder.join(format!("{name}-{theme}.png")).display()))
        .arg(format!("file://{}", folder.join(format!("{name}.svg")).display()))
        .output();
    assert!(status.is_ok_and(|output| output.status.success()), "{name}");
}
