//! A tree read back from Mermaid's text form, as it is written here and by Livebook.

use std::collections::BTreeMap;

use greenroom::tree::{ChildKind, ChildStatus};

use super::{Folded, Node, Tree};
use crate::{mermaid, words};

impl Tree {
    /// The tree that a Mermaid graph shows; nothing, if it has more in it than is written by
    /// [`to_mermaid`](Tree::to_mermaid).
    ///
    /// ```
    /// use greenroom_tracing_viz::Tree;
    ///
    /// let tree = Tree::from_mermaid("graph TD;\n0(root):::root ---> 1(cache):::worker;\n").unwrap();
    /// assert_eq!(tree.to_text(80), "Supervisor root\n└─ cache  worker");
    /// assert!(Tree::from_mermaid("graph TD;\nA-->B").is_none());
    /// ```
    pub fn from_mermaid(text: &str) -> Option<Tree> {
        let mut lines = text.lines().map(|line| line.trim().trim_end_matches(';')).filter(|line| !line.is_empty());
        if !matches!(lines.next()?, "graph TD" | "graph LR") {
            return None;
        }
        let mut nodes: BTreeMap<usize, Node> = BTreeMap::new();
        let mut links = Vec::new();
        for line in lines.filter(|line| !line.starts_with("classDef ")) {
            if let Some((one, other)) = line.split_once(" -..- ") {
                links.push((one.parse().ok()?, other.parse().ok()?));
                continue;
            }
            let (above, below) = line.split_once(" ---> ").map_or((line, None), |(one, other)| (one, Some(other)));
            let (parent, node) = shape(above)?;
            let parent_node = nodes.entry(parent).or_insert(node.ok()?);
            let Some((child, node)) = below.map(shape).map_or(Some(None), |shape| shape.map(Some))? else { continue };
            match node {
                Err(folded) => parent_node.folded = folded,
                Ok(_) if child <= parent => return None,
                Ok(node) => {
                    parent_node.children.push(child);
                    let node = nodes.entry(child).or_insert(node);
                    if node.parent.replace(parent).is_some() {
                        return None;
                    }
                }
            }
        }
        let is_whole = nodes.keys().copied().eq(0..nodes.len())
            && nodes.iter().all(|(number, node)| node.parent.is_some() == (*number > 0))
            && links.iter().all(|(one, other)| one < other && *other < nodes.len());
        (is_whole && !nodes.is_empty()).then(|| Tree { nodes: nodes.into_values().collect(), links })
    }
}

/// What `3(name):::class` stands for: a node, or children that are counted.
fn shape(text: &str) -> Option<(usize, Result<Node, Folded>)> {
    let (number, rest) = text.split_once('(')?;
    let (name, class) = rest.rsplit_once("):::")?;
    let title = mermaid::unescape(name);
    let (kind, status) = match class {
        "folded" => return Some((number.parse().ok()?, Err(folded(&title)?))),
        "root" | "supervisor" => (ChildKind::Supervisor, ChildStatus::Running),
        "worker" => (ChildKind::Worker, ChildStatus::Running),
        "notstarted" => (ChildKind::Worker, ChildStatus::NotStarted),
        _ => return None,
    };
    Some((number.parse().ok()?, Ok(Node { title, kind, status, ..Node::nobody() })))
}

/// What [`Folded::words`] says, as far as there was room for it.
fn folded(words: &str) -> Option<Folded> {
    let (count, rest) = words.strip_prefix("… ")?.split_once(" more")?;
    let number = |before: &str, after: &str| {
        rest.split_once(before)
            .and_then(|(_, rest)| rest.split_once(after))
            .and_then(|(number, _)| words::read_count(number))
    };
    let (below, down) = (number(" with ", " below").unwrap_or(0), number(", ", " of them").unwrap_or(0));
    Some(Folded { count: words::read_count(count)?, down, below })
}
