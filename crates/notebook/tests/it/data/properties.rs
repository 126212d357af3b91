//! What holds after any operations whatever.

use std::sync::OnceLock;

use greenroom::{Message, Node, Pid, receive, self_pid, send};
use greenroom_cluster::{Cluster, Cookie, MemoryNetwork};
use greenroom_notebook::event::{Output, OutputKind};
use greenroom_notebook::livemd::{CodeAttributes, Markdown, print};
use greenroom_notebook::prelude::Progress;
use greenroom_notebook::session::data::RuntimeStatus;
use greenroom_notebook::session::operation::{
    Client, ClientId, Compiled, File, NotebookAttributes, RuntimeId, RuntimeSettings, Usage, Visitor,
};
use proptest::prelude::*;

use super::*;

const SOURCES: [&str; 7] =
    ["let a = 1;", "let b = a;", "let c = a + b;", "struct A;", "trait T {}", "let = ;", "println!(\"{b}\")"];

fn cell() -> impl Strategy<Value = CellId> {
    (1..14_u64).prop_map(CellId)
}

fn section_id() -> impl Strategy<Value = SectionId> {
    (0..6_u64).prop_map(SectionId)
}

fn structure() -> impl Strategy<Value = Structure> {
    let index = || 0..4_usize;
    let head = (4..8_u64, proptest::option::of(section_id())).prop_map(|(id, parent)| SectionHead {
        id: SectionId(id),
        name: format!("S{id}"),
        parent,
        metadata: BTreeMap::new(),
    });
    let attributes = (any::<bool>(), any::<bool>()).prop_map(|(continue_on_error, reevaluate_automatically)| {
        Box::new(CodeAttributes { continue_on_error, reevaluate_automatically, ..CodeAttributes::default() })
    });
    let source = proptest::sample::select(&SOURCES[..]);
    prop_oneof![
        "[a-z]{0,3}".prop_map(Structure::Rename),
        (index(), head).prop_map(|(index, section)| Structure::InsertSection { index, section }),
        (section_id(), proptest::option::of(section_id()))
            .prop_map(|(section, parent)| Structure::SetParent { section, parent }),
        (section_id(), index()).prop_map(|(section, index)| Structure::MoveSection { section, index }),
        (section_id(), proptest::sample::select(&[CellsOfDeleted::Bin, CellsOfDeleted::Previous][..]))
            .prop_map(|(section, cells)| Structure::DeleteSection { section, cells }),
        (section_id(), index(), 8..14_u64, source).prop_map(|(section, index, id, source)| Structure::InsertCell {
            section,
            index,
            id: CellId(id),
            cell: code(source),
        }),
        cell().prop_map(Structure::DeleteCell),
        cell().prop_map(Structure::RestoreCell),
        (cell(), section_id(), index()).prop_map(|(cell, section, index)| Structure::MoveCell { cell, section, index }),
        (cell(), 0..8_usize, 0..4_usize, "[ab;é]{0,3}").prop_map(|(cell, at, removed, inserted)| Structure::Edit {
            cell,
            at,
            removed,
            inserted
        }),
        (cell(), attributes).prop_map(|(cell, attributes)| Structure::SetCodeAttributes { cell, attributes }),
    ]
}

/// The changes of the document that people make seldom.
fn rare_structure() -> impl Strategy<Value = Structure> {
    let index = || 0..4_usize;
    let attributes =
        any::<bool>().prop_map(|persist_outputs| NotebookAttributes { persist_outputs, metadata: BTreeMap::new() });
    let content = || {
        let markdown = Just(Box::new(Cell::Markdown(Markdown { text: "prose".to_owned(), line: 0 })));
        let code = |language| Just(Box::new(Cell::Code(Code::new(language, "1", 0))));
        prop_oneof![markdown, code(Language::Rust), code(Language::Elixir), code(Language::Toml)]
    };
    prop_oneof![
        attributes.prop_map(Structure::SetAttributes),
        (section_id(), "[a-z]{0,3}").prop_map(|(section, name)| Structure::RenameSection { section, name }),
        (cell(), content()).prop_map(|(cell, content)| Structure::Replace { cell, content }),
        (section_id(), index(), 8..14_u64, content()).prop_map(|(section, index, id, cell)| Structure::InsertCell {
            section,
            index,
            id: CellId(id),
            cell,
        }),
    ]
}

