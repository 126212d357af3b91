//! A map as an SVG picture: processes around a circle, those who talk most side by side; the thicker an arrow,
//! the more messages.

use std::f64::consts::TAU;

use super::{Flow, Map};
use crate::svg::{self, LETTER, Page, Px, TOP, escape};
use crate::words;

/// The height of a process.
const HEIGHT: f64 = 40.0;

/// The least room between two processes, beside or above each other.
const BESIDE: f64 = 56.0;
/// See [`BESIDE`].
const ABOVE: f64 = 34.0;

/// The longest name, in characters.
const NAME: usize = 26;

/// Where a process stands.
struct Place {
    x: f64,
    y: f64,
    width: f64,
}

impl Map {
    /// The map as an SVG picture. Pointing at a process shows what it sent and received.
    pub fn to_svg(&self) -> String {
        let (places, width, height) = self.places();
        let (mut page, mut labels) = (Page::new(), Vec::new());
        for flow in self.flows.iter().rev() {
            self.flow(&mut page, flow, &places, &mut labels);
        }
        for (index, place) in places.iter().enumerate() {
            self.process(&mut page, index, place);
        }
        if self.folded.processes > 0 {
            page.text(16.0, height - 14.0, "note", &self.folded.words());
        }
        if self.processes.is_empty() {
            page.text(16.0, TOP + 20.0, "dim", "no messages");
        }
        let messages: u64 = self.flows.iter().map(|flow| flow.messages).sum::<u64>() + self.folded.messages;
        let processes = self.processes.len() + self.folded.processes;
        let facts = [format!("{processes} processes"), format!("{} messages", words::count(messages))];
        page.finish(width, height, "Map", &facts)
    }

    /// The processes around an ellipse, which is as large as they need.
    fn places(&self) -> (Vec<Place>, f64, f64) {
        let width = |index: usize| {
            let process = &self.processes[index];
            let name = words::width(&process.title).min(NAME) as f64 * 7.7;
            name.max(words::width(&process.counts()) as f64 * 6.1).max(58.0) + 26.0
        };
        let order = self.around();
        let widest = (0..order.len()).map(width).fold(84.0, f64::max);
        let count = order.len().max(1) as f64;
        let (mut rx, mut ry) =
            ((count * (widest * 0.55 + 18.0) / TAU * 1.3).max(150.0), (count * 62.0 / TAU * 1.15).max(110.0));
        if order.len() == 2 {
            (rx, ry) = (170.0, 30.0);
        }
        let around = |rx: f64, ry: f64| {
            let (cx, cy) = (rx + widest / 2.0 + 24.0, TOP + ry + HEIGHT / 2.0 + 22.0);
            let mut places: Vec<Place> = (0..order.len()).map(|_| Place { x: 0.0, y: 0.0, width: 0.0 }).collect();
            for (position, &index) in order.iter().enumerate() {
                let angle = TAU * position as f64 / count - TAU / 4.0 - if order.len() == 2 { TAU / 4.0 } else { 0.0 };
                places[index] = Place { x: cx + rx * angle.cos(), y: cy + ry * angle.sin(), width: width(index) };
            }
            places
        };
        let mut places = around(rx, ry);
        // A circle that is three times as large has room enough for any two.
        while crowded(&places) && order.len() > 2 && rx < 3.0 * count * widest {
            (rx, ry) = (rx * 1.06, ry * 1.06);
            places = around(rx, ry);
        }
        let (cx, cy) = (rx + widest / 2.0 + 24.0, TOP + ry + HEIGHT / 2.0 + 22.0);
        let note = if self.folded.processes > 0 { 22.0 } else { 0.0 };
        (places, cx * 2.0, cy + ry + HEIGHT / 2.0 + 26.0 + note)
    }

    /// The order around the circle: beside each other, as far as that goes, stand those who talk most.
    fn around(&self) -> Vec<usize> {
        let count = self.processes.len();
        let mut traffic = vec![0_u64; count * count];
        for flow in &self.flows {
            traffic[flow.from * count + flow.to] += flow.messages;
            traffic[flow.to * count + flow.from] += flow.messages;
        }
        let mut order: Vec<usize> = Vec::with_capacity(count);
        let mut left: Vec<usize> = (0..count).collect();
        while !left.is_empty() {
            let near = order.last().map(|&last| last * count);
            let closeness = |&place: &usize| near.map_or(0, |row| traffic[row + left[place]]);
            let next = (0..left.len()).max_by_key(|place| (closeness(place), std::cmp::Reverse(*place))).unwrap_or(0);
            order.push(left.remove(next));
        }
        order
    }

