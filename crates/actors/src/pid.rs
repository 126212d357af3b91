//! Who is who: node identities, process identifiers and references, and how they print.
//!
//! An identifier is plain `Copy` data. What it refers to, and whether that still lives, is the
//! business of [`crate::Node`]; this file only says which node an identifier belongs to.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lock::RwLock;

/// The name of a node and which life of it is meant: a node that is restarted has a new incarnation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeName {
    /// The name, as in `runtime-7@127.0.0.1`.
    pub name: Arc<str>,
    /// A number that differs between two lives of a node of the same name.
    pub incarnation: u64,
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A node, as a small number that is valid within this operating-system process.
///
/// Serialised, it travels as its [`NodeName`], so that the other side can make a number of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(NonZeroU32);

/// Every node name that this operating-system process has met; a [`NodeId`] is an index into it.
///
/// Entries are added when a local node starts and when an authenticated peer names a node, and are
/// never removed: a few dozen bytes for each life of each node ever seen.
static NAMES: RwLock<Vec<NodeName>> = RwLock::new(Vec::new());

impl NodeId {
    /// The number of the node called `name`, a new one if it was never seen before.
    pub fn intern(name: &NodeName) -> NodeId {
        let known = |names: &[NodeName]| names.iter().position(|n| n == name);
        if let Some(index) = known(&NAMES.read()) {
            return NodeId::of_index(index);
        }
        let mut names = NAMES.write();
        let index = known(&names).unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        NodeId::of_index(index)
    }

    /// The name of this node.
    pub fn name(self) -> NodeName {
        NAMES.read()[self.0.get() as usize - 1].clone()
    }

    /// The number in two bytes, or 0 if it has no room there.
    pub(crate) fn short(self) -> u16 {
        u16::try_from(self.0.get()).unwrap_or(0)
    }

    /// The node of a number that [`NodeId::short`] gave.
    pub(crate) fn of_short(number: u16) -> Option<NodeId> {
        NonZeroU32::new(number.into()).map(NodeId)
    }

    fn of_index(index: usize) -> NodeId {
        NodeId(NonZeroU32::MIN.saturating_add(index as u32))
    }

    /// Whether the calling thread works for this node at the moment, or for no node at all.
    fn is_home(self) -> bool {
        HOME.get().is_none_or(|home| home == self)
    }
}

thread_local! {
    /// The node that this thread works for: identifiers of that node print without its name.
    static HOME: Cell<Option<NodeId>> = const { Cell::new(None) };
}

/// Declares that the calling thread works for `node` from now on.
pub(crate) fn set_home(node: NodeId) {
    HOME.set(Some(node));
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

thread_local! {
    /// Between which nodes the bytes travel that this thread writes or reads.
    static ENDS: Cell<Option<(NodeId, NodeId)>> = const { Cell::new(None) };
}

/// Runs `work`, which writes or reads bytes that travel from one node to another: both ends need no names in them.
pub(crate) fn between<R>(writer: NodeId, reader: NodeId, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<(NodeId, NodeId)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ENDS.set(self.0);
        }
    }
    let _restore = Restore(ENDS.replace(Some((writer, reader))));
    work()
}

/// A node in bytes that are not for people.
#[derive(Serialize, Deserialize)]
enum Compact {
    Writer,
    Reader,
    Other(NodeName),
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.name().serialize(serializer);
        }
        let compact = match ENDS.get() {
            Some((writer, _)) if *self == writer => Compact::Writer,
            Some((_, reader)) if *self == reader => Compact::Reader,
            Some(_) | None => Compact::Other(self.name()),
        };
        compact.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return NodeName::deserialize(deserializer).map(|name| NodeId::intern(&name));
        }
        match (Compact::deserialize(deserializer)?, ENDS.get()) {
            (Compact::Writer, Some((writer, _))) => Ok(writer),
            (Compact::Reader, Some((_, reader))) => Ok(reader),
            (Compact::Other(name), _) => Ok(NodeId::intern(&name)),
            (Compact::Writer | Compact::Reader, None) => {
                Err(serde::de::Error::custom("an identifier that was sent between two nodes is read elsewhere"))
            }
        }
    }
}

