//! Types as MIR prints them, written again so that other crates can compile them.

use std::fmt;

/// Why no other cell can name a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unnameable {
    /// The type of a closure.
    Closure,
    /// An async block, or what an `async fn` returns.
    Future,
    /// The type of one function, not yet a function pointer.
    Function(String),
    /// Anything else.
    Other(String),
}

impl fmt::Display for Unnameable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closure => f.write_str(
                "the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or \
                 keep it inside a process",
            ),
            Self::Future => f.write_str("the type of a future has no name: await it in this cell, or spawn a process"),
            Self::Function(pointer) => {
                write!(f, "the type of a function has no name: give the binding the type `{pointer}`")
            }
            Self::Other(ty) => write!(f, "its type `{ty}` has no name that another cell can write"),
        }
    }
}

/// Writes a type as other crates can: the crate's own items get its name in front, erased lifetimes become
/// `'static`. `is_own` tells whether a path's first segment is an item of the crate.
///
/// # Errors
/// When some part of the type has no name.
pub fn nameable(ty: &str, krate: &str, is_own: &dyn Fn(&str) -> bool) -> Result<String, Unnameable> {
    if let Some(unnameable) = unnameable(ty) {
        return Err(unnameable);
    }
    let mut writer = Writer { rest: ty, out: String::with_capacity(ty.len() + 16), krate, is_own };
    match writer.ty(false) {
        Some(()) if writer.rest.is_empty() => Ok(writer.out),
        _ => Err(Unnameable::Other(ty.to_owned())),
    }
}

fn unnameable(ty: &str) -> Option<Unnameable> {
    let brace = ty.find('{')?;
    let inside = &ty[brace + 1..];
    Some(if inside.starts_with("closure@") {
        Unnameable::Closure
    } else if inside.starts_with("async ") || inside.starts_with("coroutine") {
        Unnameable::Future
    } else if ty.ends_with('}') && ty[..brace].contains("fn(") {
        Unnameable::Function(ty[..brace].trim_end().to_owned())
    } else {
        Unnameable::Other(ty.to_owned())
    })
}

/// A recursive descent over the type, writing as it reads. `None` is a type that it does not understand.
struct Writer<'a> {
    rest: &'a str,
    out: String,
    krate: &'a str,
    is_own: &'a dyn Fn(&str) -> bool,
}

impl<'a> Writer<'a> {
    /// `elided`: lifetimes that are not written belong to an enclosing `for<'a> Fn(…)`.
    fn ty(&mut self, elided: bool) -> Option<()> {
        if self.eat("&") {
            self.lifetime(elided);
            self.eat("mut ");
            return self.pointee(elided);
        }
        if self.eat("*const ") || self.eat("*mut ") {
            return self.pointee(elided);
        }
        if self.eat("(") {
            return self.list(")", |this| this.ty(elided));
        }
        if self.eat("[") {
            self.ty(elided)?;
            if self.eat("; ") {
                self.until(']');
            }
            return self.expect("]");
        }
        if self.eat("!") {
            return Some(());
        }
        if self.eat("dyn ") {
            return self.bounds();
        }
        if self.eat("<") {
            self.ty(elided)?;
            if self.eat(" as ") {
                self.path(elided)?;
            }
            self.expect(">::")?;
            return self.segments(elided);
        }
        let bound = self.binder();
        self.eat("unsafe ");
        if self.eat("extern \"") {
            self.until('"');
            self.expect("\" ")?;
        }
        if self.eat("fn(") {
            return self.signature(elided, elided || bound);
        }
        self.path(elided)
    }

    fn lifetime(&mut self, elided: bool) {
        if self.rest.starts_with("'_") || (!self.rest.starts_with('\'') && !elided) {
            self.rest = self.rest.strip_prefix("'_").map_or(self.rest, str::trim_start);
            self.out.push_str("'static ");
        } else if self.rest.starts_with('\'') {
            self.until(' ');
            self.eat(" ");
        }
    }

