//! A node behind a network interface of its own, where that is permitted: the link is cut, the node is frozen, and killed.
//!
//! Needs `ip` of iproute2 and the right to make network namespaces; elsewhere a line says that it was not run.

use std::process::{Command, Stdio};

use greenroom::message::Down;
use greenroom::{ExitReason, monitor, receive};
use greenroom_cluster::{Cookie, NodeDown, NodeUp};

use crate::processes::{Process, home, other};

/// A network namespace with a link to it, which ends with this value.
struct Namespace {
    name: String,
    /// This program's end of the link.
    link: String,
    here: &'static str,
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split(' ')).stdin(Stdio::null()).output();
    match output.map_err(|error| error.to_string())? {
        output if output.status.success() => Ok(()),
        output => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

impl Namespace {
    fn new() -> Result<Namespace, String> {
        let id = std::process::id();
        let made = Namespace { name: format!("greenroom-{id}"), link: format!("gr{id}"), here: "10.203.47.1" };
        let Namespace { name, link, here } = &made;
        for step in [
            format!("netns add {name}"),
            format!("link add {link} type veth peer name far netns {name}"),
            format!("addr add {here}/24 dev {link}"),
            format!("link set {link} up"),
            format!("-n {name} addr add 10.203.47.2/24 dev far"),
            format!("-n {name} link set far up"),
        ] {
            ip(&step).map_err(|error| format!("`ip {step}`: {error}"))?;
        }
        Ok(made)
    }

    fn cut(&self) {
        ip(&format!("-n {} link set far down", self.name)).unwrap();
    }

    fn mend(&self) {
        ip(&format!("-n {} link set far up", self.name)).unwrap();
    }

    /// This program, to be run on the other side of the link.
    fn command(&self) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(std::env::current_exe().unwrap());
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The link goes with the namespace; if there is none, all the better.
        let _ = ip(&format!("link del {}", self.link));
        let _ = ip(&format!("netns del {}", self.name));
    }
}

#[test]
fn a_node_across_a_real_link_is_cut_off_and_frozen_and_killed() {
    let namespace = match Namespace::new() {
        Ok(namespace) => namespace,
        Err(why) => return eprintln!("not run, as there is no network namespace here: {why}"),
    };
    let cookie = Cookie::random();
    let home = home(&cookie);
    let address = home.cluster.listen(format!("{}:0", namespace.here).parse().unwrap()).unwrap();
    // `ip netns exec` becomes the program that it runs, so that signals reach it.
    let process = Process::start(namespace.command(), address, &cookie);
    let cluster = home.cluster.clone();
    home.node.block_on(async move {
        let node = other(&cluster).await;
        for disturbance in ["cut", "freeze", "kill"] {
            let watch = monitor(("target", node));
            let fence = monitor(("nobody", node));
            assert_eq!(receive::<Down>().await.reference, fence);
            match disturbance {
                "cut" => namespace.cut(),
                "freeze" => process.signal(libc::SIGSTOP),
                _ => process.signal(libc::SIGKILL),
            }
            let down = receive::<Down>().await;
            assert_eq!((down.reference, down.reason), (watch, ExitReason::NoConnection), "{disturbance}");
            let why = receive::<NodeDown>().await.reason;
            assert_eq!(why.contains("nothing was heard of it"), disturbance != "kill", "{disturbance}: {why}");
            match disturbance {
                "cut" => namespace.mend(),
                "freeze" => process.signal(libc::SIGCONT),
                _ => break,
            }
            assert_eq!(receive::<NodeUp>().await.node, node, "{disturbance}");
        }
    });
}
