//! A key-value server on TCP that survives the death of any of its processes, and loses nothing that it acknowledged.
//!
//! ```console
//! $ cargo run -p greenroom --example key_value
//! $ nc 127.0.0.1 7878
//! SET colour green
//! OK
//! GET colour
//! VALUE green
//! ```
//!
//! One process keeps the values, one accepts connections, one serves each connection, and supervisors start them again.
//! The test below kills them at random while clients write and read.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use greenroom::gen_server::InitError;
use greenroom::supervisor::{ChildSpec, Strategy, SupervisorBuilder, TaskSupervisor};
use greenroom::{GenServer, Supervisor, accepts};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Serialize, Deserialize)]
struct Get(String);
#[derive(Debug, Serialize, Deserialize)]
struct Set(String, String);

/// The values, and the log that they are read from when the store starts.
///
/// A store that was killed may still be writing a line when the next one starts. Each store therefore begins a new life
/// in the log, and what is written there by an earlier one from then on does not count: nobody was told that it did.
#[derive(Debug)]
struct Store {
    values: HashMap<String, String>,
    log: File,
    life: u64,
}

accepts! { Store:
    call get(Get) -> Option<String>;
    call set(Set) -> Result<(), String>;
}

impl GenServer for Store {
    type Args = PathBuf;

    async fn init(path: PathBuf) -> Result<Self, InitError> {
        let mut log = OpenOptions::new().create(true).append(true).open(&path)?;
        let (life, _) = replay(&std::fs::read_to_string(&path)?);
        let life = life + 1;
        // A line that a crash of the machine has cut off ends here, too.
        log.write_all(format!("\nlife {life}\n").as_bytes())?;
        let (_, values) = replay(&std::fs::read_to_string(&path)?);
        Ok(Store { values, log, life })
    }
}

impl Store {
    async fn get(&mut self, Get(key): Get) -> Option<String> {
        self.values.get(&key).cloned()
    }

    /// The line is in the log before anyone is told. One write of a line, so that it is there as a whole or not at all.
    async fn set(&mut self, Set(key, value): Set) -> Result<(), String> {
        let line = format!("{} {key} {value}\n", self.life);
        self.log.write_all(line.as_bytes()).map_err(|error| error.to_string())?;
        self.values.insert(key, value);
        Ok(())
    }
}

/// The last life in a log, and the values at its end.
fn replay(log: &str) -> (u64, HashMap<String, String>) {
    let (mut life, mut values) = (0, HashMap::new());
    for line in log.lines() {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("life"), Some(new), None) => life = new.parse().map_or(life, |new: u64| life.max(new)),
            (Some(by), Some(key), Some(value)) if by.parse() == Ok(life) => {
                values.insert(key.to_owned(), value.to_owned());
            }
            _ => (), // By an earlier life, or cut off.
        }
    }
    (life, values)
}

/// Accepts connections, and has each served by a process of its own.
async fn accept(listener: Arc<std::net::TcpListener>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener.try_clone()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // If nobody can serve it at the moment, it is closed, and the client tries again.
        if let Ok(connections) = TaskSupervisor::find("connections").await {
            let _ = connections.start_child(serve(stream)).await;
        }
    }
}

async fn serve(stream: TcpStream) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        writer.write_all(format!("{}\n", answer(&line).await).as_bytes()).await?;
    }
    Ok(())
}

async fn answer(line: &str) -> String {
    let store = Store::at("store");
    let mut words = line.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("GET"), Some(key), None) => match store.call(Get(key.to_owned())).await {
            Ok(Some(value)) => format!("VALUE {value}"),
            Ok(None) => "NONE".to_owned(),
            Err(error) => format!("ERROR {error}"),
        },
        (Some("SET"), Some(key), Some(value)) => match store.call(Set(key.to_owned(), value.to_owned())).await {
            Ok(Ok(())) => "OK".to_owned(),
            Ok(Err(error)) => format!("ERROR {error}"),
            Err(error) => format!("ERROR {error}"),
        },
        _ => "ERROR say GET key, or SET key value".to_owned(),
    }
}

/// The whole server. The socket is opened once, so that no connection is refused while a process is started again.
fn key_value(listener: std::net::TcpListener, log: PathBuf) -> io::Result<SupervisorBuilder> {
    listener.set_nonblocking(true)?;
    let listener = Arc::new(listener);
    Ok(Supervisor::new(Strategy::OneForOne)
        .child(Store::named("store").spec(log))
        .child(TaskSupervisor::new().name("connections"))
        .child(ChildSpec::named("acceptor", move || accept(listener.clone()))))
}

