//! How a binding leaves its cell. The generated code asks [`Exported`] for a tag: method resolution finds
//! [`ByClone`] one reference earlier than [`ByShare`], so types that are `Clone` get a [`CloneTag`] and all others a
//! [`SharedTag`]. The notebook reads the type of the binding from the call of `put` in the compiler's MIR, so
//! the names and the order of parameters in this file are part of the contract.

use std::sync::Arc;

use super::{Binding, Context};

/// A binding on its way out.
#[derive(Debug)]
pub struct Exported<T>(pub T);

/// The tag of types that later cells get a clone of.
#[derive(Clone, Copy, Debug)]
pub struct CloneTag;

/// The tag of types that later cells get as [`Shared`](super::Shared).
#[derive(Clone, Copy, Debug)]
pub struct SharedTag;

/// Chosen where the type is `Clone`.
pub trait ByClone {
    /// The tag that puts the value.
    fn tag(&self) -> CloneTag {
        CloneTag
    }
}

/// Chosen where it is not.
pub trait ByShare {
    /// The tag that puts the value.
    fn tag(&self) -> SharedTag {
        SharedTag
    }
}

impl<T: Clone> ByClone for &Exported<T> {}
impl<T> ByShare for Exported<T> {}

impl CloneTag {
    /// Exports the value under this name.
    pub fn put<T: Clone + Send + Sync + 'static>(self, cx: &Context, name: &'static str, value: T) {
        cx.export(name, Binding::new(Arc::new(value)));
    }
}

impl SharedTag {
    /// Exports the value under this name.
    pub fn put<T: Send + Sync + 'static>(self, cx: &Context, name: &'static str, value: T) {
        cx.export(name, Binding::new(Arc::new(value)));
    }
}
