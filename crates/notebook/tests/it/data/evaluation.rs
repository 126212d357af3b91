//! What comes of evaluations, failures, and the end of the runtime.

use greenroom_notebook::event::{FrameState, Output, OutputKind};
use greenroom_notebook::livemd::CodeAttributes;
use greenroom_notebook::session::data::RuntimeStatus;
use greenroom_notebook::session::operation::{File, Usage};

use super::*;

fn output(live: &Live, number: u64, text: &str) -> Operation {
    let output = Output::new(OutputKind::Text, text);
    Evaluation::Output { cell: CellId(number), evaluation: live.running(number), output }.into()
}

/// A live frame shows a text.
fn frame(live: &Live, number: u64, text: &str) -> Operation {
    let outputs = vec![Output::new(OutputKind::Text, text)];
    let output = Output::frame(FrameState { id: "<0.1.0>".to_owned(), live: true, outputs });
    Evaluation::Output { cell: CellId(number), evaluation: live.running(number), output }.into()
}

/// What the frames of a cell show, and whether they may still change.
fn frames(live: &Live, number: u64) -> Vec<(String, bool)> {
    let info = live.data.info(CellId(number)).expect("it is there");
    let state = |output: &Output| Some((output.text.clone(), output.frame.as_ref()?.live));
    info.outputs.iter().filter_map(state).collect()
}

#[test]
fn a_frame_keeps_its_place_and_freezes_with_the_processes_of_its_cell() {
    let mut live = Live::cells(&["1", "2", "3"]);
    let shows = |text: &str, is_live| [(format!("{text}\n"), is_live)];
    live.queue(&[1]);
    live.apply(frame(&live, 1, "first"));
    live.apply(output(&live, 1, "below"));
    live.apply(frame(&live, 1, "second"));
    assert_eq!(frames(&live, 1), shows("second", true));
    let late = frame(&live, 1, "last");
    live.apply(Evaluation::Cancel(CellId(1)));
    assert_eq!(frames(&live, 1), shows("second", false));
    // It was on its way.
    live.apply(late);
    assert_eq!(frames(&live, 1), shows("last", false));
    live.queue(&[2]);
    let late = frame(&live, 2, "after its cell");
    live.succeed(2, 1);
    live.apply(late);
    assert_eq!(frames(&live, 2), shows("after its cell", true));
    live.queue(&[3]);
    live.apply(frame(&live, 3, "running"));
    live.down("killed");
    assert_eq!(
        (frames(&live, 2), frames(&live, 3)),
        (shows("after its cell", false).to_vec(), shows("running", false).to_vec())
    );
}

fn set(live: &mut Live, number: u64, attributes: CodeAttributes) {
    live.apply(Structure::SetCodeAttributes { cell: CellId(number), attributes: Box::new(attributes) });
}

fn automatic() -> CodeAttributes {
    CodeAttributes { reevaluate_automatically: true, ..CodeAttributes::default() }
}

#[test]
fn case_14_a_failure_takes_its_users_out_of_the_queue_unless_they_are_to_go_on() {
    let cells = ["let a = 1;", "let b = a;", "let c = b;", "let d = a;"];
    let mut live = Live::cells(&cells);
    live.queue(&[1, 2, 3, 4]);
    live.fail(1);
    live.check("1: failed, 2: fresh, 3: fresh, 4: fresh");
    let mut live = Live::cells(&cells);
    set(&mut live, 1, CodeAttributes { continue_on_error: true, ..CodeAttributes::default() });
    live.queue(&[1, 2, 3, 4]);
    live.fail(1);
    live.check("1: failed, 2: fresh evaluating, 3: fresh queued, 4: fresh queued");
}

#[test]
fn a_failure_leaves_those_alone_that_do_not_use_its_names() {
    let mut live = Live::cells(&["let a = 1;", "let b = 2;", "a + b", "b"]);
    live.queue(&[1, 2, 3, 4]);
    live.fail(1);
    live.check("1: failed, 2: fresh evaluating, 3: fresh, 4: fresh queued");
}

#[test]
fn case_15_an_automatic_cell_runs_when_it_is_stale_and_not_when_it_is_fresh() {
    let mut live = Live::cells(&["let a = 1;", "let b = a;", "let c = b;", "let d = a;"]);
    set(&mut live, 3, automatic());
    set(&mut live, 4, automatic());
    live.evaluate(&[1, 2, 3]);
    live.check("1: ok, 2: ok, 3: ok, 4: fresh");
    live.change(1, 2);
    // The one between has to come first.
    live.check("1: ok, 2: stale evaluating, 3: stale queued, 4: fresh");
    live.succeed(2, 2);
    live.succeed(3, 2);
    live.check("1: ok, 2: ok, 3: ok, 4: fresh");
}

