//! A sequence as an SVG picture.
//!
//! Where everything stands is decided in `layout`; here it is drawn, from what lies behind to what is on top.

use std::time::Duration;

use super::{Action, Arrow, ArrowKind, Called, Exit, Mark, MarkKind, Participant, Sequence};
use crate::svg::{self, Page, Px, TOP, escape, fit};
use crate::words;

mod layout;

use layout::{HEAD, Layout, SMALL_HEAD};

/// Half the width of the bar on the lifeline of a process that runs.
const BAR: f64 = 5.0;

impl Sequence {
    /// The sequence as an SVG picture: one file, light or dark as its reader likes it, which can be searched
    /// and shows whole messages where scripts run.
    ///
    /// ```
    /// use greenroom_tracing_viz::Sequence;
    ///
    /// assert!(Sequence::default().to_svg().starts_with("<svg xmlns="));
    /// ```
    pub fn to_svg(&self) -> String {
        let layout = Layout::of(self);
        let mut pen = Pen { sequence: self, layout: &layout, page: Page::new() };
        pen.nodes();
        pen.lifelines();
        pen.calls();
        pen.groups();
        pen.reminders();
        pen.steps();
        pen.heads();
        pen.missing();
        pen.sticky();
        let Pen { page, .. } = pen;
        page.finish(layout.width, layout.height, "Sequence", &self.facts())
    }

    fn facts(&self) -> Vec<String> {
        let times = |index: usize| {
            let group = self.groups.iter().find(|group| (group.first..group.first + group.len).contains(&index));
            group.map_or(1, |group| group.times)
        };
        let is_arrow = |action: &Action| matches!(action, Action::Arrow(_));
        let arrows = self.steps.iter().enumerate().filter(|(_, step)| is_arrow(&step.action));
        let messages: usize = arrows.map(|(index, _)| times(index)).sum::<usize>() + self.omitted;
        let mut facts =
            vec![plural(self.participants.len(), "process", "processes"), plural(messages, "message", "messages")];
        facts.extend(self.took().map(words::duration));
        facts
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", words::count(count as u64), if count == 1 { one } else { many })
}

struct Pen<'a> {
    sequence: &'a Sequence,
    layout: &'a Layout,
    page: Page,
}

