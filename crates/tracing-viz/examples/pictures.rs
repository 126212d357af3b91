//! A tea house that runs out of tea, drawn in every way there is.
//!
//! `cargo run -p greenroom-tracing-viz --features flame,spans --example pictures -- FOLDER`
//! writes the pictures into the folder: `sequence.svg`, `tree.svg`, `map.svg`, `timeline.svg`, and their other forms.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use greenroom::supervisor::{ChildSpec, Strategy, Supervisor, tree};
use greenroom::trace::Trace;
use greenroom::tree::TreeNode;
use greenroom::{Node, Pid, receive, register, self_pid, send, sleep, trace_to, whereis};
use greenroom_tracing_viz::tree::{Direction, Facts};
use greenroom_tracing_viz::{Flame, Pictures, Tree, file, flame, map, sequence};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    guest: Pid,
    tea: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Brew {
    waiter: Pid,
    tea: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Cup(String);

/// Takes orders to the kitchen, and cups to the guests.
async fn waiter() {
    let mut guests: Vec<Pid> = Vec::new();
    loop {
        receive! {
            order: Order => {
                guests.push(order.guest);
                if let Some(kitchen) = whereis("kitchen") {
                    send(kitchen, Brew { waiter: self_pid(), tea: order.tea });
                }
            },
            cup: Cup => send(guests.remove(0), cup),
        }
    }
}

/// Brews while there is tea.
async fn kitchen() {
    let mut leaves = 40;
    loop {
        let Brew { waiter, tea } = receive::<Brew>().await;
        assert!(leaves > 0, "out of {tea}");
        leaves -= 1;
        sleep(Duration::from_micros(50)).await;
        send(waiter, Cup(tea));
    }
}

/// A guest who drinks until nothing comes any more.
async fn guest(keep: std::sync::mpsc::Sender<Trace>) {
    let visit = async {
        for _ in 0..41 {
            let Some(waiter) = whereis("waiter") else { return };
            send(waiter, Order { guest: self_pid(), tea: "oolong".into() });
            if greenroom::receive_timeout::<Cup>(Duration::from_millis(20)).await.is_none() {
                return;
            }
        }
    };
    // However the visit ends, its trace is kept.
    trace_to(visit, move |trace| drop(keep.send(trace))).await;
}

/// What the tea house looks like once it has run out of tea.
struct Seen {
    visit: Trace,
    everything: Trace,
    flight: Trace,
    tree: TreeNode,
    facts: BTreeMap<Pid, Facts>,
    busy: Flame,
}

fn observe() -> Seen {
    let node = Node::builder().workers(2).on_panic(|_| ()).flight_recorder(1024).start().expect("threads can be had");
    let recording = node.record(100_000);
    let (sender, visits) = std::sync::mpsc::channel();
    let (caller, tree) = node.block_on(async move {
        let house = Supervisor::new(Strategy::RestForOne)
            .name("tea_house")
            .child(ChildSpec::named("kitchen", kitchen))
            .child(ChildSpec::named("waiter", waiter))
            .start_link()
            .await
            .expect("all children start");
        let (_, watch) = greenroom::spawn_monitor(async move {
            let _ = register("guest", self_pid());
            guest(sender).await;
        });
        receive! { down: greenroom::message::Down if down.reference == watch => () };
        (self_pid(), tree(house.pid()).await.expect("it runs"))
    });
    let processes: Vec<_> = node.list().into_iter().filter_map(|pid| node.info(pid)).collect();
    Seen {
        visit: visits.recv().expect("a trace is always kept"),
        everything: recording.take(caller),
        flight: node.flight(),
        tree,
        facts: processes.iter().map(|info| (info.pid, Facts::from(info))).collect(),
        busy: Flame::of_processes(&processes, flame::Measure::Messages),
    }
}

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "pictures".to_owned()));
    std::fs::create_dir_all(&folder)?;
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
    let Seen { visit, everything, flight, tree, facts, busy } = observe();

    let sequence = everything.sequence();
    write("sequence.svg", sequence.to_svg())?;
    write("sequence.mmd", sequence.to_mermaid())?;
    write("sequence.txt", sequence.to_text(120))?;
    write("trace.json", file::trace_to_json(&everything))?;
    write("visit.svg", visit.sequence().to_svg())?;
    // What happened before the crash, from the recorder that is always on.
    write("flight.svg", flight.sequence_of(&sequence::Options { limit: 100, ..Default::default() }).to_svg())?;

    let drawn = Tree::from_node(&tree, &Default::default()).with_facts(&facts);
    write("tree.svg", drawn.to_svg())?;
    write("tree.mmd", drawn.to_mermaid(Direction::TopDown))?;
    write("tree.json", file::tree_to_json(&tree))?;

    write("map.svg", everything.map(&map::Options::default()).to_svg())?;
    write("timeline.svg", everything.timeline().to_svg())?;
    write("timeline.json", everything.timeline().to_perfetto())?;

    write("messages.folded", busy.to_folded())?;
    #[cfg(feature = "flame")]
    if let Ok(svg) = Flame::of_busy(&everything).to_svg() {
        write("flame.svg", svg)?;
    }
    #[cfg(feature = "spans")]
    spans(&write)?;

    println!("{}", drawn.to_ansi(100));
    println!("{}", sequence.to_ansi(120));
    println!("pictures are in {}", folder.display());
    Ok(())
}

/// The same for spans of the `tracing` crate.
#[cfg(feature = "spans")]
fn spans(write: &dyn Fn(&str, String) -> std::io::Result<()>) -> std::io::Result<()> {
    use tracing_subscriber::layer::SubscriberExt;
    let recorder = greenroom_tracing_viz::spans::SpanRecorder::new(1000);
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    tracing::subscriber::with_default(subscriber, || {
        for table in 1..=3 {
            let _request = tracing::info_span!("serve", table).entered();
            tracing::info_span!("brew", tea = "oolong").in_scope(|| tracing::info!("water boils"));
            tracing::info_span!("pour").in_scope(|| ());
        }
    });
    write("spans.svg", recorder.trace().sequence().to_svg())?;
    write("spans.folded", recorder.flame().to_folded())
}
