//! What a server accepts: the declaration, what the compiler makes of it, and the list for those who ask.

use std::any::type_name;
use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};

use super::{AnyMessage, Caller, Next, Reply};
use crate::message::{Message, short_name};

/// Says what messages a server accepts, which of its methods handles each, and what calls are answered with.
///
/// ```text
/// accepts! { Server:
///     call method(Message) -> Answer;           // async fn method(&mut self, Message) -> impl Into<Reply<Answer>>
///     call method(Message, caller) -> Answer;   // async fn method(&mut self, Message, Caller<Answer>) -> …
///     cast method(Message);                     // async fn method(&mut self, Message) -> impl Into<Next>
///     info method(Message);                     // the same, for what is sent with `send`, timers, `Down`, `Exit`
/// }
/// ```
///
/// A generic server puts its parameters in front, in brackets: `accepts! { [T: Message] Stack<T>: … }`. See
/// [`gen_server`](crate::gen_server) for the whole.
#[macro_export]
macro_rules! accepts {
    ([$($generics:tt)*] $server:ty: $($accepted:tt)*) => {
        $crate::__accepts!(@server [$($generics)*] $server: $($accepted)*);
    };
    ($server:ty: $($accepted:tt)*) => {
        $crate::__accepts!(@server [] $server: $($accepted)*);
    };
}

/// The parts of [`accepts!`](crate::accepts!).
#[doc(hidden)]
#[macro_export]
macro_rules! __accepts {
    (@server $generics:tt $server:ty:
        $($kind:ident $method:ident($message:ty $(, $caller:ident)?) $(-> $reply:ty)?;)*
    ) => {
        $($crate::__accepts!(@impl $kind $generics $server, $method, $message $(, $caller)? $(=> $reply)?);)*
        $crate::__accepts!(@accepts $generics $server: $($kind $method($message) $(-> $reply)?;)*);
    };
    (@accepts [$($generics:tt)*] $server:ty: $($kind:ident $method:ident($message:ty) $(-> $reply:ty)?;)*) => {
        impl<$($generics)*> $crate::gen_server::Accepts for $server {
            fn accepted() -> ::std::vec::Vec<$crate::gen_server::Accepted> {
                ::std::vec![$($crate::__accepts!(@accepted $kind $message $(=> $reply)?)),*]
            }

            async fn accept(
                &mut self,
                message: $crate::gen_server::AnyMessage,
            ) -> ::core::result::Result<$crate::gen_server::Next, $crate::gen_server::AnyMessage> {
                #[allow(unused_mut, reason = "a server may accept nothing")]
                let mut message = message;
                $(
                    if $crate::__accepts!(@is $kind $message, message) {
                        let next = $crate::__accepts!(@handle $kind $server, $method, $message, self, message);
                        return ::core::result::Result::Ok(next);
                    }
                )*
                ::core::result::Result::Err(message)
            }
        }
    };

    (@impl call [$($generics:tt)*] $server:ty, $method:ident, $message:ty $(, $caller:ident)? => $reply:ty) => {
        impl<$($generics)*> $crate::gen_server::Calls<$message> for $server {
            type Reply = $reply;

            #[allow(clippy::manual_async_fn, reason = "which would move its arguments once more")]
            fn handle_call(
                &mut self,
                message: $message,
                caller: $crate::gen_server::Caller<$reply>,
            ) -> impl ::core::future::Future<Output = $crate::gen_server::Reply<$reply>> + ::core::marker::Send {
                async move { $crate::__accepts!(@into self, $method, message, caller $(, $caller)?) }
            }
        }
    };
    (@into $self:ident, $method:ident, $message:ident, $given:ident, $caller:ident) => {
        ::core::convert::Into::into($self.$method($message, $given).await)
    };
    (@into $self:ident, $method:ident, $message:ident, $given:ident) => {{
        ::core::mem::drop($given);
        ::core::convert::Into::into($self.$method($message).await)
    }};
    (@impl cast [$($generics:tt)*] $server:ty, $method:ident, $message:ty) => {
        impl<$($generics)*> $crate::gen_server::Casts<$message> for $server {
            async fn handle_cast(&mut self, message: $message) -> $crate::gen_server::Next {
                ::core::convert::Into::into(self.$method(message).await)
            }
        }
    };
    (@impl info [$($generics:tt)*] $server:ty, $method:ident, $message:ty) => {};

    (@accepted call $message:ty => $reply:ty) => { $crate::gen_server::Accepted::call::<$message, $reply>() };
    (@accepted cast $message:ty) => { $crate::gen_server::Accepted::cast::<$message>() };
    (@accepted info $message:ty) => { $crate::gen_server::Accepted::info::<$message>() };

    (@is call $message:ty, $any:ident) => { $any.is_request::<$message>() };
    (@is cast $message:ty, $any:ident) => { $any.is_cast::<$message>() };
    (@is info $message:ty, $any:ident) => { $any.is::<$message>() };

    (@handle call $server:ty, $method:ident, $message:ty, $self:ident, $any:ident) => {{
        let (message, caller, same) = $any.into_request::<$message, _>();
        <$server as $crate::gen_server::Calls<$message>>::handle_call($self, message, caller).await.send(same)
    }};
    (@handle cast $server:ty, $method:ident, $message:ty, $self:ident, $any:ident) => {
        <$server as $crate::gen_server::Casts<$message>>::handle_cast($self, $any.into_cast()).await
    };
    (@handle info $server:ty, $method:ident, $message:ty, $self:ident, $any:ident) => {
        <$crate::gen_server::Next as ::core::convert::From<_>>::from($self.$method($any.into_message()).await)
    };
}

