//! Cells that run on another node: `greenroom node` and prompts, as persons have them.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};

use greenroom_cluster::{Cluster, Cookie};
use nix::sys::signal::{Signal, kill};

use super::{Terminal, piped};

/// `greenroom node`, in a folder that has its cookie.
struct Shop {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Shop {
    /// Opens on a free port, with the cookie of the folder.
    fn open(folder: &Path) -> Shop {
        Shop::open_with(folder, "127.0.0.1:0", |_| ())
    }

    fn open_with(folder: &Path, listen: &str, change: impl FnOnce(&mut std::process::Command)) -> Shop {
        let mut command = piped(folder);
        command.args(["node", "--name", "shop@127.0.0.1", "--listen", listen]).env("PLACE", "shop");
        change(&mut command);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let line = lines.next().expect("it says where it listens").expect("it is text");
        let address = line.strip_prefix("shop@127.0.0.1 listens on ").and_then(|rest| rest.split_once(';'));
        let address = address.unwrap_or_else(|| panic!("{line}")).0.to_owned();
        Shop { child, lines, address }
    }

    fn signal(&self, signal: Signal) {
        kill(nix::unistd::Pid::from_raw(self.child.id().cast_signed()), signal).expect("it is our child");
    }

    /// Waits until all of it has ended: only then nobody can write to its output any more.
    fn closed(mut self) -> ExitStatus {
        self.lines.by_ref().for_each(drop);
        self.child.wait().expect("it is our child")
    }

