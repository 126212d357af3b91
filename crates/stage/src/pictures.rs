//! Pictures that a cell can show: what processes say to each other, and who supervises whom.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use greenroom::supervisor::{self, TreeError};
use greenroom::trace::Trace;
use greenroom::{NodeId, Pid, application, node};
use greenroom_cluster::erpc;
use greenroom_tracing_viz::tree::{Direction, Group, Role, Tree};
use greenroom_tracing_viz::{Flame, Pictures, map};

use crate::cell::Output;
use crate::io::emit;

/// How wide pictures in text may be, in columns, where nobody says otherwise.
const WIDTH: usize = 100;

/// The width that the notebook asked for.
static COLUMNS: OnceLock<usize> = OnceLock::new();

/// Says how wide pictures in text may be; the first to say so wins.
pub(crate) fn set_width(columns: usize) {
    // A second notebook cannot join a runtime, so this is only ever said once.
    let _ = COLUMNS.set(columns.max(20));
}

fn width() -> usize {
    COLUMNS.get().copied().unwrap_or(WIDTH)
}

/// Runs a future and draws the messages that are sent meanwhile: by the running process, by those it
/// starts, and by whoever answers them. Returns what the future returns.
///
/// ```
/// use greenroom::{receive, self_pid, send, spawn};
/// use greenroom_stage::pictures::render_seq_trace;
///
/// greenroom::run(async {
///     let answer = render_seq_trace(async {
///         let parent = self_pid();
///         spawn(async move { send(parent, 42_u32) });
///         receive::<u32>().await
///     })
///     .await;
///     assert_eq!(answer, 42);
/// });
/// ```
///
/// # Panics
/// Outside of a process.
pub async fn render_seq_trace<F: Future>(future: F) -> F::Output {
    let (value, trace) = greenroom::trace(future).await;
    let sequence = trace.sequence();
    let (text, mermaid, svg) = (sequence.to_text(width()), sequence.to_mermaid(), sequence.to_svg());
    emit(Output::Sequence { text, mermaid, svg });
    value
}

/// Runs a future and draws who talked to whom meanwhile, and how often. Returns what the future returns.
///
/// # Panics
/// Outside of a process.
pub async fn render_map<F: Future>(future: F) -> F::Output {
    drawn(future, |trace| {
        let map = trace.map(&map::Options::default());
        Output::Picture { text: map.to_text(width()), svg: map.to_svg() }
    })
    .await
}

/// Runs a future and draws who lived and worked when. Returns what the future returns.
///
/// # Panics
/// Outside of a process.
pub async fn render_timeline<F: Future>(future: F) -> F::Output {
    drawn(future, |trace| Output::Picture { text: trace.sequence().to_text(width()), svg: trace.timeline().to_svg() })
        .await
}

/// Runs a future and draws how long each process worked on each kind of message, as a flamegraph. Returns what the future
/// returns.
///
/// # Panics
/// Outside of a process.
pub async fn render_flame<F: Future>(future: F) -> F::Output {
    drawn(future, |trace| flame(&Flame::of_busy(trace))).await
}

async fn drawn<F: Future>(future: F, draw: impl FnOnce(&Trace) -> Output) -> F::Output {
    let (value, trace) = greenroom::trace(future).await;
    emit(draw(&trace));
    value
}

/// A flamegraph as data: what draws it is no part of what cells are compiled with.
fn flame(flame: &Flame) -> Output {
    let (text, folded) = (flame.to_text(width()), flame.to_folded());
    Output::Flame { text, title: flame.title.clone(), unit: flame.unit.to_owned(), folded }
}

/// Draws the supervision tree below a supervisor.
///
/// # Errors
/// If the process has ended or is no supervisor.
///
/// # Panics
/// Outside of a process.
pub async fn render_sup_tree(supervisor: impl Into<Pid>) -> Result<(), TreeError> {
    let root = supervisor::tree(supervisor.into()).await?;
    show(&Tree::from_node(&root, &Default::default()));
    Ok(())
}

/// Draws the supervision tree of an application of this node.
///
/// ```
/// use greenroom::application::{Application, Kind};
/// use greenroom::supervisor::{Strategy, Supervisor};
/// use greenroom_stage::pictures::render_app_tree;
///
/// greenroom::run(async {
///     let shop = Application::new("shop", || async { Supervisor::new(Strategy::OneForOne) });
///     shop.start(Kind::Temporary).await.unwrap();
///     render_app_tree("shop").await.unwrap();
///     assert!(render_app_tree("chop").await.unwrap_err().to_string().contains("these run: shop"));
/// });
/// ```
///
/// # Errors
/// [`AppTreeError`], if no application of this name runs.
///
/// # Panics
/// Outside of a process.
pub async fn render_app_tree(name: &str) -> Result<(), AppTreeError> {
    let mut applications = applications().await;
    let Some(found) = applications.iter().position(|application| application.name == name) else {
        let running = applications.into_iter().map(|application| application.name).collect();
        return Err(AppTreeError { name: name.to_owned(), running });
    };
    show(&Tree::from_group(&applications.swap_remove(found), &Default::default()));
    Ok(())
}

