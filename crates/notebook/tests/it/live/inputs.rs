//! Inputs that cells show, people set, and other cells read. The numbers are those of Livebook's cases.

use greenroom_notebook::session::operation::{Input, InputId};
use greenroom_stage::input::Value;

use super::*;

impl Live {
    /// The only input.
    fn input(&self) -> InputId {
        *self.data().inputs().keys().next().expect("a cell shows one")
    }

    async fn set(&mut self, value: Value) {
        let input = self.input();
        self.apply(Input::Set { input, value }).await;
        while self.follower.next(Duration::ZERO).await {}
    }
}

#[test]
fn what_a_person_sets_is_what_cells_read_and_makes_them_stale() {
    let cells = ["let level = Input::range(\"Level\", 1.0..=10.0).default(3.0);\nlevel", "level.read().await? * 2.0"];
    with(&cells, |mut live| async move {
        assert_eq!(live.evaluate(&[2]).await, "6.0");
        assert_eq!(live.shown(1), "Level: 3");
        live.set(Value::Number(5.0)).await;
        assert_eq!(live.show(), "1: Evaluated, 2: Stale");
        assert_eq!(live.evaluate(&[2]).await, "10.0");
        // It is the same input when it is shown again.
        live.evaluate(&[1]).await;
        assert_eq!(live.evaluate(&[2]).await, "10.0");
        let input = live.input();
        let refused = live.session.apply(Input::Set { input, value: Value::Number(11.0) }).await;
        let refusal = refused.expect_err("it is too much").to_string();
        assert_eq!(refusal, "the input `Level` takes a number from 1 to 10");
        // It outlives the session's process.
        kill("session").await;
        live.queue(&[2]).await;
        live.settled().await;
        assert_eq!(live.shown(2), "10.0");
        live.stop().await;
    });
}

#[test]
fn case_50_an_input_is_asked_for_once_an_evaluation_and_by_the_cell_alone() {
    let twice = "let begin = name.read().await?;\nlet other = name.read().await?;\n\
                 let (a, b) = (name.clone(), name.clone());\n\
                 let both = Task::spawn_nolink(async move { a.read().await.map_err(|why| why.to_string()) });\n\
                 let foreign = both.await;\n(begin == other, b.read().await?, foreign)";
    let cells = ["let name = Input::text(\"Name\").default(\"Ada\");\nname", twice];
    with(&cells, |mut live| async move {
        let shown = live.evaluate(&[2]).await;
        assert!(shown.contains("true") && shown.contains("\"Ada\""), "{shown}");
        assert!(shown.contains("the input `Name` was read by a process that the cell has started"), "{shown}");
        live.set(Value::Text("Grace".into())).await;
        let shown = live.evaluate(&[2]).await;
        assert!(shown.contains("true") && shown.contains("\"Grace\""), "the next evaluation asks again: {shown}");
        live.stop().await;
    });
}

#[test]
fn an_input_is_as_it_was_when_the_evaluation_began() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let go = folder.path().join("go");
    let reader = format!("{}let name = name.read().await?;\nname", waiting(&go).replace("let waited = 7;", ""));
    let cells = ["let name = Input::text(\"Name\").default(\"Ada\");\nname", &reader];
    with(&cells, move |mut live| async move {
        let _folder = folder;
        live.queue(&[2]).await;
        live.until("it has begun", |data| {
            data.info(CellId(2)).is_some_and(|info| info.outputs.iter().any(|output| output.text.contains("begun")))
        })
        .await;
        live.set(Value::Text("Grace".into())).await;
        std::fs::write(&go, "").expect("it can be written");
        live.settled().await;
        assert!(live.shown(2).ends_with("\"Ada\""), "{}", live.shown(2));
        assert_eq!(live.show(), "1: Evaluated, 2: Stale");
        live.stop().await;
    });
}

#[test]
fn an_input_that_no_cell_shows_is_an_error_that_says_so() {
    with(&["let name = Input::text(\"Name\");", "name.read().await?"], |mut live| async move {
        let shown = live.evaluate(&[2]).await;
        assert!(shown.contains("no cell shows the input `Name`: end a cell in it"), "{shown}");
        assert_eq!(live.show(), "1: Evaluated, 2: Evaluated failed");
        live.stop().await;
    });
}

#[test]
fn what_an_input_cannot_be_is_no_default() {
    with(&["Input::select(\"Colour\", [\"red\", \"green\"]).default(\"blue\")"], |mut live| async move {
        let shown = live.evaluate(&[1]).await;
        assert!(shown.contains("the input `Colour` takes one of: red, green"), "{shown}");
        live.stop().await;
    });
}