    /// Kills it.
    fn dies(self) {
        self.signal(Signal::SIGKILL);
        self.closed();
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A prompt whose cells run on a node.
fn at(shop: &Shop) -> Terminal {
    let cookie = |folder: &Path| drop(fs::copy(shop_folder(shop).join("cookie"), folder.join("cookie")));
    let mut terminal = Terminal::with(&[], cookie);
    terminal.wait("[1]›");
    terminal.asks(&format!(":connect {}", shop.address), "shop@127.0.0.1");
    terminal.asks(":node shop", "cells run on shop@127.0.0.1");
    terminal
}

/// The folder that a node was started in.
fn shop_folder(shop: &Shop) -> std::path::PathBuf {
    fs::read_link(format!("/proc/{}/cwd", shop.child.id())).expect("it runs")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

#[test]
fn cells_run_on_a_node_and_in_a_runtime_of_their_own_again() {
    let folder = folder();
    let shop = Shop::open(folder.path());
    let mut terminal = at(&shop);
    terminal.wait("[1] shop@127.0.0.1›");
    terminal.asks("let place = std::env::var(\"PLACE\").unwrap_or_default();", "place: String");
    terminal.asks("place.clone()", "\"shop\"");
    terminal.asks("println!(\"a word\"); 1", "a word");
    terminal.asks("panic!(\"no\")", "the cell panicked: no");
    terminal.asks(":nodes", "shop@127.0.0.1  cells run here");
    terminal.asks(":ps", "evaluator-0 of greenroom-");
    terminal.asks(":tree", "runtime_server");
    terminal.asks(":node shop", "cells run on shop@127.0.0.1 already");
    terminal.enter("loop { yield_now().await }");
    terminal.wait("running [");
    terminal.keys("\u{3}");
    terminal.wait("stopped after");
    terminal.asks(":restart", "shop@127.0.0.1 forgets what this notebook has evaluated");
    terminal.asks("format!(\"{place}!\")", "\"shop!\"");

    terminal.asks(":node", "cells run in a runtime of their own");
    terminal.wait_until("its prompt", |screen| !screen.trim_end().ends_with("shop@127.0.0.1›"));
    terminal.asks("place.is_empty()", "= true");
    terminal.asks(":node shop", "cells run on shop@127.0.0.1");
    terminal.asks("place.len()", "= 4  usize");
    terminal.leave();
    shop.signal(Signal::SIGINT);
    assert!(shop.closed().success(), "it lives until somebody ends it");
}

#[test]
fn a_node_that_dies_takes_the_values_and_is_found_again() {
    let folder = folder();
    let shop = Shop::open(folder.path());
    let address = shop.address.clone();
    let mut terminal = at(&shop);
    terminal.asks("let one = 1;", "one: i32");
    terminal.enter("loop { yield_now().await }");
    terminal.wait("running [");
    shop.dies();
    let screen = terminal.wait("`:node` leads back to a runtime of their own");
    assert!(screen.contains("the node shop@127.0.0.1 is gone"), "{screen}");
    terminal.wait("the runtime died while this cell ran: the node shop@127.0.0.1 is gone");
    terminal.asks(":nodes", "shop@127.0.0.1  cells ran here; it is gone");
    terminal.asks("one + 1", "cells do not run on shop@127.0.0.1: the node shop@127.0.0.1 cannot be reached");
    // The same place, another life.
    let shop = Shop::open_with(folder.path(), &address, |_| ());
    terminal.asks("one + 1", "= 2  i32");
    shop.dies();
    terminal.wait("the node shop@127.0.0.1 is gone");
    terminal.asks(":node", "cells run in a runtime of their own");
    terminal.asks("one + 2", "= 3  i32");
    terminal.leave();
}

#[test]
fn notebooks_on_one_node_have_each_their_own_values_and_leave_nothing_behind() {
    let folder = folder();
    let shop = Shop::open(folder.path());
    let (mut first, mut second) = (at(&shop), at(&shop));
    first.asks("let mine = 1;", "mine: i32");
    second.asks("let mine = 20;", "mine: i32");
    second.asks("register(\"worker\", spawn(async { receive::<()>().await }))?;", "✓");
    first.asks("whereis(\"worker\").is_some()", "= true");
    second.leave();
    first.asks("while whereis(\"worker\").is_some() { sleep(Duration::from_millis(1)).await }", "✓");
    first.asks("mine + 1", "= 2  i32");
    let folder = first.killed();
    let mut third = at(&shop);
    third.asks("mine", "cannot find value `mine`");
    third.leave();
    drop(folder);
}

#[test]
fn the_code_of_cells_goes_to_a_node_that_shares_no_folder() {
    let folder = folder();
    let [cache, temporary] = ["cache", "tmp"].map(|name| folder.path().join(name));
    fs::create_dir(&temporary).expect("the folder is empty");
    let shop = Shop::open_with(folder.path(), "127.0.0.1:0", |command| {
        command.env("GREENROOM_CACHE", &cache).env("TMPDIR", &temporary);
    });
    let files = |folder: &Path| fs::read_dir(folder).map_or(0, |files| files.count());
    let arrived = || {
        let own = fs::read_dir(&temporary).expect("it is there").next().expect("it has one").expect("it can be read");
        files(&own.path())
    };
    let mut terminal = at(&shop);
    assert_eq!(arrived(), 0);
    terminal.asks("struct Tea { cups: u32 }", "✓ type Tea");
    terminal.asks("let tea = std::sync::Arc::new(Tea { cups: 3 });", "tea: ");
    terminal.asks("tea.cups + 1", "= 4  u32");
    assert_eq!(arrived(), 3, "the library of each cell");
    terminal.asks(":restart", "forgets");
    terminal.asks(":run all", "= 4  u32");
    assert_eq!(arrived(), 3, "each of them once");
    for cells in fs::read_dir(cache.join("cells")).expect("it has opened one") {
        assert_eq!(files(&cells.expect("it can be read").path()), 0, "nothing was compiled there");
    }
    terminal.leave();
    shop.signal(Signal::SIGINT);
    assert!(shop.closed().success());
    assert_eq!(files(&temporary), 0, "and nothing is left of them");
}

#[test]
fn a_node_with_other_crates_is_refused_and_nothing_is_lost() {
    let folder = folder();
    let spoon = folder.path().join("spoon");
    fs::create_dir_all(spoon.join("src")).expect("the folder is empty");
    fs::write(spoon.join("Cargo.toml"), "[package]\nname = \"spoon\"\nedition = \"2024\"\n").expect("it is there");
    fs::write(spoon.join("src/lib.rs"), "").expect("it is there");
    let setup = format!("# Setup\n\n```toml\n[dependencies]\nspoon = {{ path = {spoon:?} }}\n```\n\n## Section\n");
    fs::write(folder.path().join("n.livemd"), setup).expect("it is there");
    let shop = Shop::open_with(folder.path(), "127.0.0.1:0", |command| {
        command.args(["--notebook", "n.livemd"]);
    });
    let cookie = |own: &Path| drop(fs::copy(folder.path().join("cookie"), own.join("cookie")));
    let mut terminal = Terminal::with(&[], cookie);
    terminal.wait("[1]›");
    terminal.asks("let one = 1;", "one: i32");
    terminal.asks(&format!(":connect {}", shop.address), "shop@127.0.0.1");
    let screen = terminal.asks(":node shop", "start it with `greenroom node");
    assert!(screen.contains("cannot run on shop@127.0.0.1: it has other crates"), "{screen}");
    let screen = terminal.asks(":cells", "[1] done");
    assert!(!screen.contains("shop"), "{screen}");
    terminal.leave();
}

#[test]
fn a_node_is_joined_with_its_own_cookie_which_nobody_sees() {
    let folder = folder();
    let shop = Shop::open(folder.path());
    let cookie = fs::read_to_string(folder.path().join("cookie")).expect("it was made").trim().to_owned();
    let mut terminal = Terminal::start();
    let connect = format!(":connect shop@{}", shop.address);
    terminal.asks(&connect, "the cookies differ");
    terminal.asks(&format!("{connect} {}", Cookie::random().reveal()), "the cookies differ");
    terminal.asks(&format!("{connect} secret"), "a cookie is 64 hexadecimal digits");
    let said = terminal.asks(&format!("{connect} {cookie} secret"), "cannot take");
    assert!(!said.contains("secret") && !said.contains(&cookie), "{said}");
    terminal.asks(&connect.replace("shop@", "till@"), "error");
    let screen = terminal.asks(&format!("{connect} {cookie}"), "shop@127.0.0.1");
    assert!(!screen.contains(&cookie) && screen.contains("••••"), "{screen}");
    terminal.asks(":node shop", "cells run on shop@127.0.0.1");
    terminal.asks("1 + 1", "= 2  i32");
    terminal.asks(":save saved.livemd", "saved");
    terminal.asks(":node nowhere", "no node `nowhere` is known");
    terminal.asks(":connect 127.0.0.1:1", "127.0.0.1:1");
    let (_, own) = terminal.leave();
    for file in ["history", "saved.livemd"] {
        let text = fs::read_to_string(own.path().join(file)).expect("it was written");
        assert!(!text.contains(&cookie) && !text.contains("secret") && !text.contains("shop "), "{file}: {text}");
    }
}

#[test]
fn who_does_not_answer_is_not_waited_for_after_ctrl_c() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut terminal = Terminal::start();
    let address = silent.local_addr().expect("it listens");
    terminal.enter(&format!(":connect {address}"));
    terminal.wait(&format!("connecting to {address}"));
    terminal.keys("\u{3}");
    terminal.wait("interrupted");
    terminal.asks("1 + 1", "= 2  i32");
    terminal.leave();
}

#[test]
fn a_node_that_runs_no_cells_is_looked_at() {
    let mut terminal = Terminal::start();
    terminal.asks("1", "= 1  i32");
    terminal.asks(":nodes", "connected to no other node");
    let cookie = Cookie::of_file(&terminal.folder.path().join("cookie")).expect("the program has made it");
    let node = greenroom::Node::builder().name("till@127.0.0.1").start().expect("a node");
    let cluster = Cluster::builder(&node).cookie(cookie).on_notice(|_| ()).start().expect("it starts");
    let address = cluster.listen(([127, 0, 0, 1], 0).into()).expect("a port");
    greenroom_stage::inspect::start(&node, cluster);
    terminal.asks(&format!(":connect {address}"), "till@127.0.0.1");
    terminal.asks(":node till@127.0.0.1", "till@127.0.0.1 cannot run cells");
    terminal.asks(":ps", "inspector");
    terminal.asks("1 + 1", "= 2  i32");
    terminal.asks(":node", "looking at the runtime");
    terminal.asks(":ps", "runtime_server");
    terminal.leave();
    node.shutdown();
}
