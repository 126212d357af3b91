//! A hundred nodes of one operating-system process, each connected with every other: how long it takes until all know of
//! all, and what that holds in memory.

use std::net::SocketAddr;
use std::time::Instant;

use greenroom::Node;
use greenroom_cluster::{Cluster, Cookie, MemoryNetwork};

use crate::common::resident;

/// How many nodes there are.
const NODES: usize = 100;

/// Runs a trial; none if there is no such.
pub fn run(trial: &str) -> Option<f64> {
    let (work, network) = match trial.strip_suffix("_memory") {
        Some(work @ ("mesh_time" | "mesh_memory")) => (work, Some(MemoryNetwork::new())),
        Some(_) | None => (trial, None),
    };
    let figure: fn(&Mesh) -> f64 = match work {
        "mesh_time" => |mesh| mesh.seconds,
        "mesh_memory" => |mesh| mesh.bytes / 1e6,
        _ => return None,
    };
    let mesh = Mesh::new(network.as_ref())?;
    let figure = figure(&mesh);
    // Taking a hundred nodes apart is no part of it: the process ends now.
    std::mem::forget(mesh);
    Some(figure)
}

/// What it has taken.
struct Mesh {
    seconds: f64,
    bytes: f64,
    _members: Vec<(Node, Cluster)>,
}

impl Mesh {
    fn new(network: Option<&MemoryNetwork>) -> Option<Mesh> {
        let cookie = Cookie::random();
        let nodes: Vec<_> = (0..NODES).map_while(|number| start(number, &cookie, network)).collect();
        if nodes.len() < NODES {
            return None;
        }
        let before = resident();
        let start = Instant::now();
        for (index, (node, cluster, _)) in nodes.iter().enumerate() {
            let (cluster, others) = (cluster.clone(), nodes[..index].iter().map(|(.., at)| *at).collect::<Vec<_>>());
            node.spawn(async move {
                for address in others {
                    if cluster.connect(address).await.is_err() {
                        return;
                    }
                }
            });
        }
        // Each of them has to know of all others; a trial that takes too long is ended from outside.
        while nodes.iter().any(|(_, cluster, _)| cluster.nodes().len() < NODES - 1) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let (seconds, bytes) = (start.elapsed().as_secs_f64(), resident() - before);
        let _members = nodes.into_iter().map(|(node, cluster, _)| (node, cluster)).collect();
        Some(Mesh { seconds, bytes, _members })
    }
}

fn start(number: usize, cookie: &Cookie, network: Option<&MemoryNetwork>) -> Option<(Node, Cluster, SocketAddr)> {
    let node = Node::builder().name(format!("mesh-{number}")).workers(1).start().ok()?;
    // At the end all of them go at once, of which nobody wants to read.
    let mut builder = Cluster::builder(&node).cookie(cookie.clone()).on_notice(|_| ());
    if let Some(network) = network {
        builder = builder.network(network);
    }
    let cluster = builder.start().ok()?;
    let address = cluster.listen(([127, 0, 0, 1], 0).into()).ok()?;
    Some((node, cluster, address))
}
