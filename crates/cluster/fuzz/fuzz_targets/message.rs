//! Whatever an operation holds: it is a message or a signal, or refused.
#![no_main]

use greenroom_cluster::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzzing::operation(bytes));
