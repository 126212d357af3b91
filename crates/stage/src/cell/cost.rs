//! What it costs to clone a value for a cell. Nobody asks for these clones, so a dear one is pointed out, with the
//! cure.

use std::time::{Duration, Instant};

use super::{Context, Output};
use crate::memory::memory;

/// Clones that take longer are pointed out.
const NOTICED: Duration = Duration::from_millis(50);

/// The moment before a clone.
pub(super) struct Cost {
    begin: Instant,
    /// The memory in use, if the system tells.
    resident: Option<u64>,
}

impl Cost {
    pub(super) fn begin() -> Self {
        Cost { resident: memory().map(|memory| memory.resident), begin: Instant::now() }
    }

    /// Says how dear it was, if it was dear.
    pub(super) fn tell(self, cx: &Context, name: &str) {
        let took = self.begin.elapsed();
        if took >= NOTICED {
            let now = memory().map(|memory| memory.resident);
            let size = self.resident.zip(now).map(|(before, now)| now.saturating_sub(before));
            cx.emit(Output::Text(notice(name, took, size)));
        }
    }
}

fn notice(name: &str, took: Duration, size: Option<u64>) -> String {
    let size = match size.map(|bytes| bytes / 1_000_000) {
        Some(megabytes) if megabytes > 0 => format!(" and {megabytes} MB"),
        Some(_) | None => String::new(),
    };
    format!(
        "note: cloning `{name}` for this cell took {} ms{size}; make it `Shared::new(…)` where it is defined, and cells \
         share it instead\n",
        took.as_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_names_the_time_the_size_and_the_cure() {
        let text = notice("rows", Duration::from_millis(80), Some(120_000_000));
        assert_eq!(
            text,
            "note: cloning `rows` for this cell took 80 ms and 120 MB; make it `Shared::new(…)` where it is defined, \
             and cells share it instead\n"
        );
        assert!(notice("rows", Duration::from_millis(80), None).contains("took 80 ms; make"));
    }
}