/// The changes that are only made to undo others, at a time when there is nothing of that kind to undo.
fn inverse() -> impl Strategy<Value = Operation> {
    let unrestore = (cell(), section_id(), 0..4_usize).prop_map(|(cell, section, index)| Structure::Unrestore {
        cell,
        section,
        section_name: "S".to_owned(),
        index,
    });
    prop_oneof![cell().prop_map(Structure::Uninsert), unrestore].prop_map(Operation::from)
}

/// What happens beside changes and evaluations, most of it at a time when it cannot be meant.
fn rare() -> impl Strategy<Value = Operation> {
    let evaluation = EvaluationId(0);
    let runtime = || (0..3_u64).prop_map(RuntimeId);
    let client = || (0..3_u64).prop_map(ClientId);
    let why = || Just("test".to_owned());
    let compiled = |has_examples| Compiled {
        library: Arc::from("c"),
        compile_ms: 1.0,
        cached: false,
        has_examples,
        names: Arc::new([]),
    };
    let evaluations = prop_oneof![
        cell().prop_map(Evaluation::Forget),
        cell().prop_map(move |cell| Evaluation::Examined { cell, evaluation }),
        cell().prop_map(move |cell| Evaluation::NotYielding { cell, evaluation, for_ms: 1 }),
        cell().prop_map(move |cell| {
            let output = Output::new(OutputKind::Text, "said");
            Evaluation::Output { cell, evaluation, output }
        }),
        (cell(), any::<bool>()).prop_map(move |(cell, has_examples)| Evaluation::Started {
            cell,
            evaluation,
            compiled: compiled(has_examples)
        }),
    ];
    let runtimes = prop_oneof![
        Just(Runtime::Disconnect),
        Just(Runtime::SetOptions(RuntimeSettings::default())),
        Just(Runtime::Usage(Usage { memory: 1, processes: 1 })),
        Just(Runtime::Printed("past all cells".to_owned())),
        (runtime(), why()).prop_map(|(runtime, why)| Runtime::Failed { runtime, why }),
        (runtime(), why()).prop_map(|(runtime, why)| Runtime::Down { runtime, why }),
        runtime().prop_map(Runtime::Connected),
        runtime().prop_map(|runtime| {
            let progress = Progress { done: 1, total: 2, name: "a".to_owned() };
            Runtime::Building { runtime, progress }
        }),
    ];
    let files = prop_oneof![
        Just(File::Attach("n.livemd".into())),
        Just(File::Detach),
        (0..80_u64).prop_map(|revision| File::Saved { revision }),
        why().prop_map(|why| File::NotSaved { why }),
        cell().prop_map(|cell| File::Conflict { cells: vec![cell] }),
        Just(File::Resolved),
        Just(File::Recovered),
    ];
    prop_oneof![
        3 => rare_structure().prop_map(Operation::from),
        3 => evaluations.prop_map(Operation::from),
        2 => runtimes.prop_map(Operation::from),
        1 => files.prop_map(Operation::from),
        1 => client().prop_map(|client| Client::Rename { client, name: "other".into() }.into()),
        1 => client().prop_map(|client| Client::Leave(client).into()),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let names = proptest::sample::select(&["a", "b", "A", "T"][..]);
    let defines = proptest::collection::btree_map(names, 0..3_u64, 0..3).prop_map(|all| {
        let kind = |name| if name == "T" { analysis::Kind::Trait } else { analysis::Kind::Binding };
        let definition = |(name, version)| Definition { name: Arc::from(name), version, reach: reach(kind(name)) };
        all.into_iter().map(definition).collect::<Vec<_>>()
    });
    prop_oneof![
        4 => defines.prop_map(|defines| Outcome::Ok { defines, run_ms: 1.0, process: None }),
        1 => Just(Outcome::Failed { why: String::new(), run_ms: 1.0 }),
        1 => Just(Outcome::Stopped { why: String::new(), run_ms: 1.0 }),
        1 => Just(Outcome::Blocked { why: String::new() }),
    ]
}

fn form(number: u64) -> Form {
    Form { label: number.to_string(), kind: Kind::Number, default: Value::Number(0.0) }
}

/// Any operation on a small notebook, most of them sensible. Which evaluation is meant is put right when it is applied.
fn operation() -> impl Strategy<Value = Operation> {
    let evaluation = EvaluationId(0);
    let form = || (0..2_u64).prop_map(form);
    let input = || (0..2_u64).prop_map(|number| InputId(self::form(number).id()));
    let value = || prop_oneof![2 => (0..3_u32).prop_map(|n| Value::Number(n.into())), 1 => Just(Value::Flag(true))];
    prop_oneof![
        8 => structure().prop_map(Operation::from),
        6 => rare(),
        1 => Just(Operation::Undo),
        1 => Just(Operation::Redo),
        6 => proptest::collection::vec(cell(), 1..3).prop_map(|cells| Evaluation::Queue(cells).into()),
        1 => Just(Evaluation::QueueAll.into()),
        1 => Just(Evaluation::QueueStale.into()),
        1 => cell().prop_map(|cell| Evaluation::QueueFull { forced: vec![cell] }.into()),
        1 => section_id().prop_map(|section| Evaluation::QueueSection(section).into()),
        2 => cell().prop_map(|cell| Evaluation::Cancel(cell).into()),
        1 => Just(Evaluation::CancelAll.into()),
        1 => Just(Evaluation::EraseOutputs.into()),
        16 => (cell(), outcome())
            .prop_map(move |(cell, outcome)| Evaluation::Finished { cell, evaluation, outcome }.into()),
        1 => (cell(), form()).prop_map(move |(cell, form)| Input::Show { cell, evaluation, form }.into()),
        1 => (cell(), input()).prop_map(move |(cell, input)| Input::Read { cell, evaluation, input }.into()),
        1 => (input(), value()).prop_map(|(input, value)| Input::Set { input, value }.into()),
        3 => Just(Runtime::Connected(RuntimeId(0)).into()),
        1 => Just(Runtime::Down { runtime: RuntimeId(0), why: "test".into() }.into()),
        1 => Just(Runtime::Restart.into()),
        1 => any::<bool>().prop_map(|is_away| Runtime::Move(is_away.then(|| "shop@host".to_owned())).into()),
        1 => Just(Runtime::Connect.into()),
        1 => (0..3_u64).prop_map(|id| Client::Join { client: ClientId(id), visitor: Visitor { name: "somebody".into(), process: 1 } }.into()),
    ]
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(operation(), 0..60)
}

fn notebook() -> Live {
    let sections = [
        section("A", None, &SOURCES[..2]),
        section("Branch", Some(0), &SOURCES[2..3]),
        section("B", None, &SOURCES[3..6]),
    ];
    Live::offline(&format!("# N\n\n```rust\nlet s = 0;\n```\n\n{}", sections.concat()))
}

/// Applies what can be applied.
fn play(live: &mut Live, operations: Vec<Operation>) {
    for mut operation in operations {
        if let Operation::Evaluation(
            Evaluation::Finished { cell, evaluation, .. }
            | Evaluation::Output { cell, evaluation, .. }
            | Evaluation::Started { cell, evaluation, .. }
            | Evaluation::Examined { cell, evaluation }
            | Evaluation::NotYielding { cell, evaluation, .. },
        )
        | Operation::Input(Input::Show { cell, evaluation, .. } | Input::Read { cell, evaluation, .. }) =
            &mut operation
            && let Some(running) = live.data.info(*cell).and_then(|info| info.running.as_ref())
        {
            *evaluation = running.id;
        }
        if let Operation::Runtime(Runtime::Connected(runtime) | Runtime::Down { runtime, .. }) = &mut operation {
            *runtime = live.data.runtime().id;
        }
        let before = live.data.clone();
        if live.try_apply(operation).is_err() {
            assert_eq!(live.data, before, "what is refused changes nothing");
        }
        check_invariants(&live.data);
    }
}

/// What is true of every notebook at every moment.
fn check_invariants(data: &Data) {
    let document = data.document();
    let connected = data.runtime().status == RuntimeStatus::Connected;
    let mut flows = BTreeMap::new();
    for cell in document.cells() {
        let info = data.info(cell).expect("every cell is known");
        assert_eq!(info.status == Status::Queued, data.queued().contains(&cell));
        assert_eq!(info.status == Status::Evaluating, data.evaluating().contains(&cell));
        assert_eq!(info.status == Status::Evaluating, info.running.is_some());
        assert_eq!(info.record.is_some(), matches!(info.validity, Validity::Evaluated | Validity::Stale), "{info:?}");
        let section = document.section_of(cell).expect("it stands somewhere");
        if info.status == Status::Evaluating {
            assert!(connected);
            let running = flows.entry(section.head.parent.map(|_| section.head.id)).or_insert(0);
            *running += 1;
            assert_eq!(*running, 1, "a flow runs one cell at a time");
        }
    }
    assert!(data.queued().iter().chain(data.evaluating()).all(|id| document.runnable(*id).is_some()));
    if connected && !data.queued().is_empty() {
        let is_busy = !data.evaluating().is_empty() || !data.examined().is_empty();
        assert!(is_busy, "somebody runs while others wait, or their examples do");
    }
    for (place, section) in document.sections().iter().enumerate() {
        let parent = section.head.parent.and_then(|parent| document.section_place(parent));
        assert_eq!(parent.is_some(), section.head.parent.is_some(), "a parent is there");
        assert!(parent.is_none_or(|parent| parent <= place && parent > 0), "and above");
        let grandparent = parent.and_then(|parent| document.all_sections()[parent].head.parent);
        assert_eq!(grandparent, None, "and in the main flow");
    }
    assert!(data.bin().keys().all(|id| document.cell(*id).is_none()));
    for state in data.inputs().values() {
        assert!(state.shown_by.keys().all(|id| document.cell(*id).is_some()) && !state.shown_by.is_empty());
    }
}

/// The document and the bin, as they can be taken back.
fn saved(live: &Live) -> (String, Vec<CellId>) {
    (print(&live.data.document().to_notebook()), live.data.bin().keys().copied().collect())
}

/// Something as it comes back from another node.
fn over_a_wire<T: Message>(value: T) -> T {
    static NODES: OnceLock<(Node, Node)> = OnceLock::new();
    let (here, there) = NODES.get_or_init(|| {
        let network = MemoryNetwork::default();
        let cookie = Cookie::random();
        let start = |name: &str, port: u16| {
            let node = Node::builder().name(name).start().expect("a node");
            let cluster = Cluster::builder(&node).cookie(cookie.clone()).network(&network);
            (node, cluster.listen(([127, 0, 0, 1], port).into()).start().expect("it starts"))
        };
        let ((here, cluster), (there, _)) = (start("here@127.0.0.1", 1), start("there@127.0.0.1", 2));
        let address: std::net::SocketAddr = ([127, 0, 0, 1], 2).into();
        here.block_on(async move { cluster.connect(address).await }).expect("it is there");
        (here, there)
    });
    let echo = there.spawn(async {
        let (from, value): (Pid, T) = receive().await;
        send(from, value);
    });
    here.block_on(async move {
        send(echo, (self_pid(), value));
        receive::<T>().await
    })
}

proptest! {
    #[test]
    fn what_is_refused_changes_nothing(
        operations in proptest::collection::vec(prop_oneof![8 => operation(), 1 => inverse()], 0..60)
    ) {
        // It is checked after each of them.
        play(&mut notebook(), operations);
    }

    #[test]
    fn a_replayed_log_and_another_replica_come_to_the_same(operations in operations()) {
        let mut live = notebook();
        play(&mut live, operations);
        let (mut replica, mut actions) = (notebook(), Vec::new());
        let log = over_a_wire(live.log.clone());
        prop_assert_eq!(&log, &live.log);
        for (place, operation) in log.iter().enumerate() {
            if place == log.len() / 2 {
                // Somebody joins in another program.
                let joined = over_a_wire(replica.data.clone());
                prop_assert_eq!(&joined, &replica.data);
                replica.data = joined;
            }
            actions.extend(replica.data.apply(operation).expect("it was applied before"));
        }
        prop_assert_eq!(replica.data, live.data);
        prop_assert_eq!(actions, live.actions);
    }

    #[test]
    fn undoing_everything_gives_the_document_back_and_redoing_it_too(operations in operations()) {
        let mut live = notebook();
        let before = saved(&live);
        play(&mut live, operations);
        live.apply(Evaluation::CancelAll);
        while live.try_apply(Operation::Redo).is_ok() {}
        let after = saved(&live);
        let mut undone = 0;
        while live.try_apply(Operation::Undo).is_ok() {
            undone += 1;
            check_invariants(&live.data);
            live.apply(Evaluation::CancelAll);
        }
        prop_assert_eq!(saved(&live), before);
        for _ in 0..undone {
            live.apply(Operation::Redo);
        }
        prop_assert_eq!(saved(&live), after);
    }

    #[test]
    fn staleness_that_is_kept_up_to_date_is_that_of_a_fresh_look(operations in operations()) {
        let mut live = notebook();
        play(&mut live, operations);
        let before = live.show();
        // Moving a section looks at everything again.
        if let Some(section) = live.data.document().sections().first().map(|section| section.head.id) {
            live.apply(Structure::MoveSection { section, index: 0 });
        }
        prop_assert_eq!(live.show(), before);
    }
}
