//! A program that knows nothing of processes: the spans of the `tracing` crate, drawn as a conversation.
//!
//! ```console
//! $ cargo run -p greenroom-tracing-viz --features spans --example spans -- spans.svg
//! ```

use greenroom_tracing_viz::Pictures;
use greenroom_tracing_viz::spans::SpanRecorder;
use tracing_subscriber::layer::SubscriberExt;

/// Serves tea at three tables, while a layer records the spans.
fn serve() -> SpanRecorder {
    let recorder = SpanRecorder::new(1000);
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    tracing::subscriber::with_default(subscriber, || {
        for table in 1..=3 {
            let _request = tracing::info_span!("serve", table).entered();
            tracing::info_span!("brew", tea = "oolong").in_scope(|| tracing::info!("water boils"));
            tracing::info_span!("pour").in_scope(|| ());
        }
    });
    recorder
}

fn main() -> std::io::Result<()> {
    let recorder = serve();
    let sequence = recorder.trace().sequence();
    println!("{}\n\n{}", sequence.to_ansi(100), recorder.flame().to_text(100));
    match std::env::args().nth(1) {
        Some(file) => std::fs::write(file, sequence.to_svg()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_drawn_as_calls_within_each_other() {
        let recorder = serve();
        let text = recorder.trace().sequence().to_text(120);
        assert!(text.contains("CALL: brew tea=\"oolong\"") && text.contains("× 3"), "{text}");
        assert!(recorder.flame().to_folded().contains("serve;brew"));
    }
}
