//! Sections, cells, texts, the bin, and the way back.

use greenroom_notebook::livemd::print;
use greenroom_notebook::session::operation::File;

use super::*;

fn three() -> Live {
    Live::of(&[section("A", None, &["1", "2"]), section("Branch", Some(0), &["3"]), section("B", None, &["4"])])
}

fn document(live: &Live) -> String {
    print(&live.data.document().to_notebook())
}

fn head(id: u64, parent: Option<u64>) -> SectionHead {
    let parent = parent.map(SectionId);
    SectionHead { id: SectionId(id), name: format!("New {id}"), parent, metadata: BTreeMap::new() }
}

#[test]
fn every_change_can_be_undone_and_done_again() {
    let mut live = three();
    // Changes, takes back, does again: what comes of it is the order of the cells.
    let mut check = |change: Structure, expected: &[u64]| {
        let before = document(&live);
        live.apply(change);
        let after = document(&live);
        live.apply(Operation::Undo);
        assert_eq!(document(&live), before);
        live.apply(Operation::Redo);
        assert_eq!(document(&live), after);
        assert!(live.data.document().cells().eq(expected.iter().copied().map(CellId)), "{}", live.show());
    };
    let (new, branch, last) = (CellId(9), SectionId(2), SectionId(3));
    check(Structure::Rename("M".into()), &[1, 2, 3, 4]);
    check(Structure::RenameSection { section: SectionId(1), name: "AA".into() }, &[1, 2, 3, 4]);
    check(Structure::InsertSection { index: 1, section: head(9, Some(1)) }, &[1, 2, 3, 4]);
    check(Structure::InsertCell { section: SectionId(9), index: 0, id: new, cell: code("9") }, &[1, 2, 9, 3, 4]);
    check(Structure::Edit { cell: new, at: 1, removed: 0, inserted: " + 1".into() }, &[1, 2, 9, 3, 4]);
    check(Structure::Replace { cell: new, content: code("other") }, &[1, 2, 9, 3, 4]);
    check(Structure::MoveCell { cell: new, section: SectionId(1), index: 1 }, &[1, 9, 2, 3, 4]);
    check(Structure::MoveSection { section: branch, index: 3 }, &[1, 9, 2, 4, 3]);
    check(Structure::DeleteCell(new), &[1, 2, 4, 3]);
    check(Structure::SetParent { section: branch, parent: None }, &[1, 2, 4, 3]);
    check(Structure::DeleteSection { section: branch, cells: CellsOfDeleted::Previous }, &[1, 2, 4, 3]);
    check(Structure::DeleteSection { section: last, cells: CellsOfDeleted::Bin }, &[1, 2]);
    check(Structure::RestoreCell(new), &[1, 9, 2]);
}

#[test]
fn a_new_change_ends_the_way_forth() {
    let mut live = three();
    assert_eq!(live.try_apply(Operation::Undo), Err(Refusal::NoHistory));
    live.apply(Structure::Rename("X".into()));
    live.apply(Operation::Undo);
    live.apply(Structure::Rename("Y".into()));
    assert_eq!(live.try_apply(Operation::Redo), Err(Refusal::NoHistory));
}

#[test]
fn an_undo_that_an_evaluation_stands_in_the_way_of_changes_nothing() {
    let mut live = three();
    live.apply(Structure::DeleteSection { section: SectionId(2), cells: CellsOfDeleted::Previous });
    live.queue(&[3]);
    live.succeed(1, 1);
    live.succeed(2, 1);
    let before = document(&live);
    assert_eq!(live.try_apply(Operation::Undo), Err(Refusal::Evaluating(CellId(3))));
    assert_eq!(document(&live), before);
    live.succeed(3, 1);
    live.apply(Operation::Undo);
    live.check("1: ok, 2: ok, 3: ok, 4: fresh");
}

#[test]
fn case_34_a_deleted_cell_comes_back_to_where_it_was_or_to_the_end() {
    let mut live = three();
    live.apply(Structure::DeleteCell(CellId(1)));
    live.apply(Structure::RestoreCell(CellId(1)));
    live.check("1: fresh, 2: fresh, 3: fresh, 4: fresh");
    live.apply(Structure::DeleteSection { section: SectionId(2), cells: CellsOfDeleted::Bin });
    live.apply(Structure::RestoreCell(CellId(3)));
    live.check("1: fresh, 2: fresh, 4: fresh, 3: fresh");
    for section in [1, 3] {
        live.apply(Structure::DeleteSection { section: SectionId(section), cells: CellsOfDeleted::Bin });
    }
    assert_eq!(live.try_apply(Structure::RestoreCell(CellId(3))), Err(Refusal::NoSections));
    assert_eq!(live.try_apply(Structure::RestoreCell(CellId(9))), Err(Refusal::NotInBin(CellId(9))));
}

