//! Flamegraphs as SVG pictures, drawn by inferno.

use std::fmt;

use inferno::flamegraph::color::BasicPalette;
use inferno::flamegraph::{self, Options, Palette};

use super::Flame;

/// Light or dark as its reader likes it, as all pictures are.
const STYLE: &str = "#background stop { stop-color:#fff }
#search { opacity:0.6 }
@media (prefers-color-scheme:dark) {
#background stop { stop-color:#0e1116 }
#title, #details, #search, #matched, #unzoom { fill:#e6edf3 }
#frames > *:hover { stroke:#fff }
}
";

/// Why a flamegraph could not be drawn.
#[derive(Debug)]
pub struct DrawError(String);

impl fmt::Display for DrawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the flamegraph cannot be drawn: {}", self.0)
    }
}

impl std::error::Error for DrawError {}

impl Flame {
    /// The flamegraph as an SVG picture; where scripts run, it can be searched, and zoomed by a click.
    ///
    /// # Errors
    /// [`DrawError`], if nothing weighs anything.
    pub fn to_svg(&self) -> Result<String, DrawError> {
        draw(&self.title, self.unit, &self.to_folded())
    }

    /// What has become more (red) and less (blue) from an earlier window to this one.
    ///
    /// # Errors
    /// [`DrawError`], if nothing weighs anything.
    pub fn difference_to_svg(&self, before: &Flame) -> Result<String, DrawError> {
        let mut folded = Vec::new();
        let options = inferno::differential::Options { normalize: true, ..Default::default() };
        let (before, after) = (before.to_folded(), self.to_folded());
        inferno::differential::from_readers(options, before.as_bytes(), after.as_bytes(), &mut folded)
            .map_err(|error| DrawError(error.to_string()))?;
        draw(&format!("{}: what has changed", self.title), self.unit, &String::from_utf8_lossy(&folded))
    }
}

/// A flamegraph of lines `outermost;…;innermost weight`, as [`Flame::to_folded`] writes them.
///
/// # Errors
/// [`DrawError`], if nothing weighs anything.
pub fn draw(title: &str, unit: &str, folded: &str) -> Result<String, DrawError> {
    if folded.is_empty() {
        return Err(DrawError("there is nothing in it".to_owned()));
    }
    let mut options = Options::default();
    options.title = title.to_owned();
    options.count_name = unit.to_owned();
    options.deterministic = true;
    options.font_type = "monospace".to_owned();
    // Black letters stand out from all of its colours.
    options.colors = Palette::Basic(BasicPalette::Orange);
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, folded.lines(), &mut svg).map_err(|error| DrawError(error.to_string()))?;
    let svg = String::from_utf8(svg).map_err(|error| DrawError(error.to_string()))?;
    // The first style sheet is inferno's: what is foreign comes after it.
    Ok(svg.replacen("</style>", &format!("{STYLE}</style>"), 1))
}
