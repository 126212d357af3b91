//! Commands on the processes of what cells run in, or of a node: asking, and saying what is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use console::Style;
use crossterm::event::{self, Event};
use crossterm::{cursor, execute, terminal};
use greenroom::Pid;
use greenroom::trace::{EventKind, Signal, Trace, TraceEvent};
use greenroom::tree::ChildKind;
use greenroom_stage::inspect::{Answer, Process, Question};
use greenroom_tracing_viz::sequence::{self, Sequence, Targets};
use greenroom_tracing_viz::tree::{self, Group, Role, Tree};

use super::Repl;
use crate::event::own_name;
use crate::frontend::commands::{self, Command, SortBy};
use crate::frontend::view::Manner;

/// How often `:top` looks.
const EVERY: Duration = Duration::from_secs(1);
/// The most processes that `:ps` lists.
const MOST: usize = 100;

impl Repl {
    /// Does what a command on processes says.
    pub(super) fn inspect(&mut self, command: Command) {
        let done = match command {
            Command::Ps(sort) => self.ps(sort.unwrap_or(SortBy::Reductions)),
            Command::Top(sort) => self.top(sort.unwrap_or(SortBy::Reductions)),
            Command::Tree(root) => self.tree(root),
            Command::Trace(commands::Trace::Start(target)) => self.start_trace(target),
            Command::Trace(commands::Trace::Show) => self.traced(Question::TakeTrace),
            Command::Trace(commands::Trace::Stop) => self.traced(Question::StopTrace),
            Command::Flight => self.traced(Question::Flight),
            Command::Mailbox(name) => self.mailbox(name),
            Command::State(name) => self.state(name),
            Command::Kill(name) => {
                let said = format!("{name} is told to end");
                self.ask(Question::Kill(name)).map(|_| self.tell(&said))
            }
            Command::Nodes => self.nodes(),
            Command::Connect { address, cookie } => self.connect(address, cookie),
            Command::Node(name) => self.node(name),
            // Not about processes.
            _ => Ok(()),
        };
        if let Err(error) = done {
            self.complain(&error);
        }
    }

    /// Asks what cells run in, or the node that commands look at.
    fn ask(&self, question: Question) -> Result<Answer, String> {
        let Some(node) = self.looked_at.clone() else { return self.at().inspect(question) };
        self.at().inspect_at(&node, question)
    }

    fn processes(&self) -> Result<Vec<Process>, String> {
        let Answer::Processes(found) = self.ask(Question::Processes)? else { return Err(odd()) };
        let name = |process: &Process| process.registered_name.clone().unwrap_or_else(|| own_name(process.pid));
        self.known.lock().processes = found.iter().map(name).collect();
        Ok(found)
    }

    fn ps(&mut self, sort: SortBy) -> Result<(), String> {
        let mut found = self.processes()?;
        let count = found.len();
        order(&mut found, sort);
        found.truncate(MOST);
        let mut said = self.table(&found, sort);
        if count > found.len() {
            said.push_str(&format!("… {} more", count - found.len()));
        }
        self.tell(&said);
        Ok(())
    }

    fn table(&self, processes: &[Process], sort: SortBy) -> String {
        let mark = |by| if sort == by { "▾" } else { " " };
        let room = self.view.look.width.saturating_sub(62).clamp(16, 40);
        let names: Vec<String> = processes.iter().map(called).collect();
        let width = names.iter().map(|name| console::measure_text_width(name)).max().unwrap_or(0).clamp(7, room);
        let head = format!(
            "{:14} {:width$}  {:9} {:>11}{} {:>9}{} {:>8}{}",
            "PROCESS",
            "NAME",
            "STATUS",
            "REDUCTIONS",
            mark(SortBy::Reductions),
            "MEMORY",
            mark(SortBy::Memory),
            "MAILBOX",
            mark(SortBy::Mailbox),
        );
        let mut said = format!("{}\n", self.view.look.paint(Style::new().bold(), head.trim_end()));
        for (process, name) in processes.iter().zip(names) {
            let name = console::truncate_str(&name, width, "…").into_owned();
            let gap = " ".repeat(width.saturating_sub(console::measure_text_width(&name)));
            let long = process.running_for.filter(|time| *time > Duration::from_millis(100));
            let status = long.map_or_else(|| process.status.clone(), |time| format!("{:.1} s", time.as_secs_f64()));
            let line = format!(
                "{:14} {name}{gap}  {status:9} {:>11}  {:>9}  {:>8}",
                own_name(process.pid),
                grouped(process.reductions),
                bytes(process.memory),
                process.mailbox,
            );
            let style = match (process.mailbox, process.kind) {
                (1000.., _) => Style::new().red(),
                (_, ChildKind::Supervisor) => Style::new().cyan(),
                _ => Style::new(),
            };
            said.push_str(&self.view.look.paint(style, &line));
            said.push('\n');
        }
        said
    }

