//! How much memory the running program uses, as the operating system counts it.

use std::fmt;

/// The memory of the running program: see [`memory()`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in use now.
    pub resident: u64,
    /// The most that was ever in use.
    pub peak: u64,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        write!(f, "{} MB, at most {} MB", megabytes(self.resident), megabytes(self.peak))
    }
}

/// The memory of the running program; in a cell, that of the runtime. `None` where the system does not
/// tell: it is read from `/proc`.
///
/// ```
/// if let Some(memory) = greenroom_stage::memory::memory() {
///     assert!(memory.peak >= memory.resident);
/// }
/// ```
pub fn memory() -> Option<Memory> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<Memory> {
    let kilobytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    Some(Memory { resident: kilobytes("VmRSS:")? * 1024, peak: kilobytes("VmHWM:")? * 1024 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_what_the_system_tells() {
        let status = "Name:\tx\nVmHWM:\t  2000 kB\nVmRSS:\t  1000 kB\n";
        let memory = parse(status).unwrap();
        assert_eq!(memory.to_string(), "1 MB, at most 2 MB");
        assert_eq!(parse("Name:\tx\n"), None);
    }
}
