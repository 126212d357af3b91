//! Who waits, who runs, who is taken out of the queue.

use super::*;

fn branches() -> Live {
    Live::of(&[
        section("A", None, &["let a = 1;", "let b = 2;"]),
        section("Branch", Some(0), &["let c = a;", "let d = c;"]),
        section("B", None, &["let e = 5;"]),
    ])
}

#[test]
fn case_12_outdated_cells_above_are_queued_and_others_are_not() {
    let mut live = Live::cells(&["let a = 1;", "let b = 2;", "let c = b;", "let d = 4;"]);
    live.evaluate(&[1, 2, 3]);
    live.change(2, 2);
    live.apply(Evaluation::Forget(CellId(1)));
    live.check("1: fresh, 2: ok, 3: stale, 4: fresh");
    live.queue(&[4]);
    live.check("1: fresh evaluating, 2: ok, 3: stale queued, 4: fresh queued");
}

#[test]
fn the_main_flow_runs_one_cell_at_a_time_in_the_order_of_the_document() {
    let mut live = Live::cells(&["1", "2", "3"]);
    live.queue(&[3]);
    live.queue(&[2]);
    live.check("1: fresh evaluating, 2: fresh queued, 3: fresh queued");
    live.succeed(1, 1);
    live.check("1: ok, 2: fresh evaluating, 3: fresh queued");
}

#[test]
fn case_18_a_branch_goes_on_while_the_main_flow_evaluates() {
    let mut live = branches();
    live.evaluate(&[1, 2, 3]);
    live.queue(&[4, 5]);
    live.check("1: ok, 2: ok, 3: ok, 4: fresh evaluating, 5: fresh evaluating");
}

#[test]
fn a_branch_waits_for_the_cells_that_it_stands_on_and_for_no_others() {
    let mut live = branches();
    live.queue(&[3, 5]);
    live.check("1: fresh evaluating, 2: fresh queued, 3: fresh queued, 4: fresh, 5: fresh queued");
    live.succeed(1, 1);
    live.succeed(2, 1);
    live.check("1: ok, 2: ok, 3: fresh evaluating, 4: fresh, 5: fresh evaluating");
    let expected = ["1 in 0 on []", "2 in 0 on []", "5 in 0 on []", "3 in 2 on [1]"];
    assert_eq!(live.done(), expected.map(|cell| format!("evaluate {cell}")));
}

#[test]
fn case_19_the_main_flow_runs_while_only_a_branch_does() {
    let mut live = branches();
    live.evaluate(&[1, 2]);
    live.queue(&[3]);
    live.queue(&[2]);
    live.check("1: ok, 2: ok evaluating, 3: fresh evaluating, 4: fresh, 5: fresh");
}

#[test]
fn case_20_what_cannot_be_queued_is_refused() {
    let mut live = Live::offline("# N\n\n## S\n\nProse.\n\n```elixir\n1\n```\n\n```rust\n1\n```\n");
    let queue =
        |live: &mut Live, ids: &[u64]| live.try_apply(Evaluation::Queue(ids.iter().copied().map(CellId).collect()));
    assert_eq!(queue(&mut live, &[]), Err(Refusal::NoCells));
    assert_eq!(queue(&mut live, &[1]), Err(Refusal::NotCode(CellId(1))));
    assert_eq!(queue(&mut live, &[2]), Err(Refusal::NotRust(CellId(2), Language::Elixir)));
    assert_eq!(queue(&mut live, &[3, 9]), Err(Refusal::NoSuchCell(CellId(9))));
    live.check("1: fresh, 2: fresh, 3: fresh");
    assert_eq!(queue(&mut live, &[3]), Ok(()));
    live.connected();
    assert_eq!(queue(&mut live, &[3]), Err(Refusal::Evaluating(CellId(3))));
}

#[test]
fn case_21_the_first_cell_starts_the_runtime_and_waits_for_it() {
    let mut live = Live::offline("# N\n\n## S\n\n```rust\n1\n```\n\n```rust\n2\n```\n");
    live.queue(&[1]);
    assert_eq!(live.done(), ["connect"]);
    live.queue(&[2]);
    assert_eq!(live.done(), [] as [&str; 0]);
    live.check("1: fresh queued, 2: fresh queued");
    live.connected();
    assert_eq!(live.done(), ["evaluate 1 in 0 on []"]);
}

#[test]
fn case_22_a_setup_that_is_evaluated_again_gets_a_new_runtime() {
    let text = "# N\n\n```rust\nlet s = 0;\n```\n\n## S\n\n```rust\nlet a = s;\n```\n\n```rust\n2\n```\n";
    let mut live = Live::offline(text);
    live.queue(&[1, 2]);
    live.connected();
    live.settle();
    live.queue(&[3]);
    live.done();
    live.queue(&[1]);
    live.check("1: aborted queued, 2: aborted, 3: aborted queued");
    assert_eq!(live.done(), ["disconnect", "connect"]);
    live.connected();
    assert_eq!(live.done(), ["forget #1", "evaluate 1 in 0 on []"]);
}

