//! Images as the notebook keeps them: their bytes, what can be said of them in words, and their pixels for whoever draws.
//! What is malformed or too large is said, and never decoded further than it takes to know that.

use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageReader, Limits, RgbaImage};
use resvg::{tiny_skia, usvg};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most pixels of an image that is drawn.
const MOST_PIXELS: u64 = 40_000_000;
/// The most memory that decoding may take, in bytes.
const MOST_MEMORY: u64 = 512 << 20;
/// The longest side that an SVG is drawn with.
const SVG_SIDE: f32 = 1024.0;

/// An image that a cell has shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its form, such as `image/png`.
    pub mime: String,
    /// Its file: in Base64, where the form is text.
    #[serde(rename = "base64", serialize_with = "write", deserialize_with = "read")]
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({}, {} bytes)", self.mime, self.bytes.len())
    }
}

impl Image {
    /// Its form in a word.
    pub fn form(&self) -> &str {
        let form = self.mime.rsplit('/').next().unwrap_or(&self.mime);
        form.split('+').next().unwrap_or(form)
    }

    /// What it is, in words: `[image 640×480 png]`.
    pub fn words(&self) -> String {
        match self.size() {
            Ok((width, height)) if is_too_large(width, height) => {
                format!("[image {width}×{height} {}: it has too many pixels to be drawn]", self.form())
            }
            Ok((width, height)) => format!("[image {width}×{height} {}]", self.form()),
            Err(why) => self.refusal(&why),
        }
    }

    /// Why it is not drawn, in words.
    pub fn refusal(&self, why: &str) -> String {
        format!("[image {}: {why}]", self.form())
    }

    /// Its width and height, in pixels.
    fn size(&self) -> Result<(u32, u32), String> {
        if self.form() == "svg" {
            let size = self.tree()?.size();
            return Ok((size.width().ceil() as u32, size.height().ceil() as u32));
        }
        let reader = ImageReader::new(Cursor::new(&*self.bytes)).with_guessed_format();
        reader.map_err(malformed)?.into_dimensions().map_err(malformed)
    }

    /// Its pixels: of an animation those of the first image.
    ///
    /// # Errors
    /// Why it cannot be drawn, for people.
    pub fn pixels(&self) -> Result<RgbaImage, String> {
        let (width, height) = self.size()?;
        if width == 0 || height == 0 {
            return Err("it has no pixels".to_owned());
        }
        if is_too_large(width, height) {
            return Err("it has too many pixels to be drawn".to_owned());
        }
        if self.form() == "svg" {
            return self.rendered();
        }
        let mut reader = ImageReader::new(Cursor::new(&*self.bytes)).with_guessed_format().map_err(malformed)?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(MOST_MEMORY);
        reader.limits(limits);
        reader.decode().map(DynamicImage::into_rgba8).map_err(malformed)
    }

    fn tree(&self) -> Result<usvg::Tree, String> {
        // Nothing is loaded from anywhere: what an SVG refers to is not drawn.
        let mut options = usvg::Options { resources_dir: None, ..usvg::Options::default() };
        options.image_href_resolver.resolve_string = Box::new(|_, _| None);
        if self.bytes.windows(5).any(|tag| tag == b"<text") {
            options.fontdb_mut().load_system_fonts();
        }
        usvg::Tree::from_data(&self.bytes, &options).map_err(malformed)
    }

    fn rendered(&self) -> Result<RgbaImage, String> {
        let tree = self.tree()?;
        let size = tree.size();
        let scale = (SVG_SIDE / size.width().max(size.height())).min(1.0);
        let (width, height) = ((size.width() * scale).ceil() as u32, (size.height() * scale).ceil() as u32);
        let mut pixels = tiny_skia::Pixmap::new(width.max(1), height.max(1)).ok_or("it has no pixels")?;
        resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
        let plain = pixels.pixels().iter().flat_map(|pixel| {
            let pixel = pixel.demultiply();
            [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()]
        });
        RgbaImage::from_raw(pixels.width(), pixels.height(), plain.collect())
            .ok_or_else(|| "it has no pixels".to_owned())
    }
}

fn is_too_large(width: u32, height: u32) -> bool {
    u64::from(width) * u64::from(height) > MOST_PIXELS
}

fn malformed(error: impl fmt::Display) -> String {
    let text = error.to_string();
    format!("it cannot be read: {}", text.lines().next().unwrap_or("it is malformed"))
}

fn write<S: Serializer>(bytes: &Arc<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    match serializer.is_human_readable() {
        true => serializer.serialize_str(&STANDARD.encode(bytes)),
        false => serializer.serialize_bytes(bytes),
    }
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[u8]>, D::Error> {
    match deserializer.is_human_readable() {
        true => {
            let text = String::deserialize(deserializer)?;
            STANDARD.decode(text).map(Arc::from).map_err(serde::de::Error::custom)
        }
        false => Vec::<u8>::deserialize(deserializer).map(Arc::from),
    }
}

/// Text for an address that has the image in it.
pub fn address(image: &Image) -> String {
    format!("data:{};base64,{}", image.mime, STANDARD.encode(&image.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(mime: &str, bytes: impl Into<Vec<u8>>) -> Image {
        Image { mime: mime.to_owned(), bytes: Arc::from(bytes.into()) }
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        RgbaImage::from_pixel(width, height, image::Rgba([1, 2, 3, 255]))
            .write_to(&mut bytes, image::ImageFormat::Png)
            .expect("memory takes everything");
        bytes.into_inner()
    }

    #[test]
    fn it_is_said_what_an_image_is() {
        assert_eq!(image("image/png", png(3, 2)).words(), "[image 3×2 png]");
        let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'><rect width='20' height='10' fill='red'/></svg>";
        let svg = image("image/svg+xml", svg);
        assert_eq!(svg.words(), "[image 20×10 svg]");
        let pixels = svg.pixels().expect("it can be drawn");
        assert_eq!((pixels.dimensions(), pixels.get_pixel(5, 5).0), ((20, 10), [255, 0, 0, 255]));
    }

    #[test]
    fn what_is_malformed_or_too_large_is_said_and_not_drawn() {
        let mut cut = png(30, 20);
        cut.truncate(cut.len() - 20);
        assert!(image("image/png", cut).pixels().is_err_and(|why| why.starts_with("it cannot be read: ")));
        assert!(image("image/png", b"\x89PNG\r\n\x1a\n".to_vec()).words().starts_with("[image png: it cannot be read"));
        assert!(image("image/svg+xml", "<svg").words().starts_with("[image svg: it cannot be read"));
        // Its head says 20,000 by 20,000; what comes behind that is never looked at.
        let mut huge = png(1, 1);
        huge[16..20].copy_from_slice(&20_000_u32.to_be_bytes());
        huge[20..24].copy_from_slice(&20_000_u32.to_be_bytes());
        let sum = crc(&huge[12..29]);
        huge[29..33].copy_from_slice(&sum.to_be_bytes());
        let huge = image("image/png", huge);
        assert_eq!(huge.words(), "[image 20000×20000 png: it has too many pixels to be drawn]");
        assert!(huge.pixels().is_err());
    }

    /// The checksum of a part of a PNG.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
        })
    }

    #[test]
    fn an_image_is_the_same_as_text_and_as_bytes() {
        let image = image("image/png", png(1, 1));
        let text = serde_json::to_string(&image).expect("it is data");
        assert!(text.starts_with(r#"{"mime":"image/png","base64":"iVBORw0KGgo"#), "{text}");
        assert_eq!(serde_json::from_str::<Image>(&text).expect("it is what was written"), image);
    }
}
