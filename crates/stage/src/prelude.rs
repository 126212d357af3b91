//! What every cell sees without asking for it.

pub use std::time::Duration;

pub use greenroom::message::{Down, Exit};
pub use greenroom::supervisor::{ChildSpec, Restart, Shutdown, Strategy, Supervisor};
pub use greenroom::{
    ExitReason, Local, Message, Node, Pid, Ref, Task, demonitor, exit, exit_self, group_leader, is_alive, link, mark,
    monitor, process, receive, receive_timeout, register, self_pid, send, send_after, sleep, spawn, spawn_link,
    spawn_monitor, trap_exit, unlink, unregister, whereis, yield_now,
};
pub use serde::{Deserialize, Serialize};

pub use crate::cell::{IntoOutput, Output, Render, Shared};
pub use crate::frame::{Frame, animate};
pub use crate::image::{Image, image};
pub use crate::input::Input;
pub use crate::io::emit;
pub use crate::memory::memory;
pub use crate::pictures::{
    render_app_tree, render_cluster_tree, render_flame, render_map, render_node_tree, render_seq_trace,
    render_sup_tree, render_timeline,
};
pub use crate::table::{Table, table};
