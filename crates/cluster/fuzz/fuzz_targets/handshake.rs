//! Whatever a stranger says: nobody is let in, and no more than a hello is said in return.
#![no_main]

use greenroom_cluster::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzzing::handshake(bytes));