impl Pen<'_> {
    /// A band behind the participants of each node.
    fn nodes(&mut self) {
        for node in &self.sequence.nodes {
            let last = node.first + node.len - 1;
            let left = self.layout.x[node.first] - self.layout.heads[node.first] / 2.0 - 9.0;
            let right = self.layout.x[last] + self.layout.heads[last] / 2.0 + 9.0;
            let (top, height) = (TOP + 2.0, self.layout.height - TOP - 10.0);
            self.page.put(format_args!(
                r#"<rect class="band" x="{}" y="{}" width="{}" height="{}" rx="10"/>"#,
                Px(left),
                Px(top),
                Px(right - left),
                Px(height)
            ));
            self.page.text(left + 10.0, top + 15.0, "dim", &fit(&node.name, right - left - 20.0));
        }
    }

    fn lifelines(&mut self) {
        for (participant, x) in self.layout.x.iter().enumerate() {
            let (colour, bottom) = (svg::colour(participant), self.layout.bottom);
            let top = self.layout.births[participant];
            let end = self.layout.lives[participant].last().and_then(|life| life.1).unwrap_or(bottom);
            // What is said to the dead still has somewhere to go.
            let end = end.max(self.layout.last_touch[participant]);
            self.page.put(format_args!(r#"<path class="life {colour}" d="M{} {}V{}"/>"#, Px(*x), Px(top), Px(end)));
            for (start, end) in &self.layout.lives[participant] {
                let end = end.unwrap_or(bottom);
                self.page.put(format_args!(
                    r#"<rect class="bar {colour}" x="{}" y="{}" width="{}" height="{}" rx="2"/>"#,
                    Px(x - BAR),
                    Px(*start),
                    Px(BAR * 2.0),
                    Px((end - start).max(0.0))
                ));
            }
        }
    }

    /// The time in which a call is worked on.
    fn calls(&mut self) {
        for (index, step) in self.sequence.steps.iter().enumerate() {
            let Action::Arrow(Arrow { kind: ArrowKind::Call, to, pair: Some(reply), .. }) = &step.action else {
                continue;
            };
            let (start, end) = (self.layout.y[index], self.layout.y[*reply]);
            self.page.put(format_args!(
                r#"<rect class="busy {}" x="{}" y="{}" width="{}" height="{}" rx="1.5"/>"#,
                svg::colour(*to),
                Px(self.layout.x[*to] - BAR / 2.0),
                Px(start),
                Px(BAR),
                Px((end - start).max(0.0))
            ));
        }
    }

    fn groups(&mut self) {
        for group in &self.sequence.groups {
            let steps = &self.sequence.steps[group.first..group.first + group.len];
            let touched: Vec<f64> =
                steps.iter().flat_map(|step| step.action.participants()).map(|who| self.layout.x[who]).collect();
            let left = touched.iter().copied().fold(f64::INFINITY, f64::min) - 22.0;
            let right = touched.iter().copied().fold(0.0, f64::max) + 22.0;
            let top = self.layout.y[group.first] - 34.0;
            let bottom = self.layout.y[group.first + group.len - 1] + 10.0;
            let tab = group.words();
            let width = words::width(&tab) as f64 * 6.1 + 14.0;
            self.page.put(format_args!(
                r#"<rect class="group" x="{x}" y="{y}" width="{}" height="{}" rx="6"/><rect class="tab" x="{x}" y="{y}" width="{}" height="15" rx="4"/>"#,
                Px((right - left).max(width)),
                Px(bottom - top),
                Px(width),
                x = Px(left),
                y = Px(top),
            ));
            self.page.text(left + 7.0, top + 11.0, "tabbed", &tab);
        }
    }

    /// Names between the rows of a long picture.
    fn reminders(&mut self) {
        for &y in &self.layout.reminders {
            for (participant, who) in self.sequence.participants.iter().enumerate() {
                let is_there = self.layout.births[participant] < y
                    && self.layout.lives[participant].last().is_none_or(|life| life.1.is_none_or(|end| end > y));
                if is_there {
                    let class = format!("again {}", svg::colour(participant));
                    self.page.text(self.layout.x[participant], y, &class, &fit(&who.title(), 110.0));
                }
            }
        }
    }

    fn steps(&mut self) {
        let start = self.sequence.steps.first().map_or(Duration::ZERO, |step| step.at);
        let is_timed = self.sequence.took().is_some();
        let mut shown = String::new();
        for (index, step) in self.sequence.steps.iter().enumerate() {
            let y = self.layout.y[index];
            let time = words::duration(step.at.saturating_sub(start));
            let at = if is_timed { format!(", at {time}") } else { String::new() };
            match &step.action {
                Action::Arrow(arrow) => self.arrow(index, arrow, y, &at),
                Action::Exit(exit) => self.exit(exit, y, &at),
                Action::Mark(mark) => self.mark(mark, y, &at),
            }
            let is_late = matches!(&step.action, Action::Exit(exit) if exit.told);
            if time != shown && !is_late && is_timed {
                self.page.text(layout::GUTTER - 12.0, y + 3.5, "time", &time);
                shown = time;
            }
        }
    }

    fn arrow(&mut self, index: usize, arrow: &Arrow, y: f64, at: &str) {
        let (from, to) = (self.layout.x[arrow.from], self.layout.x[arrow.to]);
        let sign = if from < to { 1.0 } else { -1.0 };
        let born = self.sequence.participants[arrow.to].born == Some(index);
        let reach = if born { self.layout.heads[arrow.to] / 2.0 } else { BAR };
        let (start, end) = (from + sign * BAR, to - sign * reach);
        self.page.begin(class(arrow.kind), [arrow.from, arrow.to], &self.told(arrow, at));
        let (y_, back) = (Px(y), -sign * 8.0);
        self.page.put(format_args!(
            r#"<path class="go" d="M{} {y_}H{}"/><path class="tip" d="M{} {y_}l{} -4v8z"/>"#,
            Px(start),
            Px(end - sign * 4.0),
            Px(end),
            Px(back),
        ));
        let label = fit(&arrow.label, (end - start).abs() - 16.0);
        let (key, rest) = split(&label);
        self.page.put(format_args!(
            r#"<text x="{}" y="{}" class="label"><tspan class="key">{}</tspan>{}</text>"#,
            Px((start + end) / 2.0),
            Px(y - 6.0),
            escape(key),
            escape(rest)
        ));
        self.page.end();
    }

    /// What is shown of a message to whoever points at it.
    fn told(&self, arrow: &Arrow, at: &str) -> String {
        let name = |who: usize| self.sequence.participants[who].title();
        let mut told = format!("{}\n{} → {}{at}", arrow.label, name(arrow.from), name(arrow.to));
        if let Some(waited) = arrow.waited {
            told += &format!(", received after {}", words::duration(waited));
        }
        if let Some(whole) = &arrow.whole {
            told += &format!("\n\n{whole}");
        }
        told
    }

    fn exit(&mut self, exit: &Exit, y: f64, at: &str) {
        let x = self.layout.x[exit.participant];
        let name = self.sequence.participants[exit.participant].title();
        let class = if exit.reason.is_orderly() { "end" } else { "crash" };
        let title = format!("{name} has ended{at}\n{}", exit.reason);
        self.page.begin(class, [exit.participant], &title);
        let (radius, arm) = if exit.reason.is_orderly() { (6.0, 2.4) } else { (8.0, 3.2) };
        self.page.put(format_args!(
            r#"<circle class="dot" cx="{}" cy="{}" r="{radius}"/><path class="cross" d="M{l} {t}L{r} {b}M{r} {t}L{l} {b}"/>"#,
            Px(x),
            Px(y),
            l = Px(x - arm),
            r = Px(x + arm),
            t = Px(y - arm),
            b = Px(y + arm),
        ));
        if !exit.speaks_for_itself() || exit.place.is_some() {
            let label = exit.label.strip_prefix("EXIT: ").unwrap_or(&exit.label);
            self.page.text(x + 14.0, y + 4.0, "said halo", &fit(label, 420.0));
            if let Some(place) = &exit.place {
                self.page.text(x + 14.0, y + 17.0, "pid halo", &fit(&format!("at {place}"), 420.0));
            }
        }
        self.page.end();
    }

    fn mark(&mut self, mark: &Mark, y: f64, at: &str) {
        let x = self.layout.x[mark.participant];
        let name = |who: usize| self.sequence.participants[who].title();
        let class = match mark.kind {
            MarkKind::Link => "link",
            MarkKind::Monitor => "monitor",
            MarkKind::Timer => "timer",
            MarkKind::Timeout => "timeout",
        };
        let whom = mark.with.map_or_else(String::new, |with| format!(" · {}", name(with)));
        let title = format!("{}\n{}{whom}{at}", mark.label, name(mark.participant));
        self.page.begin(class, std::iter::once(mark.participant).chain(mark.with), &title);
        match mark.with {
            Some(with) => {
                let end = self.layout.x[with];
                let sign = if x < end { 1.0 } else { -1.0 };
                let (from, to) = (x + sign * BAR, end - sign * BAR);
                self.page.put(format_args!(r#"<path class="go" d="M{} {y}H{}"/>"#, Px(from), Px(to), y = Px(y)));
                let ends: &[f64] = if mark.kind == MarkKind::Link { &[from, to] } else { &[to] };
                for &end in ends {
                    self.page.put(format_args!(r#"<circle class="tip" cx="{}" cy="{}" r="2.6"/>"#, Px(end), Px(y)));
                }
                let label = fit(&mark.label, (to - from).abs() - 16.0);
                self.page.text((from + to) / 2.0, y - 5.0, "label key", &label);
            }
            None => {
                self.page.put(format_args!(
                    r#"<circle class="box" cx="{x}" cy="{y}" r="6"/><path class="go" d="M{x} {}V{y}h3.4"/>"#,
                    Px(y - 3.8),
                    x = Px(x),
                    y = Px(y),
                ));
                self.page.text(x + 12.0, y + 4.0, "key halo", &fit(&mark.label, 200.0));
            }
        }
        self.page.end();
    }

    fn heads(&mut self) {
        for (participant, who) in self.sequence.participants.iter().enumerate() {
            match who.born.map(|step| self.layout.y[step]) {
                Some(y) => self.head(participant, who, y - HEAD / 2.0, HEAD),
                None => self.head(participant, who, self.layout.top, HEAD),
            }
            let is_alive = self.layout.lives[participant].last().is_none_or(|life| life.1.is_none());
            if self.layout.is_long && is_alive {
                self.head(participant, who, self.layout.bottom, SMALL_HEAD);
            }
        }
    }

    fn head(&mut self, participant: usize, who: &Participant, y: f64, height: f64) {
        let (x, width) = (self.layout.x[participant], self.layout.heads[participant]);
        let (colour, left) = (svg::colour(participant), Px(x - width / 2.0));
        self.page.put(format_args!(
            r#"<g class="m {colour}" data-p="{participant}" data-h="{participant}"><title>{}</title><rect class="box" x="{left}" y="{y}" width="{w}" height="{h}" rx="7"/><rect class="tint" x="{left}" y="{y}" width="{w}" height="{h}" rx="7"/>"#,
            escape(&about(who)),
            y = Px(y),
            w = Px(width),
            h = Px(height),
        ));
        let (name, pid) = names(who);
        let name = words::cut(&name, layout::NAME);
        if height < HEAD || pid.is_empty() {
            self.page.text(x, y + height / 2.0 + 4.0, "name mid", &name);
        } else {
            self.page.text(x, y + height / 2.0 - 2.0, "name mid", &name);
            self.page.text(x, y + height / 2.0 + 11.0, "pid mid", &pid);
        }
        self.page.end();
    }

    fn missing(&mut self) {
        let mut y = self.layout.bottom + if self.layout.is_long { SMALL_HEAD + 20.0 } else { 16.0 };
        for missing in self.sequence.missing() {
            self.page.text(layout::GUTTER, y, "note", &missing);
            y += 16.0;
        }
        if self.sequence.participants.is_empty() {
            self.page.text(16.0, TOP + 20.0, "dim", "no messages");
        }
    }

    /// The names of all, for the script to keep in sight.
    fn sticky(&mut self) {
        if !self.layout.is_long {
            return;
        }
        self.page.put(format_args!(
            r#"<g class="sticky"><rect class="page" width="{}" height="{}" fill-opacity=".92"/>"#,
            Px(self.layout.width),
            Px(SMALL_HEAD + 12.0)
        ));
        for (participant, who) in self.sequence.participants.iter().enumerate() {
            self.head(participant, who, 5.0, SMALL_HEAD);
        }
        self.page.end();
    }
}

/// What is shown of a participant to whoever points at it.
fn about(who: &Participant) -> String {
    let place = who.pid.map(|pid| words::one_line(&format!("{} on {}", words::pid(pid), pid.node())));
    std::iter::once(who.title()).chain(place).collect::<Vec<_>>().join("\n")
}

/// What stands in a head: the name, and below it the identifier, unless that is the name.
pub(super) fn names(who: &Participant) -> (String, String) {
    let pid = who.identifier();
    match &who.called {
        Called::Caller => ("self()".to_owned(), pid),
        Called::Registered(name) | Called::Labelled(name) => (words::one_line(name), pid),
        Called::Unnamed => (pid, String::new()),
    }
}

fn class(kind: ArrowKind) -> &'static str {
    match kind {
        ArrowKind::Spawn => "spawn",
        ArrowKind::Restart => "restart",
        ArrowKind::Info => "info",
        ArrowKind::Call => "call",
        ArrowKind::Reply { .. } => "reply",
        ArrowKind::Cast => "cast",
        ArrowKind::Exit => "exit",
        ArrowKind::Down => "down",
    }
}

/// The first word of a label, which says what kind of message it is, and the rest. A plain message says itself.
fn split(label: &str) -> (&str, &str) {
    let label = label.strip_prefix("INFO: ").unwrap_or(label);
    let word = label.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(label.len());
    let is_key = word > 2 && matches!(label[word..].chars().next(), None | Some(':' | ' ' | ',' | '…'));
    let (key, rest) = label.split_at(if is_key { word } else { 0 });
    (key, rest.strip_prefix(':').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_message_is_its_first_word() {
        assert_eq!(split("CALL: Get(1)"), ("CALL", " Get(1)"));
        assert_eq!(split("REPLY (1.2 ms): 3"), ("REPLY", " (1.2 ms): 3"));
        assert_eq!(split("SPAWN, LINK"), ("SPAWN", ", LINK"));
        assert_eq!(split("INFO: Ping"), ("", "Ping"));
        assert_eq!(split(""), ("", ""));
    }
}