fn main() -> io::Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:7878")?;
    let log = std::env::temp_dir().join("greenroom-key-value.log");
    println!("listening on {}, keeping values in {}", listener.local_addr()?, log.display());
    let server = key_value(listener, log)?;
    greenroom::run(async move {
        match server.start_link().await {
            Ok(_) => std::future::pending().await,
            Err(error) => eprintln!("{error}"),
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::ops::RangeInclusive;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::time::Duration;

    use greenroom::supervisor::tree;
    use greenroom::tree::TreeNode;
    use greenroom::{ExitReason, Pid, Task, exit, process, self_pid, task, yield_now};
    use tokio::io::Lines;
    use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

    use super::*;

    const CLIENTS: u32 = 4;
    const WRITES: u32 = 250;

    /// Says things until they are answered, over new connections where need be.
    struct Client {
        server: SocketAddr,
        connection: Option<(Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf)>,
    }

    impl Client {
        async fn ask(&mut self, line: &str) -> String {
            loop {
                match self.try_ask(line).await {
                    Ok(Some(answer)) if !answer.starts_with("ERROR") => return answer,
                    Ok(Some(_)) => yield_now().await,
                    Ok(None) | Err(_) => self.connection = None,
                }
            }
        }

        async fn try_ask(&mut self, line: &str) -> io::Result<Option<String>> {
            if self.connection.is_none() {
                let (reader, writer) = TcpStream::connect(self.server).await?.into_split();
                self.connection = Some((BufReader::new(reader).lines(), writer));
            }
            let Some((lines, writer)) = &mut self.connection else { return Ok(None) };
            writer.write_all(format!("{line}\n").as_bytes()).await?;
            lines.next_line().await
        }
    }

    fn client(server: SocketAddr) -> Client {
        Client { server, connection: None }
    }

    /// Writes that were acknowledged, and processes that were killed.
    #[derive(Default)]
    struct Counts {
        acknowledged: AtomicU32,
        killed: AtomicU32,
    }

    /// Writes growing numbers under its own key and reads them back.
    async fn work(server: SocketAddr, name: u32, counts: Arc<Counts>) {
        let mut client = client(server);
        for n in 1..=WRITES {
            // Not so fast that nobody is killed meanwhile.
            while counts.acknowledged.load(SeqCst) > 12 * (counts.killed.load(SeqCst) + 1) {
                yield_now().await;
            }
            assert_eq!(client.ask(&format!("SET {name} {n}")).await, "OK");
            counts.acknowledged.fetch_add(1, SeqCst);
            assert_eq!(client.ask(&format!("GET {name}")).await, format!("VALUE {n}"));
        }
    }

    fn pids(node: &TreeNode) -> Vec<Pid> {
        node.children.iter().flat_map(|child| child.pid.into_iter().chain(pids(child))).collect()
    }

    /// Kills one of the server's processes for every few writes, at random.
    async fn havoc(root: Pid, counts: Arc<Counts>) {
        let mut random = 0x2545_f491_u32;
        while counts.acknowledged.load(SeqCst) < CLIENTS * WRITES {
            if counts.acknowledged.load(SeqCst) >= counts.killed.load(SeqCst) * 8 {
                let victims = tree(root).await.map(|tree| pids(&tree)).unwrap_or_default();
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if let Some(victim) = victims.get((random >> 8) as usize % victims.len().max(1)) {
                    exit(*victim, ExitReason::Kill);
                    counts.killed.fetch_add(1, SeqCst);
                }
            }
            yield_now().await;
        }
    }

    async fn started(log: PathBuf) -> (SocketAddr, Supervisor) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let builder = key_value(listener, log).unwrap().intensity(usize::MAX, Duration::from_secs(1));
        (server, builder.start_link().await.unwrap())
    }

    #[test]
    fn nothing_that_was_acknowledged_is_lost_whoever_is_killed() {
        let log = std::env::temp_dir().join(format!("greenroom-key-value-{}.log", std::process::id()));
        let path = log.clone();
        greenroom::run(async move {
            let (server, root) = started(path.clone()).await;
            let counts = Arc::new(Counts::default());
            let havoc = Task::spawn(havoc(root.pid(), counts.clone()));
            let clients = (0..CLIENTS).map(|name| Task::spawn(work(server, name, counts.clone())));
            task::await_many(clients, Duration::from_secs(60)).await;
            havoc.await;
            assert!(counts.killed.load(SeqCst) > 80);
            root.stop().await;
            // Those who have served clients end when their supervisor does; nobody else is left.
            while process::list() != [self_pid()] {
                yield_now().await;
            }

            let (server, root) = started(path).await;
            for name in 0..CLIENTS {
                assert_eq!(client(server).ask(&format!("GET {name}")).await, format!("VALUE {WRITES}"));
            }
            root.stop().await;
        });
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn what_an_earlier_life_writes_too_late_does_not_count() {
        let range: RangeInclusive<u64> = 1..=2;
        let lives: Vec<String> = range.map(|life| format!("life {life}\n{life} a {life}\n")).collect();
        let (life, values) = replay(&format!("{}1 a late\n2 b x y\n2 c", lives.concat()));
        assert_eq!((life, values.len()), (2, 2));
        assert_eq!((values["a"].as_str(), values["b"].as_str()), ("2", "x y"));
    }
}