    /// The processes, looked at again and again until a key is pressed.
    fn top(&mut self, sort: SortBy) -> Result<(), String> {
        if self.view.manner != Manner::Seen || !io::stdout().is_terminal() {
            return self.ps(sort);
        }
        self.flush();
        let mut before: BTreeMap<Pid, u64> = BTreeMap::new();
        let mut sort = sort;
        let broken = |error: io::Error| format!("the terminal cannot be drawn on: {error}");
        let _raw = Raw::enter().map_err(broken)?;
        loop {
            let mut found = self.processes()?;
            // What was done since the last look, once there was one.
            let total: BTreeMap<Pid, u64> = found.iter().map(|process| (process.pid, process.reductions)).collect();
            if !before.is_empty() {
                for process in &mut found {
                    process.reductions -= before.get(&process.pid).copied().unwrap_or(0).min(process.reductions);
                }
            }
            before = total;
            order(&mut found, sort);
            let (columns, rows) = terminal::size().map_err(broken)?;
            self.view.look.width = usize::from(columns);
            let memory: usize = found.iter().map(|process| process.memory).sum();
            let count = found.len();
            found.truncate(usize::from(rows).saturating_sub(4));
            let title = format!("{count} processes, {}", bytes(memory));
            let keys = "r reductions  m memory  b mailbox  any other key ends";
            let text = format!(
                "{}  {}\n\n{}",
                self.view.look.paint(Style::new().bold(), &title),
                self.view.look.paint(Style::new().dim(), keys),
                self.table(&found, sort)
            );
            let mut out = io::stdout().lock();
            execute!(out, cursor::MoveTo(0, 0)).map_err(broken)?;
            for line in text.lines() {
                write!(out, "{line}\u{1b}[K\r\n").map_err(broken)?;
            }
            execute!(out, terminal::Clear(terminal::ClearType::FromCursorDown)).map_err(broken)?;
            drop(out);
            if event::poll(EVERY).map_err(broken)? {
                match event::read().map_err(broken)? {
                    Event::Key(key) => match key.code {
                        event::KeyCode::Char('r') => sort = SortBy::Reductions,
                        event::KeyCode::Char('m') => sort = SortBy::Memory,
                        event::KeyCode::Char('b') => sort = SortBy::Mailbox,
                        _ => return Ok(()),
                    },
                    _ => continue,
                }
            }
        }
    }

    fn tree(&mut self, root: Option<String>) -> Result<(), String> {
        let Answer::Trees(trees) = self.ask(Question::Trees(root.clone()))? else { return Err(odd()) };
        let options = tree::Options::default();
        let drawn = match (trees.as_slice(), root) {
            ([tree], Some(_)) => Tree::from_node(tree, &options),
            _ => {
                let here = self.looked_at.clone().or_else(|| self.seen.lock().node.clone());
                let name = here.unwrap_or_else(|| "runtime".to_owned());
                Tree::from_group(&Group { name, role: Role::Node, groups: Vec::new(), trees }, &options)
            }
        };
        self.tell(&drawn.to_text(self.view.look.width));
        Ok(())
    }

    fn start_trace(&mut self, target: Option<String>) -> Result<(), String> {
        self.traces = match &target {
            Some(name) => {
                let Answer::Processes(found) = self.ask(Question::Process(name.clone()))? else { return Err(odd()) };
                found.first().map(|process| process.pid)
            }
            None => None,
        };
        self.ask(Question::StartTrace)?;
        let whom = target.map_or_else(|| "all processes".to_owned(), |name| format!("`{name}`"));
        self.tell(&format!("{whom} from now on; `:trace show` draws it, `:trace stop` ends it"));
        Ok(())
    }

    fn traced(&mut self, question: Question) -> Result<(), String> {
        let only = self.traces.filter(|_| question != Question::Flight);
        let Answer::Trace(trace) = self.ask(question)? else { return Err(odd()) };
        let drawn = draw(without_the_silent(trace), only, self.view.look.width);
        self.tell(&drawn);
        Ok(())
    }

    fn mailbox(&mut self, name: String) -> Result<(), String> {
        let Answer::Messages { process, count, first } = self.ask(Question::Messages(name))? else { return Err(odd()) };
        let width = count.to_string().len() + 2;
        let line = |(number, signal): (usize, &Signal)| {
            let text = message(signal);
            let text = console::truncate_str(&text, self.view.look.width.saturating_sub(width + 2), "…");
            format!("{number:>width$}  {text}\n")
        };
        let mut said = mailbox(&process, count);
        said.extend((1..).zip(&first).map(line));
        if count > first.len() {
            said.push_str(&format!("{:>width$}  {} more\n", "…", count - first.len()));
        }
        self.tell(&said);
        Ok(())
    }

    fn state(&mut self, name: String) -> Result<(), String> {
        let Answer::State { process, state: kept } = self.ask(Question::State(name))? else { return Err(odd()) };
        let kept = match kept {
            Ok(kept) if kept.contains('\n') => format!("state\n{}\n", indented(&kept)),
            Ok(kept) => format!("{:12}{kept}\n", "state"),
            Err(why) => format!("{:12}{why}\n", "state"),
        };
        self.tell(&(state(&process) + &kept));
        Ok(())
    }
}

