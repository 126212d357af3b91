//! What happened before a supervisor gave up: told by the flight recorder, and drawn afterwards.
//!
//! ```console
//! $ cargo run -p greenroom-tracing-viz --example crash -- crash.svg
//! ```

use std::sync::mpsc;
use std::time::Duration;

use greenroom::message::Down;
use greenroom::supervisor::{ChildSpec, Strategy, Supervisor};
use greenroom::trace::Trace;
use greenroom::{Node, receive, send, trap_exit, whereis};
use greenroom_tracing_viz::Pictures;

/// Fails when it gets too hot.
async fn boiler() {
    loop {
        let degrees = receive::<u32>().await;
        assert!(degrees < 100, "{degrees} °C is too hot");
    }
}

/// Heats a boiler until its supervisor gives up, and returns what the flight recorder holds then.
fn explode() -> std::io::Result<Trace> {
    let (keep, kept) = mpsc::channel();
    let node = Node::builder()
        .workers(1)
        .on_panic(|_| ())
        .flight_recorder(256)
        .on_supervisor_failure(move |trace| drop(keep.send(trace.clone())))
        .start()?;
    node.block_on(async {
        // To outlive the plant.
        trap_exit(true);
        let plant = Supervisor::new(Strategy::OneForOne)
            .name("plant")
            .intensity(0, Duration::from_secs(1))
            .child(ChildSpec::named("boiler", boiler))
            .start_link()
            .await
            .expect("it starts");
        let watch = greenroom::monitor(plant.pid());
        for degrees in [80_u32, 95, 110] {
            if let Some(boiler) = whereis("boiler") {
                send(boiler, degrees);
            }
        }
        receive! { down: Down if down.reference == watch => () };
    });
    kept.recv().map_err(std::io::Error::other)
}

fn main() -> std::io::Result<()> {
    let sequence = explode()?.sequence();
    println!("{}", sequence.to_ansi(100));
    match std::env::args().nth(1) {
        Some(file) => std::fs::write(file, sequence.to_svg()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_the_crash_is_in_the_picture() {
        let text = explode().unwrap().sequence().to_text(200);
        for words in ["u32", "110 °C is too hot", "plant"] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }
}
