//! Images in a run and in what is exported.

use std::io::Cursor;

use super::{Notebook, finish, start};

/// A cell that shows a PNG of this size.
fn png(width: u32, height: u32) -> String {
    let mut bytes = Cursor::new(Vec::new());
    let pixels = image::RgbaImage::from_pixel(width, height, image::Rgba([10, 20, 30, 255]));
    pixels.write_to(&mut bytes, image::ImageFormat::Png).expect("memory takes everything");
    format!("image({:?})", bytes.into_inner())
}

#[test]
fn an_image_is_words_for_a_reader_and_bytes_for_a_program() {
    let notebook = Notebook::of(&[
        &png(30, 20),
        "let bytes: Vec<u8> = Vec::new();\nimage(bytes)",
        "emit(image(vec![0xff; 20 << 20]));\n\"still there\"",
        "struct Chart;\nimpl Render for Chart {\n    fn render(&self) -> Output {\n        image(\"<svg xmlns='http://www.w3.org/2000/svg' \
         width='4' height='2'><script>alert(1)</script></svg>\").render()\n    }\n}\nChart",
    ]);
    let ran = notebook.run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let first = &ran.cell(1)["outputs"][0];
    assert_eq!((first["kind"].as_str(), first["text"].as_str()), (Some("image"), Some("[image 30×20 png]")));
    assert_eq!(first["image"]["mime"], "image/png");
    assert!(first["image"]["base64"].as_str().is_some_and(|bytes| bytes.starts_with("iVBORw0KGgo")));
    assert_eq!(ran.cell(2)["outputs"][0]["text"], "this image has no bytes\n");
    let large = "this image has 20971520 bytes; at most 16777216 are shown\n";
    assert_eq!(ran.cell(3)["outputs"][0]["text"], large);
    assert_eq!(ran.cell(3)["outputs"][1]["text"], "\"still there\"");
    let read = finish(start(&mut notebook.command(&[])));
    assert!(read.stdout.contains("\n    [image 30×20 png]\n"), "{}", read.stdout);
    assert!(read.stdout.contains("\n    [image 4×2 svg]\n"), "{}", read.stdout);
    let export = |form: &str| {
        let file = format!("n.{form}");
        let ran = notebook.does(&["export", "n.livemd", "--to", form, "--run", "-o", &file]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        std::fs::read_to_string(notebook.path().join(file)).expect("it was written")
    };
    assert!(export("md").contains("```text\n[image 30×20 png]\n```"));
    let page = export("html");
    assert!(page.contains("<img alt=\"[image 30×20 png]\" src=\"data:image/png;base64,iVBORw0KGgo"), "{page}");
    assert!(page.contains("src=\"data:image/svg+xml;base64,"), "{page}");
}
