//! The secret that the nodes of a cluster share. It is never sent, only proved.
//!
//! Here is what a cookie is; where a user's own is kept is `cookie/file.rs`.

mod file;

use std::fmt;
use std::str::FromStr;

pub use file::CookieFileError;

/// 256 secret bits; whoever knows them may join, and run anything that the nodes can run.
///
/// It prints nothing of itself with `Debug`; [`Cookie::reveal`] gives the text that [`str::parse`] reads.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie([u8; 32]);

impl Cookie {
    /// A cookie from the operating system's random numbers.
    ///
    /// # Panics
    /// If the operating system has none to give.
    pub fn random() -> Self {
        Cookie(random_bytes())
    }

    /// The cookie as 64 hexadecimal digits, to hand it to another program.
    pub fn reveal(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        panic!("the operating system gives no random numbers: {error}");
    }
    bytes
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(…)")
    }
}

/// A text that is no cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieError;

impl fmt::Display for CookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cookie is 64 hexadecimal digits, as `openssl rand -hex 32` prints them")
    }
}

impl std::error::Error for CookieError {}

impl FromStr for Cookie {
    type Err = CookieError;

    fn from_str(text: &str) -> Result<Self, CookieError> {
        let digits = text.trim().as_bytes();
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return Err(CookieError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let value = |digit: u8| char::from(digit).to_digit(16).ok_or(CookieError);
            *byte = (value(pair[0])? << 4 | value(pair[1])?) as u8;
        }
        Ok(Cookie(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_as_it_was_revealed() {
        let cookie = Cookie::random();
        assert_eq!(cookie.reveal().parse(), Ok(cookie));
        assert_eq!("é".repeat(32).parse::<Cookie>(), Err(CookieError));
        assert_eq!("12".parse::<Cookie>(), Err(CookieError));
    }

    #[test]
    fn neither_nothing_nor_a_part_of_a_cookie_is_one() {
        let whole = Cookie::random().reveal();
        for length in 0..whole.len() {
            assert_eq!(whole[..length].parse::<Cookie>(), Err(CookieError));
        }
        assert_eq!(format!("{whole}00").parse::<Cookie>(), Err(CookieError));
    }
}
