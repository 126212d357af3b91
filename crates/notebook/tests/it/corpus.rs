//! Real errors and warnings of the compiler, each a cell in `tests/errors` with its drawing beside it. In the source,
//! `/*>*/` stands where the first mark of the drawing must be; the file's name begins with the code of the error.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use greenroom_notebook::{
    cache::Cache,
    check::Check,
    compiler::Compiler,
    draw::Style,
    event::{CellReport, Event, Status},
    explain::Explainer,
    livemd,
    plan::plan,
    rustc::Cancel,
    source_map::position,
};

use crate::support::prelude;

const MARK: &str = "/*>*/";

/// The last cell of a file, below the others.
fn report(file: &Path, text: &str) -> CellReport {
    let cells: String =
        text.split("//---\n").map(|cell| format!("{}\n\n", livemd::fence("rust", cell.trim_end()))).collect();
    let (notebook, _) = livemd::parse(&format!("# N\n\n## S\n\n{cells}"));
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let prelude = prelude();
    let cache = Cache::open(folder.path(), &prelude.fingerprint).expect("it was just made");
    let check = Check {
        plan: &plan(&notebook),
        compiler: &Compiler::new(prelude, cache),
        explainer: &Explainer { file: "n.livemd".to_owned(), style: Style::Plain, columns: 100 },
        cancel: &Cancel::default(),
    };
    let mut reports = Vec::new();
    check.run(&mut |event| {
        if let Event::Cell(report) = event {
            reports.push(report);
        }
    });
    reports.pop().unwrap_or_else(|| panic!("{} has no cell", file.display()))
}

/// What is wrong with how a file is drawn, after its drawing was compared with the one beside it.
fn problems(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("it can be read");
    let name = file.file_stem().expect("it has a name").to_string_lossy().into_owned();
    let report = report(file, &text);
    let drawn = report.outputs.iter().map(|output| output.text.clone() + "\n").collect::<String>();
    let mut problems = Vec::new();
    let mut expect = |is_so: bool, what: String| {
        if !is_so {
            problems.push(format!("{name}: {what}\n{drawn}"));
        }
    };
    let is_warning = name.starts_with("warning_");
    expect(report.status == if is_warning { Status::Ok } else { Status::Error }, format!("it is {:?}", report.status));
    if name.starts_with('e') {
        let code = name.split('_').next().unwrap_or_default().to_uppercase();
        expect(drawn.starts_with(&format!("error[{code}]: ")), format!("it is no {code}"));
    }
    let last = text.split("//---\n").last().unwrap_or_default();
    let mark = last.find(MARK).unwrap_or_else(|| panic!("{name} has no mark"));
    let (line, column) = position(&last[..mark + MARK.len()]);
    let place = format!(":{line}:{column} (n.livemd:{})", report.line + line as usize - 1);
    let said = drawn.lines().find(|line| line.contains("--> ")).unwrap_or_default();
    expect(said.ends_with(&place), format!("the mark is at {place}"));
    expect_test::expect_file![file.with_extension("txt")].assert_eq(&uncounted(&drawn));
    problems
}

/// Without how many more types rustc knows: that depends on what else is built into the prelude.
fn uncounted(drawn: &str) -> String {
    let count = |line: &str| line.trim().strip_prefix("and ")?.strip_suffix(" others")?.parse::<u32>().ok();
    drawn
        .lines()
        .map(|line| count(line).map_or(line.to_owned(), |n| line.replace(&n.to_string(), "…")) + "\n")
        .collect()
}

#[test]
fn every_error_is_drawn_where_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let entries = fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.path());
    let files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
    assert!(files.len() >= 60, "there are only {}", files.len());
    let (queue, problems_found) = (Mutex::new(files.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let file = queue.lock().expect("nobody panics with it").next();
                    let Some(file) = file else { return };
                    let found = problems(file);
                    problems_found.lock().expect("nobody panics with it").extend(found);
                }
            });
        }
    });
    let problems = problems_found.into_inner().expect("nobody panics with it");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