#[test]
fn case_16_an_automatic_cell_waits_until_what_it_stands_on_is_mended() {
    let mut live = Live::cells(&["let a = 1;", "a"]);
    set(&mut live, 2, automatic());
    live.evaluate(&[1, 2]);
    live.queue(&[1]);
    live.fail(1);
    live.check("1: failed, 2: stale");
    live.change(1, 2);
    live.check("1: ok, 2: stale evaluating");
}

#[test]
fn case_29_without_its_runtime_what_was_evaluated_is_aborted_and_its_outputs_stay() {
    let mut live = Live::cells(&["let a = 1;", "let b = a;", "3"]);
    live.evaluate(&[1]);
    live.queue(&[2, 3]);
    live.apply(output(&live, 2, "said"));
    let mut other = live.clone();
    live.down("segmentation fault");
    live.check("1: aborted, 2: aborted, 3: fresh");
    assert_eq!(live.data.runtime().status, RuntimeStatus::Disconnected);
    assert_eq!(live.data.info(CellId(2)).map(|info| info.outputs.len()), Some(1));
    // Only what is asked for is evaluated again, and what that needs.
    live.queue(&[3]);
    live.connected();
    live.check("1: aborted, 2: aborted, 3: fresh evaluating");
    other.apply(Runtime::Disconnect);
    other.check("1: aborted, 2: aborted, 3: fresh");
    other.queue(&[2]);
    other.check("1: aborted queued, 2: aborted queued, 3: fresh");
}

#[test]
fn the_cell_that_took_the_runtime_along_is_not_tried_again_for_others() {
    let mut live = Live::cells(&["let a = 1;", "let b = a;", "b"]);
    live.queue(&[1, 2]);
    live.succeed(1, 1);
    live.down("abort");
    live.queue(&[3]);
    live.check("1: aborted, 2: aborted, 3: fresh queued");
    live.apply(Runtime::Disconnect);
    live.write(2, "let b = 2;");
    live.queue(&[3]);
    live.check("1: aborted, 2: aborted queued, 3: fresh queued");
}

#[test]
fn a_runtime_that_does_not_start_empties_the_queue_and_says_why() {
    let mut live = Live::offline("# N\n\n## S\n\n```rust\n1\n```\n");
    live.queue(&[1]);
    let runtime = live.data.runtime().id;
    live.apply(Runtime::Failed { runtime, why: "no such program".to_owned() });
    live.check("1: fresh");
    assert_eq!(live.data.runtime().trouble.as_deref(), Some("no such program"));
    assert_eq!(live.try_apply(Runtime::Connected(runtime)), Err(Refusal::NoRuntime));
}

#[test]
fn a_runtime_is_restarted_and_reports_what_it_uses() {
    let mut live = Live::cells(&["1"]);
    live.evaluate(&[1]);
    live.done();
    let usage = Usage { memory: 1, processes: 2 };
    live.apply(Runtime::Usage(usage));
    assert_eq!(live.data.runtime().usage, usage);
    live.apply(Runtime::Restart);
    assert_eq!(live.done(), ["disconnect", "connect"]);
    live.check("1: aborted");
    assert_eq!(live.try_apply(Runtime::Connect), Err(Refusal::HasRuntime));
}

#[test]
fn cells_move_to_a_node_and_back_and_have_no_values_there() {
    let mut live = Live::cells(&["1", "2"]);
    live.evaluate(&[1, 2]);
    live.done();
    let old = live.data.runtime().id;
    live.apply(Runtime::Move(Some("shop@host".to_owned())));
    assert_eq!(live.done(), ["disconnect", "connect"]);
    live.check("1: aborted, 2: aborted");
    // What the runtime before still has to say is of no interest.
    assert_eq!(live.try_apply(Runtime::Connected(old)), Err(Refusal::OtherRuntime(old)));
    live.connected();
    // It stays there: when it is begun anew, and when it has died.
    live.apply(Runtime::Restart);
    live.connected();
    live.down("gone");
    live.queue(&[1]);
    assert_eq!(live.data.runtime().node.as_deref(), Some("shop@host"));
    live.done();
    live.apply(Runtime::Disconnect);
    live.done();
    live.apply(Runtime::Move(None));
    assert_eq!((live.done(), &live.data.runtime().node), (vec!["connect".to_owned()], &None));
}

