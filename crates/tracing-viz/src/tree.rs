//! Who supervises whom: the model of a supervision tree.
//!
//! Which links are worth a line is decided here, what is folded away in `fold`. Drawing is left to `mermaid`,
//! `text` and `svg`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use greenroom::Pid;
use greenroom::process::Info;
use greenroom::tree::{ChildKind, ChildStatus, Strategy, TreeNode};
use serde::{Deserialize, Serialize};

use crate::words;

mod fold;

mod mermaid;
mod read;
mod svg;
mod text;

use fold::fold;

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
///     mailbox: None,
///     memory: None,
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
    /// How many lines all of it should take up: if there are more, each supervisor gets fewer.
    pub lines: usize,
}

impl Default for Options {
    /// Twenty children a supervisor, two hundred lines: what a person can read.
    fn default() -> Self {
        Options { children: 20, lines: 200 }
    }
}

/// Trees that belong together: those of an application, of a node, of a cluster.
///
/// ```
/// use greenroom_tracing_viz::tree::{Group, Role, Tree};
///
/// let node = |name: &str| Group { name: name.into(), role: Role::Node, groups: vec![], trees: vec![] };
/// let groups = vec![node("a@host"), node("b@host")];
/// let cluster = Group { name: "shop".into(), role: Role::Cluster, groups, trees: vec![] };
/// let text = Tree::from_group(&cluster, &Default::default()).to_text(80);
/// assert_eq!(text, "Cluster shop\n├─ Node a@host\n└─ Node b@host");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The groups that it is made of: nodes of a cluster, applications of a node.
    pub groups: Vec<Group>,
    /// The trees that are in none of them.
    pub trees: Vec<TreeNode>,
}

impl Group {
    /// The roots of all of its trees.
    fn roots(&self) -> Vec<&TreeNode> {
        self.groups.iter().flat_map(Group::roots).chain(&self.trees).collect()
    }
}

/// What a node of a tree stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A process, or the child that one will be.
    Process,
    /// An application, whose supervisors are below it.
    Application,
    /// A node, with what runs on it.
    Node,
    /// Nodes that know each other.
    Cluster,
}

/// What is known of a process besides its place in the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// How many messages wait in its mailbox.
    pub mailbox: Option<usize>,
    /// Its memory, in bytes.
    pub memory: Option<usize>,
    /// How long it has been running.
    pub uptime: Option<Duration>,
    /// Whom a supervisor restarts together with a child that has ended: `one for one`.
    pub strategy: Option<String>,
}

impl From<&Info> for Facts {
    fn from(info: &Info) -> Self {
        let memory = info.memory + info.heap.unwrap_or(0);
        Facts { mailbox: Some(info.message_queue_len), memory: Some(memory), ..Facts::default() }
    }
}

/// A process in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What to call it: the name that it is registered under, else its identifier.
    pub title: String,
    /// The process, unless none runs.
    pub pid: Option<Pid>,
    /// What it stands for.
    pub role: Role,
    /// Supervisor or worker.
    pub kind: ChildKind,
    /// Whether it runs.
    pub status: ChildStatus,
    /// How often it was restarted.
    pub restarts: u64,
    /// What else is known of it.
    pub facts: Facts,
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
    /// How many are below them.
    pub below: usize,
}

impl Tree {
    /// The tree below `root`, as far as `options` ask for it.
    pub fn from_node(root: &TreeNode, options: &Options) -> Tree {
        let children = fold::narrow(&[root], options);
        let mut planter = Planter::default();
        planter.plant(root, None, children);
        planter.finish()
    }

    /// The trees of an application, of a node or of a cluster, below its name.
    pub fn from_group(group: &Group, options: &Options) -> Tree {
        let children = fold::narrow(&group.roots(), options);
        let mut planter = Planter::default();
        planter.group(group, None, children);
        planter.finish()
    }

