//! Data to bytes and back: the one place that knows `bincode`.
//!
//! Nothing that is read may claim to be larger than [`LIMIT`], and reading never allocates more than
//! what has arrived.

use std::fmt;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::serde::BorrowedSerdeDecoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The largest operation, in bytes: 256 MiB.
pub(crate) const LIMIT: usize = 256 << 20;

const CONFIGURATION: Configuration<LittleEndian, Varint, Limit<LIMIT>> =
    bincode::config::standard().with_little_endian().with_variable_int_encoding().with_limit::<LIMIT>();

/// Bytes that are not what they should be, or data that cannot be turned into bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodecError(String);

impl CodecError {
    pub(crate) fn new(why: &str) -> Self {
        CodecError(why.to_owned())
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Appends `value` to `bytes`.
pub(crate) fn encode_into<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
    match bincode::serde::encode_into_std_write(value, bytes, CONFIGURATION) {
        Ok(_) => Ok(()),
        Err(error) => Err(CodecError(error.to_string())),
    }
}

/// Whether `bytes` are few enough to be sent.
pub(crate) fn check_size(bytes: &[u8]) -> Result<(), CodecError> {
    match bytes.len() {
        ..=LIMIT => Ok(()),
        length => Err(CodecError(format!("it has {length} bytes, and at most {LIMIT} can be sent at once"))),
    }
}

/// Reads a value that fills `bytes`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, rest) = split(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(CodecError::new("bytes are left over")) }
}

/// Reads a value and gives the bytes after it.
pub(crate) fn split<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, &'a [u8]), CodecError> {
    let (value, read) = bincode::serde::borrow_decode_from_slice(bytes, CONFIGURATION)
        .map_err(|error| CodecError(error.to_string()))?;
    Ok((value, &bytes[read..]))
}

/// Lends `read` a deserialiser over `bytes`.
pub(crate) fn with_deserializer(bytes: &[u8], read: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>)) {
    let mut decoder = BorrowedSerdeDecoder::from_slice(bytes, CONFIGURATION, ());
    read(&mut <dyn erased_serde::Deserializer<'_>>::erase(decoder.as_deserializer()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut bytes = Vec::new();
        encode_into(&(7_u32, "text", vec![1_u8, 2]), &mut bytes).unwrap();
        assert_eq!(decode::<(u32, String, Vec<u8>)>(&bytes).unwrap(), (7, "text".to_owned(), vec![1, 2]));
    }

    #[test]
    fn a_length_beyond_the_bytes_is_an_error() {
        for length in [1 << 20, 1 << 27, 1 << 40, u64::MAX] {
            let mut bytes = Vec::new();
            encode_into(&length, &mut bytes).unwrap();
            assert!(decode::<Vec<u8>>(&bytes).is_err());
            assert!(decode::<Vec<String>>(&bytes).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<greenroom::router::RemoteSignal>(&bytes);
            let _ = decode::<(String, Vec<Vec<u64>>)>(&bytes);
        }
    }
}
