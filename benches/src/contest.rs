//! What is measured against whom, in which unit, and what is asked of us: plain data.

/// One measure: our trial, and its rivals.
pub struct Contest {
    /// Its name.
    pub measure: &'static str,
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
}

use Better::{Less, More};
use Contestant::*;

impl Contestant {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Greenroom => "greenroom",
            Beam => "beam",
            Tokio => "tokio",
            Ractor => "ractor",
            Kameo => "kameo",
            Actix => "actix",
        }
    }
}

impl Better {
    /// How many times better our figure is than theirs.
    pub fn ratio(self, ours: f64, theirs: f64) -> f64 {
        match self {
            More => ours / theirs,
            Less => theirs / ours,
        }
    }
}

const fn rival(contestant: Contestant, name: &'static str, trial: &'static str, bar: f64) -> Rival {
    Rival { name, figure: Figure::Trial(contestant, trial), bar: Some(bar) }
}

const fn at_most(name: &'static str, figure: f64) -> Rival {
    Rival { name, figure: Figure::Given(figure), bar: Some(1.0) }
}

/// Every measure, in the order of the table.
pub const CONTESTS: &[Contest] = &[
    Contest {
        measure: "memory",
        trial: "memory",
        unit: "B",
        better: Less,
        rivals: &[
            rival(Beam, "beam", "memory", 10.0),
            at_most("250 B", 250.0),
            rival(Tokio, "tokio", "memory", 1.0),
            rival(Ractor, "ractor", "memory", 1.0),
            rival(Kameo, "kameo", "memory", 1.0),
            rival(Actix, "actix", "memory", 1.0),
        ],
    },
    Contest {
        measure: "spawn_hold",
        trial: "spawn_hold",
        unit: "/s",
        better: More,
        rivals: &[
            rival(Beam, "beam", "spawn_hold", 3.0),
            rival(Tokio, "tokio", "spawn_hold", 1.0),
            rival(Ractor, "ractor", "spawn_hold", 1.0),
            rival(Kameo, "kameo", "spawn_hold", 1.0),
            rival(Actix, "actix", "spawn_hold", 1.0),
        ],
    },
    Contest {
        measure: "spawn_exit",
        trial: "spawn_exit",
        unit: "/s",
        better: More,
        rivals: &[
            rival(Beam, "beam", "spawn_exit", 3.0),
            rival(Tokio, "tokio", "spawn_exit", 1.0),
            rival(Ractor, "ractor", "spawn_exit", 1.0),
            rival(Kameo, "kameo", "spawn_exit", 1.0),
            rival(Actix, "actix", "spawn_exit", 1.0),
        ],
    },
    Contest {
        measure: "ping_pong",
        trial: "ping_pong",
        unit: "/s",
        better: More,
        rivals: &[
            rival(Beam, "beam", "ping_pong", 4.0),
            rival(Tokio, "tokio", "ping_pong", 2.0),
            rival(Ractor, "ractor", "ping_pong", 2.0),
            rival(Kameo, "kameo", "ping_pong", 2.0),
            rival(Actix, "actix", "ping_pong", 2.0),
        ],
    },
    Contest {
        measure: "ring",
        trial: "ring",
        unit: "/s",
        better: More,
        rivals: &[
            rival(Beam, "beam", "ring", 5.0),
            rival(Tokio, "tokio", "ring", 1.0),
            rival(Ractor, "ractor", "ring", 1.0),
            rival(Kameo, "kameo", "ring", 1.0),
            rival(Actix, "actix", "ring", 1.0),
        ],
    },
    Contest {
        measure: "fan_in",
        trial: "fan_in",
        unit: "/s",
        better: More,
        rivals: &[
            rival(Beam, "beam", "fan_in", 3.0),
            rival(Tokio, "tokio", "fan_in", 1.0),
            rival(Ractor, "ractor", "fan_in", 1.0),
            rival(Kameo, "kameo", "fan_in", 1.0),
            rival(Actix, "actix", "fan_in", 1.0),
        ],
    },
    Contest {
        measure: "spawn_monitor_down",
        trial: "spawn_monitor_down",
        unit: "/s",
        better: More,
        rivals: &[
            rival(Beam, "beam", "spawn_monitor_down", 2.5),
            rival(Tokio, "tokio", "spawn_monitor_down", 1.0),
            rival(Ractor, "ractor", "spawn_monitor_down", 1.0),
            rival(Kameo, "kameo", "spawn_monitor_down", 1.0),
        ],
    },
    Contest {
        measure: "kill_down_p99",
        trial: "kill_down_p99",
        unit: "us",
        better: Less,
        rivals: &[
            at_most("50 us", 50.0),
            Rival { name: "beam", figure: Figure::Trial(Beam, "kill_down_p99"), bar: None },
            Rival { name: "tokio", figure: Figure::Trial(Tokio, "kill_down_p99"), bar: None },
            Rival { name: "kameo", figure: Figure::Trial(Kameo, "kill_down_p99"), bar: None },
        ],
    },
    Contest {
        measure: "backlog",
        trial: "backlog",
        unit: "ns",
        better: Less,
        rivals: &[
            rival(Greenroom, "none waiting", "backlog_none", 0.5),
            Rival { name: "beam", figure: Figure::Trial(Beam, "backlog"), bar: None },
        ],
    },
    Contest {
        measure: "chain",
        trial: "chain",
        unit: "ms",
        better: Less,
        rivals: &[rival(Beam, "beam", "chain", 1.0)],
    },
    Contest { measure: "hub", trial: "hub", unit: "ms", better: Less, rivals: &[rival(Beam, "beam", "hub", 1.0)] },
    Contest {
        measure: "runaway",
        trial: "runaway",
        unit: "ticks",
        better: More,
        rivals: &[
            rival(Beam, "beam", "runaway", 0.8),
            Rival { name: "tokio", figure: Figure::Trial(Tokio, "runaway"), bar: None },
        ],
    },
    Contest {
        measure: "tracing_off",
        trial: "ping_pong",
        unit: "/s",
        better: More,
        rivals: &[Rival { name: "tracer set", figure: Figure::Trial(Greenroom, "ping_pong_traced"), bar: None }],
    },
    Contest {
        measure: "growth",
        trial: "growth_7",
        unit: "ns",
        better: Less,
        rivals: &[
            rival(Greenroom, "10^3", "growth_3", 1.0 / 1.5),
            rival(Greenroom, "10^4", "growth_4", 1.0 / 1.5),
            rival(Greenroom, "10^5", "growth_5", 1.0 / 1.5),
            rival(Greenroom, "10^6", "growth_6", 1.0 / 1.5),
        ],
    },
];