/// What a server accepts: implemented by [`accepts!`](crate::accepts!).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what messages it accepts",
    note = "say it with `greenroom::accepts! {{ {Self}: … }}`, even if it is nothing"
)]
pub trait Accepts: Sized + Send {
    /// What it accepts, in the order in which it was declared.
    fn accepted() -> Vec<Accepted>;

    /// Handles a message, or hands it back.
    #[doc(hidden)]
    fn accept(&mut self, message: AnyMessage) -> impl Future<Output = Result<Next, AnyMessage>> + Send;
}

/// A server that can be called with an `M`: implemented by [`accepts!`](crate::accepts!).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called with `{M}`",
    note = "declare it: `greenroom::accepts! {{ {Self}: call …({M}) -> …; }}`"
)]
pub trait Calls<M: Message>: Accepts {
    /// What a call is answered with.
    type Reply: Message;

    /// Handles a call.
    fn handle_call(
        &mut self,
        message: M,
        caller: Caller<Self::Reply>,
    ) -> impl Future<Output = Reply<Self::Reply>> + Send;
}

/// A server that an `M` can be cast to: implemented by [`accepts!`](crate::accepts!).
#[diagnostic::on_unimplemented(
    message = "`{M}` cannot be cast to `{Self}`",
    note = "declare it: `greenroom::accepts! {{ {Self}: cast …({M}); }}`"
)]
pub trait Casts<M: Message>: Accepts {
    /// Handles a cast.
    fn handle_cast(&mut self, message: M) -> impl Future<Output = Next> + Send;
}

/// One thing that a server accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// How it is sent.
    pub kind: Kind,
    /// The message's type.
    pub message: String,
    /// The type of the answer, for a call.
    pub reply: Option<String>,
}

/// How something is sent to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// With [`ServerRef::call`](super::ServerRef::call).
    Call,
    /// With [`ServerRef::cast`](super::ServerRef::cast).
    Cast,
    /// With [`send`](crate::send()), or by the runtime.
    Info,
}

impl Accepted {
    fn new<M>(kind: Kind, reply: Option<String>) -> Self {
        Accepted { kind, message: short_name(type_name::<M>()), reply }
    }

    #[doc(hidden)]
    pub fn call<M: Message, R: Message>() -> Self {
        Accepted::new::<M>(Kind::Call, Some(short_name(type_name::<R>())))
    }

    #[doc(hidden)]
    pub fn cast<M: Message>() -> Self {
        Accepted::new::<M>(Kind::Cast, None)
    }

    #[doc(hidden)]
    pub fn info<M: Message>() -> Self {
        Accepted::new::<M>(Kind::Info, None)
    }
}

/// As in the declaration: `call Add -> u64`.
impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Call => "call",
            Kind::Cast => "cast",
            Kind::Info => "info",
        };
        write!(f, "{kind} {}", self.message)?;
        match &self.reply {
            Some(reply) => write!(f, " -> {reply}"),
            None => Ok(()),
        }
    }
}
