//! Data to bytes and back: the one place that knows `bincode`.
//!
//! Nothing that is read may claim to be larger than [`LIMIT`], and reading never allocates more than
//! what has arrived.

use std::fmt;

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::serde::BorrowedSerdeDecoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest frame, in bytes: 256 MiB.
pub(crate) const LIMIT: usize = 256 << 20;

const CONFIGURATION: Configuration<LittleEndian, Fixint, Limit<LIMIT>> =
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<LIMIT>();

/// Bytes that are not what they should be, or data that cannot be turned into bytes.
#[derive(Debug)]
pub(crate) struct CodecError(String);

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

/// Reads a value that fills `bytes`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, rest) = split(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(CodecError("bytes are left over".to_owned())) }
}

/// Reads a value that `bytes` begin with, in a form that later versions keep.
pub(crate) fn decode_prefix<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    split(bytes).map(|(value, _)| value)
}

/// Reads a value and gives the bytes after it.
pub(crate) fn split<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), CodecError> {
    let (value, read) =
        bincode::serde::decode_from_slice(bytes, CONFIGURATION).map_err(|error| CodecError(error.to_string()))?;
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
        let bytes = u64::MAX.to_le_bytes();
        assert!(decode::<Vec<u8>>(&bytes).is_err());
        assert!(decode::<Vec<String>>(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<crate::frame::Frame>(&bytes);
        }
    }
}
