//! `greenroom join`: a notebook that another terminal has open.

use std::io::{self, IsTerminal};
use std::time::SystemTime;

use super::{prompt, refuse};
use crate::announce::{Announced, announced, folder};
use crate::cli::{EXIT_CELL_FAILED, EXIT_NOTHING_RUN, EXIT_OK, Join};
use crate::frontend::{Leaving, said_of, span, view};
use crate::live::Joined;
use crate::session::End;

pub(super) fn join(arguments: &Join) -> u8 {
    let open = folder().map_or_else(Vec::new, |folder| announced(&folder));
    if arguments.list {
        if open.is_empty() {
            eprintln!("no notebook is open");
        }
        print!("{}", table(&open));
        return EXIT_OK;
    }
    let session = match choose(&open, arguments.notebook.as_deref()) {
        Ok(session) => session,
        Err(why) => {
            eprintln!("{why}");
            return EXIT_NOTHING_RUN;
        }
    };
    if arguments.view && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return refuse("the view needs a terminal\nhelp: without --view, lines of the input are evaluated");
    }
    let joined = match Joined::to(session) {
        Ok(joined) => joined,
        Err(error) => return refuse(error),
    };
    if !arguments.view {
        return prompt::at(arguments.prompt, Some((joined, session.clone())));
    }
    match view(joined.handle(), Leaving::Stays) {
        Ok(None) => EXIT_OK,
        Ok(Some(end)) => {
            eprintln!("{}", said_of(&end));
            match end {
                End::Closed => EXIT_OK,
                End::Lost(_) => EXIT_CELL_FAILED,
            }
        }
        Err(error) => refuse(format!("the terminal cannot be drawn on: {error}")),
    }
}

/// The notebook that is meant; or what is said instead.
fn choose<'a>(open: &'a [Announced], by: Option<&str>) -> Result<&'a Announced, String> {
    let how = "help: `greenroom join FILE`, `greenroom join NAME` or `greenroom join PID` joins one of them";
    let none = "help: `greenroom` or `greenroom open FILE` opens one, which other terminals can join";
    let meant: Vec<&Announced> = open.iter().filter(|session| by.is_none_or(|by| session.is_meant(by))).collect();
    match (meant.as_slice(), by) {
        ([one], _) => Ok(one),
        ([], _) if open.is_empty() => Err(format!("error: no notebook is open\n{none}")),
        ([], by) => Err(format!("error: no open notebook is `{}`; there are:\n{}{how}", by.unwrap_or(""), table(open))),
        (_, None) => Err(format!("error: several notebooks are open: say which one\n{}{how}", table(open))),
        (several, Some(by)) => {
            let several: Vec<Announced> = several.iter().copied().cloned().collect();
            let how = "help: `greenroom join PID` joins one of them";
            Err(format!("error: several open notebooks are `{by}`: say which one\n{}{how}", table(&several)))
        }
    }
}

/// The notebooks that are open, a line each.
fn table(open: &[Announced]) -> String {
    let now = SystemTime::now();
    let file = |session: &Announced| {
        session.file.as_ref().map_or_else(|| "no file".to_owned(), |file| file.display().to_string())
    };
    let width = |of: &dyn Fn(&Announced) -> String| {
        open.iter().map(|session| console::measure_text_width(&of(session))).max().unwrap_or(0)
    };
    let (names, files) = (width(&|session| session.name.clone()), width(&file));
    let line = |session: &Announced| {
        let pad = |text: &str, width| console::pad_str(text, width, console::Alignment::Left, None).into_owned();
        let since = span(session.age(now));
        format!("{:>8}  {}  {}  {since}\n", session.process, pad(&session.name, names), pad(&file(session), files))
    };
    open.iter().map(line).collect()
}
