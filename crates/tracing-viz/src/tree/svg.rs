//! A supervision tree as an SVG picture: it grows from the left to the right, a card for each process.

use greenroom::tree::{ChildKind, ChildStatus};

use super::{Node, Role, Tree};
use crate::svg::{Page, Px, TOP, escape, extent};
use crate::words;

/// The height of a card, and of its row.
const CARD: f64 = 42.0;
const ROW: f64 = 54.0;

/// The room between two levels.
const GAP: f64 = 56.0;

/// The longest name, in characters.
const NAME: usize = 30;

/// The longest second line, in characters.
const LINE: usize = 64;

/// Where a card stands.
#[derive(Clone, Copy, Default)]
struct Place {
    x: f64,
    /// The middle.
    y: f64,
    width: f64,
}

/// What is written on a card.
struct Card {
    name: String,
    line: String,
    badge: Option<String>,
    class: &'static str,
    lamp: &'static str,
}

impl Tree {
    /// The tree as an SVG picture: one file, light or dark as its reader likes it, which can be searched where
    /// scripts run.
    pub fn to_svg(&self) -> String {
        let cards: Vec<Card> = self.nodes.iter().map(Card::of).collect();
        let (places, folds, width, height) = self.places(&cards);
        let mut page = Page::new();
        for (index, node) in self.nodes.iter().enumerate() {
            for &child in &node.children {
                edge(&mut page, places[index], places[child], "edge");
            }
            if let Some(fold) = folds[index] {
                edge(&mut page, places[index], fold, "edge");
            }
        }
        for &(one, other) in &self.links {
            tie(&mut page, places[one], places[other], [one, other]);
        }
        for (index, (card, place)) in cards.iter().zip(&places).enumerate() {
            self.card(&mut page, index, card, *place);
        }
        for (node, place) in self.nodes.iter().zip(&folds) {
            let Some(place) = place else { continue };
            page.text(place.x + 6.0, place.y + 4.0, "dim", &node.folded.words());
        }
        page.finish(width, height, "Supervision tree", &self.facts())
    }

    fn facts(&self) -> Vec<String> {
        let processes = self.nodes.iter().filter(|node| node.role == Role::Process);
        let down = processes.clone().filter(|node| node.status != ChildStatus::Running).count();
        let folded: usize = self.nodes.iter().map(|node| node.folded.count + node.folded.below).sum();
        let mut facts = vec![format!("{} processes", words::count((processes.count() + folded) as u64))];
        if folded > 0 {
            facts.push(format!("{} folded", words::count(folded as u64)));
        }
        if down > 0 {
            facts.push(format!("{} not running", words::count(down as u64)));
        }
        facts
    }

    /// Each card's place, the place for what is folded below it, and the size of it all.
    fn places(&self, cards: &[Card]) -> (Vec<Place>, Vec<Option<Place>>, f64, f64) {
        let mut depths = vec![0_usize; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            // Parents come before their children.
            depths[index] = node.parent.map_or(0, |parent| depths[parent] + 1);
        }
        let levels = depths.iter().max().map_or(0, |deepest| deepest + 2);
        let mut widths = vec![0.0_f64; levels];
        for (card, &depth) in cards.iter().zip(&depths) {
            widths[depth] = widths[depth].max(card.width());
        }
        let mut lefts = vec![16.0];
        for width in &widths {
            lefts.push(lefts[lefts.len() - 1] + width + GAP);
        }
        let mut places = vec![Place::default(); self.nodes.len()];
        let mut folds = vec![None; self.nodes.len()];
        let mut row = TOP + 8.0 + CARD / 2.0;
        let mut right = 0.0_f64;
        // A node's own row is known when all below it have theirs; nodes come before what is below them, so a
        // stack of (node, whether its children are placed) walks them in order.
        let mut waiting = vec![(0, false)];
        while let Some((index, is_back)) = waiting.pop() {
            let node = &self.nodes[index];
            let (x, width) = (lefts[depths[index]], cards[index].width());
            right = right.max(x + width);
            if !is_back && (!node.children.is_empty() || node.folded.count > 0) {
                waiting.push((index, true));
                waiting.extend(node.children.iter().rev().map(|&child| (child, false)));
                continue;
            }
            let mut rows: Vec<f64> = node.children.iter().map(|&child| places[child].y).collect();
            if node.folded.count > 0 {
                let place = Place { x: lefts[depths[index] + 1], y: row - 8.0, width: 0.0 };
                right = right.max(place.x + extent(&node.folded.words()) + 10.0);
                rows.push(place.y);
                folds[index] = Some(place);
                row += ROW * 0.7;
            }
            let y = match (rows.first(), rows.last()) {
                (Some(first), Some(last)) => (first + last) / 2.0,
                _ => {
                    row += ROW;
                    row - ROW
                }
            };
            places[index] = Place { x, y, width };
        }
        (places, folds, right + 40.0, row - ROW + CARD / 2.0 + 20.0)
    }

