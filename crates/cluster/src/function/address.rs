//! Where things are in the modules of this program: the program itself and the libraries that it has opened.
//!
//! The only file of this crate with `unsafe`. It owns the form of a descriptor, finding its place and finding it there
//! again. What a descriptor is for is `function`'s affair.

use std::any::TypeId;
use std::ffi::{c_int, c_void};
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Started;

/// Which build of a program or a library: its build id, or where the linker made none, the hash of its code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModuleId([u8; 16]);

impl ModuleId {
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let hash = Sha256::digest(bytes);
        ModuleId(hash.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A place in a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) module: ModuleId,
    pub(super) offset: u64,
}

/// What stands at the place of a function.
#[repr(C)]
pub(super) struct Descriptor {
    magic: [u8; 16],
    type_id: TypeId,
    enter: fn(&[u8]) -> Started,
}

/// Random bytes: what begins with them is a descriptor.
const MAGIC: [u8; 16] = *b"\xa7\x1fgr\xd3fn\x9e\x02\xbb\x5c\xe4\x88\x31\xf0\x6d";

const _: () = assert!(size_of::<TypeId>() == 16, "a fingerprint has the bytes of a `TypeId`");

impl Descriptor {
    /// A descriptor of the function `enter`, which belongs to the type `T` and no other.
    pub(super) const fn new<T: 'static>(enter: fn(&[u8]) -> Started) -> Self {
        Descriptor { magic: MAGIC, type_id: TypeId::of::<T>(), enter }
    }

    /// The bytes of its type, which are the same in every run of the same binary.
    pub(super) fn fingerprint(&self) -> [u8; 16] {
        let address = std::ptr::from_ref(&self.type_id).cast::<[u8; 16]>();
        // SAFETY: a `TypeId` has 16 bytes, as is asserted above, all of them initialised, and is borrowed here.
        unsafe { address.read() }
    }

    pub(super) fn enter(&self, argument: &[u8]) -> Started {
        (self.enter)(argument)
    }
}

/// A value of a type that has no bytes.
///
/// A type with bytes does not compile: a closure that captures something cannot travel.
pub(super) fn conjure<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0, "only functions and closures that capture nothing can travel") };
    // SAFETY: `F` has no bytes, so there is nothing to read. It is only reached through a descriptor of `F`, for which
    // somebody had a value of it, so it has values; and it is `Copy`, so that there may be one more of them.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}

/// A module and where it is in memory.
struct Module {
    id: ModuleId,
    base: usize,
    /// What can be read, and what can be run. Part of the file, so it stays while the module is open.
    readable: Vec<Range<usize>>,
    executable: Vec<Range<usize>>,
}

/// Where a descriptor is.
pub(super) fn place_of(descriptor: &'static Descriptor) -> Place {
    let address = std::ptr::from_ref(descriptor).addr();
    let module = modules().into_iter().find(|module| holds(&module.readable, address, size_of::<Descriptor>()));
    match module {
        Some(module) => Place { module: module.id, offset: (address - module.base) as u64 },
        None => unreachable!("a constant of the program is in one of its modules"),
    }
}

/// The program itself.
pub(super) fn program() -> ModuleId {
    modules().first().map_or(ModuleId([0; 16]), |module| module.id)
}

/// The descriptor at a place, if there is one with this fingerprint.
pub(super) fn find(place: Place, fingerprint: &[u8; 16]) -> Option<&'static Descriptor> {
    let module = modules().into_iter().find(|module| module.id == place.module)?;
    let address = module.base.checked_add(usize::try_from(place.offset).ok()?)?;
    let fits = address.is_multiple_of(align_of::<Descriptor>());
    if !fits || !holds(&module.readable, address, size_of::<Descriptor>()) {
        return None;
    }
    let begin = std::ptr::with_exposed_provenance::<[u8; 32]>(address);
    // SAFETY: the bytes lie in a segment of an open module that can be read. They are looked at as bytes only.
    let begin = unsafe { begin.read() };
    if begin[..16] != MAGIC || begin[16..] != *fingerprint {
        return None;
    }
    // SAFETY: magic and fingerprint are those of a descriptor which the same build of this module has at this place:
    // the peer has named it by taking its address, and a build is the same bytes everywhere. Modules that functions
    // travel from are never closed.
    let descriptor = unsafe { &*std::ptr::with_exposed_provenance::<Descriptor>(address) };
    holds(&module.executable, descriptor.enter as usize, 1).then_some(descriptor)
}

fn holds(segments: &[Range<usize>], address: usize, size: usize) -> bool {
    let Some(end) = address.checked_add(size) else { return false };
    segments.iter().any(|segment| segment.start <= address && end <= segment.end)
}

/// Every module that is open now, the program first.
fn modules() -> Vec<Module> {
    let mut modules = Vec::new();
    // SAFETY: the callback is called with the data that is given here, before this returns.
    unsafe { libc::dl_iterate_phdr(Some(visit), std::ptr::from_mut(&mut modules).cast()) };
    modules
}

/// Adds one module.
///
/// # Safety
/// For `dl_iterate_phdr`, with a `Vec<Module>` that nobody else uses meanwhile.
unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, modules: *mut c_void) -> c_int {
    // SAFETY: as the caller says, and the loader hands out a description that stays valid for this call.
    let (info, modules) = unsafe { (&*info, &mut *modules.cast::<Vec<Module>>()) };
    // SAFETY: the loader says how many headers there are, and where.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let base = info.dlpi_addr as usize;
    let range = |header: &libc::Elf64_Phdr| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        start..start.saturating_add(header.p_memsz as usize)
    };
    let loaded = |flag: u32| {
        let wanted = move |header: &&libc::Elf64_Phdr| header.p_type == libc::PT_LOAD && header.p_flags & flag != 0;
        headers.iter().filter(wanted).map(range).collect::<Vec<_>>()
    };
    let (readable, executable) = (loaded(libc::PF_R), loaded(libc::PF_X));
    let bytes = |range: Range<usize>| {
        let is_there = holds(&readable, range.start, range.len());
        let start = std::ptr::with_exposed_provenance::<u8>(range.start);
        // SAFETY: it lies in a segment that is loaded and can be read, and notes and code are never written to.
        is_there.then(|| unsafe { std::slice::from_raw_parts(start, range.len()) })
    };
    let notes =
        headers.iter().filter(|header| header.p_type == libc::PT_NOTE).filter_map(|header| bytes(range(header)));
    let build_id = notes.flat_map(Notes).find_map(|(kind, name, id)| (kind == 3 && name == b"GNU\0").then_some(id));
    let code = || executable.first().cloned().and_then(bytes);
    if let Some(identity) = build_id.or_else(code) {
        modules.push(Module { id: ModuleId::of_bytes(identity), base, readable, executable });
    }
    0
}

/// The notes of a module: kind, name and content.
struct Notes<'a>(&'a [u8]);

impl<'a> Iterator for Notes<'a> {
    type Item = (u32, &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let word = |at: usize| Some(u32::from_ne_bytes(*self.0.get(at..)?.first_chunk()?));
        let (name, content, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
        let begin = 12 + name.next_multiple_of(4);
        let note = (kind, self.0.get(12..12 + name)?, self.0.get(begin..begin.checked_add(content)?)?);
        self.0 = self.0.get(begin + content.next_multiple_of(4)..).unwrap_or_default();
        Some(note)
    }
}
