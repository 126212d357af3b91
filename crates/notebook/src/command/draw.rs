//! `greenroom draw`: a saved trace or tree as a picture.

use super::refuse;
use crate::cli::EXIT_OK;
use crate::draw::Style;
use crate::frontend::{Look, page};
use crate::picture::{self, Draw};

/// As many columns as any picture needs.
const WIDE: usize = 4_000;

pub(super) fn draw(wanted: &Draw) -> u8 {
    let look = Look::of_stdout();
    let style = if look.coloured { Style::Coloured } else { Style::Plain };
    let columns = if wanted.wide { WIDE } else { look.width };
    match picture::draw(wanted, columns, style).map(|drawn| page(&drawn)) {
        // Whoever closes our output has seen enough.
        Ok(_) => EXIT_OK,
        Err(error) => refuse(error),
    }
}
