//! Examples in doc comments: run after the cell, each beside its line.

use expect_test::expect;

use super::check;

#[test]
fn examples_are_run_after_their_cell_and_say_what_they_got_and_wanted() {
    check(
        &[
            "/// Doubles.\n///\n/// ```\n/// assert_eq!(double(2), 4);\n/// ```\n///\n/// And a wrong one:\n///\n/// ```\n\
             /// let two = 2;\n/// assert_eq!(double(two), 5);\n/// ```\nfn double(n: i32) -> i32 {\n    n * 2\n}\n\
             println!(\"the cell itself\");",
            "/// ```should_panic\n/// half(3);\n/// ```\n///\n/// ```\n/// # use std::fmt::Write as _;\n/// half(true);\n/// ```\n\
             /// ```text\n/// no example\n/// ```\nconst fn half(n: i32) -> i32 {\n    assert!(n % 2 == 0);\n    n / 2\n}\n\
             struct Pair(i32, i32);\nimpl Pair {\n    /// ```\n    /// let sum = Pair(double(1), 1).sum();\n    /// \
             assert_eq!(sum, 3);\n    /// ```\n    fn sum(&self) -> i32 {\n        self.0 + self.1\n    }\n}",
            "/** Fails.\n *\n * ```\n * let number: u8 = \"x\".parse()?;\n * ```\n * ```compile_fail\n * fails(1);\n * ```\n */\nfn fails() {}",
            "double(4)",
        ],
        expect![[r#"
            1 ok
              text | the cell itself
              example | ✓ line 4, `double`: assert_eq!(double(2), 4);
              example | ✗ line 11, `double`: assert_eq!(double(two), 5);
              example |     got: 4
              example |  wanted: 5
            2 ok
              example | ✓ line 2, `half`: half(3);
              example | ✗ line 7, `half`: half(true);
              example | error[E0308]: mismatched types
              example |  --> cell 2:7:10 (n.livemd:31)
              example |   |
              example | 7 | /// half(true);
              example |   |     ---- ^^^^ expected `i32`, found `bool`
              example |   |     |
              example |   |     arguments to this function are incorrect
              example | ✓ line 20, `sum`: assert_eq!(sum, 3);
            3 ok
              example | ✗ line 4, `fails`: let number: u8 = "x".parse()?;
              example | error: it returned an error: invalid digit found in string
              example |  --> cell 3:4:21 (n.livemd:56)
              example |   |
              example | 4 |  * let number: u8 = "x".parse()?;
              example |   |                     ^^^^^^^^^^^^^ here
              example | ✓ line 7, `fails`: fails(1);
            4 ok
              value | 8
            4 ok, 0 failed, 0 skipped: 0
        "#]],
    );
}

#[test]
fn an_example_that_does_not_end_is_given_up_and_one_that_kills_the_runtime_is_survived() {
    check(
        &[
            "let keep = 1;",
            "/// ```\n/// wait().await;\n/// ```\nasync fn wait() {\n    receive::<()>().await\n}",
            "/// ```\n/// end();\n/// ```\n///\n/// ```\n/// assert!(true);\n/// ```\nfn end() {\n    std::process::abort()\n}",
            "keep",
        ],
        expect![[r#"
            1 ok
            2 ok
              example | ✗ line 2, `wait`: wait().await;
              example | error: it has not ended within 5 s
              example |  --> cell 2 (n.livemd:10)
            3 ok
              example | ✗ line 2, `end`: end();
              example | error: the runtime died while it ran: abort (SIGABRT)
              example |  --> cell 3 (n.livemd:19)
              example | ✓ line 6, `end`: assert!(true);
            4 ok
              value | 1
            4 ok, 0 failed, 0 skipped: 0
        "#]],
    );
}
