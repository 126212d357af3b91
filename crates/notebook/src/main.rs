//! The program `greenroom`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Dump;
impl greenroom_notebook::frontend::Frontend for Dump {
    fn event(&mut self, event: &greenroom_notebook::event::Event) -> std::io::Result<()> {
        use greenroom_notebook::event::Event;
        match event {
            Event::Cell(report) => {
                println!("[{}] {} {:?} compile {} run {} cached {}", report.index, report.heading, report.status, report.compile_ms, report.run_ms, report.cached);
                for output in &report.outputs { println!("{:?}:\n{}", output.kind, output.text); }
            }
            Event::CellOutput{..} => {}
            other => println!("{other:?}"),
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    let file = std::env::args().nth(2).unwrap_or_default();
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let (notebook, warnings) = greenroom_notebook::livemd::parse(&text);
    eprintln!("{warnings:?}");
    let options = greenroom_notebook::app::RunOptions { style: greenroom_notebook::draw::Style::Plain, columns: 100 };
    match greenroom_notebook::app::run(&notebook, file.as_ref(), options, &mut Dump) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => { eprintln!("error: {error}"); ExitCode::from(1) }
    }
}
