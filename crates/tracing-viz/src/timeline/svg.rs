//! A timeline as an SVG picture: lanes from top to bottom, time from left to right.

use std::time::Duration;

use super::{Lane, Timeline};
use crate::svg::{self, LETTER, Page, Px, TOP, fit};
use crate::words;

const LANE: f64 = 34.0;
const PLOT: f64 = 900.0;
const NAME: usize = 28;

/// More messages than these are not drawn one by one.
const MESSAGES: usize = 4000;
/// More messages than these are drawn so thin that the lanes can be seen between them.
const DENSE: usize = 200;

impl Timeline {
    /// The lanes as an SVG picture: who lived when, when messages were sent, how many waited.
    pub fn to_svg(&self) -> String {
        let names = self.lanes.iter().map(|lane| words::width(&lane.title).min(NAME)).max().unwrap_or(4);
        let left = names as f64 * 7.2 + 36.0;
        let top = TOP + 28.0;
        let height = top + self.lanes.len() as f64 * LANE + 28.0;
        let span = self.end.saturating_sub(self.start).max(Duration::from_nanos(1));
        let x = |at: Duration| left + PLOT * at.saturating_sub(self.start).as_secs_f64() / span.as_secs_f64();
        let mut page = Page::new();
        self.grid(&mut page, left, top, height - 28.0, span);
        let deepest = self.lanes.iter().map(Lane::deepest).max().unwrap_or(0).max(1);
        for (index, lane) in self.lanes.iter().enumerate() {
            let y = top + index as f64 * LANE;
            lane.draw(&mut page, index, y, &x, (left, left + PLOT), deepest);
        }
        let is_dense = self.messages.len() > DENSE;
        for message in self.messages.iter().take(MESSAGES) {
            let (from, to) = (top + message.from as f64 * LANE + 17.0, top + message.to as f64 * LANE + 17.0);
            let (start, end) = (x(message.sent), x(message.received.unwrap_or(message.sent)));
            let class = match (message.is_end, is_dense) {
                (true, _) => "down",
                (false, true) => "info thin",
                (false, false) => "info",
            };
            let title =
                format!("{}\n{} → {}", message.label, self.lanes[message.from].title, self.lanes[message.to].title);
            page.begin(class, [message.from, message.to], &title);
            page.put(format_args!(
                r#"<path class="tick" fill="none" d="M{} {}L{} {}"/><circle class="tip" cx="{}" cy="{}" r="2"/>"#,
                Px(start),
                Px(from),
                Px(end),
                Px(to),
                Px(end),
                Px(to),
            ));
            page.end();
        }
        let missing = self.messages.len().saturating_sub(MESSAGES);
        let mut facts = vec![format!("{} processes", self.lanes.len()), words::duration(span)];
        if missing > 0 {
            facts.push(format!("… {} more messages", words::count(missing as u64)));
        }
        if self.lost > 0 {
            facts.push(format!("{} events lost", words::count(self.lost)));
        }
        page.finish(left + PLOT + 30.0, height, "Timeline", &facts)
    }

    fn grid(&self, page: &mut Page, left: f64, top: f64, bottom: f64, span: Duration) {
        let unit = words::Unit::of(span);
        for line in 0..=10 {
            let x = left + PLOT * f64::from(line) / 10.0;
            page.put(format_args!(r#"<path class="grid" d="M{} {}V{}"/>"#, Px(x), Px(top - 6.0), Px(bottom)));
            page.text(x, top - 12.0, "pid mid", &unit.show(span.mul_f64(f64::from(line) / 10.0)));
        }
    }
}

impl Lane {
    fn draw(
        &self,
        page: &mut Page,
        index: usize,
        y: f64,
        x: &dyn Fn(Duration) -> f64,
        edges: (f64, f64),
        deepest: u64,
    ) {
        let middle = y + LANE / 2.0;
        let colour = svg::colour(index);
        let start = self.born.map_or(edges.0, x);
        let end = self.ended.as_ref().map_or(edges.1, |end| x(end.at));
        let mut title = format!("{}\n{} on {}", self.title, words::pid(self.pid), self.pid.node());
        if self.deepest() > 0 {
            title += &format!("\nup to {} messages waited", words::count(self.deepest()));
        }
        page.put(format_args!(
            r#"<g class="m {colour}" data-p="{index}" data-h="{index}"><title>{}</title>"#,
            svg::escape(&words::lines(&title))
        ));
        page.text(16.0, middle + 4.0, "name", &words::cut(&self.title, NAME));
        page.put(format_args!(
            r#"<rect class="bar" x="{}" y="{}" width="{}" height="12" rx="3"/>"#,
            Px(start),
            Px(middle - 6.0),
            Px((end - start).max(1.0))
        ));
        page.end();
        if self.deepest() > 0 {
            let mut d = String::new();
            for (at, depth) in &self.waiting {
                let up = middle + 6.0 - 20.0 * (*depth as f64 / deepest as f64);
                let start = if d.is_empty() { format!("M{} {}", Px(x(*at)), Px(middle + 6.0)) } else { String::new() };
                d += &format!("{start}H{}V{}", Px(x(*at)), Px(up));
            }
            page.put(format_args!(r#"<path class="depth" d="{d}V{}z"/>"#, Px(middle + 6.0)));
        }
        for call in &self.calls {
            page.begin(
                &format!("call {colour}"),
                [index],
                &format!("{}\n{}", call.label, words::duration(call.end.saturating_sub(call.start))),
            );
            let width = (x(call.end) - x(call.start)).max(1.0);
            page.put(format_args!(
                r#"<rect class="busy" x="{}" y="{}" width="{}" height="12" rx="2"/>"#,
                Px(x(call.start)),
                Px(middle - 6.0),
                Px(width)
            ));
            let label = fit(&call.label, width - LETTER);
            if words::width(&label) > 3 {
                page.text(x(call.start) + 3.0, middle + 3.5, "tabbed", &label);
            }
            page.end();
        }
        if let Some(end) = &self.ended {
            let class = if end.is_orderly { "end" } else { "crash" };
            page.begin(class, [index], &format!("{} has ended: {}", self.title, end.reason));
            let (cx, arm) = (x(end.at), 2.6);
            page.put(format_args!(
                r#"<circle class="dot" cx="{}" cy="{}" r="6.5"/><path class="cross" d="M{l} {t}L{r} {b}M{r} {t}L{l} {b}"/>"#,
                Px(cx), Px(middle), l = Px(cx - arm), r = Px(cx + arm), t = Px(middle - arm), b = Px(middle + arm),
            ));
            page.end();
        }
    }
}