/// A process identifier: which node, which place in its table, and which user of that place.
///
/// It prints as `<0.12.0>` on its own node and with the node's name elsewhere. It is never reused:
/// the last number grows each time a place is taken again.
///
/// ```
/// let shown = greenroom::run(async { greenroom::self_pid().to_string() });
/// assert!(shown.starts_with("<0."));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pid {
    pub(crate) id: LocalPid,
    pub(crate) node: NodeId,
}

/// The part of a [`Pid`] that means something on its own node: generation and index.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LocalPid(u64);

impl LocalPid {
    /// What a process that is dead already gets for the ones it would start: the last place, which no
    /// table ever grows to.
    pub(crate) const NOBODY: LocalPid = LocalPid(u32::MAX as u64);

    pub(crate) fn new(index: u32, generation: u32) -> Self {
        LocalPid(u64::from(generation) << 32 | u64::from(index))
    }

    pub(crate) fn from_u64(number: u64) -> Self {
        LocalPid(number)
    }

    #[inline]
    pub(crate) fn as_u64(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn index(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(crate) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl Pid {
    pub(crate) fn new(node: NodeId, id: LocalPid) -> Self {
        Pid { id, node }
    }

    /// The identifier that names place `index`, used for the `generation`th time, on `node`.
    ///
    /// For tools that read identifiers from elsewhere; a process need not be there.
    pub fn from_parts(node: NodeId, index: u32, generation: u32) -> Self {
        Pid::new(node, LocalPid::new(index, generation))
    }

    /// Which place it has on its node, and which user of that place it is: the last two numbers that it prints.
    pub fn parts(self) -> (u32, u32) {
        (self.id.index(), self.id.generation())
    }

    /// The node that this process lives on.
    pub fn node(self) -> NodeId {
        self.node
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<")?;
        match self.node.is_home() {
            true => f.write_str("0")?,
            false => fmt::Display::fmt(&self.node, f)?,
        }
        let mut place = Backwards { bytes: [0; 24], start: 24 };
        place.put(b'>');
        place.put_number(self.id.generation());
        place.put(b'.');
        place.put_number(self.id.index());
        place.put(b'.');
        f.write_str(place.text())
    }
}

/// A short text that is written from its end: recordings are full of identifiers, and this is several times as fast
/// as to format their numbers one by one.
struct Backwards {
    bytes: [u8; 24],
    start: usize,
}

impl Backwards {
    fn put(&mut self, byte: u8) {
        self.start -= 1;
        self.bytes[self.start] = byte;
    }

    fn put_number(&mut self, mut number: u32) {
        loop {
            self.put(b'0' + (number % 10) as u8);
            number /= 10;
            if number == 0 {
                return;
            }
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.start..]).unwrap_or_default()
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A reference: a value unlike any other, made by [`Ref::new`], a monitor or a timer.
///
/// Unique within an operating-system process, and with all but certainty among those that talk to each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ref(u64);

impl Ref {
    /// Stands for none.
    pub(crate) const NONE: Ref = Ref(0);

    /// A new reference.
    #[allow(clippy::new_without_default, reason = "two defaults would not be equal")]
    pub fn new() -> Ref {
        let mut block = BLOCK.take();
        if block.is_empty() {
            let start = NEXT_REF.fetch_add(BLOCK_SIZE, Ordering::Relaxed);
            block = start..start.wrapping_add(BLOCK_SIZE);
        }
        let number = block.start;
        block.start += 1;
        BLOCK.set(block);
        Ref(number)
    }

    /// Lets this operating-system process begin where others do not, as processes hold monitors of several nodes by
    /// their references. Called before the first node starts.
    pub(crate) fn scatter() {
        static DONE: Once = Once::new();
        DONE.call_once(|| {
            let chance = RandomState::new().build_hasher().finish();
            NEXT_REF.fetch_add(chance << OWN_BITS, Ordering::Relaxed);
        });
    }
}

static NEXT_REF: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// References for this thread, so that threads seldom meet at the counter.
    static BLOCK: Cell<Range<u64>> = const { Cell::new(0..0) };
}

const BLOCK_SIZE: u64 = 256;

/// How much of a reference is counted; the rest is random for each operating-system process.
const OWN_BITS: u32 = 40;

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#Ref<0.{}>", self.0 & ((1 << OWN_BITS) - 1))
    }
}

impl fmt::Debug for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
