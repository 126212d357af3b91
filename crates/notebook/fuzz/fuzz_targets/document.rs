//! Any text is a document; what was read and printed once is read and printed the same way again.
#![no_main]

use greenroom_notebook::livemd::{parse, print};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let once = print(&parse(text).0);
    let (again, _) = parse(&once);
    let twice = print(&again);
    assert_eq!(once, twice, "from {text:?}");
    assert_eq!(parse(&twice).0, again, "from {text:?}");
});
