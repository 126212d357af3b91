//! The [`receive!`](crate::receive!) macro: what its arms become.
//!
//! The arms are numbered; a closure says which of them wants a message, and what was taken is then opened as that arm's
//! type. What a type costs the compiler is a few lines.

/// Waits for the first message that one of several arms wants: OTP's `receive … after … end`.
///
/// With `since mark;` in front, only messages that came after that [`Mark`](crate::Mark) are looked at: so an answer is
/// found at once, however many messages wait.
///
/// An arm is `pattern: Type => body` or `pattern: Type if guard => body`; the last one may be
/// `after duration => body`. For each message in turn, oldest first, the arms are tried from top to
/// bottom; a message that no arm wants stays where it is.
///
/// ```
/// use std::time::Duration;
/// use greenroom::{receive, self_pid, send};
///
/// greenroom::run(async {
///     send(self_pid(), 3_u64);
///     send(self_pid(), 12_u64);
///     let answer = receive! {
///         n: u64 if n > 10 => format!("big: {n}"),
///         text: String => text,
///         after Duration::from_secs(1) => String::from("nothing"),
///     };
///     assert_eq!(answer, "big: 12");
/// });
/// ```
#[macro_export]
macro_rules! receive {
    (since $mark:expr; $($arms:tt)+) => { $crate::__receive_arms!([{ @since $mark }] [] $($arms)+) };
    ($($arms:tt)+) => { $crate::__receive_arms!([] [] $($arms)+) };
}

/// Splits the arms of `receive!` one by one: `[done arms] [pattern so far] rest`.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_arms {
    // The last arm: a time-out.
    ([$($done:tt)*] [] after $timeout:expr => $body:block $(,)?) => {
        $crate::__receive_run!([$($done)*] (::core::option::Option::Some($timeout)) $body)
    };
    ([$($done:tt)*] [] after $timeout:expr => $body:expr $(,)?) => {
        $crate::__receive_run!([$($done)*] (::core::option::Option::Some($timeout)) $body)
    };
    // No arm left.
    ([$($done:tt)*] []) => {
        $crate::__receive_run!([$($done)*] (::core::option::Option::None)
            ::core::unreachable!("a receive without a time-out does not time out"))
    };
    // The pattern ends at the first colon.
    ($done:tt [$($pattern:tt)+] : $($rest:tt)+) => {
        $crate::__receive_type!($done [$($pattern)+] [] $($rest)+)
    };
    ($done:tt [$($pattern:tt)*] $next:tt $($rest:tt)*) => {
        $crate::__receive_arms!($done [$($pattern)* $next] $($rest)*)
    };
}

/// Splits off the type of an arm, up to `if` or `=>`.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_type {
    ($done:tt $pattern:tt [$($type:tt)+] => $($rest:tt)+) => {
        $crate::__receive_body!($done $pattern [$($type)+] [true] $($rest)+)
    };
    ($done:tt $pattern:tt [$($type:tt)+] if $guard:expr => $($rest:tt)+) => {
        $crate::__receive_body!($done $pattern [$($type)+] [$guard] $($rest)+)
    };
    ($done:tt $pattern:tt [$($type:tt)*] $next:tt $($rest:tt)+) => {
        $crate::__receive_type!($done $pattern [$($type)* $next] $($rest)+)
    };
}

/// Splits off the body of an arm: a block, or an expression up to a comma.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_body {
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:block $(,)?) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [])
    };
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:block, $($rest:tt)+) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [] $($rest)+)
    };
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:expr) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [])
    };
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:expr, $($rest:tt)*) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [] $($rest)*)
    };
    ([$($done:tt)*] $pattern:tt $type:tt $guard:tt $body:block $($rest:tt)+) => {
        $crate::__receive_arms!([$($done)* { $pattern $type $guard $body }] [] $($rest)+)
    };
}

/// Looks for a message, then runs the body of the arm that wanted it.
///
/// A guard is tried with the message taken out of its envelope, so that it sees it as the body will. The
/// arm then always falls through, which leaves the message whole; the body matches it once more.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_run {
    ([{ @since $mark:expr } $($arms:tt)*] $timeout:tt $after:expr) => {
        $crate::__receive_run!(@since ($mark) [$($arms)*] $timeout $after)
    };
    ([$($arms:tt)*] $timeout:tt $after:expr) => {
        $crate::__receive_run!(@since ($crate::receive::Mark::default()) [$($arms)*] $timeout $after)
    };
    (@since ($mark:expr) [$({ [$($pattern:tt)+] [$($type:tt)+] [$guard:expr] $body:expr })*] ($timeout:expr)
        $after:expr) => {{
        let found = $crate::receive::select_since(
            $mark,
            &mut |candidate| {
                let mut arm = 0_usize;
                $(
                    if let ::core::option::Option::Some(message) = candidate.take::<$($type)+>() {
                        let mut wanted = false;
                        #[allow(unused_variables, unreachable_patterns, clippy::redundant_guards)]
                        let message = match message {
                            $($pattern)+ if $guard && { wanted = true; false } => ::core::unreachable!(),
                            whole => whole,
                        };
                        candidate.restore::<$($type)+>(message);
                        if wanted {
                            return ::core::option::Option::Some(arm);
                        }
                    }
                    arm += 1;
                )*
                let _ = arm;
                ::core::option::Option::None
            },
            $timeout,
        )
        .await;
        match found {
            ::core::option::Option::None => $after,
            ::core::option::Option::Some((arm, received)) => {
                $crate::__receive_dispatch!(arm, received, [] $({ [$($pattern)+] [$($type)+] [$guard] $body })*)
            }
        }
    }};
}

/// Runs the body of one of the arms: `arm` counts down to it.
#[doc(hidden)]
#[macro_export]
macro_rules! __receive_dispatch {
    ($arm:ident, $received:ident, [$($count:tt)*] { [$($pattern:tt)+] [$($type:tt)+] [$guard:expr] $body:expr } $($rest:tt)*) => {
        if $arm == 0 $(+ $count)* {
            #[allow(unreachable_patterns)]
            match $received.open::<$($type)+>() {
                // Mentioned, not called: what only the guard uses is used.
                $($pattern)+ if { let _ = || $guard; true } => $body,
                _ => ::core::unreachable!("the pattern matched a moment ago"),
            }
        } else {
            $crate::__receive_dispatch!($arm, $received, [$($count)* 1] $($rest)*)
        }
    };
    ($arm:ident, $received:ident, [$($count:tt)*]) => {
        ::core::unreachable!("every message was wanted by one of the arms")
    };
}
