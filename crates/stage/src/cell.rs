//! The contract between the code that is generated for a cell and the runtime that runs it: what a cell is
//! handed ([`Context`]), how bindings go in and out, how a value shows itself, and what a failed cell says.
//!
//! Everything generic in here is instantiated again by every cell, so generic functions only downcast, clone
//! or box and leave the rest to functions that are compiled once. Loading libraries, running cells as
//! processes and carrying outputs to the notebook are the runtime's business.

mod bindings;
pub(crate) mod bounded;
mod cost;
mod error;
mod export;
mod kept;
mod output;
mod shared;
mod show;
mod version;

use std::{
    any::Any,
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

pub use self::{
    bindings::{Binding, Bindings},
    error::CellError,
    export::{ByClone, ByShare, CloneTag, Exported, SharedTag},
    kept::{ByKeeping, ByLeaving, KeepTag, Kept, LAST, LeaveTag, NotKept},
    output::{IntoOutput, Output, Render},
    shared::Shared,
    show::{AsDebug, AsOpaque, AsRender, DebugTag, OpaqueTag, RenderTag, Shown},
    version::{ByNothing, BySerialize, SerializeTag, UnknownTag, Versioned},
};

/// What the entry of a cell returns: the cell's statements as one future, run as one process.
pub type CellFuture = Pin<Box<dyn Future<Output = Result<(), CellError>> + Send>>;

/// The entry that every cell's library exports under the name the compiler chose for it.
pub type CellEntry = fn(Context) -> CellFuture;

/// What a running cell is handed: the bindings of the cells that it stands on, a place for its own, and the way
/// out for what it shows. Cheap to clone; all clones are one context.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    bindings: Bindings,
    /// Written by the cell as it ends, taken by the runtime once it has ended.
    exports: Mutex<Vec<(&'static str, Binding)>>,
    sink: Arc<dyn Fn(Output) + Send + Sync>,
}

impl Context {
    /// A context over the bindings that a cell may import; `sink` receives what the cell shows, in order.
    pub fn new(bindings: Bindings, sink: Arc<dyn Fn(Output) + Send + Sync>) -> Self {
        Self { inner: Arc::new(Inner { bindings, exports: Mutex::default(), sink }) }
    }

    /// Shows an output below the cell.
    pub fn emit(&self, output: Output) {
        (self.inner.sink)(output);
    }

    /// The bindings that this cell may import.
    pub fn bindings(&self) -> &Bindings {
        &self.inner.bindings
    }

    /// Takes what the cell has exported so far.
    ///
    /// A cell exports only after its last statement, so a failed cell adds nothing.
    pub fn into_exports(self) -> Bindings {
        let mut bindings = Bindings::default();
        let exports = std::mem::take(&mut *self.inner.exports.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, binding) in exports {
            bindings.insert(name, binding);
        }
        bindings
    }

    /// Says which number stands for the value that was exported under this name.
    pub fn versioned(&self, name: &'static str, version: Option<u64>) {
        let mut exports = self.inner.exports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, binding)) = exports.iter_mut().rev().find(|(exported, _)| *exported == name) {
            binding.set_version(version);
        }
    }

    pub(crate) fn export(&self, name: &'static str, binding: Binding) {
        self.inner.exports.lock().unwrap_or_else(PoisonError::into_inner).push((name, binding));
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("bindings", &self.inner.bindings).finish_non_exhaustive()
    }
}

/// An owned clone of a binding of a cell above.
///
/// # Errors
/// When no cell above has exported the name, or its value has another type than the cell was compiled for.
pub fn import<T: Any + Clone>(cx: &Context, name: &str) -> Result<T, CellError> {
    match cx.inner.bindings.get(name).and_then(|binding| binding.value().downcast_ref::<T>()) {
        Some(value) => {
            let cost = cost::Cost::begin();
            let value = value.clone();
            cost.tell(cx, name);
            Ok(value)
        }
        None => Err(missing(cx, name, std::any::type_name::<T>())),
    }
}

/// A binding of a cell above whose type is not `Clone`: the same value, shared.
///
/// # Errors
/// As for [`import`].
pub fn import_shared<T: Any + Send + Sync>(cx: &Context, name: &str) -> Result<Shared<T>, CellError> {
    match cx.inner.bindings.get(name).map(|binding| Arc::clone(binding.value()).downcast::<T>()) {
        Some(Ok(value)) => Ok(Shared::from(value)),
        _ => Err(missing(cx, name, std::any::type_name::<T>())),
    }
}

#[track_caller]
fn missing(cx: &Context, name: &str, wanted: &str) -> CellError {
    let message = match cx.inner.bindings.get(name) {
        Some(binding) => format!(
            "`{name}` is a `{}` now, but this cell was compiled for a `{wanted}`: evaluate the cell again",
            binding.type_name()
        ),
        None => format!("`{name}` has no value yet: evaluate the cell that defines it first"),
    };
    CellError::new(message, Location::caller())
}