    /// Adds what is known of the processes: their mailboxes and memory, for example from
    /// [`Node::info`](greenroom::Node::info).
    pub fn with_facts(mut self, facts: &BTreeMap<Pid, Facts>) -> Tree {
        for node in &mut self.nodes {
            let Some(known) = node.pid.and_then(|pid| facts.get(&pid)) else { continue };
            let Facts { mailbox, memory, uptime, strategy } = known.clone();
            node.facts.mailbox = mailbox.or(node.facts.mailbox);
            node.facts.memory = memory.or(node.facts.memory);
            node.facts.uptime = uptime.or(node.facts.uptime);
            node.facts.strategy = strategy.or(node.facts.strategy.take());
        }
        self
    }
}

/// A tree that grows.
#[derive(Default)]
struct Planter<'a> {
    nodes: Vec<Node>,
    links: Vec<&'a [Pid]>,
}

impl<'a> Planter<'a> {
    /// Adds a node that is no process, with all that is below it.
    fn group(&mut self, group: &'a Group, parent: Option<usize>, children: usize) {
        let title = words::one_line(&group.name);
        let title = if title.is_empty() { "?".to_owned() } else { title };
        let index = self.add(Node { title, role: group.role, parent, ..Node::nobody() }, &[]);
        for below in &group.groups {
            self.group(below, Some(index), children);
        }
        for tree in &group.trees {
            self.plant(tree, Some(index), children);
        }
    }

    /// Adds a process with all that is below it, at most so many children each.
    fn plant(&mut self, root: &'a TreeNode, parent: Option<usize>, children: usize) {
        let mut waiting = vec![(root, parent)];
        while let Some((node, parent)) = waiting.pop() {
            let (drawn, folded) = fold(&node.children, children);
            let planted = Node {
                title: title(node),
                pid: node.pid,
                kind: node.kind,
                status: node.status,
                restarts: node.restarts,
                facts: Facts {
                    mailbox: node.mailbox,
                    memory: node.memory,
                    uptime: node.uptime,
                    strategy: node.strategy.map(in_words),
                },
                parent,
                folded,
                ..Node::nobody()
            };
            let index = self.add(planted, &node.links);
            waiting.extend(drawn.iter().rev().map(|child| (child, Some(index))));
        }
    }

    fn add(&mut self, node: Node, links: &'a [Pid]) -> usize {
        let index = self.nodes.len();
        if let Some(parent) = node.parent {
            self.nodes[parent].children.push(index);
        }
        self.nodes.push(node);
        self.links.push(links);
        index
    }

    fn finish(self) -> Tree {
        let links = links_across(&self.nodes, &self.links);
        Tree { nodes: self.nodes, links }
    }
}

impl Node {
    fn nobody() -> Node {
        Node {
            title: String::new(),
            pid: None,
            role: Role::Process,
            kind: ChildKind::Supervisor,
            status: ChildStatus::Running,
            restarts: 0,
            facts: Facts::default(),
            parent: None,
            children: Vec::new(),
            folded: Folded::default(),
        }
    }
}

impl Facts {
    /// What there is to say, in a few words each.
    fn words(&self) -> Vec<String> {
        let mut said = Vec::new();
        said.extend(self.strategy.clone());
        if let Some(mailbox) = self.mailbox.filter(|mailbox| *mailbox > 0) {
            said.push(format!("{} waiting", words::count(mailbox as u64)));
        }
        said.extend(self.memory.map(words::bytes));
        said.extend(self.uptime.map(|uptime| format!("up {}", words::span(uptime))));
        said
    }
}

impl Folded {
    /// The line in their place: `… 990 more, 3 of them not running`.
    fn words(self) -> String {
        let mut more = format!("… {} more", words::count(self.count as u64));
        if self.below > 0 {
            more += &format!(" with {} below", words::count(self.below as u64));
        }
        if self.down > 0 {
            more += &format!(", {} of them not running", words::count(self.down as u64));
        }
        more
    }
}

fn in_words(strategy: Strategy) -> String {
    match strategy {
        Strategy::OneForOne => "one for one",
        Strategy::OneForAll => "one for all",
        Strategy::RestForOne => "rest for one",
    }
    .to_owned()
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