#[test]
fn case_35_a_section_with_branches_stays_and_the_first_one_cannot_pass_its_cells_on() {
    let mut live = three();
    let delete = |section, cells| Structure::DeleteSection { section: SectionId(section), cells };
    assert_eq!(live.try_apply(delete(1, CellsOfDeleted::Bin)), Err(Refusal::HasBranches(SectionId(1))));
    live.apply(delete(2, CellsOfDeleted::Previous));
    live.check("1: fresh, 2: fresh, 3: fresh, 4: fresh");
    assert_eq!(live.try_apply(delete(1, CellsOfDeleted::Previous)), Err(Refusal::NothingBefore(SectionId(1))));
}

#[test]
fn a_branch_stands_below_a_section_of_the_main_flow() {
    let mut live = three();
    let parent =
        |section, parent| Structure::SetParent { section: SectionId(section), parent: Some(SectionId(parent)) };
    let wrong = |parent| Err(Refusal::NotAParent(SectionId(parent)));
    assert_eq!(live.try_apply(parent(2, 2)), wrong(2));
    assert_eq!(live.try_apply(parent(2, 3)), wrong(3));
    assert_eq!(live.try_apply(parent(3, 2)), wrong(2));
    assert_eq!(live.try_apply(parent(3, 0)), wrong(0));
    assert_eq!(live.try_apply(parent(1, 3)), wrong(3));
    let move_to = |section, index| Structure::MoveSection { section: SectionId(section), index };
    assert_eq!(live.try_apply(move_to(2, 0)), Err(Refusal::AboveParent(SectionId(2))));
    assert_eq!(live.try_apply(move_to(1, 1)), Err(Refusal::AboveParent(SectionId(2))));
    assert_eq!(live.try_apply(move_to(0, 1)), Err(Refusal::Setup));
    live.apply(move_to(3, 0));
    assert_eq!(live.try_apply(parent(1, 3)), Err(Refusal::HasBranches(SectionId(1))));
}

#[test]
fn the_setup_holds_a_manifest_and_a_cell_of_code_and_nothing_else() {
    let mut live = three();
    let insert = |id, cell| Structure::InsertCell { section: SectionId::SETUP, index: 0, id: CellId(id), cell };
    let manifest = || Box::new(Cell::Code(Code::new(Language::Toml, "[dependencies]", 0)));
    live.apply(insert(10, code("1")));
    live.apply(insert(11, manifest()));
    assert_eq!(live.try_apply(insert(12, code("2"))), Err(Refusal::Setup));
    assert_eq!(live.try_apply(insert(13, manifest())), Err(Refusal::Setup));
    let into = Structure::MoveCell { cell: CellId(1), section: SectionId::SETUP, index: 0 };
    assert_eq!(live.try_apply(into), Err(Refusal::Setup));
    assert_eq!(live.data.document().label(CellId(10)), "the setup cell");
    assert_eq!(live.data.document().label(CellId(4)), "cell 4");
}

#[test]
fn names_are_used_once() {
    let mut live = three();
    live.apply(Structure::DeleteCell(CellId(4)));
    let again = Structure::InsertCell { section: SectionId(1), index: 0, id: CellId(4), cell: code("1") };
    assert_eq!(live.try_apply(again), Err(Refusal::NameTaken("cell-4".into())));
    assert_eq!(live.data.unused_cell_id(), CellId(5));
    let section = Structure::InsertSection { index: 0, section: head(1, None) };
    assert_eq!(live.try_apply(section), Err(Refusal::NameTaken("section-1".into())));
}

#[test]
fn a_text_has_no_half_characters() {
    let mut live = Live::cells(&["let é = 1;"]);
    let edit = |at, removed| Structure::Edit { cell: CellId(1), at, removed, inserted: "e".into() };
    for (at, removed) in [(5, 1), (4, 1), (100, 0), (0, 100), (usize::MAX, 1)] {
        assert_eq!(live.try_apply(edit(at, removed)), Err(Refusal::NoSuchText(CellId(1))), "{at} {removed}");
    }
    live.apply(edit(4, 2));
    assert!(document(&live).contains("let e = 1;"));
}

#[test]
fn the_document_is_what_was_read() {
    let text = include_str!("../livemd/acceptance.livemd");
    assert_eq!(print(&Data::new(&parse(text).0).document().to_notebook()), text);
}

#[test]
fn what_is_saved_is_not_dirty_and_what_is_changed_is() {
    let mut live = three();
    assert!(!live.data.is_dirty());
    live.apply(Structure::Rename("X".into()));
    let revision = live.data.document_revision();
    live.apply(Structure::Rename("Y".into()));
    live.apply(File::Saved { revision });
    assert!(live.data.is_dirty());
    live.apply(File::Saved { revision: live.data.document_revision() });
    assert!(!live.data.is_dirty());
}