#[test]
fn a_manifest_that_has_changed_gets_a_new_runtime() {
    let text = "# N\n\n```toml\n[dependencies]\n```\n\n## S\n\n```rust\n1\n```\n\n```rust\n2\n```\n";
    let mut live = Live::offline(text);
    live.queue(&[2]);
    live.connected();
    live.settle();
    live.done();
    live.write(1, "[dependencies]\nrand = \"0.9\"");
    live.check("1: fresh, 2: ok, 3: fresh");
    live.queue(&[3]);
    assert_eq!(live.done(), ["disconnect", "connect"]);
    live.check("1: fresh, 2: aborted, 3: fresh queued");
}

#[test]
fn case_24_cancelling_in_a_branch_leaves_the_main_flow_alone() {
    let mut live = branches();
    live.evaluate(&[1, 2]);
    live.queue(&[3, 4, 5]);
    live.done();
    live.apply(Evaluation::Cancel(CellId(3)));
    live.check("1: ok, 2: ok, 3: aborted, 4: fresh, 5: fresh evaluating");
    assert_eq!(live.done(), ["stop 3"]);
}

#[test]
fn case_25_who_is_cancelled_takes_those_along_that_would_use_its_names() {
    let mut live = Live::cells(&["1", "let b = 2;", "let c = b;", "let d = 4;", "c + d"]);
    live.queue(&[1, 2, 3, 4, 5]);
    live.apply(Evaluation::Cancel(CellId(2)));
    live.check("1: fresh evaluating, 2: fresh, 3: fresh, 4: fresh queued, 5: fresh");
    assert_eq!(live.try_apply(Evaluation::Cancel(CellId(2))), Err(Refusal::NotQueued(CellId(2))));
}

#[test]
fn a_cell_that_is_stopped_leaves_the_values_of_all_others() {
    let mut live = Live::cells(&["let a = 1;", "let b = a;", "let c = 3;"]);
    live.evaluate(&[1, 2, 3]);
    live.done();
    live.queue(&[1]);
    live.apply(Evaluation::Cancel(CellId(1)));
    live.check("1: aborted, 2: stale, 3: ok");
    assert_eq!(live.done(), ["forget #1", "evaluate 1 in 0 on []", "stop 1"]);
    // Its last words come too late to change anything.
    let late = Outcome::Stopped { why: String::new(), run_ms: 1.0 };
    live.apply(Evaluation::Finished { cell: CellId(1), evaluation: EvaluationId(4), outcome: late });
    live.check("1: aborted, 2: stale, 3: ok");
}

#[test]
fn cancel_all_empties_the_queues() {
    let mut live = branches();
    live.evaluate(&[1, 2]);
    live.queue(&[3, 4, 5]);
    live.apply(Evaluation::CancelAll);
    live.check("1: ok, 2: ok, 3: aborted, 4: fresh, 5: aborted");
}

#[test]
fn case_26_deleting_a_cell_that_runs_stops_it() {
    let mut live = Live::cells(&["1", "2"]);
    live.queue(&[1, 2]);
    live.done();
    live.apply(Structure::DeleteCell(CellId(1)));
    assert_eq!(live.done(), ["stop 1", "abandon 1", "evaluate 2 in 0 on []"]);
}

#[test]
fn case_27_a_cell_that_runs_stays_in_its_section() {
    let mut live = branches();
    live.queue(&[1]);
    let away = Structure::MoveCell { cell: CellId(1), section: SectionId(3), index: 0 };
    assert_eq!(live.try_apply(away), Err(Refusal::Evaluating(CellId(1))));
    live.apply(Structure::MoveCell { cell: CellId(1), section: SectionId(1), index: 1 });
    live.check("2: fresh, 1: fresh evaluating, 3: fresh, 4: fresh, 5: fresh");
}

#[test]
fn who_is_taken_out_of_the_queue_knows_for_want_of_what() {
    let mut live = Live::cells(&["let a = 1;", "let b = a;", "b", "let a = 4;", "a"]);
    live.queue(&[1, 2, 3, 4, 5]);
    live.fail(1);
    live.check("1: failed, 2: fresh, 3: fresh, 4: fresh evaluating, 5: fresh queued");
    let blocked = |number| live.data.info(CellId(number)).and_then(|info| info.blocked.clone());
    assert_eq!(blocked(2), Some((Arc::from("a"), CellId(1))));
    assert_eq!(blocked(3), Some((Arc::from("b"), CellId(2))));
}
