//! A span of the `tracing` crate for each process, entered while it is polled: the feature `tracing`.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tracing::Span;
use tracing::field::Empty;

use crate::current::Current;

pin_project! {
    /// A process's future with its span.
    pub(crate) struct Spanned<F> {
        #[pin]
        future: F,
        spawned_at: &'static Location<'static>,
        // Made at the first poll, when the process has its identifier.
        span: Option<Span>,
        recorded: Recorded,
    }
}

/// What the span has been told already.
#[derive(Default, PartialEq)]
struct Recorded {
    name: Option<String>,
    label: Option<String>,
}

pub(crate) fn spanned<F>(spawned_at: &'static Location<'static>, future: F) -> Spanned<F> {
    Spanned { future, spawned_at, span: None, recorded: Recorded::default() }
}

impl<F: Future> Future for Spanned<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let at: &Location<'_> = this.spawned_at;
        let span = this.span.get_or_insert_with(|| {
            let pid = Current::with(|current| current.and_then(Current::pid));
            tracing::info_span!(
                target: "greenroom",
                parent: None,
                "process",
                pid = pid.map(tracing::field::display),
                spawned_at = %at,
                name = Empty,
                label = Empty
            )
        });
        if !span.is_disabled() {
            tell(span, this.recorded);
        }
        let _entered = span.enter();
        this.future.poll(context)
    }
}

/// Tells the span what the process is called by now.
fn tell(span: &Span, recorded: &mut Recorded) {
    let now = Current::with(|current| {
        let current = current?;
        let name = current.inner.name_of(current.pid()?);
        Some(Recorded { name: name.registered, label: name.label })
    });
    let now = now.unwrap_or_default();
    if now != *recorded {
        span.record("name", now.name.as_deref());
        span.record("label", now.label.as_deref());
        *recorded = now;
    }
}
