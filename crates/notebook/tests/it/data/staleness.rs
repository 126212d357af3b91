//! Which cells are out of date after what.

use super::*;

/// `a`, then `b` of `a`, then something else, then something of `b`: all evaluated.
fn four() -> Live {
    let mut live = Live::cells(&["let a = 1;", "let b = a;", "let c = 3;", "let d = b;"]);
    live.evaluate(&[1, 2, 3, 4]);
    live.check("1: ok, 2: ok, 3: ok, 4: ok");
    live
}

#[test]
fn case_1_a_new_version_makes_users_and_their_users_stale_and_nobody_else() {
    let mut live = four();
    live.change(1, 2);
    live.check("1: ok, 2: stale, 3: ok, 4: stale");
}

#[test]
fn the_same_version_again_makes_nobody_stale() {
    let mut live = four();
    live.change(1, 2);
    // The second cell comes to the same value as before: who uses that need not run again.
    live.change(2, 1);
    live.check("1: ok, 2: ok, 3: ok, 4: ok");
}

#[test]
fn case_2_a_cell_that_may_use_anything_is_stale_when_anything_changes() {
    let mut live = Live::cells(&["let a = 1;", "let b = ;"]);
    live.evaluate(&[1]);
    live.queue(&[2]);
    live.fail(2);
    live.check("1: ok, 2: failed");
    live.change(1, 2);
    live.check("1: ok, 2: stale");
}

#[test]
fn case_3_deleting_a_cell_makes_its_users_stale_and_its_evaluation_is_forgotten() {
    let mut live = four();
    live.done();
    live.apply(Structure::DeleteCell(CellId(1)));
    live.check("2: stale, 3: ok, 4: stale");
    assert_eq!(live.done(), ["forget #1", "abandon 1"]);
}

#[test]
fn case_4_prose_comes_and_goes_without_anybody_noticing() {
    let first = section("A", None, &["let a = 1;"]) + "Some prose.\n\n";
    let mut live = Live::of(&[first, section("B", None, &["let b = a;"])]);
    live.evaluate(&[1, 3]);
    live.apply(Structure::MoveCell { cell: CellId(2), section: SectionId(2), index: 0 });
    live.apply(Structure::DeleteCell(CellId(2)));
    live.check("1: ok, 3: ok");
}

#[test]
fn case_5_a_cell_that_is_moved_away_and_back_is_as_it_was() {
    let mut live = four();
    live.apply(Structure::MoveCell { cell: CellId(1), section: SectionId(1), index: 3 });
    live.check("2: stale, 3: ok, 4: stale, 1: ok");
    live.apply(Structure::MoveCell { cell: CellId(1), section: SectionId(1), index: 0 });
    live.check("1: ok, 2: ok, 3: ok, 4: ok");
}

#[test]
fn case_6_a_definer_that_moves_between_a_name_and_its_user_makes_that_stale() {
    let mut live = Live::cells(&["let a = 1;", "let b = a;", "let a = 3;", "let d = ;"]);
    live.queue(&[1, 2, 3, 4]);
    live.succeed(1, 1);
    live.succeed(2, 2);
    live.succeed(3, 3);
    live.fail(4);
    live.apply(Structure::MoveCell { cell: CellId(3), section: SectionId(1), index: 1 });
    // The last one may use the second.
    live.check("1: ok, 3: ok, 2: stale, 4: stale");
    live.apply(Structure::MoveCell { cell: CellId(3), section: SectionId(1), index: 3 });
    live.check("1: ok, 2: ok, 4: stale, 3: ok");
}

#[test]
fn the_names_in_format_strings_and_macros_count() {
    let mut live = Live::cells(&["let a = 1;", "println!(\"{a}\");", "some_macro!(a => b)", "println!(\"a\");"]);
    live.evaluate(&[1, 2, 3, 4]);
    live.change(1, 2);
    live.check("1: ok, 2: stale, 3: stale, 4: ok");
}

