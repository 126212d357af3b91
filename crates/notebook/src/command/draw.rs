//! `greenroom draw`: a saved trace or tree as a picture.

use std::io::{self, Write};

use super::refuse;
use crate::cli::EXIT_OK;
use crate::draw::Style;
use crate::frontend::Look;
use crate::picture::{self, Draw};

pub(super) fn draw(wanted: &Draw) -> u8 {
    let look = Look::of_stdout();
    let style = if look.coloured { Style::Coloured } else { Style::Plain };
    let drawn = picture::draw(wanted, look.width, style);
    match drawn.map(|drawn| io::stdout().write_all(drawn.as_bytes())) {
        // Whoever closes our output has seen enough.
        Ok(_) => EXIT_OK,
        Err(error) => refuse(error),
    }
}
