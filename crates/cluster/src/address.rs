//! Where nodes are: addresses as people write them, and files of them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// The port of a node where none is said.
pub const DEFAULT_PORT: u16 = 4370;

/// Where a node listens, and which node is expected there: `[name@]host[:port]`.
///
/// `a@127.0.0.1:4371` is the node of the name `a@127.0.0.1`, at port 4371. Without a name, any node is meant that
/// answers there. The port is 4370 where none is said; an IPv6 address stands in brackets.
///
/// ```
/// use greenroom_cluster::Address;
///
/// let address: Address = "a@127.0.0.1:4371".parse().unwrap();
/// assert_eq!(address.name(), Some("a@127.0.0.1"));
/// assert_eq!(address.to_string(), "a@127.0.0.1:4371");
/// assert_eq!("[::1]".parse::<Address>().unwrap().to_string(), "[::1]:4370");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    name: Option<Arc<str>>,
    host: Box<str>,
    port: u16,
}

impl Address {
    /// The name of the node that is expected there.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The same place, where the node of this name is expected.
    pub(crate) fn expecting(mut self, name: &Arc<str>) -> Self {
        self.name = Some(name.clone());
        self
    }

    /// The socket addresses that it may stand for.
    pub(crate) async fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((&*self.host, self.port)).await?.collect())
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Address { name: None, host: address.ip().to_string().into(), port: address.port() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((life, _)) = self.name.as_deref().and_then(|name| name.split_once('@')) {
            write!(f, "{life}@")?;
        }
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(host)) => write!(f, "[{host}]:{}", self.port),
            Ok(IpAddr::V4(_)) | Err(_) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError(String);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no address: write host:port or name@host:port", self.0)
    }
}

impl std::error::Error for AddressError {}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let (life, place) = match text.trim().rsplit_once('@') {
            Some((life, place)) => (Some(life), place),
            None => (None, text.trim()),
        };
        let (host, port) = match place.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, rest))) => (host, rest.strip_prefix(':').or(rest.is_empty().then_some(""))),
            Some(None) => return Err(wrong()),
            None => place.rsplit_once(':').map_or((place, Some("")), |(host, port)| (host, Some(port))),
        };
        let port = match port.ok_or_else(wrong)? {
            "" if place.ends_with(':') => return Err(wrong()),
            "" => DEFAULT_PORT,
            port => port.parse().map_err(|_| wrong())?,
        };
        let is_odd = |part: &str| part.is_empty() || part.chars().any(|c| c.is_whitespace() || c.is_control());
        if is_odd(host) || life.is_some_and(is_odd) || host.contains(':') && host.parse::<IpAddr>().is_err() {
            return Err(wrong());
        }
        let name = life.map(|life| format!("{life}@{host}").into());
        Ok(Address { name, host: host.into(), port })
    }
}

/// A file of peers that cannot be used.
#[derive(Debug)]
pub enum PeersError {
    /// It cannot be read.
    Io(PathBuf, std::io::Error),
    /// A line of it is no address.
    Line(PathBuf, usize, AddressError),
}

impl fmt::Display for PeersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeersError::Io(path, error) => write!(f, "{}: {error}", path.display()),
            PeersError::Line(path, line, error) => write!(f, "{}:{line}: {error}", path.display()),
        }
    }
}

impl std::error::Error for PeersError {}

/// Reads a file of peers: an address a line; what follows a `#` is for people.
pub(crate) fn read_peers(path: &Path) -> Result<Vec<Address>, PeersError> {
    let text = std::fs::read_to_string(path).map_err(|error| PeersError::Io(path.to_owned(), error))?;
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.split('#').next().unwrap_or("").trim()));
    let wrong = |number, error| PeersError::Line(path.to_owned(), number, error);
    let written = lines.filter(|(_, line)| !line.is_empty());
    written.map(|(number, line)| line.parse().map_err(|error| wrong(number, error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for (text, shown) in [
            ("localhost", "localhost:4370"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("a@host:65535", "a@host:65535"),
            ("[::1]:7", "[::1]:7"),
            (" a@[fe80::1] ", "a@[fe80::1]:4370"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
            assert_eq!(shown.parse::<Address>().unwrap().to_string(), shown);
        }
        for wrong in ["", ":1", "a@", "@host", "host:", "host:x", "host:65536", "::1", "[::1", "[::1]x", "a b"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_of_peers_has_an_address_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("peers");
        std::fs::write(&path, "# ours\na@127.0.0.1:1\n\n  127.0.0.1:2  # the other\n").unwrap();
        let peers = read_peers(&path).unwrap();
        assert_eq!(peers.iter().map(Address::to_string).collect::<Vec<_>>(), ["a@127.0.0.1:1", "127.0.0.1:2"]);
        std::fs::write(&path, "host\nhost:port\n").unwrap();
        let error = read_peers(&path).unwrap_err().to_string();
        assert!(error.ends_with("peers:2: `host:port` is no address: write host:port or name@host:port"), "{error}");
    }
}