#[test]
fn a_type_that_changes_makes_those_stale_that_name_it_or_hold_values_of_it() {
    let mut live = Live::cells(&["struct P;", "let p = P;", "let q = &p;", "1"]);
    live.evaluate(&[1, 2, 3, 4]);
    live.change(1, 2);
    live.check("1: ok, 2: stale, 3: stale, 4: ok");
    live.change(2, 2);
    live.check("1: ok, 2: ok, 3: stale, 4: ok");
}

#[test]
fn a_trait_is_used_without_being_named() {
    let mut live = Live::cells(&["trait T { fn t(&self) {} }\nimpl T for u8 {}", "1_u8.t()"]);
    live.evaluate(&[1, 2]);
    live.change(1, 2);
    live.check("1: ok, 2: stale");
}

#[test]
fn a_text_that_is_edited_makes_nobody_stale_but_is_known_to_have_changed() {
    let mut live = four();
    live.write(1, "let a = 2;");
    live.check("1: ok, 2: ok, 3: ok, 4: ok");
    let is_outdated = |live: &Live| live.data.info(CellId(1)).is_some_and(|info| info.is_outdated());
    assert!(is_outdated(&live));
    live.write(1, "let a = 1;");
    assert!(!is_outdated(&live));
}

/// A cell that shows an input, one that reads it, one that uses what that defines.
fn with_input() -> Live {
    let mut live = Live::cells(&["show()", "let b = 2;", "let c = b;", "let d = 4;"]);
    live.queue(&[1, 2, 3, 4]);
    show_input(&mut live);
    live.succeed(1, 1);
    let evaluation = live.running(2);
    for _ in 0..2 {
        live.apply(Input::Read { cell: CellId(2), evaluation, input: number_input() });
    }
    live
}

fn show_input(live: &mut Live) {
    let evaluation = live.running(1);
    live.apply(Input::Show { cell: CellId(1), evaluation, form: form() });
}

/// A number that is 1 as long as nobody has set it.
fn form() -> Form {
    Form { label: "N".into(), kind: Kind::Number, default: Value::Number(1.0) }
}

fn number_input() -> InputId {
    InputId(form().id())
}

#[test]
fn case_7_an_input_that_is_set_makes_its_readers_stale_and_their_users() {
    let mut live = with_input();
    live.settle();
    live.apply(Input::Set { input: number_input(), value: Value::Number(2.0) });
    live.check("1: ok, 2: stale, 3: stale, 4: ok");
    live.apply(Input::Set { input: number_input(), value: Value::Number(1.0) });
    live.check("1: ok, 2: ok, 3: ok, 4: ok");
}

#[test]
fn case_8_an_input_that_is_set_during_an_evaluation_makes_it_stale_at_its_end() {
    let mut live = with_input();
    live.apply(Input::Set { input: number_input(), value: Value::Number(2.0) });
    live.check("1: ok, 2: fresh evaluating, 3: fresh queued, 4: fresh queued");
    live.succeed(2, 1);
    live.check("1: ok, 2: stale, 3: fresh evaluating, 4: fresh queued");
}

#[test]
fn case_9_deleting_the_cell_that_shows_an_input_makes_its_readers_stale_and_the_value_goes() {
    let mut live = with_input();
    live.settle();
    live.apply(Structure::DeleteCell(CellId(1)));
    live.check("2: stale, 3: stale, 4: ok");
    assert!(live.data.inputs().is_empty());
    let set = Input::Set { input: number_input(), value: Value::Number(2.0) };
    assert_eq!(live.try_apply(set), Err(Refusal::NoSuchInput(number_input())));
}

#[test]
fn an_input_that_is_shown_again_keeps_its_value_and_one_that_is_not_goes() {
    let mut live = with_input();
    live.settle();
    live.apply(Input::Set { input: number_input(), value: Value::Number(2.0) });
    live.queue(&[1]);
    show_input(&mut live);
    live.succeed(1, 1);
    assert_eq!(live.data.inputs()[&number_input()].value, Value::Number(2.0));
    live.change(1, 1);
    assert!(live.data.inputs().is_empty());
}

