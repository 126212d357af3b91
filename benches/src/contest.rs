//! What is measured against whom, in which unit, and what is asked of us: plain data.

/// One measure: our trial, and its rivals.
pub struct Contest {
    /// Its name.
    pub measure: &'static str,
    /// Who runs our trial.
    pub own: Contestant,
    /// Our trial.
    pub trial: &'static str,
    /// What the figures are in.
    pub unit: &'static str,
    /// Which figure is the better one.
    pub better: Better,
    /// Whom to compare with.
    pub rivals: &'static [Rival],
}

/// Which of two figures is the better one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The greater one.
    More,
    /// The smaller one.
    Less,
}

/// Someone to compare with.
pub struct Rival {
    /// How it is called in the table.
    pub name: &'static str,
    /// Where its figure comes from.
    pub figure: Figure,
    /// The ratio to reach, if any.
    pub bar: Option<f64>,
}

/// Where a rival's figure comes from.
pub enum Figure {
    /// A trial of a contestant.
    Trial(Contestant, &'static str),
    /// It is given.
    Given(f64),
}

/// Who runs trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contestant {
    /// This project.
    Greenroom,
    /// Erlang's virtual machine.
    Beam,
    /// Tasks with channels.
    Tokio,
    /// The library of that name.
    Ractor,
    /// The library of that name.
    Kameo,
    /// The library of that name.
    Actix,
    /// This project's example, built as it is or without tracing.
    Example(Tracing),
}

use crate::built::Tracing;
use Better::{Less, More};
use Contestant::*;

impl Contestant {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Greenroom => "greenroom",
            Beam => "beam",
            Tokio => "tokio",
            Ractor => "ractor",
            Kameo => "kameo",
            Actix => "actix",
            Example(_) => "example",
        }
    }
}

impl Better {
    /// How many times better our figure is than theirs. A rival who got nothing done counts as having done one.
    pub fn ratio(self, ours: f64, theirs: f64) -> f64 {
        match self {
            More => ours / theirs.max(1.0),
            Less => theirs / ours,
        }
    }
}

const fn rival(contestant: Contestant, trial: &'static str, bar: Option<f64>) -> Rival {
    Rival { name: contestant.name(), figure: Figure::Trial(contestant, trial), bar }
}

/// Another trial of our own.
const fn variant(name: &'static str, trial: &'static str, bar: Option<f64>) -> Rival {
    Rival { name, figure: Figure::Trial(Greenroom, trial), bar }
}

/// A figure that ours may not be worse than.
const fn limit(name: &'static str, figure: f64) -> Rival {
    Rival { name, figure: Figure::Given(figure), bar: Some(1.0) }
}

/// Everybody, with the bar beside the BEAM and the one beside each of the Rust peers.
const fn everybody(trial: &'static str, beam: f64, rust: f64) -> [Rival; 5] {
    [
        rival(Beam, trial, Some(beam)),
        rival(Tokio, trial, Some(rust)),
        rival(Ractor, trial, Some(rust)),
        rival(Kameo, trial, Some(rust)),
        rival(Actix, trial, Some(rust)),
    ]
}

const fn contest(measure: &'static str, unit: &'static str, better: Better, rivals: &'static [Rival]) -> Contest {
    Contest { measure, own: Greenroom, trial: measure, unit, better, rivals }
}

