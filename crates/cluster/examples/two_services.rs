//! Two services that share process groups and a global name: `cargo run -p greenroom-cluster --example two_services`.
//!
//! A *desk* takes orders and hands each to a cook; it starts this program a second time as a *kitchen*, on a node of its
//! own, whose cooks join the group "cooks". The desk sees them come, gives them work in turn, and has the global name
//! "till", to which cooks send their bills. Then it kills the kitchen, sees the cooks leave with their node, and opens
//! another one.

use std::error::Error;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use greenroom::groups::{Change, GroupEvent, Scope};
use greenroom::supervisor::{Strategy, Supervisor};
use greenroom::{Node, Pid, receive, self_pid, send, sleep, spawn};
use greenroom_cluster::{Cluster, Cookie};
use serde::{Deserialize, Serialize};

/// Where a kitchen finds the desk. The cookie goes the same way: arguments are there for everyone to see.
const DESK: &str = "GREENROOM_EXAMPLE_DESK";
const COOKIE: &str = "GREENROOM_EXAMPLE_COOKIE";

const COOKS: usize = 2;

#[derive(Debug, Serialize, Deserialize)]
struct Order(String);

#[derive(Debug, Serialize, Deserialize)]
struct Bill {
    dish: String,
    cook: Pid,
}

/// The groups that desk and kitchens share, by the scope's name and their own.
fn restaurant() -> Scope<String> {
    Scope::new("restaurant")
}

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::var(DESK) {
        Ok(desk) => run_kitchen(desk.parse()?, std::env::var(COOKIE)?.parse()?),
        Err(_) => run_desk(),
    }
}

fn run_desk() -> Result<(), Box<dyn Error>> {
    let cookie = Cookie::random();
    let node = Node::builder().name("desk@127.0.0.1").start()?;
    let cluster =
        Cluster::builder(&node).cookie(cookie.clone()).on_notice(|notice| println!("desk: {notice}")).start()?;
    let address = cluster.listen("127.0.0.1:0".parse()?)?;
    node.block_on(async move { serve_guests(&cluster, address, &cookie).await.map_err(|error| error.to_string()) })?;
    node.shutdown();
    Ok(())
}

async fn serve_guests(cluster: &Cluster, address: SocketAddr, cookie: &Cookie) -> Result<(), Box<dyn Error>> {
    let scope = restaurant();
    Supervisor::new(Strategy::OneForOne).child(scope.spec()).start_link().await?;
    cluster.names().register("till", self_pid()).await?;
    scope.monitor_group("cooks".to_owned()).await?;
    let mut kitchen = open_kitchen(address, cookie)?;
    wait_for_cooks(&scope, COOKS).await;
    for (turn, dish) in ["soup", "bread", "salad", "cake"].into_iter().enumerate() {
        order(&scope, turn, dish).await;
    }
    println!("desk: the kitchen is killed");
    kitchen.kill()?;
    kitchen.wait()?;
    wait_for_cooks(&scope, 0).await;
    let mut another = open_kitchen(address, cookie)?;
    wait_for_cooks(&scope, COOKS).await;
    order(&scope, 0, "coffee").await;
    another.kill()?;
    another.wait()?;
    println!("desk: closed");
    Ok(())
}

/// A kitchen, in an operating-system process of its own, which ends when nobody holds its standard input any more.
fn open_kitchen(desk: SocketAddr, cookie: &Cookie) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(DESK, desk.to_string()).env(COOKIE, cookie.reveal()).stdin(Stdio::piped()).spawn()
}

async fn wait_for_cooks(scope: &Scope<String>, count: usize) {
    loop {
        let cooks = scope.members(&"cooks".to_owned()).len();
        println!("desk: {cooks} cooks");
        if cooks == count {
            return;
        }
        let event = receive::<GroupEvent<String>>().await;
        let (Change::Joined(pids) | Change::Left(pids)) = &event.change;
        println!(
            "desk: {} {}",
            pids[0].node().name(),
            if let Change::Joined(_) = event.change { "joins" } else { "leaves" }
        );
    }
}

/// Hands an order to the cook whose turn it is, and waits for the bill.
async fn order(scope: &Scope<String>, turn: usize, dish: &str) {
    let cooks = scope.members(&"cooks".to_owned());
    let cook = cooks[turn % cooks.len()];
    send(cook, Order(dish.to_owned()));
    let bill = receive! { bill: Bill if bill.cook == cook => bill };
    println!("desk: {} from {}", bill.dish, bill.cook.node().name());
}

/// A node of its own, which stays connected with the desk.
fn run_kitchen(desk: SocketAddr, cookie: Cookie) -> Result<(), Box<dyn Error>> {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let node = Node::builder().name("kitchen@127.0.0.1").start()?;
    let cluster = Cluster::builder(&node).cookie(cookie).peer(desk).start()?;
    let names = cluster.names().clone();
    node.block_on(async move {
        let scope = restaurant();
        let supervisor = Supervisor::new(Strategy::OneForOne).child(scope.spec()).start_link().await;
        supervisor.map_err(|error| error.to_string())?;
        let cooks = (0..COOKS).map(|_| {
            let till = names.at("till");
            spawn(async move {
                loop {
                    let Order(dish) = receive().await;
                    let mut bill = Bill { dish, cook: self_pid() };
                    // A kitchen that has just been opened may not have heard of the till yet.
                    while let Err(nobody) = send(&till, bill) {
                        bill = nobody.message;
                        sleep(Duration::from_millis(5)).await;
                    }
                }
            })
        });
        let cooks = cooks.collect();
        scope.join_many("cooks".to_owned(), cooks).await.map_err(|error| error.to_string())?;
        std::future::pending::<Result<(), String>>().await
    })?;
    Ok(())
}
