//! Which public types may be sent to and shared with other threads, one line a type.

use std::rc::Rc;

use greenroom::agent::Agent;
use greenroom::gen_server::InitError;
use greenroom::message::{Down, Exit, TaggedDown, Target};
use greenroom::process::{Alias, Info, Overflow, Totals, TrySendError, Usage};
use greenroom::state_machine::Transition;
use greenroom::supervisor::{
    ChildSpec, DynamicSupervisor, PartitionSupervisor, Supervisor, SupervisorBuilder, TaskSupervisor,
};
use greenroom::tree::TreeNode;
use greenroom::{
    Application, Clock, ExitReason, GenServer, Local, LongTurn, Node, NodeBuilder, NodeId, NodeName, Pid, Recording,
    Ref, RegisterError, Registry, Run, SendError, ServerRef, StateMachine, Task, Timer, TrackingAllocator, accepts,
    application, gen_server, groups, process, reason, receive, registry, router, seq_trace, state_machine, stream,
    supervisor, task, trace, tree,
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
        [$((stringify!($type), (has!($type: Send), has!($type: Sync)), ($send, $sync)),)*]
    };
}

/// A value that may be moved to another thread, but not be shared.
type Unshared = std::cell::Cell<u8>;
type Tied = Rc<u8>;

/// A server whose state cannot be shared.
#[derive(Debug)]
struct Server(#[expect(dead_code, reason = "it is only there")] Unshared);

accepts! { Server: }

impl GenServer for Server {
    type Args = ();

    async fn init((): ()) -> Result<Self, InitError> {
        Ok(Server(Unshared::new(1)))
    }
}

/// A machine whose state cannot be shared, unlike the names of its states.
#[derive(Debug)]
struct Machine(#[expect(dead_code, reason = "it is only there")] Unshared);

impl StateMachine for Machine {
    type Args = ();
    type State = u8;
    type Event = u8;
    type Reply = u8;

    async fn init((): ()) -> Result<(Self, u8), InitError> {
        Ok((Machine(Unshared::new(1)), 0))
    }

    async fn handle(&mut self, _: &u8, _: state_machine::Event<Self>) -> Transition<Self> {
        Transition::keep()
    }
}

#[test]
fn types_are_send_and_sync_as_the_table_says() {
    let table = table! {
        // Type: Send Sync;
        Pid: true true;
        Ref: true true;
        NodeId: true true;
        NodeName: true true;
        ExitReason: true true;
        reason::Panic: true true;
        reason::Location: true true;
        // Messages, and what waits for them.
        Down: true true;
        Exit: true true;
        TaggedDown<u8>: true true;
        Target: true true;
        receive::Mark: true true;
        TaggedDown<Unshared>: true false;
        Local<u8>: true true;
        Local<Unshared>: true false;
        Local<Tied>: false false;
        receive::Receive<u8>: true true;
        stream::Messages<u8>: true true;
        stream::Messages<Tied>: true true;
        stream::SinkInto<Tied>: true true;
        stream::Gone: true true;
        // Processes and nodes.
        Node: true true;
        NodeBuilder: true true;
        Clock: true true;
        Timer: true true;
        Alias: true true;
        Info: true true;
        Usage: true true;
        Totals: true true;
        Overflow: true true;
        process::Builder: true true;
        process::By: true true;
        process::Started: true true;
        process::Status: true true;
        process::SuspendError: true true;
        process::Until: true true;
        process::Watch: true false;
        RegisterError: true true;
        LongTurn: true true;
        TrackingAllocator: true true;
        SendError<u8>: true true;
        SendError<Unshared>: true false;
        TrySendError<Unshared>: true false;
        process::Timeout<Unshared>: true false;
        Run<Unshared>: true true;
        Run<Tied>: false false;
        // What is seen of them.
        Recording: true true;
        trace::Event: true true;
        trace::EventKind: true true;
        trace::Flag: true true;
        trace::Label: true true;
        trace::Passport: true true;
        trace::ProcessName: true true;
        trace::Report: true true;
        trace::Serial: true true;
        trace::Signal: true true;
        trace::Token: true true;
        trace::Trace: true true;
        trace::TraceEvent: true true;
        seq_trace::NoSuchTracer: true true;
        tree::ChildKind: true true;
        tree::ChildStatus: true true;
        tree::Strategy: true true;
        TreeNode: true true;
        // The way to other nodes.
        router::Flow: true true;
        router::Outgoing<'_>: false false;
        router::RemoteSignal: true true;
        router::Unsendable: true true;
        // Names.
        Registry<u8,u8>: true true;
        registry::Registry<u8,u8,registry::Duplicate>: true true;
        registry::Why: true true;
        registry::Via<u8,u8>: true true;
        Registry<u8, Unshared>: false false;
        Registry<u8,Tied>: false false;
        registry::RegisterError<u8,Unshared>: true false;
        registry::ViaError<u8,Tied>: false false;
        groups::Change: true true;
        groups::GroupEvent<u8>: true true;
        groups::Scope<u8>: true true;
        groups::ScopeError: true true;
        // Tasks.
        Task<u8>: true true;
        Task<Tied>: true true;
        task::OnTimeout: true true;
        task::Why: true true;
        task::Failed<u8>: true true;
        // Servers. What they hold may be tied to a thread no more than any process; what refers to them is free.
        ServerRef<Server>: true true;
        ServerRef<Server,Pid>: true true;
        gen_server::Accepted: true true;
        gen_server::AnyMessage: true false;
        gen_server::CallError: true true;
        gen_server::CallFailure: true true;
        gen_server::Description: true true;
        gen_server::InitError: true true;
        gen_server::Kind: true true;
        gen_server::StartError: true true;
        gen_server::StopError: true true;
        gen_server::StopFailure: true true;
        gen_server::Caller<u8>: true true;
        gen_server::Reply<Unshared>: true false;
        gen_server::Starter<Server>: true true;
        state_machine::Actions<Machine>: true true;
        state_machine::Event<Machine>: true false;
        state_machine::Machine<Machine>: true false;
        state_machine::Transition<Machine>: true false;
        Agent<Unshared>: true true;
        // Supervisors and applications.
        Supervisor: true true;
        SupervisorBuilder: true true;
        DynamicSupervisor: true true;
        supervisor::DynamicSupervisorBuilder: true true;
        PartitionSupervisor: true true;
        supervisor::PartitionSupervisorBuilder: true true;
        TaskSupervisor: true true;
        supervisor::TaskSupervisorBuilder: true true;
        ChildSpec: true true;
        supervisor::AutoShutdown: true true;
        supervisor::ChildCounts: true true;
        supervisor::ChildInfo: true true;
        supervisor::Intensity: true true;
        supervisor::Restart: true true;
        supervisor::Shutdown: true true;
        supervisor::NotStarted: true true;
        supervisor::NoPartition: true true;
        supervisor::DeleteChildError: true true;
        supervisor::FindError: true true;
        supervisor::RestartChildError: true true;
        supervisor::SpecError: true true;
        supervisor::StartChildError: true true;
        supervisor::StartError: true true;
        supervisor::TerminateChildError: true true;
        supervisor::TreeError: true true;
        Application: true true;
        application::Ended: true true;
        application::Kind: true true;
        application::Setting<u8>: true true;
        application::StartError: true true;
        application::Started: true true;
        application::StopError: true true;
    };
    let wrong: Vec<_> = table.into_iter().filter(|(_, is, shall_be)| is != shall_be).collect();
    assert!(wrong.is_empty(), "Send and Sync otherwise than the table says: {wrong:#?}");
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