    fn process(&self, page: &mut Page, index: usize, place: &Place) {
        let process = &self.processes[index];
        let (x, y) = (place.x - place.width / 2.0, place.y - HEIGHT / 2.0);
        let counts = process.counts();
        let title = format!("{}\n{} on {}\n{counts}", process.title, words::pid(process.pid), process.pid.node());
        page.put(format_args!(
            r#"<g class="m {}" data-p="{index}" data-h="{index}"><title>{}</title><rect class="box" x="{x}" y="{y}" width="{w}" height="{HEIGHT}" rx="9"/><rect class="tint" x="{x}" y="{y}" width="{w}" height="{HEIGHT}" rx="9"/>"#,
            svg::colour(index),
            escape(&words::lines(&title)),
            x = Px(x),
            y = Px(y),
            w = Px(place.width),
        ));
        page.text(place.x, place.y - 2.0, "name mid", &words::cut(&process.title, NAME));
        page.text(place.x, place.y + 12.0, "pid mid", &counts);
        page.end();
    }

    /// An arrow. Its label goes where there is none of those that are there already, and no process.
    fn flow(&self, page: &mut Page, flow: &Flow, places: &[Place], labels: &mut Vec<Place>) {
        let (from, to) = (&places[flow.from], &places[flow.to]);
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        // Each direction bends its own way.
        let (bx, by) = ((from.x + to.x) / 2.0 - dy * 0.16, (from.y + to.y) / 2.0 + dx * 0.16);
        let at = |t: f64| {
            let (a, b, c) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
            (a * from.x + b * bx + c * to.x, a * from.y + b * by + c * to.y)
        };
        let is_inside = |place: &Place, t: f64| {
            let (x, y) = at(t);
            (x - place.x).abs() <= place.width / 2.0 + 3.0 && (y - place.y).abs() <= HEIGHT / 2.0 + 3.0
        };
        let steps = || (0..=100).map(|step| f64::from(step) / 100.0);
        let end = steps().find(|&t| t > 0.5 && is_inside(to, t)).unwrap_or(1.0);
        let (tx, ty) = at(end);
        let (px, py) = at((end - 0.04).max(0.0));
        let length = ((tx - px).powi(2) + (ty - py).powi(2)).sqrt().max(0.1);
        let thick = (1.0 + 1.5 * (flow.messages as f64).log10()).min(8.0);
        let size = 6.0 + thick;
        let (ux, uy) = ((tx - px) / length * size, (ty - py) / length * size);
        let (name, other) = (&self.processes[flow.from].title, &self.processes[flow.to].title);
        let mut title = format!("{name} → {other}\n{} messages", words::count(flow.messages));
        if flow.ends > 0 {
            title += &format!(", {} of them signals of an end", words::count(flow.ends));
        }
        let class = if flow.ends == flow.messages { "down".to_owned() } else { String::new() };
        page.begin(&format!("{class} {}", svg::colour(flow.from)), [flow.from, flow.to], &title);
        page.put(format_args!(
            r#"<path class="flow" stroke-width="{}" d="M{} {}Q{} {} {} {}"/><path class="head" d="M{} {}L{} {}L{} {}z"/>"#,
            Px(thick),
            Px(from.x),
            Px(from.y),
            Px(bx),
            Px(by),
            Px(tx - ux * 0.7),
            Px(ty - uy * 0.7),
            Px(tx),
            Px(ty),
            Px(tx - ux - uy * 0.45),
            Px(ty - uy + ux * 0.45),
            Px(tx - ux + uy * 0.45),
            Px(ty - uy - ux * 0.45),
        ));
        let count = words::count(flow.messages);
        let width = words::width(&count) as f64 * LETTER + 4.0;
        let label = |t: f64| {
            let (x, y) = at(t);
            Place { x, y, width }
        };
        let hides = |one: &Place, other: &Place, height: f64| {
            (one.x - other.x).abs() < (one.width + other.width) / 2.0 && (one.y - other.y).abs() < height
        };
        let is_free = |label: &Place| {
            let is_hidden = places.iter().any(|place| hides(label, place, HEIGHT / 2.0 + LETTER));
            !is_hidden && !labels.iter().any(|other| hides(label, other, 2.0 * LETTER))
        };
        // From the middle of its first half to both sides.
        let mut tried =
            (0..24).map(|step| 0.42 + 0.02 * f64::from(if step % 2 == 0 { step / 2 } else { -step / 2 - 1 }));
        let label = tried.find(|t| is_free(&label(*t))).map_or_else(|| label(0.42), label);
        page.text(label.x, label.y + LETTER / 2.0, "label", &count);
        labels.push(label);
        page.end();
    }
}

/// Whether two processes stand so close that there is no room for what is written between them.
fn crowded(places: &[Place]) -> bool {
    let is_close = |one: &Place, other: &Place| {
        let (aside, above) = ((one.x - other.x).abs(), (one.y - other.y).abs());
        aside < (one.width + other.width) / 2.0 + BESIDE && above < HEIGHT + ABOVE
    };
    places.iter().enumerate().any(|(index, one)| places[..index].iter().any(|other| is_close(one, other)))
}

impl super::Process {
    fn counts(&self) -> String {
        format!("{} out · {} in", words::count(self.sent), words::count(self.received))
    }
}
