//! A tea house that runs out of tea, drawn in every way there is.
//!
//! `cargo run -p greenroom-tracing-viz --features flame --example pictures -- FOLDER`
//! writes the pictures into the folder: `sequence.svg`, `tree.svg`, `map.svg`, `timeline.svg`, and their other forms.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
    draw(&folder)?;
    println!("pictures are in {}", folder.display());
    Ok(())
}

fn draw(folder: &Path) -> std::io::Result<()> {
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
    {
        let (busy, before) = (Flame::of_busy(&everything), Flame::of_busy(&visit));
        for (name, svg) in [("flame.svg", busy.to_svg()), ("difference.svg", busy.difference_to_svg(&before))] {
            write(name, svg.map_err(std::io::Error::other)?)?;
        }
    }
    println!("{}", drawn.to_ansi(100));
    println!("{}", sequence.to_ansi(120));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_picture_is_written() {
        let folder = tempfile::tempdir().unwrap();
        draw(folder.path()).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        for name in ["sequence.svg", "visit.svg", "flight.svg", "tree.svg", "map.svg", "timeline.svg"] {
            assert!(read(name).contains("kitchen"), "{name}");
        }
        assert!(read("sequence.svg").contains("panic: out of oolong") && read("sequence.svg").contains("RESTART"));
        assert!(read("sequence.mmd").starts_with("sequenceDiagram") && read("tree.mmd").starts_with("graph TD;"));
        assert!(file::read(&read("trace.json")).is_ok() && file::read(&read("tree.json")).is_ok());
    }
}