/// Draws all supervision trees of this node: those of its applications, and those that belong to none.
///
/// # Panics
/// Outside of a process.
pub async fn render_node_tree() {
    show(&Tree::from_group(&node_trees(()).await, &Default::default()));
}

/// Draws all supervision trees of this node and of others that it is connected to. They must be running the same
/// program, in a cluster; one that is not, or does not answer within five seconds, stands there without any.
///
/// # Panics
/// Outside of a process.
pub async fn render_cluster_tree(others: &[NodeId]) {
    show(&Tree::from_group(&cluster_trees(others).await, &Default::default()));
}

async fn cluster_trees(others: &[NodeId]) -> Group {
    let mut groups = vec![node_trees(()).await];
    for (node, answer) in others.iter().zip(erpc::multicall(others, node_trees, (), PATIENCE).await) {
        groups.push(answer.unwrap_or_else(|error| {
            let name = format!("{node} ({error})");
            Group { name, role: Role::Node, groups: Vec::new(), trees: Vec::new() }
        }));
    }
    Group { name: format!("around {}", node()), role: Role::Cluster, groups, trees: Vec::new() }
}

/// How long another node may take to say what runs on it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The supervision trees of this node.
async fn node_trees(_: ()) -> Group {
    let groups = applications().await;
    let mut trees = supervisor::forest().await;
    trees.retain(|tree| !groups.iter().flat_map(|group| &group.trees).any(|other| other.pid == tree.pid));
    Group { name: node().to_string(), role: Role::Node, groups, trees }
}

/// The applications of this node, each with its tree.
async fn applications() -> Vec<Group> {
    let mut groups = Vec::new();
    for started in application::started().await {
        // One that stops right now has none any more.
        let trees = supervisor::tree(started.root).await.into_iter().collect();
        groups.push(Group { name: started.name, role: Role::Application, groups: Vec::new(), trees });
    }
    groups
}

fn show(tree: &Tree) {
    let (text, mermaid) = (tree.to_text(width()), tree.to_mermaid(Direction::default()));
    emit(Output::Tree { text, mermaid, svg: tree.to_svg() });
}

/// There is no application of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppTreeError {
    /// The name.
    pub name: String,
    /// The applications that run.
    pub running: Vec<String>,
}

impl fmt::Display for AppTreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no application {} runs on this node; ", self.name)?;
        match self.running.as_slice() {
            [] => f.write_str("none does"),
            running => write!(f, "these run: {}", running.join(", ")),
        }
    }
}

impl std::error::Error for AppTreeError {}

#[cfg(test)]
mod tests {
    use greenroom::Node;
    use greenroom::supervisor::{Strategy, Supervisor};
    use greenroom_cluster::{Cluster, Cookie, MemoryNetwork};

    use super::*;

    #[test]
    fn a_cluster_is_drawn_with_what_runs_on_each_of_its_nodes() {
        let (network, cookie) = (MemoryNetwork::default(), Cookie::random());
        let member = |name: &str| {
            let node = Node::builder().name(name).workers(1).start().unwrap();
            let cluster = Cluster::builder(&node).cookie(cookie.clone()).network(&network).start().unwrap();
            (node, cluster)
        };
        let ((near, cluster), (far, other)) = (member("near"), member("far"));
        let (started, is_started) = std::sync::mpsc::channel();
        far.spawn(async move {
            let kitchen = Supervisor::new(Strategy::OneForAll).name("kitchen").start_link().await;
            let _ = started.send(kitchen.is_ok());
            greenroom::receive::<()>().await
        });
        assert!(is_started.recv().unwrap());
        let address = other.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let far = far.id();
        let group = near.block_on(async move {
            assert_eq!(cluster.connect(address).await.unwrap(), far);
            let nobody = NodeId::intern(&greenroom::NodeName { name: "nobody".into(), incarnation: 0 });
            cluster_trees(&[far, nobody]).await
        });
        let [near, far, nobody] = group.groups.as_slice() else { panic!("{group:?}") };
        assert_eq!((near.trees.len(), far.trees.len(), nobody.trees.len()), (0, 1, 0));
        assert_eq!(far.trees[0].registered.as_deref(), Some("kitchen"));
        assert!(far.trees[0].memory.is_some_and(|memory| memory > 0));
        assert!(nobody.name.starts_with("nobody") && nobody.name.ends_with("(noconnection)"), "{}", nobody.name);
    }
}
