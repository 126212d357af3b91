//! How the value of a cell's last expression is shown: by its [`Render`], else by its `Debug`, else by the name of
//! its type. Chosen as in `export`: the first implementation that method resolution finds.

use std::{
    any::type_name,
    fmt::{self, Debug, Write},
};

use greenroom::message::short_name;

use super::{
    Context, Output, Render,
    bounded::{Bounded, MOST},
};

/// A value about to be shown. It is only borrowed, so that a cell may end in the name of a binding and export it too.
#[derive(Debug)]
pub struct Shown<'a, T: ?Sized>(pub &'a T);

/// The tag of types that are [`Render`].
#[derive(Clone, Copy, Debug)]
pub struct RenderTag;

/// The tag of types that are `Debug`.
#[derive(Clone, Copy, Debug)]
pub struct DebugTag;

/// The tag of all other types.
#[derive(Clone, Copy, Debug)]
pub struct OpaqueTag;

/// Chosen where the type is [`Render`].
pub trait AsRender {
    /// The tag that shows the value.
    fn tag(&self) -> RenderTag {
        RenderTag
    }
}

/// Chosen where it is `Debug`.
pub trait AsDebug {
    /// The tag that shows the value.
    fn tag(&self) -> DebugTag {
        DebugTag
    }
}

/// Chosen where it is neither.
pub trait AsOpaque {
    /// The tag that shows the value.
    fn tag(&self) -> OpaqueTag {
        OpaqueTag
    }
}

impl<T: Render + ?Sized> AsRender for &&Shown<'_, T> {}
impl<T: Debug + ?Sized> AsDebug for &Shown<'_, T> {}
impl<T: ?Sized> AsOpaque for Shown<'_, T> {}

impl RenderTag {
    /// Shows the value as it renders itself.
    pub fn show<T: Render + ?Sized>(self, cx: &Context, value: &T) {
        cx.emit(value.render());
    }
}

impl DebugTag {
    /// Shows the value as `{:?}` writes it, or as `{:#?}` does if that is too long for a line; `()` shows nothing.
    pub fn show<T: Debug + ?Sized>(self, cx: &Context, value: &T) {
        show_debug(cx, &value, type_name::<T>());
    }
}

impl OpaqueTag {
    /// Shows the name of the value's type.
    pub fn show<T: ?Sized>(self, cx: &Context, _value: &T) {
        show_opaque(cx, type_name::<T>());
    }
}

/// The longest value that is shown on one line, in characters.
const ONE_LINE: usize = 80;

fn show_debug(cx: &Context, value: &dyn Debug, type_name: &str) {
    if type_name != "()" {
        let write = |text: &mut Bounded, value: fmt::Arguments<'_>| {
            // It fails when there is enough of it, or when the value's `Debug` has no more to say.
            let _ = text.write_fmt(value);
        };
        let mut text = Bounded::stopping(ONE_LINE * char::MAX.len_utf8());
        write(&mut text, format_args!("{value:?}"));
        if text.is_cut() || text.as_str().chars().count() > ONE_LINE {
            text = Bounded::stopping(MOST);
            write(&mut text, format_args!("{value:#?}"));
        }
        cx.emit(Output::Value { text: text.into_text(), type_name: short_name(type_name) });
    }
}

fn show_opaque(cx: &Context, type_name: &str) {
    let type_name = short_name(type_name);
    cx.emit(Output::Value { text: type_name.clone(), type_name });
}
