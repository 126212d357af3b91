//! Mermaid diagrams as SVG, without a browser.

use merman::svg::SvgRenderOptions;
use merman::{OperationControl, RenderOutput, RenderRequest, Renderer, SvgRequest};

/// Draws diagrams, each with a name of its own on the page.
#[derive(Default)]
pub(super) struct Draughtsman {
    renderer: Renderer,
    drawn: usize,
}

impl Draughtsman {
    /// A diagram on light and on dark ground; `None` if it is of a kind that is not drawn here, or not right.
    pub(super) fn draw(&mut self, mermaid: &str) -> Option<[String; 2]> {
        let [light, dark] = ["default", "dark"].map(|theme| self.svg(mermaid, theme));
        Some([light?, dark?])
    }

    fn svg(&mut self, mermaid: &str, theme: &str) -> Option<String> {
        self.drawn += 1;
        let source = format!("%%{{init: {{\"theme\": \"{theme}\"}}}}%%\n{mermaid}");
        let options = SvgRenderOptions { diagram_id: Some(format!("diagram-{}", self.drawn)), ..Default::default() };
        let request = SvgRequest { options, ..SvgRequest::default() };
        match self.renderer.render(RenderRequest::svg(&source, OperationControl::new(), request)) {
            Ok(RenderOutput::Svg(Some(svg))) => Some(svg.svg().to_owned()),
            Ok(_) | Err(_) => None,
        }
    }
}
