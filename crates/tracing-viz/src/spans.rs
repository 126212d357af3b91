//! The same pictures of ordinary spans of the `tracing` crate: a layer that records them.
//!
//! Spans of one name are one participant; a span within another is a call, its end the reply. So a program
//! that knows nothing of processes has its sequence diagram, timeline and flamegraph, too.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom::trace::{EventKind, ProcessName, Signal, Trace, TraceEvent};
use greenroom::{NodeId, NodeName, Pid};
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::flame::Flame;
use crate::words;

/// The number of whoever has entered a span that is in no other.
const ROOT: u32 = 0;

/// Records spans: a [`Layer`] for a `tracing_subscriber` registry. Clones record into the same.
///
/// ```
/// use greenroom_tracing_viz::{Pictures, spans::SpanRecorder};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let recorder = SpanRecorder::new(10_000);
/// let subscriber = tracing_subscriber::registry().with(recorder.clone());
/// tracing::subscriber::with_default(subscriber, || {
///     let _request = tracing::info_span!("request", path = "/tea").entered();
///     let _query = tracing::info_span!("query").entered();
/// });
/// let sequence = recorder.trace().sequence();
/// assert_eq!(sequence.participants.len(), 3);
/// assert!(recorder.flame().to_folded().contains("request;query"));
/// ```
#[derive(Clone)]
pub struct SpanRecorder {
    seen: Arc<Mutex<Seen>>,
    start: Instant,
    limit: usize,
}

#[derive(Default)]
struct Seen {
    events: Vec<TraceEvent>,
    /// The participants by name, from 1.
    numbers: HashMap<String, u32>,
    /// The time that was spent in spans themselves, not in those within, by their path.
    busy: BTreeMap<Vec<String>, Duration>,
    lost: u64,
}

/// What is kept with a span.
struct Seat {
    number: u32,
    parent: u32,
    path: Vec<String>,
    /// When it was entered, and how long those within took meanwhile.
    entered: Option<Instant>,
    within: Duration,
}

impl fmt::Debug for SpanRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanRecorder").field("events", &self.seen.lock().events.len()).finish_non_exhaustive()
    }
}

impl SpanRecorder {
    /// A recorder for up to so many events; what goes beyond is counted in [`Trace::lost`].
    pub fn new(events: usize) -> SpanRecorder {
        SpanRecorder { seen: Arc::default(), start: Instant::now(), limit: events }
    }

    /// What was recorded so far, as a trace.
    pub fn trace(&self) -> Trace {
        let seen = self.seen.lock();
        let name = |(name, number): (&String, &u32)| {
            (participant(*number), ProcessName { registered: Some(name.clone()), label: None })
        };
        Trace {
            caller: participant(ROOT),
            events: seen.events.clone(),
            names: seen.numbers.iter().map(name).collect(),
            lost: seen.lost,
        }
    }

    /// The time that was spent in each span, by the spans around it.
    pub fn flame(&self) -> Flame {
        let mut flame = Flame::empty("Busy time by span", "ns");
        for (path, time) in &self.seen.lock().busy {
            flame.add(path.clone(), *time);
        }
        flame
    }

    fn tell(&self, seen: &mut Seen, kind: EventKind) {
        if seen.events.len() < self.limit {
            seen.events.push(TraceEvent { at: self.start.elapsed(), kind, serial: None });
        } else {
            seen.lost += 1;
        }
    }
}

/// A participant that stands for spans of one name.
fn participant(number: u32) -> Pid {
    let node = NodeName { name: "spans".into(), incarnation: 0 };
    Pid::from_parts(NodeId::intern(&node), number, 0)
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanRecorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let name = fields.name.take().unwrap_or_else(|| span.name().to_owned());
        let (parent, mut path) = match span.parent() {
            Some(above) => {
                let above = above.extensions();
                above.get::<Seat>().map_or((ROOT, Vec::new()), |seat| (seat.number, seat.path.clone()))
            }
            None => (ROOT, Vec::new()),
        };
        path.push(words::one_line(&name));
        let mut seen = self.seen.lock();
        let next = u32::try_from(seen.numbers.len() + 1).unwrap_or(u32::MAX);
        let number = *seen.numbers.entry(name).or_insert(next);
        let text = format!("{}{}", span.name(), fields.text);
        let signal = Signal::Call { name: span.name().to_owned(), text };
        self.tell(&mut seen, EventKind::Send { from: participant(parent), to: participant(number), signal });
        drop(seen);
        span.extensions_mut().insert(Seat { number, parent, path, entered: None, within: Duration::ZERO });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(seat) = span.extensions_mut().get_mut::<Seat>() {
            seat.entered = Some(Instant::now());
            seat.within = Duration::ZERO;
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut took = Duration::ZERO;
        if let Some(seat) = span.extensions_mut().get_mut::<Seat>()
            && let Some(entered) = seat.entered.take()
        {
            took = entered.elapsed();
            let own = took.saturating_sub(seat.within);
            *self.seen.lock().busy.entry(seat.path.clone()).or_default() += own;
        }
        if let Some(above) = span.parent()
            && let Some(seat) = above.extensions_mut().get_mut::<Seat>()
            && seat.entered.is_some()
        {
            seat.within += took;
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let extensions = span.extensions();
        let Some(seat) = extensions.get::<Seat>() else { return };
        let (from, to) = (participant(seat.number), participant(seat.parent));
        let text = format!("{}{}", fields.message, fields.text);
        let name = event.metadata().level().to_string();
        self.tell(&mut self.seen.lock(), EventKind::Send { from, to, signal: Signal::Info { name, text } });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(seat) = extensions.get::<Seat>() else { return };
        let (from, to) = (participant(seat.number), participant(seat.parent));
        self.tell(&mut self.seen.lock(), EventKind::Send { from, to, signal: Signal::Reply { text: String::new() } });
    }
}

/// The fields of a span or an event, as ` key=value`; a process's name, label or identifier is its own.
#[derive(Default)]
struct Fields {
    message: String,
    name: Option<String>,
    text: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "pid" => self.name = Some(format!("{value:?}")),
            name => self.text += &format!(" {name}={value:?}"),
        }
    }
}
