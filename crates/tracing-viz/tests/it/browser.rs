//! Pictures in a real browser, where one is installed: scripts run without errors, and Mermaid reads what is
//! meant for it.
//!
//! The browser is Debian's `chromium`. Mermaid is looked for where `MERMAID_JS` says: the `mermaid.min.js` of
//! the npm package. Where something is missing, a line says so and the rest is checked.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use greenroom_tracing_viz::tree::{self, Direction, Tree};
use greenroom_tracing_viz::{Pictures, map};

use crate::make::tea_house;
use crate::tree::service;

/// What the browser makes of a file; nothing if there is no browser.
pub fn opened(file: &Path) -> Option<(String, String)> {
    let profile = file.with_extension("profile");
    let output = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .args(["--virtual-time-budget=20000", "--allow-file-access-from-files"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", file.display()))
        .output();
    match output {
        Ok(Output { stdout, stderr, .. }) => {
            Some((String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned()))
        }
        Err(error) => {
            eprintln!("skipped: chromium does not start ({error})");
            None
        }
    }
}

#[test]
fn the_scripts_of_pictures_run_without_errors() {
    let folder = tempfile::tempdir().unwrap();
    let trace = tea_house().trace;
    let pictures = [
        ("sequence.svg", trace.sequence().to_svg()),
        ("map.svg", trace.map(&map::Options::default()).to_svg()),
        ("timeline.svg", trace.timeline().to_svg()),
        ("tree.svg", Tree::from_node(&service(), &tree::Options::default()).to_svg()),
    ];
    for (name, svg) in pictures {
        let file = folder.path().join(name);
        fs::write(&file, svg).unwrap();
        let Some((page, said)) = opened(&file) else { return };
        assert!(!said.contains("Uncaught"), "{name}: {said}");
        assert!(page.contains("placeholder=\"search\"") && !page.contains("parsererror"), "{name}: {page}");
    }
}

#[test]
fn mermaid_reads_what_is_meant_for_it() {
    let Ok(mermaid) = std::env::var("MERMAID_JS") else {
        eprintln!("skipped: MERMAID_JS does not name the mermaid.min.js of the npm package");
        return;
    };
    let trace = tea_house().trace;
    let hostile = crate::sequence::hostile().trace;
    let sources = [
        trace.sequence().to_mermaid(),
        hostile.sequence().to_mermaid(),
        crate::sequence::crash().trace.sequence().to_mermaid(),
        trace.map(&map::Options::default()).to_mermaid(),
        hostile.map(&map::Options::default()).to_mermaid(),
        Tree::from_node(&service(), &tree::Options::default()).to_mermaid(Direction::TopDown),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let quoted: Vec<String> =
        sources.iter().map(|source| serde_json::to_string(source).unwrap().replace('<', "\\u003c")).collect();
    let page = format!(
        "<!DOCTYPE html><meta charset=utf-8><body><script src=\"file://{mermaid}\"></script><script>
        mermaid.initialize({{ startOnLoad: false }});
        (async () => {{
            const said = [];
            for (const [index, source] of [{}].entries()) {{
                try {{ await mermaid.render('d' + index, source); said.push('drawn'); }}
                catch (error) {{ said.push('FAILED ' + index + ': ' + error.message); }}
            }}
            document.body.innerHTML = '';
            document.body.textContent = 'RESULT ' + said.join('; ');
        }})();
        </script>",
        quoted.join(",")
    );
    fs::write(&file, page).unwrap();
    let Some((page, said)) = opened(&file) else { return };
    let drawn = format!("RESULT {}", vec!["drawn"; sources.len()].join("; "));
    assert!(page.contains(&drawn), "{page}\n{said}");
}
