//! What an evaluation has defined, and what stands for the meaning of each name: a function of what was compiled and of
//! what the runtime says of the values.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use greenroom_stage::protocol::{EvaluationId, Exported};

use crate::analysis::Kind;
use crate::compiler::CompiledCell;
use crate::session::data::reach;
use crate::session::operation::{Definition, Named, Reach};

/// What an evaluation has defined. An item means what its path says, which names the cell's crate unless it comes from
/// elsewhere; a value that nobody can compare means something new each time.
pub(super) fn definitions(compiled: &CompiledCell, evaluation: EvaluationId, exports: &[Exported]) -> Vec<Definition> {
    let items = compiled.items.iter().map(|item| Definition {
        name: Arc::from(if item.name.is_empty() { &item.path } else { &item.name }.as_str()),
        version: hash(&(&item.path, &item.needs)),
        reach: if item.name.is_empty() { Reach::Ambient } else { reach(item.kind) },
    });
    let bindings = compiled.defines.iter().filter(|defined| defined.kind == Kind::Binding).map(|defined| {
        let exported = exports.iter().find(|exported| exported.name == defined.name);
        let version = exported.and_then(|exported| exported.version);
        Definition {
            name: Arc::from(defined.name.as_str()),
            version: version.unwrap_or_else(|| hash(&evaluation)),
            reach: Reach::Named,
        }
    });
    items.chain(bindings).collect()
}

/// What cells below can name of a compiled cell.
pub(super) fn names(compiled: &CompiledCell) -> Arc<[Named]> {
    let bindings = compiled.exports.iter().map(|export| Named {
        name: Arc::from(export.name.as_str()),
        kind: Kind::Binding,
        ty: Some(Arc::from(export.ty.as_str())),
    });
    let items = compiled.items.iter().filter(|item| !item.name.is_empty());
    let items = items.map(|item| Named { name: Arc::from(item.name.as_str()), kind: item.kind, ty: None });
    bindings.chain(items).collect()
}

fn hash(what: &impl Hash) -> u64 {
    rustc_hash::FxBuildHasher.hash_one(what)
}
