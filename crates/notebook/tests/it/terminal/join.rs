//! Several terminals at one notebook: real programs that find each other, see what each does, and end in every way.

use nix::sys::termios::LocalFlags;

use super::{Terminal, piped};

/// Another terminal at the same notebook, at a prompt.
fn join(host: &mut Terminal) -> Terminal {
    let mut guest = host.beside(&["join"]);
    guest.wait("Ctrl-D to leave it open");
    guest.prompt();
    host.wait("has come");
    guest
}

/// What the program says without a terminal, and its exit code.
fn says(host: &Terminal, arguments: &[&str]) -> (Option<i32>, String) {
    let output = piped(host.folder.path()).args(arguments).output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn two_prompts_see_what_each_does() {
    let mut host = Terminal::start();
    let mut guest = join(&mut host);
    host.asks("let base = 20;", "base: i32");
    guest.wait("[1] let base = 20;");
    guest.wait("base: i32");
    guest.asks("base + 1", "= 21  i32");
    host.wait("[2] base + 1");
    host.wait("= 21  i32");
    // What is known of names and types comes with the notebook.
    guest.asks(":info base", "defined in cell 1, used in 2");
    guest.asks(":type base", "i32");
    guest.asks(":ps", "runtime_server");
    guest.asks(":clients", "this terminal");
    host.asks(":clients", "this terminal, has opened it");
    host.asks(":undo", "taken back");
    guest.wait("cell 2 is gone");
    guest.asks(":redo", "done again");
    host.wait("cell 2 is back");
    guest.asks(":section More", "in the section More");
    host.wait("a new section: More");
    guest.asks("base + nothing", "cannot find value `nothing`");
    host.wait("[3] base + nothing");
    host.wait("cell 3 is gone");
    // It is saved where its own terminal works.
    guest.asks(":save notes", "saved as notes.livemd");
    assert!(host.folder.path().join("notes.livemd").exists());
    host.asks("base + 2", "= 22  i32");
    guest.wait("[3] base + 2");
    // Whoever has joined leaves without a word on what is not saved.
    guest.prompt();
    guest.keys("\u{4}");
    let (code, shown) = guest.ended();
    assert!(code == 1 && !shown.contains("not saved"), "{shown}");
    host.wait("has gone");
    host.asks("base + 3", "= 23  i32");
    host.leave();
}

#[test]
fn control_c_stops_what_was_entered_here_and_nothing_of_others() {
    let mut host = Terminal::start();
    let mut guest = join(&mut host);
    host.enter("let rounds = async { for _ in 0..100_000 { sleep(Duration::from_millis(5)).await; } 7 }.await");
    host.wait("running [1]");
    guest.wait("[1] let rounds");
    // It waits for its turn.
    guest.enter("40 + 2");
    guest.wait("running [1]");
    guest.keys("\u{3}");
    guest.prompt();
    guest.asks(":cells", "running");
    host.keys("\u{3}");
    host.wait("stopped after");
    host.asks(":run 2", "= 42  i32");
    guest.wait("= 42  i32");
    host.leave();
}

#[test]
fn a_prompt_and_a_view_see_what_each_does() {
    let mut host = Terminal::start();
    let mut guest = host.beside(&["join", "--view"]);
    guest.wait("with prompt on");
    host.wait("view on");
    host.asks("let a = 20;", "a: i32");
    guest.wait("let a = 20;");
    guest.keys("Gna + 1");
    guest.wait("a + 1");
    guest.keys("\u{1b}");
    guest.wait("? keys");
    guest.keys("ee");
    guest.wait("= 21");
    host.wait("[2] a + 1");
    host.wait("= 21  i32");
    guest.keys("dd");
    host.wait("cell 2 is gone");
    guest.keys("q");
    let (code, shown) = guest.ended();
    assert!(code == 0 && !shown.contains("not saved"), "{shown}");
    host.wait("has gone");
    host.leave();
}

#[test]
fn one_who_was_killed_has_left_and_the_notebook_goes_on() {
    let mut host = Terminal::start();
    let guest = join(&mut host);
    guest.killed();
    host.wait("has gone");
    host.asks("1 + 1", "= 2  i32");
    assert_eq!(host.leave().0, 0);
}

#[test]
fn the_end_of_the_notebook_is_told_to_all_and_they_end() {
    let mut host = Terminal::start();
    let mut guest = join(&mut host);
    let mut view = host.beside(&["join", "--view"]);
    host.wait("view on");
    guest.keys("half of an in");
    guest.wait("half of an in");
    host.prompt();
    host.enter(":quit");
    host.wait("too: `:quit` once more closes it");
    host.prompt();
    host.enter(":quit");
    assert_eq!(host.ended().0, 0);
    for terminal in [&mut guest, &mut view] {
        let (code, shown) = terminal.ended();
        assert!(code == 0 && shown.contains("the notebook was closed by its own terminal"), "{code}: {shown}");
        // The next program finds the terminal as it was.
        let settings = terminal.master.get_termios().expect("it is a terminal").local_flags.bits();
        let usual = LocalFlags::ICANON | LocalFlags::ECHO;
        assert_eq!(settings & usual.bits(), usual.bits());
    }
}

#[test]
fn a_terminal_that_dies_with_the_notebook_is_told_and_leaves_nothing_to_join() {
    let mut host = Terminal::start();
    let mut guest = join(&mut host);
    let folder = host.killed();
    let (code, shown) = guest.ended();
    assert!(code == 1 && shown.contains("the terminal that had the notebook open is gone"), "{shown}");
    let entries = || std::fs::read_dir(folder.path().join("greenroom")).expect("it is there").count();
    assert_eq!(entries(), 1);
    let host = Terminal::again(folder.clone(), &["--help"]);
    let (code, said) = says(&host, &["join"]);
    assert!(code == Some(2) && said.starts_with("error: no notebook is open"), "{said}");
    assert_eq!(entries(), 0);
}

#[test]
fn the_notebooks_that_are_open_are_listed_and_chosen_by_name_file_or_process() {
    let one = Terminal::with(&["open", "one.livemd"], |folder| {
        std::fs::write(folder.join("one.livemd"), "# First\n\n## S\n").unwrap();
        std::fs::write(folder.join("other.livemd"), "# Second\n\n## S\n").unwrap();
    });
    let mut one = one;
    one.wait("? keys");
    let mut other = one.beside(&["open", "other.livemd"]);
    other.wait("? keys");
    let (code, listed) = says(&one, &["join", "--list"]);
    assert_eq!((code, listed.lines().count()), (Some(0), 2), "{listed}");
    let (code, said) = says(&one, &["join"]);
    assert!(code == Some(2) && said.starts_with("error: several notebooks are open: say which one"), "{said}");
    assert!(said.contains(&listed) && said.contains("`greenroom join PID`"), "{said}");
    let (code, said) = says(&one, &["join", "third"]);
    assert!(code == Some(2) && said.starts_with("error: no open notebook is `third`; there are:"), "{said}");
    let process = other.child.process_id().expect("it runs").to_string();
    for by in ["Second", "other.livemd", &process] {
        let mut guest = one.beside(&["join", by]);
        guest.wait("joined “Second”");
        guest.prompt();
        guest.keys("\u{4}");
        assert_eq!(guest.ended().0, 0);
    }
    // Whoever opens what is open is told how to join it.
    let (code, said) = says(&one, &["open", "one.livemd"]);
    assert!(code == Some(2), "{said}");
    let mut third = one.beside(&["open", "one.livemd"]);
    third.wait("one.livemd` in a shell joins it");
    assert_eq!(third.ended().0, 2);
    let mut third = one.beside(&[]);
    third.wait("[1]›");
    third.asks("let kept = 1;", "kept: i32");
    third.asks(":save mine", "saved as mine.livemd");
    third.asks(":open one.livemd", "one.livemd` in a shell joins it");
    // Nothing was lost by that.
    third.asks("kept + 1", "= 2  i32");
    third.leave();
    for mut view in [one, other] {
        view.keys("q");
        assert_eq!(view.ended().0, 0);
    }
}

#[test]
fn one_with_another_cookie_is_not_let_in() {
    let host = Terminal::start();
    let mut stranger = piped(host.folder.path());
    let output = stranger.env("GREENROOM_COOKIE", host.folder.path().join("other")).arg("join").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("was opened with another cookie"), "{said}");
    host.leave();
}

#[test]
fn lines_of_a_stream_are_evaluated_in_the_notebook_of_another_terminal() {
    use std::io::Write;
    let mut host = Terminal::start();
    host.asks("let base = 20;", "base: i32");
    // What others do meanwhile is nothing to a program.
    host.asks("spawn(async { loop { println!(\"tick\"); sleep(Duration::from_millis(50)).await } });", "tick");
    let mut child = piped(host.folder.path())
        .arg("join")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("it is piped").write_all(b"base * 2\n").expect("it is read");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "40\n");
    host.wait("[3] base * 2");
    host.wait("= 40  i32");
    host.leave();
}
