//! How a runtime's program learns what it is to be: the lines that it reads from its standard input. It belongs to one
//! notebook ([`Owner`]) and ends with it, or is a node that many notebooks use ([`Host`]).
//!
//! The cookie goes this way, too, as others can see a program's arguments and environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What cells must have been compiled with to run in a runtime. Each is a name for it that differs if it does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// The compiler, in words.
    pub rustc: String,
    /// Our own crates.
    pub greenroom: String,
    /// The crates that the setup cell names.
    pub crates: String,
    /// The libraries that were built of all that.
    pub build: String,
}

/// How a runtime finds its one owner, which then keeps the standard input open for as long as the runtime is to live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where the owner's node listens.
    pub address: SocketAddr,
    /// The cookie, as `Cookie::reveal` gives it.
    pub cookie: String,
    /// The name of the process that waits for [`Ready`](crate::protocol::Ready).
    pub waiter: String,
    /// The name that the runtime's node shall have.
    pub name: String,
    /// How wide pictures in text may be.
    pub columns: usize,
    /// How many events each of its workers may record at once; none if 0. They come to the owner's node as
    /// [`Traced`](crate::protocol::Traced).
    pub events: usize,
    /// The file for what the owner may not have heard when the runtime dies: see [`crate::last_words`].
    pub last_words: Option<PathBuf>,
}

impl Owner {
    /// The line, with its end.
    pub fn to_line(&self) -> String {
        let Owner { address, cookie, waiter, name, columns, events, last_words } = self;
        let last_words = last_words.as_deref().unwrap_or(Path::new("")).display();
        format!("{address} {cookie} {waiter} {name} {columns} {events} {last_words}\n")
    }

    /// Reads the line; `None` if it is not one.
    pub fn from_line(line: &str) -> Option<Owner> {
        // A path may have spaces.
        let mut words = line.strip_suffix('\n').unwrap_or(line).splitn(7, ' ');
        Some(Owner {
            address: words.next()?.parse().ok()?,
            cookie: words.next()?.to_owned(),
            waiter: words.next()?.to_owned(),
            name: words.next()?.to_owned(),
            columns: words.next()?.parse().ok()?,
            events: words.next()?.parse().ok()?,
            last_words: Some(words.next()?).filter(|path| !path.is_empty()).map(PathBuf::from),
        })
    }
}

/// The exit code of a program that could not become what it was to be, and has said why.
pub const REFUSED: i32 = 2;

/// What a node is to be that notebooks attach to. It lives until its standard input ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The cookie, as `Cookie::reveal` gives it.
    pub cookie: String,
    /// The nodes that it stays connected to.
    pub peers: Vec<String>,
    /// A file of more of them.
    pub peers_file: Option<PathBuf>,
    /// Whether others do not list it.
    pub hidden: bool,
    /// What cells must have been compiled with.
    pub fit: Fit,
    /// The folder with the cells that were compiled on this machine.
    pub cells: PathBuf,
    /// The folder for those that come from elsewhere; it is there, and removed by whoever has made it.
    pub arrivals: PathBuf,
}

/// The first line of a [`Host`], which is none of an [`Owner`].
const HOST: &str = "node";

impl Host {
    /// The lines, with an empty one at the end. A value must have no line break.
    pub fn to_lines(&self) -> String {
        let Host { name, listen, cookie, peers, peers_file, hidden, fit, cells, arrivals } = self;
        let mut lines = format!("{HOST}\nname {name}\nlisten {listen}\ncookie {cookie}\n");
        lines.extend(peers.iter().map(|peer| format!("peer {peer}\n")));
        lines.extend(peers_file.iter().map(|file| format!("peers {}\n", file.display())));
        if *hidden {
            lines.push_str("hidden yes\n");
        }
        let Fit { rustc, greenroom, crates, build } = fit;
        lines += &format!("rustc {rustc}\ngreenroom {greenroom}\ncrates {crates}\nbuild {build}\n");
        lines + &format!("cells {}\narrivals {}\n\n", cells.display(), arrivals.display())
    }

    /// Reads the lines, of which the first is known; `None` if that or another one is not right.
    pub fn from_lines(first: &str, mut rest: impl FnMut() -> Option<String>) -> Option<Host> {
        if first.trim_end() != HOST {
            return None;
        }
        let mut host = Host {
            name: String::new(),
            listen: ([127, 0, 0, 1], 0).into(),
            cookie: String::new(),
            peers: Vec::new(),
            peers_file: None,
            hidden: false,
            fit: Fit::default(),
            cells: PathBuf::new(),
            arrivals: PathBuf::new(),
        };
        loop {
            let line = rest()?;
            let line = line.strip_suffix('\n')?;
            if line.is_empty() {
                return Some(host);
            }
            let (word, value) = line.split_once(' ')?;
            let text = value.to_owned();
            match word {
                "name" => host.name = text,
                "listen" => host.listen = text.parse().ok()?,
                "cookie" => host.cookie = text,
                "peer" => host.peers.push(text),
                "peers" => host.peers_file = Some(text.into()),
                "hidden" => host.hidden = true,
                "rustc" => host.fit.rustc = text,
                "greenroom" => host.fit.greenroom = text,
                "crates" => host.fit.crates = text,
                "build" => host.fit.build = text,
                "cells" => host.cells = text.into(),
                "arrivals" => host.arrivals = text.into(),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        let owner = Owner {
            address: ([127, 0, 0, 1], 4711).into(),
            cookie: "00ff".to_owned(),
            waiter: "waiter-1".to_owned(),
            name: "runtime-1".to_owned(),
            columns: 80,
            events: 0,
            last_words: None,
        };
        assert_eq!(Owner::from_line(&owner.to_line()), Some(owner.clone()));
        let owner = Owner { last_words: Some("/tmp/a folder/file".into()), ..owner };
        assert_eq!(Owner::from_line(&owner.to_line()), Some(owner));
        assert_eq!(Owner::from_line("127.0.0.1:1 x"), None);
    }

    fn read(text: &str) -> Option<Host> {
        let mut lines = text.split_inclusive('\n').map(str::to_owned);
        let first = lines.next()?;
        Host::from_lines(&first, || lines.next())
    }

    #[test]
    fn a_host_is_read_as_it_was_written() {
        let host = Host {
            name: "shop@127.0.0.1".to_owned(),
            listen: ([127, 0, 0, 1], 4370).into(),
            cookie: "00ff".to_owned(),
            peers: vec!["a@127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned()],
            peers_file: Some("/tmp/a folder/peers".into()),
            hidden: true,
            fit: Fit {
                rustc: "rustc 1.95.0 (of a day) for x86".to_owned(),
                greenroom: "1".to_owned(),
                crates: "2".to_owned(),
                build: "3".to_owned(),
            },
            cells: "/tmp/a folder/cells".into(),
            arrivals: "/tmp/arrivals".into(),
        };
        let text = host.to_lines();
        assert_eq!(read(&text), Some(host.clone()));
        assert_eq!(Owner::from_line(text.lines().next().expect("it has lines")), None);
        let plain = Host { peers: Vec::new(), peers_file: None, hidden: false, ..host };
        assert_eq!(read(&plain.to_lines()), Some(plain));
        // Its end is missing, or there is something that nobody knows.
        assert_eq!(read(text.strip_suffix("\n\n").expect("it ends so")), None);
        assert_eq!(read(&text.replace("hidden yes", "sudden yes")), None);
        assert_eq!(read("nodes\n\n"), None);
    }
}