    fn card(&self, page: &mut Page, index: usize, card: &Card, place: Place) {
        let node = &self.nodes[index];
        let mut title = format!("{}\n{}", node.title, card.line);
        if node.restarts > 0 {
            title += &format!("\nrestarted {} ×", words::count(node.restarts));
        }
        let ties = self.links.iter().filter(|(one, other)| *one == index || *other == index);
        for &(one, other) in ties {
            title += &format!("\nlinked to {}", self.nodes[if one == index { other } else { one }].title);
        }
        let (x, y) = (place.x, place.y - CARD / 2.0);
        let near: Vec<usize> = node.children.iter().copied().chain(node.parent).chain([index]).collect();
        let near: Vec<String> = near.iter().map(usize::to_string).collect();
        page.put(format_args!(
            r#"<g class="m card {} {}" data-p="{}" data-h="{index}"><title>{}</title><rect class="box" x="{x}" y="{y}" width="{w}" height="{CARD}" rx="8"/><rect class="tint" x="{x}" y="{y}" width="{w}" height="{CARD}" rx="8"/><circle class="lamp {}" cx="{}" cy="{}" r="4"/>"#,
            card.class,
            kind_colour(node),
            near.join(" "),
            escape(&words::lines(&title)),
            card.lamp,
            Px(x + 14.0),
            Px(y + 15.0),
            x = Px(x),
            y = Px(y),
            w = Px(place.width),
        ));
        page.text(x + 24.0, y + 19.0, "name", &card.name);
        page.text(x + 12.0, y + 34.0, "pid", &card.line);
        if let Some(badge) = &card.badge {
            let width = words::width(badge) as f64 * 5.8 + 12.0;
            let left = x + place.width - width - 8.0;
            page.put(format_args!(
                r#"<rect class="pill warn" x="{}" y="{}" width="{}" height="15" rx="7.5"/>"#,
                Px(left),
                Px(y + 7.0),
                Px(width)
            ));
            page.text(left + 6.0, y + 18.0, "pilled warn", badge);
        }
        page.end();
    }
}

impl Card {
    fn of(node: &Node) -> Card {
        let mut line: Vec<String> = Vec::new();
        line.extend(node.pid.map(words::pid));
        let (class, lamp) = match node.status {
            ChildStatus::Running => ("", "ok"),
            ChildStatus::Restarting => {
                line.push("restarting".to_owned());
                ("hurt", "bad")
            }
            ChildStatus::NotStarted => {
                line.push("not started".to_owned());
                ("off", "calm")
            }
        };
        line.extend(node.facts.words());
        if line.is_empty() {
            line.push(role(node).to_owned());
        }
        let badge = (node.restarts > 0).then(|| format!("↻ {}", words::count(node.restarts)));
        Card { name: words::cut(&node.title, NAME), line: words::cut(&line.join(" · "), LINE), badge, class, lamp }
    }

    fn width(&self) -> f64 {
        let badge = self.badge.as_ref().map_or(0.0, |badge| words::width(badge) as f64 * 5.8 + 20.0);
        let name = words::width(&self.name) as f64 * 7.8 + 36.0 + badge;
        name.max(words::width(&self.line) as f64 * 6.1 + 24.0).max(96.0)
    }
}

fn role(node: &Node) -> &'static str {
    match (node.role, node.kind) {
        (Role::Application, _) => "application",
        (Role::Node, _) => "node",
        (Role::Cluster, _) => "cluster",
        (Role::Process, ChildKind::Supervisor) => "supervisor",
        (Role::Process, ChildKind::Worker) => "worker",
    }
}

/// Supervisors and workers are told apart by colour.
fn kind_colour(node: &Node) -> &'static str {
    match (node.role, node.kind) {
        (Role::Application | Role::Node | Role::Cluster, _) => "c0",
        (Role::Process, ChildKind::Supervisor) => "c3",
        (Role::Process, ChildKind::Worker) => "c1",
    }
}

/// A line from a card to one on the next level.
fn edge(page: &mut Page, from: Place, to: Place, class: &str) {
    let (start, middle) = (from.x + from.width, to.x - GAP / 2.0);
    page.put(format_args!(
        r#"<path class="{class}" d="M{} {}H{}C{m} {y} {m} {z} {} {z}"/>"#,
        Px(start),
        Px(from.y),
        Px((to.x - GAP).max(start)),
        Px(to.x),
        m = Px(middle),
        y = Px(from.y),
        z = Px(to.y),
    ));
}

/// A link between two cards, around their right ends.
fn tie(page: &mut Page, one: Place, other: Place, numbers: [usize; 2]) {
    let (start, end) = (one.x + one.width, other.x + other.width);
    let out = start.max(end) + 12.0 + ((one.y - other.y).abs() / 14.0).min(24.0);
    page.begin("link", numbers, "link");
    page.put(format_args!(
        r#"<path class="go" d="M{} {y}C{o} {y} {o} {z} {} {z}"/>"#,
        Px(start),
        Px(end),
        o = Px(out),
        y = Px(one.y),
        z = Px(other.y),
    ));
    page.end();
}
