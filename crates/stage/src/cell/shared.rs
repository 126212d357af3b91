//! Values that cells share instead of cloning.

use std::{fmt, ops::Deref, sync::Arc};

/// One value for all cells: cloning it, and so handing it to the next cell, copies a pointer.
///
/// Types that are not `Clone` reach later cells as `Shared` by themselves; large values that are, such as a table of
/// a million rows, can be wrapped by hand.
///
/// # Examples
/// ```
/// use greenroom_stage::cell::Shared;
///
/// let rows = Shared::new(vec![1, 2, 3]);
/// assert_eq!(rows.len(), 3);
/// ```
#[derive(Default)]
pub struct Shared<T: ?Sized>(Arc<T>);

impl<T> Shared<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> From<Arc<T>> for Shared<T> {
    fn from(value: Arc<T>) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> From<Shared<T>> for Arc<T> {
    fn from(value: Shared<T>) -> Self {
        value.0
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: fmt::Display + ?Sized> fmt::Display for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