#[test]
fn case_11_a_branch_that_moves_invalidates_nothing_and_one_that_goes_only_itself() {
    let mut live = Live::of(&[
        section("A", None, &["let a = 1;"]),
        section("Branch", Some(0), &["let b = a;"]),
        section("B", None, &["let c = a;"]),
    ]);
    live.evaluate(&[1, 2, 3]);
    live.apply(Structure::MoveSection { section: SectionId(2), index: 2 });
    live.check("1: ok, 3: ok, 2: ok");
    live.apply(Structure::SetParent { section: SectionId(2), parent: None });
    live.check("1: ok, 3: ok, 2: ok");
    live.apply(Structure::MoveSection { section: SectionId(2), index: 0 });
    live.check("2: stale, 1: ok, 3: ok");
    live.apply(Structure::DeleteSection { section: SectionId(1), cells: CellsOfDeleted::Bin });
    live.check("2: stale, 3: stale");
}

#[test]
fn what_the_main_flow_adds_later_is_nothing_to_a_branch() {
    let mut live = Live::of(&[
        section("A", None, &["let a = 1;"]),
        section("B", None, &["let a = 2;"]),
        section("Branch of A", Some(0), &["let b = a;"]),
        section("C", None, &["let c = a;"]),
    ]);
    live.evaluate(&[1, 2, 3, 4]);
    live.change(2, 2);
    live.check("1: ok, 2: ok, 3: ok, 4: stale");
    live.change(1, 3);
    live.check("1: ok, 2: ok, 3: stale, 4: stale");
}

#[test]
fn the_last_value_above_and_that_of_a_number_are_names_like_others() {
    let mut live = Live::cells(&["1 + 1", "2 + 2", "it + v(1)", "v(-1)"]);
    live.evaluate(&[1, 2, 3, 4]);
    live.check("1: ok, 2: ok, 3: ok, 4: ok");
    live.change(1, 2);
    live.check("1: ok, 2: ok, 3: stale, 4: stale");
    live.evaluate(&[3, 4]);
    live.change(2, 2);
    live.check("1: ok, 2: ok, 3: stale, 4: stale");
}

#[test]
fn a_number_means_another_cell_when_one_comes_or_goes_above() {
    let mut live = Live::cells(&["1 + 1", "2 + 2", "v(1)"]);
    live.change(1, 1);
    live.change(2, 2);
    live.evaluate(&[3]);
    live.check("1: ok, 2: ok, 3: ok");
    live.apply(Structure::DeleteCell(CellId(1)));
    live.check("2: ok, 3: stale");
    live.apply(Operation::Undo);
    live.check("1: fresh, 2: ok, 3: stale");
}

#[test]
fn an_input_has_no_value_that_it_does_not_take() {
    let mut live = with_input();
    live.settle();
    let set = Input::Set { input: number_input(), value: Value::Text("one".into()) };
    assert_eq!(live.try_apply(set), Err(Refusal::NoSuchValue("the input `N` takes a number".into())));
    live.check("1: ok, 2: ok, 3: ok, 4: ok");
}

#[test]
fn all_of_an_evaluation_sees_an_input_as_it_was_when_that_began() {
    let mut live = with_input();
    let evaluation = live.running(2);
    live.apply(Input::Set { input: number_input(), value: Value::Number(2.0) });
    assert_eq!(live.data.input_of(CellId(2), evaluation, number_input()), Some(&Value::Number(1.0)));
    live.settle();
    live.queue(&[2]);
    let again = live.running(2);
    live.apply(Input::Read { cell: CellId(2), evaluation: again, input: number_input() });
    assert_eq!(live.data.input_of(CellId(2), again, number_input()), Some(&Value::Number(2.0)));
    assert_eq!(live.data.input_of(CellId(2), evaluation, number_input()), None);
}

#[test]
fn a_cell_that_shows_an_input_and_reads_it_is_up_to_date_afterwards() {
    let mut live = Live::cells(&["show_and_read()"]);
    live.queue(&[1]);
    show_input(&mut live);
    let evaluation = live.running(1);
    live.apply(Input::Read { cell: CellId(1), evaluation, input: number_input() });
    live.succeed(1, 1);
    live.check("1: ok");
    live.apply(Input::Set { input: number_input(), value: Value::Number(2.0) });
    live.check("1: stale");
}
