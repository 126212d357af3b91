//! A limit on the memory of a runtime, so that a cell without bounds ends the runtime and not the machine.
//!
//! The notebook is told of it by the exit code; what it then says is its own business.

use std::time::Duration;

use crate::memory::{Memory, memory};
use crate::protocol::OUT_OF_MEMORY;

/// The variable that says how much memory a runtime may use, in megabytes.
const VARIABLE: &str = "GREENROOM_MEMORY";

/// How long it may be until the next look: not so long that what is left can be filled by then, as a cell that starts
/// processes without end takes gigabytes in a second.
const STEPS: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];
/// More than a program can fill in a millisecond, in bytes.
const FASTEST: u64 = 8 << 20;

/// Whether somebody has said how much memory a runtime may use.
pub(crate) fn is_said() -> bool {
    said().is_some()
}

fn said() -> Option<u64> {
    std::env::var(VARIABLE).ok().and_then(|text| text.trim().parse().ok())
}

/// Ends this program when it uses more memory than it may: what `GREENROOM_MEMORY` says, else three quarters of what is
/// free at its start. Where the system does not tell, there is no limit.
pub(crate) fn watch() {
    let Some(limit) = said().map(|megabytes| megabytes << 20).or_else(|| Some(free()? / 4 * 3)) else { return };
    let look = move || {
        while let Some(room) = memory().map_or(Some(0), |Memory { resident, .. }| limit.checked_sub(resident)) {
            let [shortest, longest] = STEPS;
            std::thread::sleep(Duration::from_millis(room / FASTEST).clamp(shortest, longest));
        }
        std::process::exit(OUT_OF_MEMORY)
    };
    // Without the thread there is no limit, as on other systems.
    let _ = std::thread::Builder::new().name("memory limit".to_owned()).spawn(look);
}

/// The memory that programs can still have, in bytes.
fn free() -> Option<u64> {
    let known = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = known.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}
