//! The parser of documents on texts that nobody would write: it never panics, and what it has read and printed it reads
//! and prints the same way again.

use greenroom_notebook::{
    analysis, document,
    examples::examples,
    export,
    format::format,
    livemd::{parse, print},
};
use proptest::prelude::*;

/// What a document is made of, and what is almost that.
const PIECES: &[&str] = &[
    "# ",
    "## ",
    "### ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    " ",
    "    ",
    "\t",
    "```",
    "````",
    "~~~",
    "rust",
    "elixir",
    "toml",
    "text",
    "<!--",
    "-->",
    "<!-- livebook:",
    "{\"output\":true}",
    "{\"branch_parent_index\":0}",
    "{\"expected\":true,\"output\":true}",
    "{\"force_markdown\":true}",
    "{\"break_markdown\":true}",
    "{\"livebook_object\":\"smart_cell\",\"kind\":\"x\"}",
    "{\"offset\":1,\"stamp\":\"s\"}",
    "{",
    "}",
    "*",
    "- ",
    "1. ",
    "> ",
    "===",
    "---",
    "|",
    "<b>",
    "&amp;",
    "\u{feff}",
    "\u{0}",
    "é",
    "\u{2028}",
    "[dependencies]",
    "let a = 1;",
    "word",
    "///",
    "/** ",
    "*/",
    "\\",
    "`",
    "\"",
];

fn holds(text: &str) -> Result<(), TestCaseError> {
    let (notebook, _) = parse(text);
    let once = print(&notebook);
    let (again, _) = parse(&once);
    let twice = print(&again);
    prop_assert_eq!(&once, &twice, "{:?}", text);
    prop_assert_eq!(&parse(&twice).0, &again, "{:?}", text);
    prop_assert_eq!(&format(&again, None).text, &twice);
    export::markdown(&notebook);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        holds(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn any_pieces_of_documents_can_be_read(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        holds(&pieces.concat())?;
    }

    #[test]
    fn any_source_can_be_taken_apart(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        let source = pieces.concat();
        let _ = analysis::analyse(&source);
        analysis::defines(&source);
        for example in examples(&source) {
            prop_assert!(example.line <= source.lines().count());
        }
    }
}

#[test]
fn a_file_of_any_bytes_is_a_document_or_refused() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let file = folder.path().join("n.livemd");
    let mut bytes: Vec<u8> = (0..=255).collect();
    std::fs::write(&file, &bytes).expect("it can be written");
    assert!(document::read(&file).is_err());
    bytes.truncate(128);
    std::fs::write(&file, &bytes).expect("it can be written");
    assert!(document::read(&file).is_ok());
}
