//! Images as outputs: bytes of a known form. Nothing here reads more of them than it takes to tell the form; drawing them
//! is for the front ends.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cell::{Output, Render};

/// The most bytes of an image that are shown.
const MOST: usize = 16 << 20;

/// The bytes of a PNG, JPEG, GIF, WebP or SVG file, which show themselves as an image.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Image(#[serde(with = "serde_bytes")] Vec<u8>);

/// The image in these bytes, to be the value of a cell, emitted, or rendered in a frame.
///
/// # Examples
/// ```
/// use greenroom_stage::cell::Output;
/// use greenroom_stage::image::image;
/// use greenroom_stage::io::emit;
///
/// let picture = image("<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>");
/// assert_eq!(format!("{picture:?}"), "Image(image/svg+xml, 62 bytes)");
/// emit(picture);
/// ```
pub fn image(bytes: impl Into<Vec<u8>>) -> Image {
    Image(bytes.into())
}

impl Image {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Render for Image {
    fn render(&self) -> Output {
        match mime(&self.0) {
            _ if self.0.is_empty() => Output::Error("this image has no bytes\n".to_owned()),
            _ if self.0.len() > MOST => {
                Output::Error(format!("this image has {} bytes; at most {MOST} are shown\n", self.0.len()))
            }
            Some(mime) => Output::Image { mime: mime.to_owned(), bytes: self.0.clone() },
            None => Output::Error("this is no image: PNG, JPEG, GIF, WebP and SVG are known\n".to_owned()),
        }
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({}, {} bytes)", mime(&self.0).unwrap_or("no known form"), self.0.len())
    }
}

/// What these bytes are, as far as their beginning says.
fn mime(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => {
            let start = &bytes[..bytes.len().min(1 << 10)];
            let text = String::from_utf8_lossy(start);
            let text = text.trim_start_matches('\u{feff}').trim_start();
            (text.starts_with('<') && text.contains("<svg")).then_some("image/svg+xml")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_told_by_the_beginning() {
        assert_eq!(mime(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(mime(b"RIFF....WEBPVP8 "), Some("image/webp"));
        assert_eq!(mime(b"<?xml version='1.0'?>\n<!-- a --><svg/>"), Some("image/svg+xml"));
        assert_eq!(mime(b"<html>"), None);
        assert_eq!(mime(b"\x89PNG"), None);
    }

    #[test]
    fn what_cannot_be_shown_is_an_error_that_says_why() {
        let refused = |bytes: &[u8]| match image(bytes).render() {
            Output::Error(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(b""), "this image has no bytes\n");
        assert!(refused(b"text").starts_with("this is no image"));
        assert!(refused(&vec![0xff; MOST + 1]).contains("at most"));
    }
}
