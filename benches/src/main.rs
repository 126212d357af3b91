//! Greenroom measured beside its peers: `cargo run --release -p greenroom-benches`.
//!
//! Every trial runs in a process of its own, the contestants in turn, several rounds; figures are medians, and a
//! ratio is the median of the rounds' ratios. Rates are those of a second time in the same process, so that the
//! memory was touched before. What is measured stands in `contest.rs`, how, in a file for each contestant.

mod allocator;
mod beam;
mod built;
mod common;
mod contest;
mod evcxr;
mod mesh;
mod model;
mod notebook;
mod ours;
mod pictures;
#[cfg(feature = "peers")]
mod peers;
mod prompt;
mod recovery;
mod remote;
mod report;
mod tokio_tasks;
mod trial;

use std::collections::HashMap;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use crate::common::median;
use crate::contest::{CONTESTS, Contest, Contestant, Figure};
use crate::report::Row;
use crate::trial::Ground;

/// Measures Greenroom beside its peers.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure; without any, everything but the notebook's
    measures: Vec<String>,

    /// Print one JSON object a line
    #[arg(long)]
    json: bool,

    /// How often everything is measured; figures are medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// What the Rust contestants allocate with
    #[arg(long, value_enum, default_value_t = Malloc::Mimalloc)]
    malloc: Malloc,

    /// Run one trial of one contestant and print its figure
    #[arg(long, num_args = 2, value_names = ["CONTESTANT", "TRIAL"])]
    trial: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Malloc {
    Mimalloc,
    System,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some([contestant, trial]) = options.trial.as_deref() {
        return run_trial(contestant, trial);
    }
    let known = || {
        let own = notebook::MEASURES.iter().chain(prompt::MEASURES).chain(model::MEASURES).chain(recovery::MEASURES);
        CONTESTS.iter().map(|contest| contest.measure).chain(own.copied())
    };
    let is_known = |wanted: &str| wanted == "remote" || known().any(|measure| measure == wanted);
    if let Some(unknown) = options.measures.iter().find(|wanted| !is_known(wanted)) {
        eprintln!("error: there is no measure `{unknown}`; there are: {}", known().collect::<Vec<_>>().join(", "));
        return ExitCode::from(2);
    }
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("error: no temporary folder: {error}");
            return ExitCode::FAILURE;
        }
    };
    let has_beam = beam::compile(folder.path()).inspect_err(|error| {
        eprintln!("note: without the BEAM, as its `erlc` does not answer ({error}): install erlang-base");
    });
    if cfg!(not(feature = "peers")) {
        eprintln!("note: without ractor, kameo and actix: the feature `peers` is off");
    }
    let ground =
        Ground { beam: has_beam.is_ok().then_some(folder.path()), system_malloc: options.malloc == Malloc::System };
    if !options.json {
        println!("{}", report::head());
    }
    let is_wanted = |measure: &str| {
        let is_remote = contest::REMOTE.contains(&measure);
        options.measures.iter().any(|wanted| wanted == measure || wanted == "remote" && is_remote)
    };
    for contest in CONTESTS.iter().filter(|contest| options.measures.is_empty() || is_wanted(contest.measure)) {
        show(&compare(contest, &ground, options.rounds), options.json);
    }
    let wanted = |measures: &'static [&str]| measures.iter().filter(|measure| is_wanted(measure));
    let runs = wanted(notebook::MEASURES).map(|measure| (measure, notebook::measure(measure, options.rounds)));
    let typed = wanted(prompt::MEASURES).map(|measure| (measure, prompt::measure(measure, options.rounds)));
    let data = wanted(model::MEASURES).map(|measure| (measure, model::measure(measure, options.rounds)));
    let recovery = wanted(recovery::MEASURES).map(|measure| (measure, recovery::measure(measure)));
    for (measure, rows) in runs.chain(typed).chain(data).chain(recovery) {
        match rows {
            Ok(rows) => show(&rows, options.json),
            Err(error) => eprintln!("note: {measure}: {error}"),
        }
    }
    ExitCode::SUCCESS
}

/// What a process for a single trial does.
fn run_trial(contestant: &str, trial: &str) -> ExitCode {
    let figure = match contestant {
        "greenroom" => ours::run(trial).or_else(|| pictures::run(trial)).or_else(|| remote::run(trial)),
        "tokio" => tokio_tasks::run(trial),
        #[cfg(feature = "peers")]
        "ractor" => peers::ractor(trial),
        #[cfg(feature = "peers")]
        "kameo" => peers::kameo(trial),
        #[cfg(feature = "peers")]
        "actix" => peers::actix(trial),
        _ => None,
    };
    let Some(figure) = figure else {
        eprintln!("error: {contestant} has no trial `{trial}`");
        return ExitCode::FAILURE;
    };
    println!("{figure}");
    // Not by returning: what still runs, runaways among it, shall not be waited for.
    std::process::exit(0)
}

/// Runs a contest. The contestants take turns; one that fails is left out, with a note.
fn compare(contest: &Contest, ground: &Ground<'_>, rounds: u32) -> Vec<Row> {
    let is_there = |contestant| match contestant {
        Contestant::Beam => ground.beam.is_some(),
        Contestant::Greenroom | Contestant::Tokio | Contestant::Example(_) => true,
        Contestant::Ractor | Contestant::Kameo | Contestant::Actix => cfg!(feature = "peers"),
    };
    let own = (contest.own, contest.trial);
    let trials: Vec<_> = std::iter::once(own)
        .chain(contest.rivals.iter().filter_map(|rival| match rival.figure {
            Figure::Trial(contestant, trial) if is_there(contestant) => Some((contestant, trial)),
            Figure::Trial(..) | Figure::Given(_) => None,
        }))
        .collect();
    let mut figures: HashMap<_, Vec<f64>> = HashMap::new();
    let mut failed = Vec::new();
    for _ in 0..rounds {
        for &(contestant, trial) in &trials {
            if failed.contains(&(contestant, trial)) {
                continue;
            }
            match ground.run(contestant, trial) {
                Ok(figure) => figures.entry((contestant, trial)).or_default().push(figure),
                Err(why) => {
                    eprintln!("note: {}: {} {trial}: {why}", contest.measure, contestant.name());
                    failed.push((contestant, trial));
                }
            }
        }
    }
    let Some(ours) = figures.get(&own) else { return Vec::new() };
    let beside = |rival: &contest::Rival| {
        let theirs = match rival.figure {
            Figure::Given(figure) => vec![figure; ours.len()],
            Figure::Trial(contestant, trial) => figures.get(&(contestant, trial))?.clone(),
        };
        let ratios: Vec<f64> =
            ours.iter().zip(&theirs).map(|(&ours, &theirs)| contest.better.ratio(ours, theirs)).collect();
        Some(Row {
            measure: contest.measure,
            peer: rival.name,
            ours: median(ours),
            theirs: median(&theirs),
            unit: contest.unit,
            ratio: median(&ratios),
            bar: rival.bar,
        })
    };
    contest.rivals.iter().filter_map(beside).collect()
}

fn show(rows: &[Row], json: bool) {
    for row in rows {
        match json {
            false => println!("{row}"),
            true => match serde_json::to_string(row) {
                Ok(line) => println!("{line}"),
                Err(error) => eprintln!("note: {}: {error}", row.measure),
            },
        }
    }
}