    /// What a pointer points to; `&dyn A + B` must be written `&(dyn A + B)`.
    fn pointee(&mut self, elided: bool) -> Option<()> {
        if !self.rest.starts_with("dyn ") {
            return self.ty(elided);
        }
        self.out.push('(');
        self.ty(elided)?;
        self.out.push(')');
        Some(())
    }

    fn binder(&mut self) -> bool {
        let bound = self.eat("for<");
        if bound {
            self.until('>');
            self.eat("> ");
        }
        bound
    }

    fn bounds(&mut self) -> Option<()> {
        loop {
            if self.rest.starts_with('\'') {
                if self.rest.starts_with("'_") {
                    self.lifetime(false);
                } else {
                    self.word();
                }
            } else {
                let bound = self.binder();
                self.path(bound)?;
            }
            if !self.eat(" + ") {
                return Some(());
            }
        }
    }

    /// The parameters and result of `fn(` or `Fn(`. Erased lifetimes of parameters are static; in the result of a
    /// `dyn for<'a> Fn(&'a …) -> &…` rustc leaves out the bound one.
    fn signature(&mut self, parameters: bool, result: bool) -> Option<()> {
        self.list(")", |this| this.eat("...").then_some(()).or_else(|| this.ty(parameters)))?;
        if self.eat(" -> ") { self.ty(result) } else { Some(()) }
    }

    fn path(&mut self, elided: bool) -> Option<()> {
        let first: &str = &self.rest[..word_length(self.rest)];
        let is_crate_path = self.rest[first.len()..].starts_with("::");
        if (self.is_own)(first.trim_start_matches("r#")) && !(is_crate_path && first == self.krate) {
            self.out.push_str(self.krate);
            self.out.push_str("::");
        }
        self.segments(elided)
    }

    fn segments(&mut self, elided: bool) -> Option<()> {
        loop {
            if self.word() == 0 {
                return None;
            }
            if self.rest.starts_with("::<") {
                self.eat("::");
            }
            if self.eat("<") {
                self.list(">", |this| this.argument(elided))?;
            } else if self.eat("(") {
                return self.signature(false, elided);
            }
            if !self.eat("::") {
                return Some(());
            }
        }
    }

    fn argument(&mut self, elided: bool) -> Option<()> {
        let mut chars = self.rest.chars();
        match chars.next()? {
            '\'' => {
                let is_char = self.rest.starts_with("'\\") || chars.nth(1) == Some('\'');
                if is_char {
                    let end = self.rest[2..].find('\'')? + 3;
                    self.copy(end);
                } else if self.rest.starts_with("'_") {
                    self.rest = &self.rest[2..];
                    self.out.push_str("'static");
                } else {
                    self.eat("'");
                    self.word();
                }
                Some(())
            }
            '-' | '0'..='9' => {
                self.eat("-");
                self.word();
                Some(())
            }
            _ => {
                let name = word_length(self.rest);
                if name > 0 && self.rest[name..].starts_with(" = ") {
                    self.copy(name + 3);
                }
                self.ty(elided)
            }
        }
    }

    fn list(&mut self, close: &str, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        while !self.eat(close) {
            each(self)?;
            if !self.eat(", ") && !self.eat(",") {
                return self.expect(close);
            }
        }
        Some(())
    }

    fn copy(&mut self, length: usize) {
        let (copied, rest) = self.rest.split_at(length);
        self.out.push_str(copied);
        self.rest = rest;
    }

    fn word(&mut self) -> usize {
        let length = word_length(self.rest);
        self.copy(length);
        length
    }

    fn until(&mut self, stop: char) {
        self.copy(self.rest.find(stop).unwrap_or(self.rest.len()));
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            self.copy(text.len());
        }
        found
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        self.eat(text).then_some(())
    }
}

