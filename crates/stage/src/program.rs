//! A notebook that is a program of its own: what stands in for the cell that is not there.

use std::sync::Arc;

use crate::cell::{Bindings, Context};

/// The context of code that is in no cell: what it shows is printed.
pub fn context() -> Context {
    Context::new(Bindings::default(), Arc::new(crate::io::show))
}

/// Shows a value as the last expression of a cell is shown: by its [`Render`](crate::cell::Render), else by its
/// `Debug`, else by the name of its type.
///
/// # Examples
/// ```
/// greenroom_stage::show!(vec![1, 2, 3]);
/// ```
#[macro_export]
macro_rules! show {
    ($value:expr) => {
        match &($value) {
            value => {
                use $crate::cell::{AsDebug as _, AsOpaque as _, AsRender as _};
                (&&&$crate::cell::Shown(value)).tag().show(&$crate::program::context(), value);
            }
        }
    };
}
