//! Which public types may be sent to and shared with other threads, one line a type.

use std::rc::Rc;

use greenroom::message::{Down, Exit, Target};
use greenroom::process::{Info, Totals, Usage};
use greenroom::supervisor::{ChildSpec, StartError, SupervisorBuilder};
use greenroom::tree::TreeNode;
use greenroom::{
    Clock, ExitReason, Local, Node, NodeBuilder, NodeId, NodeName, Pid, Ref, RegisterError, Run, SendError, Supervisor,
    Task, Timer, TrackingAllocator, stream,
};

/// Asks the compiler whether a type has a trait, without insisting: the inherent constant is found first if its
/// bound holds, that of the trait otherwise.
macro_rules! has {
    ($type:ty: $bound:ident) => {{
        #[allow(dead_code)]
        trait Otherwise {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $bound> Probe<T> {
            const ANSWER: bool = true;
        }
        <Probe<$type>>::ANSWER
    }};
}

macro_rules! table {
    ($($type:ty: $send:literal $sync:literal;)*) => {
        $(assert_eq!(
            (has!($type: Send), has!($type: Sync)),
            ($send, $sync),
            "{} is Send and Sync otherwise than the table says",
            stringify!($type)
        );)*
    };
}

/// A value that may be moved to another thread, but not be shared.
type Unshared = std::cell::Cell<u8>;
type Tied = Rc<u8>;

#[test]
fn types_are_send_and_sync_as_the_table_says() {
    table! {
        // Type: Send Sync;
        Pid: true true;
        Ref: true true;
        NodeId: true true;
        NodeName: true true;
        ExitReason: true true;
        RegisterError: true true;
        Node: true true;
        NodeBuilder: true true;
        Clock: true true;
        Timer: true true;
        Info: true true;
        Usage: true true;
        Totals: true true;
        Down: true true;
        Exit: true true;
        Target: true true;
        TreeNode: true true;
        Supervisor: true true;
        SupervisorBuilder: true true;
        ChildSpec: true true;
        StartError: true true;
        TrackingAllocator: true true;
        Task<u8>: true true;
        Task<Tied>: true true;
        Local<u8>: true true;
        Local<Unshared>: true false;
        Local<Tied>: false false;
        SendError<u8>: true true;
        SendError<Unshared>: true false;
        Run<Unshared>: true true;
        Run<Tied>: false false;
        stream::Messages<u8>: true true;
        stream::Messages<Tied>: true true;
        stream::SinkInto<Tied>: true true;
        stream::Gone: true true;
    }
}

#[test]
fn what_waits_in_a_process_may_move_between_workers() {
    fn is_send<T: Send>(_: T) {}
    is_send(greenroom::receive::<String>());
    is_send(greenroom::receive_timeout::<u8>(std::time::Duration::ZERO));
    is_send(greenroom::sleep(std::time::Duration::ZERO));
    is_send(greenroom::yield_now());
    is_send(async {
        greenroom::receive! { n: u8 if n > 1 => drop(n.to_string()), text: String => drop(text) }
    });
}
