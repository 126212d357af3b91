//! What a notebook's own node has to do with others: finding them, joining them, and learning whether they can run its
//! cells. Called by processes; errors are for people.

use std::time::Duration;

use greenroom::message::Down;
use greenroom::process::demonitor_flush;
use greenroom::{ExitReason, NodeId, Ref, monitor, receive, self_pid, send};
use greenroom_cluster::{Address, AddressError, Cluster, Cookie, NodeKind};
use greenroom_stage::launch::Fit;
use greenroom_stage::protocol::{Hello, SERVER, Welcome};
use serde::{Deserialize, Serialize};

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a node is for cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guest {
    /// It runs cells that were compiled with this.
    Runs(Fit),
    /// It runs no cells of others.
    Runtime,
    /// There is nothing that runs cells.
    Without,
}

/// A node that somebody has looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visited {
    /// The node.
    pub node: NodeId,
    /// What it is for cells.
    pub guest: Guest,
    /// What the notebook's cells are compiled with, if that is known yet.
    pub ours: Option<Fit>,
}

/// Connects to the node at an address, with the user's cookie if there is none of its own.
pub(crate) async fn connect(cluster: &Cluster, address: &str, cookie: Option<Cookie>) -> Result<NodeId, String> {
    let address: Address = address.parse().map_err(|error: AddressError| error.to_string())?;
    let connected = match cookie {
        Some(cookie) => cluster.connect_with(address, cookie).await,
        None => cluster.connect(address).await,
    };
    connected.map_err(|error| error.to_string())
}

/// The node of a name, or of what stands before its `@`: one that is connected, that was, or that is where its name
/// says.
pub(crate) async fn reach(cluster: &Cluster, name: &str) -> Result<NodeId, String> {
    let names = cluster.nodes_of(NodeKind::Any).into_iter().map(|node| (node.to_string(), node));
    let meant: Vec<(String, NodeId)> = names.filter(|(node, _)| is_called(node, name)).collect();
    match meant.as_slice() {
        [] => {}
        [(_, node)] => return Ok(*node),
        [_, _, ..] => {
            let names: Vec<&str> = meant.iter().map(|(node, _)| node.as_str()).collect();
            return Err(format!("`{name}` can be {}: write the whole name", names.join(" or ")));
        }
    }
    let known = cluster.address_of(name).map(Ok);
    let address = known.unwrap_or_else(|| match name.contains('@') {
        true => name.parse().map_err(|error: AddressError| error.to_string()),
        false => Err(format!(
            "no node `{name}` is known: `:connect HOST:PORT` joins one, and `:nodes` lists those that there are"
        )),
    })?;
    cluster.connect(address).await.map_err(|error| format!("the node {name} cannot be reached: {error}"))
}

/// Whether a node is the one that somebody means.
pub(crate) fn is_called(node: &str, name: &str) -> bool {
    node == name || node.split('@').next() == Some(name)
}

/// Asks a node what it is for cells.
pub(crate) async fn ask(node: NodeId) -> Result<Guest, String> {
    let (watch, tag) = (monitor((SERVER, node)), Ref::new());
    send((SERVER, node), Hello { from: self_pid(), tag });
    let answer = receive! {
        welcome: Welcome if welcome.tag == tag => Ok(welcome.fit.map_or(Guest::Runtime, Guest::Runs)),
        down: Down if down.reference == watch => match down.reason {
            ExitReason::NoProc => Ok(Guest::Without),
            reason => Err(format!("the node {node} is gone: {reason}")),
        },
        after PATIENCE => Err(format!(
            "the node {node} has not answered within {} s: is it of another version of Greenroom, or kept busy?",
            PATIENCE.as_secs()
        )),
    };
    demonitor_flush(watch).await;
    answer
}

/// Finds a node, and whether cells that are compiled with this run there.
pub(crate) async fn visit(cluster: &Cluster, name: &str, ours: &Fit) -> Result<NodeId, String> {
    let node = reach(cluster, name).await?;
    check(&node.to_string(), &ask(node).await?, ours)?;
    Ok(node)
}

/// Why cells that are compiled with `ours` do not run on a node, and how to mend it.
///
/// # Errors
/// If they do not.
pub fn check(name: &str, guest: &Guest, ours: &Fit) -> Result<(), String> {
    let theirs = match guest {
        Guest::Runs(theirs) => theirs,
        Guest::Runtime => {
            return Err(format!(
                "{name} is the runtime of a notebook and ends with it: `greenroom node` starts a node for several"
            ));
        }
        Guest::Without => {
            return Err(format!("{name} cannot run cells: only a node that `greenroom node` has started can"));
        }
    };
    let cannot = format!("the cells of this notebook cannot run on {name}:");
    if theirs.rustc != ours.rustc {
        let (theirs, ours) = (&theirs.rustc, &ours.rustc);
        return Err(format!(
            "{cannot} it is made with {theirs}, and here it is {ours}; install the same compiler on both, and start the \
             node again"
        ));
    }
    if theirs.greenroom != ours.greenroom {
        let (theirs, ours) = (&theirs.greenroom, &ours.greenroom);
        return Err(format!(
            "{cannot} it is of Greenroom {theirs}, and here it is {ours}; install the same on both, and start the node \
             again"
        ));
    }
    if theirs.crates != ours.crates {
        return Err(format!(
            "{cannot} it has other crates than the setup cell names; start it with `greenroom node --notebook FILE`, \
             where FILE is this notebook"
        ));
    }
    if theirs.build != ours.build {
        return Err(format!(
            "{cannot} what cells stand on was built otherwise there, of the same parts: are versions of dependencies \
             left open, or is cargo another one? `greenroom cache clear` on both builds it anew"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(changed: &str) -> Fit {
        let part = |name: &str| format!("{name}{}", if name == changed { "'" } else { "" });
        Fit { rustc: part("rustc"), greenroom: part("greenroom"), crates: part("crates"), build: part("build") }
    }

    #[test]
    fn what_differs_is_told_with_what_mends_it() {
        let said = |guest: &Guest| check("shop@host", guest, &fit(""));
        assert_eq!(said(&Guest::Runs(fit(""))), Ok(()));
        for (changed, part) in [
            ("rustc", "made with rustc', and here it is rustc; install the same compiler"),
            ("greenroom", "it is of Greenroom greenroom', and here it is greenroom; install"),
            ("crates", "start it with `greenroom node --notebook FILE`"),
            ("build", "`greenroom cache clear` on both"),
        ] {
            let error = said(&Guest::Runs(fit(changed))).unwrap_err();
            assert!(error.starts_with("the cells of this notebook cannot run on shop@host:"), "{error}");
            assert!(error.contains(part), "{error}");
        }
        assert!(said(&Guest::Runtime).unwrap_err().contains("ends with it"));
        assert!(said(&Guest::Without).unwrap_err().contains("only a node that `greenroom node` has started can"));
    }

    #[test]
    fn a_node_is_meant_by_its_name_or_the_beginning_of_it() {
        assert!(is_called("shop@host", "shop@host") && is_called("shop@host", "shop"));
        assert!(!is_called("shop@host", "sho") && !is_called("shop@host", "shop@other"));
    }
}
