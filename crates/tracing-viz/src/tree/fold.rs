//! What of a tree is folded away, so that a person can read the rest.

use greenroom::tree::{ChildStatus, TreeNode};

use super::{Folded, Options};

/// How many children each supervisor may show, so that all together take up no more lines than asked, if that
/// can be.
pub(super) fn narrow(roots: &[&TreeNode], options: &Options) -> usize {
    let mut children = options.children;
    while children > 1 && count(roots, children, options.lines) > options.lines {
        children = (children * 2 / 3).max(1);
    }
    children
}

/// How many lines that many children make; stops where it is clear that there are too many.
fn count(roots: &[&TreeNode], children: usize, enough: usize) -> usize {
    let mut waiting: Vec<&TreeNode> = roots.to_vec();
    let mut lines = 0;
    while let Some(node) = waiting.pop() {
        lines += 1;
        if lines > enough {
            break;
        }
        let shown = shown(node.children.len(), children);
        lines += usize::from(shown < node.children.len());
        waiting.extend(&node.children[..shown]);
    }
    lines
}

/// The children that are drawn, and what is said of the others.
pub(super) fn fold(children: &[TreeNode], most: usize) -> (&[TreeNode], Folded) {
    let (drawn, folded) = children.split_at(shown(children.len(), most));
    let down = folded.iter().filter(|child| child.status != ChildStatus::Running).count();
    let below = folded.iter().map(|child| descendants(&child.children)).sum();
    (drawn, Folded { count: folded.len(), down, below })
}

/// How many of `count` children have a line of their own, where there is room for `most` lines.
fn shown(count: usize, most: usize) -> usize {
    if count <= most { count } else { most.saturating_sub(1) }
}

fn descendants(children: &[TreeNode]) -> usize {
    let mut waiting = vec![children];
    let mut count = 0;
    while let Some(children) = waiting.pop() {
        count += children.len();
        waiting.extend(children.iter().map(|child| child.children.as_slice()));
    }
    count
}
