//! How the value of a cell is kept that is a binding, or a part of one: as a clone, where its type has clones. Chosen as
//! in `export`: the first implementation that method resolution finds.

/// The name under which a cell exports its value.
pub const LAST: &str = "it";

/// A value that belongs to somebody else.
#[derive(Debug)]
pub struct Kept<'a, T: ?Sized>(pub &'a T);

/// The tag of types that are `Clone`.
#[derive(Clone, Copy, Debug)]
pub struct KeepTag;

/// The tag of types that are not.
#[derive(Clone, Copy, Debug)]
pub struct LeaveTag;

/// In place of a value that is not kept.
#[derive(Clone, Copy, Debug)]
pub struct NotKept;

/// Chosen where the type is `Clone`.
pub trait ByKeeping {
    /// The tag that keeps the value.
    fn tag(&self) -> KeepTag {
        KeepTag
    }
}

/// Chosen where it is not.
pub trait ByLeaving {
    /// The tag that leaves it.
    fn tag(&self) -> LeaveTag {
        LeaveTag
    }
}

impl<T: Clone> ByKeeping for &Kept<'_, T> {}
impl<T: ?Sized> ByLeaving for Kept<'_, T> {}

impl KeepTag {
    /// A clone of the value.
    pub fn keep<T: Clone>(self, value: &T) -> T {
        value.clone()
    }
}

impl LeaveTag {
    /// Nothing of the value.
    pub fn keep<T: ?Sized>(self, _value: &T) -> NotKept {
        NotKept
    }
}