fn word_length(text: &str) -> usize {
    let raw = if text.starts_with("r#") { 2 } else { 0 };
    let word = text[raw..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len() - raw);
    if word == 0 { 0 } else { raw + word }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(types: &[&str], expected: Expect) {
        let is_own = |name: &str| ["Point", "m", "Tr"].contains(&name);
        let written = types.iter().map(|ty| match nameable(ty, "cell_1", &is_own) {
            Ok(ty) => ty + "\n",
            Err(error) => format!("! {error}\n"),
        });
        expected.assert_eq(&written.collect::<String>());
    }

    #[test]
    fn own_items_get_the_name_of_the_crate() {
        check(
            &[
                "Point",
                "(u8, &str, std::option::Option<std::boxed::Box<Point>>)",
                "m::In<Point, 3>",
                "tokio::sync::mpsc::UnboundedSender<Point>",
                "std::vec::Vec<std::boxed::Box<dyn Tr + std::marker::Send + std::marker::Sync>>",
                "<Point as Tr>::Out",
                "cell_0::Point",
            ],
            expect![[r#"
                cell_1::Point
                (u8, &'static str, std::option::Option<std::boxed::Box<cell_1::Point>>)
                cell_1::m::In<cell_1::Point, 3>
                tokio::sync::mpsc::UnboundedSender<cell_1::Point>
                std::vec::Vec<std::boxed::Box<dyn cell_1::Tr + std::marker::Send + std::marker::Sync>>
                <cell_1::Point as cell_1::Tr>::Out
                cell_0::Point
            "#]],
        );
    }

    #[test]
    fn erased_lifetimes_become_static_and_bound_ones_stay() {
        check(
            &[
                "&[i32]",
                "&mut [&str; 2]",
                "std::borrow::Cow<'_, str>",
                "for<'a> fn(&'a str) -> &'a str",
                "fn(&str)",
                "std::sync::Arc<dyn for<'a> std::ops::Fn(&'a str) -> &str + std::marker::Send + std::marker::Sync>",
                "std::boxed::Box<dyn std::ops::Fn(&str) -> &str>",
                "std::option::Option<&dyn std::fmt::Debug + std::marker::Send + std::marker::Sync>",
            ],
            expect![[r#"
                &'static [i32]
                &'static mut [&'static str; 2]
                std::borrow::Cow<'static, str>
                for<'a> fn(&'a str) -> &'a str
                fn(&'static str)
                std::sync::Arc<dyn for<'a> std::ops::Fn(&'a str) -> &str + std::marker::Send + std::marker::Sync>
                std::boxed::Box<dyn std::ops::Fn(&'static str) -> &'static str>
                std::option::Option<&'static (dyn std::fmt::Debug + std::marker::Send + std::marker::Sync)>
            "#]],
        );
    }

    #[test]
    fn odd_types_are_written_as_they_are() {
        check(
            &[
                "()",
                "(i32,)",
                "!",
                "[[f32; 3]; 2]",
                "unsafe extern \"C\" fn(*const u8, i32) -> !",
                "other::G<3, true, 'x', -1, '\\n'>",
                "std::boxed::Box<dyn std::iter::Iterator<Item = i32> + std::marker::Send>",
                "std::result::Result<(), std::io::Error>",
                "*mut (u8, *const str)",
            ],
            expect![[r#"
                ()
                (i32,)
                !
                [[f32; 3]; 2]
                unsafe extern "C" fn(*const u8, i32) -> !
                other::G<3, true, 'x', -1, '\n'>
                std::boxed::Box<dyn std::iter::Iterator<Item = i32> + std::marker::Send>
                std::result::Result<(), std::io::Error>
                *mut (u8, *const str)
            "#]],
        );
    }

    #[test]
    fn types_without_a_name_say_what_to_do() {
        check(
            &[
                "{closure@cell.rs:20:13: 20:21}",
                "std::iter::Map<std::vec::IntoIter<i32>, {closure@cell.rs:25:38: 25:41}>",
                "{async block@cell.rs:1:1: 1:2}",
                "fn(i32) -> i32 {double}",
            ],
            expect![[r#"
                ! the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or keep it inside a process
                ! the type of a closure has no name: write a `fn`, put it into an `Arc<dyn Fn(…) + Send + Sync>`, or keep it inside a process
                ! the type of a future has no name: await it in this cell, or spawn a process
                ! the type of a function has no name: give the binding the type `fn(i32) -> i32`
            "#]],
        );
    }
}
