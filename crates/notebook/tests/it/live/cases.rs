//! Evaluation as a notebook sees it. The numbers are those of Livebook's cases.

use super::*;

impl Live {
    /// Evaluates a cell and follows to its end and no further.
    async fn end_of(&mut self, number: u64) {
        self.queue(&[number]).await;
        self.until("it ends", |data| {
            data.info(CellId(number)).is_some_and(|info| info.record.is_some() && info.status == Status::Ready)
        })
        .await;
    }
}

#[test]
fn case_41_names_of_several_cells_are_seen_and_one_that_nobody_defines_is_named() {
    with(&["let x = 1;", "let y = 2;", "x + y", "x + z"], |mut live| async move {
        assert_eq!(live.evaluate(&[3]).await, "3");
        let took = live.data().info(CellId(3)).and_then(|info| info.record.as_ref()).map(|record| record.run_ms);
        assert!(took.is_some_and(|ms| ms > 0.0), "{took:?}");
        let shown = live.evaluate(&[4]).await;
        assert!(shown.contains('z') && shown.contains("cannot find value"), "{shown}");
        live.stop().await;
    });
}

#[test]
fn case_43_a_cell_that_is_deleted_takes_its_names_and_its_processes_along() {
    let child = "let n = 1;\nlet child = spawn(async { receive::<u8>().await; });\nregister(\"child\", child)?;";
    with(&[child, "whereis(\"child\").is_some()", "n"], |mut live| async move {
        assert_eq!(live.evaluate(&[3, 2]).await, "true");
        live.apply(Structure::DeleteCell(CellId(1))).await;
        live.apply(Evaluation::QueueFull { forced: vec![CellId(2), CellId(3)] }).await;
        live.settled().await;
        assert_eq!(live.shown(2), "false");
        assert!(live.shown(3).contains("cannot find value `n`"), "{}", live.shown(3));
        live.stop().await;
    });
}

#[test]
fn case_44_what_was_printed_arrives_before_the_end() {
    with(&["println!(\"one\");\nprintln!(\"two\");\n3"], |mut live| async move {
        live.end_of(1).await;
        assert_eq!(live.shown(1), "one\ntwo\n|3");
        live.stop().await;
    });
}

#[test]
fn case_52_what_is_written_at_once_is_told_at_once_and_the_end_leaves_nothing_behind() {
    let cell = "for n in 0..10_000 { println!(\"{n}\"); }\nprint!(\"10%\\r50%\\r\");\nprint!(\"100%\");";
    with(&[cell], |mut live| async move {
        let before = live.data().revision();
        live.end_of(1).await;
        let told = live.data().revision() - before;
        assert!(told < 5_000, "{told} messages for 10,002 writes");
        let shown = live.shown(1);
        assert!(shown.starts_with("0\n1\n2\n") && shown.ends_with("\n9999\n100%"), "…{}", &shown[shown.len() - 40..]);
        assert_eq!(shown.lines().count(), 10_001);
        live.stop().await;
    });
}

#[test]
fn case_53_branches_run_beside_each_other() {
    let meet = |me: &str, other: &str| {
        format!(
            "```rust\nregister(\"{me}\", self_pid())?;\nlet other = loop {{\n    match whereis(\"{other}\") {{\n        \
             Some(pid) => break pid,\n        None => sleep(Duration::from_millis(1)).await,\n    }}\n}};\n\
             send(other, 7_u8);\nreceive::<u8>().await\n```\n"
        )
    };
    let branch = "<!-- livebook:{\"branch_parent_index\":0} -->\n\n";
    let text = format!(
        "# N\n\n## S\n\n```rust\n1\n```\n\n{branch}## A\n\n{}\n{branch}## B\n\n{}",
        meet("a", "b"),
        meet("b", "a")
    );
    with_text(&text, |mut live| async move {
        live.evaluate(&[2, 3]).await;
        assert_eq!((live.shown(2), live.shown(3)), ("7".to_owned(), "7".to_owned()));
        live.stop().await;
    });
}

#[test]
fn case_54_a_value_that_cannot_be_shown_is_an_error_and_nothing_more() {
    let fails = "struct Odd;\nimpl std::fmt::Debug for Odd {\n    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> \
                 std::fmt::Result {\n        PLACEHOLDER\n    }\n}\nlet odd = 5;\nOdd";
    let (error, panic) =
        (fails.replace("PLACEHOLDER", "Err(std::fmt::Error)"), fails.replace("PLACEHOLDER", "panic!(\"odd\")"));
    with(&["let kept = 1;", &error, &panic, "kept"], |mut live| async move {
        live.evaluate(&[1, 2, 3]).await;
        assert!(!live.data().info(CellId(2)).expect("it is there").failed, "{}", live.shown(2));
        assert!(live.shown(3).contains("odd"), "{}", live.shown(3));
        assert_eq!(live.evaluate(&[4]).await, "1");
        live.stop().await;
    });
}