/// The terminal's other screen, without its editing of lines; it is left however this ends.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Raw> {
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(Raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs no mending.
        let _ = execute!(io::stdout(), cursor::Show, terminal::LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

fn odd() -> String {
    "the runtime has answered something else: is it of another version?".to_owned()
}

/// A trace without the ends of processes that have told nobody anything: the runtime looks after itself with such.
fn without_the_silent(mut trace: Trace) -> Trace {
    let is_exit = |event: &TraceEvent| matches!(event.kind, EventKind::Exit { .. });
    let mut spoken = BTreeSet::new();
    for event in trace.events.iter().filter(|event| !is_exit(event)) {
        let (first, second) = event.kind.participants();
        spoken.insert(first);
        spoken.extend(second);
    }
    trace.events.retain(|event| !is_exit(event) || spoken.contains(&event.kind.participants().0));
    trace
}

/// What was recorded, as a diagram.
fn draw(trace: Trace, only: Option<Pid>, width: usize) -> String {
    let targets = only.map_or(Targets::All, Targets::one);
    let sequence = Sequence::from_trace(&trace, &sequence::Options { targets, limit: 60, ..Default::default() });
    match sequence.steps.is_empty() {
        true => "nothing was said".to_owned(),
        false => sequence.to_text(width),
    }
}

/// What a process is called besides its identifier.
fn called(process: &Process) -> String {
    let name = process.registered_name.clone().or_else(|| process.label.clone());
    name.or_else(|| process.spawned_at.as_deref().map(place)).unwrap_or_default()
}

/// A place in a source by the end of its path.
fn place(location: &str) -> String {
    let parts: Vec<_> = location.rsplit('/').take(3).collect();
    parts.into_iter().rev().filter(|part| *part != "src").collect::<Vec<_>>().join("/")
}

fn order(processes: &mut [Process], sort: SortBy) {
    processes.sort_by_key(|process| {
        std::cmp::Reverse(match sort {
            SortBy::Reductions => process.reductions,
            SortBy::Memory => process.memory as u64,
            SortBy::Mailbox => process.mailbox as u64,
        })
    });
}

/// A message, in one line.
fn message(signal: &Signal) -> String {
    let text = match signal {
        Signal::Info { name, text } | Signal::Call { name, text } | Signal::Cast { name, text } => {
            let kind = match signal {
                Signal::Call { .. } => "call ",
                Signal::Cast { .. } => "cast ",
                _ => "",
            };
            // Most types say their name themselves.
            let said = text.strip_prefix(name.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
            if text.is_empty() || said {
                format!("{kind}{}", if said { text } else { name })
            } else {
                format!("{kind}{name}  {text}")
            }
        }
        Signal::Reply { text } => format!("reply {text}"),
        Signal::Exit(reason) => format!("exit signal: {reason}"),
        Signal::Down(reason) => format!("down: {reason}"),
    };
    text.replace('\n', " ")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn mailbox(process: &Process, count: usize) -> String {
    let limit = process.mailbox_limit.map_or_else(String::new, |most| format!(" of {most}"));
    let dropped = if process.dropped > 0 { format!(", {} were dropped", process.dropped) } else { String::new() };
    format!(
        "{}: {count}{limit} wait, {}{dropped}; {} received so far\n",
        own_name(process.pid),
        bytes(process.mailbox_memory),
        grouped(process.messages_in)
    )
}

fn state(process: &Process) -> String {
    let list = |pids: &[Pid]| match pids {
        [] => "none".to_owned(),
        pids => pids.iter().map(|pid| own_name(*pid)).collect::<Vec<_>>().join(", "),
    };
    let kind = if process.kind == ChildKind::Supervisor { "supervisor" } else { "process" };
    let mut rows = vec![
        (kind, own_name(process.pid)),
        ("name", process.registered_name.clone().unwrap_or_default()),
        ("label", process.label.clone().unwrap_or_default()),
        ("status", process.status.clone()),
        ("started at", process.spawned_at.as_deref().map(place).unwrap_or_default()),
        ("started by", process.parent.map(own_name).unwrap_or_default()),
        ("output to", process.group_leader.map(own_name).unwrap_or_default()),
        ("links", list(&process.links)),
        ("watched by", list(&process.monitored_by)),
        ("traps exits", if process.trap_exit { "yes" } else { "no" }.to_owned()),
        ("mailbox", format!("{} messages, {}", process.mailbox, bytes(process.mailbox_memory))),
        ("messages", format!("{} in, {} out", grouped(process.messages_in), grouped(process.messages_out))),
        ("memory", bytes(process.memory)),
        ("reductions", grouped(process.reductions)),
        ("busy", crate::frontend::look::duration(process.busy.as_secs_f64() * 1000.0)),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    rows.iter().map(|(name, value)| format!("{name:12}{value}\n")).collect()
}

fn bytes(bytes: usize) -> String {
    bytesize::ByteSize::b(bytes as u64).display().si().to_string()
}

/// A number with its digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_threes() {
        assert_eq!(
            ["1", "123", "1 234", "12 345 678"],
            [1, 123, 1234, 12_345_678].map(grouped).map(|text| text.leak() as &str)
        );
    }
}
