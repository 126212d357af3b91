//! A shell on another node: `cargo run -p greenroom-cluster --example remote_shell`.
//!
//! It starts itself a second time as a node, connects, and reads lines. Each line is a command that is run there, by a
//! function of this program that is called over the connection: `where`, `processes`, `add 1 2`, `panic`, `quit`.

use std::error::Error;
use std::io::BufRead;
use std::process::{Command, Stdio};
use std::time::Duration;

use greenroom::{Node, NodeId, process, self_pid};
use greenroom_cluster::{Cluster, Cookie, erpc};

/// Where the other node finds this one. The cookie goes the same way: arguments are there for everyone to see.
const HOME: &str = "GREENROOM_EXAMPLE_HOME";
const COOKIE: &str = "GREENROOM_EXAMPLE_COOKIE";

/// What runs on the other node.
async fn evaluate(line: String) -> Result<String, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["where"] => Ok(format!("{} in process {}", self_pid().node(), std::process::id())),
        ["processes"] => Ok(format!("{} processes", process::list().len())),
        ["add", numbers @ ..] => {
            let numbers: Result<Vec<i64>, _> = numbers.iter().map(|number| number.parse()).collect();
            Ok(numbers.map_err(|error| error.to_string())?.iter().sum::<i64>().to_string())
        }
        ["panic"] => panic!("as you wish"),
        _ => Err("where, processes, add NUMBER..., panic or quit".to_owned()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if let (Ok(address), Ok(cookie)) = (std::env::var(HOME), std::env::var(COOKIE)) {
        return serve(&address, &cookie);
    }
    let cookie = Cookie::random();
    let node = Node::builder().name("shell@127.0.0.1").start()?;
    let cluster = Cluster::builder(&node).cookie(cookie.clone()).start()?;
    let address = cluster.listen("127.0.0.1:0".parse()?)?;
    let mut there = Command::new(std::env::current_exe()?)
        .env(HOME, address.to_string())
        .env(COOKIE, cookie.reveal())
        .stdin(Stdio::piped())
        .spawn()?;
    while cluster.nodes().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let far: NodeId = cluster.nodes()[0];
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim() == "quit" {
            break;
        }
        let answer = node.block_on(async move { erpc::call(far, evaluate, line, Duration::from_secs(5)).await });
        match answer {
            Ok(Ok(text)) => println!("{text}"),
            Ok(Err(help)) => println!("? {help}"),
            Err(error) => println!("! {error}"),
        }
    }
    there.kill()?;
    there.wait()?;
    Ok(())
}

/// The other node: joins, and lives until it is killed, or nobody holds its standard input any more.
fn serve(address: &str, cookie: &str) -> Result<(), Box<dyn Error>> {
    let node = Node::builder().name("worker@127.0.0.1").start()?;
    let _cluster =
        Cluster::builder(&node).cookie(cookie.parse()?).peer(address.parse::<std::net::SocketAddr>()?).start()?;
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