#[test]
fn case_30_without_outputs_everything_is_fresh() {
    let mut live = Live::cells(&["1", "2"]);
    live.evaluate(&[1, 2]);
    live.apply(Evaluation::EraseOutputs);
    live.check("1: fresh, 2: fresh");
}

#[test]
fn case_31_a_full_evaluation_takes_the_outdated_the_forced_and_their_users() {
    let mut live = Live::cells(&["let a = 1;", "let b = a;", "let c = 3;", "let d = b;", "5", "6"]);
    live.evaluate(&[1, 2, 3, 4, 5]);
    live.apply(Evaluation::QueueFull { forced: vec![CellId(1)] });
    live.check("1: ok evaluating, 2: ok queued, 3: ok, 4: ok queued, 5: ok, 6: fresh queued");
}

#[test]
fn case_31_with_an_outdated_setup_a_full_evaluation_takes_everything() {
    let text = "# N\n\n```toml\n[dependencies]\n```\n\n## S\n\n```rust\n1\n```\n\n```rust\n2\n```\n";
    let mut live = Live::offline(text);
    live.queue(&[2, 3]);
    live.connected();
    live.settle();
    live.write(1, "[dependencies]\nrand = \"0.9\"");
    live.apply(Evaluation::QueueFull { forced: Vec::new() });
    live.check("1: fresh, 2: aborted queued, 3: aborted queued");
}

#[test]
fn case_32_what_is_stale_is_evaluated_down_to_the_first_fresh_cell_of_each_flow() {
    let mut live = Live::of(&[
        section("A", None, &["let a = 1;", "let b = a;"]),
        section("Branch", Some(0), &["let e = a;", "6", "let f = a;"]),
        section("B", None, &["3", "let d = a;"]),
    ]);
    live.evaluate(&[1, 2, 3, 4, 5, 6, 7]);
    live.apply(Evaluation::Forget(CellId(4)));
    live.apply(Evaluation::Forget(CellId(6)));
    live.change(1, 2);
    live.check("1: ok, 2: stale, 3: stale, 4: fresh, 5: stale, 6: fresh, 7: stale");
    live.apply(Evaluation::QueueStale);
    live.check("1: ok, 2: stale evaluating, 3: stale queued, 4: fresh, 5: stale, 6: fresh, 7: stale");
}

#[test]
fn case_58_text_is_joined_and_bounded() {
    let mut live = Live::cells(&["1"]);
    live.queue(&[1]);
    live.apply(output(&live, 1, "Hola"));
    live.apply(output(&live, 1, " amigo!"));
    let text = |live: &Live| live.data.info(CellId(1)).map(|info| info.outputs[0].text.clone()).unwrap_or_default();
    assert_eq!(text(&live), "Hola amigo!");
    for _ in 0..10 {
        live.apply(output(&live, 1, &"é".repeat(500_000)));
    }
    assert!(text(&live).len() < 3_000_000 && text(&live).starts_with("… "), "{}", text(&live).len());
}

#[test]
fn what_belongs_to_an_earlier_evaluation_is_refused() {
    let mut live = Live::cells(&["1"]);
    live.queue(&[1]);
    let early = output(&live, 1, "early");
    live.succeed(1, 1);
    live.apply(early.clone());
    live.queue(&[1]);
    assert_eq!(live.try_apply(early), Err(Refusal::Outdated(CellId(1))));
}

#[test]
fn a_cell_that_does_not_yield_is_marked_until_it_ends() {
    let mut live = Live::cells(&["loop {}"]);
    live.queue(&[1]);
    let evaluation = live.running(1);
    live.apply(Evaluation::NotYielding { cell: CellId(1), evaluation, for_ms: 3200 });
    assert_eq!(live.data.info(CellId(1)).and_then(|info| info.not_yielding_ms), Some(3200));
    live.apply(Runtime::Restart);
    assert_eq!(live.data.info(CellId(1)).and_then(|info| info.not_yielding_ms), None);
    live.check("1: aborted");
}

#[test]
fn a_change_right_after_a_save_that_saw_a_cell_begin_is_not_taken_for_saved() {
    let mut live = Live::offline("<!-- livebook:{\"persist_outputs\":true} -->\n\n# N\n\n## S\n\n```rust\n1\n```\n");
    live.apply(Runtime::Connect);
    live.connected();
    live.queue(&[1]);
    live.apply(File::Saved { revision: live.data.document_revision() });
    let document_revision = live.data.document_revision();
    assert!(document_revision <= live.data.revision(), "nothing has changed in the future");
    live.write(1, "2");
    assert!(live.data.is_dirty());
}
