//! The tour in the README is what the program shows: its inputs are typed, and everything but times and processes must be the same.

use super::Terminal;

/// The lines of the tour.
fn tour() -> Vec<String> {
    let readme = include_str!("../../../../../README.md");
    let (_, rest) = readme.split_once("<!-- tour -->\n\n```text\n").expect("the README has a tour");
    let (tour, _) = rest.split_once("\n```").expect("it ends");
    tour.lines().map(timeless).collect()
}

/// A line without how long something took, and which process it is.
fn timeless(line: &str) -> String {
    let line = line.trim_end();
    let line = line.rsplit_once(" · <0.").map_or(line, |(rest, _)| rest);
    match line.rsplit_once(" · ") {
        Some((rest, time)) if time.ends_with(" ms") || time.ends_with(" s") => rest.to_owned(),
        _ => line.to_owned(),
    }
}

#[test]
fn the_tour_of_the_readme_is_what_the_program_shows() {
    let tour = tour();
    let mut terminal = Terminal::start();
    let mut seen = 0;
    for line in &tour {
        seen += 1;
        let Some((prompt, input)) = line.split_once("› ") else { continue };
        let wanted = tour[..seen - 1].join("\n");
        terminal.wait_until(&wanted, |screen| {
            let shown: Vec<_> = screen.lines().map(timeless).collect();
            shown.last().map(String::as_str) == Some(&format!("{prompt}›"))
                && shown[..shown.len() - 1].join("\n") == wanted
        });
        terminal.enter(input);
    }
    let wanted = tour.join("\n");
    terminal.wait_until(&wanted, |screen| {
        let shown: Vec<_> = screen.trim_end().lines().map(timeless).collect();
        shown.last().is_some_and(|last| last.ends_with('›')) && shown[..shown.len() - 1].join("\n") == wanted
    });
    terminal.leave();
}
