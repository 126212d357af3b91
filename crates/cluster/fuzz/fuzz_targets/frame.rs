//! Whatever a node says that has been let in: it is taken, or the connection ends.
#![no_main]

use greenroom_cluster::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzzing::frames(bytes));
