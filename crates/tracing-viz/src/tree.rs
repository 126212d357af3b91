//! Who supervises whom: the model of a supervision tree.
//!
//! Which children are folded away, and which links are worth a line, is decided here. Drawing is
//! left to `mermaid` and `text`.

use std::collections::{BTreeSet, HashMap};

use greenroom::Pid;
use greenroom::tree::{ChildKind, ChildStatus, TreeNode};

use crate::words;

mod mermaid;
mod text;

pub use mermaid::Direction;

/// A supervision tree, ready to be drawn.
///
/// ```
/// use greenroom::tree::{ChildKind, ChildStatus, TreeNode};
/// use greenroom_tracing_viz::tree::{Direction, Options, Tree};
///
/// let ticker = TreeNode {
///     id: "ticker".into(),
///     pid: None,
///     registered: None,
///     kind: ChildKind::Worker,
///     status: ChildStatus::NotStarted,
///     strategy: None,
///     restarts: 3,
///     uptime: None,
///     links: vec![],
///     children: vec![],
/// };
/// let root = TreeNode {
///     id: "root".into(),
///     kind: ChildKind::Supervisor,
///     status: ChildStatus::Running,
///     restarts: 0,
///     children: vec![ticker.clone()],
///     ..ticker
/// };
///
/// let tree = Tree::from_node(&root, &Options::default());
/// assert_eq!(
///     tree.to_text(80),
///     "Supervisor root\n\
///      └─ ticker  worker, not started, restarted 3 ×"
/// );
/// let mermaid = tree.to_mermaid(Direction::TopDown);
/// assert!(mermaid.contains("0(root):::root ---> 1(ticker):::notstarted;"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The nodes: the root, then each node's children with all below them.
    pub nodes: Vec<Node>,
    /// The links between processes of the tree that are not parent and child, as pairs of indices
    /// into [`Tree::nodes`], the smaller one first.
    pub links: Vec<(usize, usize)>,
}

/// What of a tree is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many lines the children of one supervisor take up at most. Beyond that, the last line
    /// says how many more there are.
    pub children: usize,
}

impl Default for Options {
    /// Twenty children a supervisor.
    fn default() -> Self {
        Options { children: 20 }
    }
}

/// A process in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What to call it: the name that it is registered under, else its identifier.
    pub title: String,
    /// The process, unless none runs.
    pub pid: Option<Pid>,
    /// Supervisor or worker.
    pub kind: ChildKind,
    /// Whether it runs.
    pub status: ChildStatus,
    /// How often it was restarted.
    pub restarts: u64,
    /// The supervisor above, as an index into [`Tree::nodes`]; the root has none.
    pub parent: Option<usize>,
    /// The children that are drawn, as indices into [`Tree::nodes`].
    pub children: Vec<usize>,
    /// The children that are not.
    pub folded: Folded,
}

/// Children that are counted instead of drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// How many there are.
    pub count: usize,
    /// How many of them do not run.
    pub down: usize,
}

impl Tree {
    /// The tree below `root`, as far as `options` ask for it.
    pub fn from_node(root: &TreeNode, options: &Options) -> Tree {
        let mut nodes: Vec<Node> = Vec::new();
        let mut links: Vec<&[Pid]> = Vec::new();
        let mut waiting = vec![(root, None)];
        while let Some((node, parent)) = waiting.pop() {
            let index = nodes.len();
            if let Some(parent) = parent {
                let parent: &mut Node = &mut nodes[parent];
                parent.children.push(index);
            }
            let (drawn, folded) = fold(&node.children, options);
            nodes.push(Node {
                title: title(node),
                pid: node.pid,
                kind: node.kind,
                status: node.status,
                restarts: node.restarts,
                parent,
                children: Vec::new(),
                folded,
            });
            links.push(&node.links);
            waiting.extend(drawn.iter().rev().map(|child| (child, Some(index))));
        }
        let links = links_across(&nodes, &links);
        Tree { nodes, links }
    }
}

impl Folded {
    /// The line in their place: `… 990 more, 3 of them not running`.
    fn words(self) -> String {
        let more = format!("… {} more", words::count(self.count as u64));
        match self.down {
            0 => more,
            down => format!("{more}, {} of them not running", words::count(down as u64)),
        }
    }
}

/// The children that are drawn, and what is said of the others.
fn fold<'a>(children: &'a [TreeNode], options: &Options) -> (&'a [TreeNode], Folded) {
    if children.len() <= options.children {
        return (children, Folded::default());
    }
    let (drawn, folded) = children.split_at(options.children.saturating_sub(1));
    let down = folded.iter().filter(|child| child.status != ChildStatus::Running).count();
    (drawn, Folded { count: folded.len(), down })
}

fn title(node: &TreeNode) -> String {
    let name = words::one_line(node.registered.as_deref().unwrap_or(&node.id));
    match node.pid {
        Some(pid) if name.is_empty() => words::one_line(&pid.to_string()),
        None if name.is_empty() => "?".to_owned(),
        _ => name,
    }
}

/// The links of `links` (one list a node) that join two nodes, neither being the other's parent.
fn links_across(nodes: &[Node], links: &[&[Pid]]) -> Vec<(usize, usize)> {
    let by_pid: HashMap<Pid, usize> =
        nodes.iter().enumerate().filter_map(|(index, node)| Some((node.pid?, index))).collect();
    let mut pairs = BTreeSet::new();
    for (index, pids) in links.iter().enumerate() {
        for other in pids.iter().filter_map(|pid| by_pid.get(pid).copied()) {
            let (first, second) = (index.min(other), index.max(other));
            if first != second && nodes[second].parent != Some(first) {
                pairs.insert((first, second));
            }
        }
    }
    pairs.into_iter().collect()
}
