//! `greenroom cache`: how large the cache is and what is in it, clearing and limiting it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytesize::ByteSize;

use super::refuse;
use crate::cli::{Cache, CacheAction, EXIT_OK};
use crate::prelude::cache_folder;
use crate::storage::{Item, Kind, Removed, Storage};

pub(super) fn cache(arguments: &Cache) -> u8 {
    let folder = match cache_folder() {
        Ok(folder) => folder,
        Err(error) => return refuse(error),
    };
    let storage = Storage::new(&folder);
    let said = match &arguments.action {
        None | Some(CacheAction::Show) => show(&folder, &storage.items(), storage.limit(), SystemTime::now()),
        Some(CacheAction::Clear) => told(storage.clear()),
        Some(CacheAction::Limit { size }) => match size.parse::<ByteSize>() {
            Ok(limit) => match storage.set_limit(limit.as_u64()) {
                Ok(()) => format!("the limit is {}; {}", text(limit.as_u64()), told(storage.trim())),
                Err(error) => return refuse(error),
            },
            Err(_) => return refuse(format!("`{size}` is no size\nhelp: write it as in 500MB or 2GB")),
        },
    };
    // A closed pipe has heard enough.
    let _ = io::stdout().write_all(said.as_bytes());
    EXIT_OK
}

fn told(removed: Removed) -> String {
    match removed.kept {
        0 => format!("{} were freed\n", text(removed.freed)),
        kept => format!("{} were freed; {} stay, as they are in use\n", text(removed.freed), text(kept)),
    }
}

/// The cache as a table: every prelude with the cells on it, and what they were built with.
fn show(folder: &Path, items: &[Item], limit: u64, now: SystemTime) -> String {
    let mut table = format!("{}\n", folder.display());
    let mut line = |what: &str, bytes: u64, more: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{}", format!("  {what:<28} {:>10}   {more}", text(bytes)).trim_end());
    };
    let is_on = |item: &Item, prelude: &str| matches!(&item.kind, Kind::Cell { fingerprint } if fingerprint == prelude);
    let mut known = Vec::new();
    for item in items {
        let Kind::Prelude { fingerprint, dependencies } = &item.kind else { continue };
        known.push(fingerprint.as_str());
        let with = if dependencies.is_empty() { "no dependencies".to_owned() } else { dependencies.join(", ") };
        line(&format!("prelude {fingerprint}"), item.bytes, &format!("{with}, used {}", ago(item.used, now)));
        let cells: Vec<_> = items.iter().filter(|item| is_on(item, fingerprint)).collect();
        line(&format!("  {} cells on it", cells.len()), cells.iter().map(|cell| cell.bytes).sum(), "");
    }
    let is_lost =
        |item: &&Item| matches!(&item.kind, Kind::Cell { fingerprint } if !known.contains(&fingerprint.as_str()));
    let lost: Vec<_> = items.iter().filter(is_lost).collect();
    if !lost.is_empty() {
        line(&format!("{} cells of other preludes", lost.len()), lost.iter().map(|cell| cell.bytes).sum(), "");
    }
    for item in items.iter().filter(|item| item.kind == Kind::Builds) {
        line("builds", item.bytes, "what cargo keeps to build the next prelude sooner");
    }
    line("total", items.iter().map(|item| item.bytes).sum(), &format!("of {}", text(limit)));
    table
}

fn text(bytes: u64) -> String {
    ByteSize(bytes).display().si().to_string()
}

/// How long ago something was, in words.
fn ago(then: SystemTime, now: SystemTime) -> String {
    let minutes = now.duration_since(then).unwrap_or(Duration::ZERO).as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1..120 => format!("{minutes} min ago"),
        120..2880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}