/// Every measure, in the order of the table.
pub const CONTESTS: &[Contest] = &[
    contest(
        "memory",
        "B",
        Less,
        &[
            limit("250 B", 250.0),
            rival(Beam, "memory", Some(10.0)),
            rival(Tokio, "memory", Some(1.0)),
            rival(Ractor, "memory", Some(1.0)),
            rival(Kameo, "memory", Some(1.0)),
            rival(Actix, "memory", Some(1.0)),
        ],
    ),
    contest("spawn_hold", "/s", More, &everybody("spawn_hold", 3.0, 1.0)),
    contest("spawn_exit", "/s", More, &everybody("spawn_exit", 3.0, 1.0)),
    contest("ping_pong", "/s", More, &everybody("ping_pong", 4.0, 2.0)),
    contest("ring", "/s", More, &everybody("ring", 5.0, 1.0)),
    contest("fan_in", "/s", More, &everybody("fan_in", 3.0, 1.0)),
    contest(
        "spawn_monitor_down",
        "/s",
        More,
        &[
            rival(Beam, "spawn_monitor_down", Some(2.5)),
            rival(Tokio, "spawn_monitor_down", None),
            rival(Ractor, "spawn_monitor_down", None),
            rival(Kameo, "spawn_monitor_down", None),
        ],
    ),
    contest(
        "kill_down_p99",
        "us",
        Less,
        &[
            limit("50 us", 50.0),
            rival(Beam, "kill_down_p99", None),
            rival(Tokio, "kill_down_p99", None),
            rival(Kameo, "kill_down_p99", None),
        ],
    ),
    contest(
        "call",
        "/s",
        More,
        &[
            rival(Beam, "call", Some(5.0)),
            rival(Ractor, "call", Some(3.0)),
            rival(Kameo, "call", Some(3.0)),
            // Those of the peers that wait no longer than they are told, as ours and the BEAM's do.
            Rival { name: "ractor, limit", ..rival(Ractor, "call_limited", Some(3.0)) },
            Rival { name: "kameo, limit", ..rival(Kameo, "call_limited", Some(3.0)) },
            rival(Actix, "call", None),
            variant("ping_pong", "ping_pong", None),
        ],
    ),
    contest(
        "call_backlog",
        "ns",
        Less,
        &[variant("none waiting", "call_backlog_none", Some(0.5)), rival(Beam, "call_backlog", None)],
    ),
    contest("backlog", "ns", Less, &[variant("none waiting", "backlog_none", Some(0.5)), rival(Beam, "backlog", None)]),
    contest("chain", "ms", Less, &[rival(Beam, "chain", Some(1.0))]),
    contest("hub", "ms", Less, &[rival(Beam, "hub", Some(1.0))]),
    // A child dies, the one in its place has its name and runs.
    contest("restart", "/s", More, &[rival(Beam, "restart", Some(3.0))]),
    contest("restart_p50", "us", Less, &[limit("50 us", 50.0), rival(Beam, "restart_p50", None)]),
    contest("restart_p99", "us", Less, &[limit("200 us", 200.0), rival(Beam, "restart_p99", None)]),
    contest("tree", "ms", Less, &[rival(Beam, "tree", Some(1.0))]),
    contest("tree_dynamic", "ms", Less, &[rival(Beam, "tree_dynamic", Some(1.0))]),
    contest("async_stream", "/s", More, &[rival(Beam, "async_stream", Some(1.0)), rival(Tokio, "async_stream", None)]),
    contest("runaway", "ticks", More, &[rival(Beam, "runaway", Some(0.8)), rival(Tokio, "runaway", None)]),
    Contest {
        own: Example(Tracing::Off),
        trial: "round_trips",
        ..contest(
            "tracing_off",
            "/s",
            More,
            &[Rival {
                name: "not built in",
                figure: Figure::Trial(Example(Tracing::Absent), "round_trips"),
                bar: Some(0.98),
            }],
        )
    },
    Contest {
        trial: "ping_pong_flight",
        ..contest("flight", "/s", More, &[variant("recorder off", "ping_pong", Some(0.9))])
    },
    contest("trace_on", "ns", Less, &[limit("asked for", 150.0)]),
    contest("svg", "ms", Less, &[limit("asked for", 100.0)]),
    contest("tree_text", "ms", Less, &[limit("asked for", 1000.0)]),
    Contest {
        trial: "growth_7",
        ..contest(
            "growth",
            "ns",
            Less,
            &[
                variant("10^3", "growth_3", Some(1.0 / 1.5)),
                variant("10^4", "growth_4", Some(1.0 / 1.5)),
                variant("10^5", "growth_5", Some(1.0 / 1.5)),
                variant("10^6", "growth_6", Some(1.0 / 1.5)),
            ],
        )
    },
    contest(
        "remote_call",
        "us",
        Less,
        &[rival(Beam, "remote_call", Some(1.0)), variant("in memory", "remote_call_memory", None)],
    ),
    contest(
        "remote_cast",
        "/s",
        More,
        &[rival(Beam, "remote_cast", Some(2.0)), variant("in memory", "remote_cast_memory", None)],
    ),
    contest(
        "remote_stream",
        "MB/s",
        More,
        &[rival(Beam, "remote_stream", Some(1.0)), variant("in memory", "remote_stream_memory", None)],
    ),
    contest(
        "remote_small_behind_large",
        "ms",
        Less,
        &[limit("15 ms", 15.0), rival(Beam, "remote_small_behind_large", None)],
    ),
    contest("node_down", "ms", Less, &[limit("10 ms", 10.0)]),
    // As a share of the tick.
    contest("frozen_node", "ticks", Less, &[limit("tick + 25 %", 1.25)]),
    // A hundred nodes in one operating-system process, each connected with all others.
    contest("mesh_time", "s", Less, &[variant("in memory", "mesh_time_memory", None)]),
    contest("mesh_memory", "MB", Less, &[variant("in memory", "mesh_memory_memory", None)]),
];

/// The measures between two nodes, which `remote` stands for.
pub const REMOTE: &[&str] = &[
    "remote_call",
    "remote_cast",
    "remote_stream",
    "remote_small_behind_large",
    "node_down",
    "frozen_node",
    "mesh_time",
    "mesh_memory",
];
