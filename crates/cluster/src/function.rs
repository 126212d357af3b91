//! Functions that travel: a function or a closure that captures nothing, named by where it is in the binary.
//!
//! What travels is the place of a [`Descriptor`], a constant that the compiler makes for each function that is named
//! like this: which module (by its build id) and how far from its start. A node that runs the same module finds the
//! same descriptor there, checks that it is one, and of the right types, and calls it. Arguments and results are data.

mod address;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use greenroom::reason::Outcome;
use greenroom::{ExitReason, Message};
use serde::{Deserialize, Serialize};

use self::address::{Descriptor, Place};
use crate::codec;

pub use address::ModuleId;

/// A function that a node which runs the same module can call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Function {
    place: Place,
    fingerprint: [u8; 16],
    name: String,
}

/// What calling a function at its place gives: a future for its result, or why the argument is no good.
pub(crate) type Started = Result<Pin<Box<dyn Future<Output = Finished> + Send>>, String>;

/// What a function has come to.
pub(crate) enum Finished {
    /// It was spawned, and has ended.
    Exit(ExitReason),
    /// It was called: its result as bytes, or why that cannot be sent.
    Value(Result<Vec<u8>, String>),
}

/// A function that a node does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undefined {
    /// Its name.
    pub function: String,
    /// The module that it is in.
    pub wanted: ModuleId,
    /// The program that the node runs instead.
    pub there: ModuleId,
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Undefined { function, wanted, there } = self;
        if wanted == there {
            return write!(f, "undef: module {wanted} has no function {function} at this place");
        }
        write!(f, "undef: {function} is in module {wanted}, and that node runs {there}: run the same binary on both")
    }
}

impl std::error::Error for Undefined {}

impl Function {
    /// The function that is run by a process of its own.
    pub(crate) fn spawned<F, A, Fut>(_: F) -> Function
    where
        F: Fn(A) -> Fut + Copy + 'static,
        A: Message,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        Function::of::<F>(Spawned::<F, A>::DESCRIPTOR)
    }

    /// The function that is called for its result.
    pub(crate) fn called<F, A, Fut, R>(_: F) -> Function
    where
        F: Fn(A) -> Fut + Copy + 'static,
        A: Message,
        Fut: Future<Output = R> + Send + 'static,
        R: Message,
    {
        Function::of::<F>(Called::<F, A>::DESCRIPTOR)
    }

    fn of<F>(descriptor: &'static Descriptor) -> Function {
        let place = address::place_of(descriptor);
        Function { place, fingerprint: descriptor.fingerprint(), name: std::any::type_name::<F>().to_owned() }
    }

    /// Begins to run it.
    pub(crate) fn start(&self, argument: &[u8]) -> Result<Started, Undefined> {
        match address::find(self.place, &self.fingerprint) {
            Some(descriptor) => Ok(descriptor.enter(argument)),
            None => {
                Err(Undefined { function: self.name.clone(), wanted: self.place.module, there: address::program() })
            }
        }
    }
}

/// What is built into the program for a function that is spawned.
struct Spawned<F, A>(PhantomData<(F, A)>);

impl<F, A, Fut> Spawned<F, A>
where
    F: Fn(A) -> Fut + Copy + 'static,
    A: Message,
    Fut: Future<Output: Outcome> + Send + 'static,
{
    const DESCRIPTOR: &'static Descriptor = &Descriptor::new::<(F, A, Spawned<(), ()>)>(Self::enter);

    fn enter(argument: &[u8]) -> Started {
        let function = address::conjure::<F>();
        let future = function(read(argument)?);
        Ok(Box::pin(async move { Finished::Exit(future.await.into_reason()) }))
    }
}

/// The same for one that is called.
struct Called<F, A>(PhantomData<(F, A)>);

impl<F, A, Fut, R> Called<F, A>
where
    F: Fn(A) -> Fut + Copy + 'static,
    A: Message,
    Fut: Future<Output = R> + Send + 'static,
    R: Message,
{
    const DESCRIPTOR: &'static Descriptor = &Descriptor::new::<(F, A, Called<(), ()>)>(Self::enter);

    fn enter(argument: &[u8]) -> Started {
        let function = address::conjure::<F>();
        let future = function(read(argument)?);
        Ok(Box::pin(async move { Finished::Value(write(&future.await)) }))
    }
}

/// Data to bytes that mean the same on every node.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    codec::encode_into(value, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// And back.
pub(crate) fn read<T: Message>(bytes: &[u8]) -> Result<T, String> {
    codec::decode(bytes).map_err(|error| format!("no {}: {error}", std::any::type_name::<T>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn double(number: u64) -> u64 {
        number * 2
    }

    fn run(function: &Function, argument: &[u8]) -> Result<u64, String> {
        let mut future = function.start(argument).map_err(|undefined| undefined.to_string())??;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(Finished::Value(bytes)) => read(&bytes?),
            _ => Err("not ready".to_owned()),
        }
    }

    #[test]
    fn a_function_is_found_by_its_place() {
        let argument = write(&21_u64).unwrap();
        assert_eq!(run(&Function::called(double), &argument), Ok(42));
        assert_eq!(run(&Function::called(|number: u64| async move { number + 1 }), &argument), Ok(22));
        assert_ne!(Function::called(double), Function::called(|number: u64| async move { number + 1 }));
    }

    #[test]
    fn an_argument_of_another_shape_is_an_error() {
        assert!(run(&Function::called(double), b"").unwrap_err().contains("no u64"));
    }

    #[test]
    fn another_module_is_refused_with_both_named() {
        let mut function = Function::called(double);
        let ours = function.place.module;
        function.place.module = ModuleId::of_bytes(b"another");
        let refused = function.start(&[]).err().unwrap();
        assert_eq!((refused.wanted, refused.there), (function.place.module, ours));
        let text = refused.to_string();
        assert!(text.contains(&ours.to_string()) && text.contains(&function.place.module.to_string()), "{text}");
    }

    #[test]
    fn a_place_without_a_descriptor_of_that_type_is_refused() {
        let honest = Function::called(double);
        for offset in (0..4096).chain([1 << 20, 1 << 40, u64::MAX - 7, u64::MAX]) {
            let mut function = honest.clone();
            function.place.offset = offset;
            assert_eq!(function.start(&[]).is_ok(), function == honest, "{offset}");
        }
        let mut function = honest.clone();
        function.fingerprint = Function::spawned(double_and_forget).fingerprint;
        assert!(function.start(&[]).is_err());
    }

    async fn double_and_forget(number: u64) {
        double(number).await;
    }
}
