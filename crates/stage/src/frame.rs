//! Frames: outputs that change in place for as long as their process lives.
//!
//! A frame is a process with the group leader of the cell that has made it, and ends with that cell's evaluation. It
//! holds what is shown, takes changes from any process of the runtime, and tells the notebook all of what it shows: the
//! last state wins, and between two states passes a moment, so that nobody who looks has to keep up with who draws.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use greenroom::message::Down;
use greenroom::process::{Builder, Overflow};
use greenroom::{
    Node, Pid, Ref, demonitor, group_leader, is_alive, monitor, receive, self_pid, send, sleep, spawn_link,
};
use serde::{Deserialize, Serialize};

use crate::cell::{IntoOutput, Output, Render};
use crate::{io, last_words};

/// The least time between two states that are told.
const STEP: Duration = Duration::from_millis(33);
/// A large state takes a microsecond more for so many bytes, so that large frames change less often.
const BYTES_A_MICROSECOND: usize = 16;
/// The most that a frame shows, in bytes.
const MOST: usize = 4 << 20;
/// The most outputs that a frame shows.
const MOST_OUTPUTS: usize = 1_000;
/// So many changes wait for a frame before whoever makes them is held back.
const WAITING: usize = 1_000;
/// Nothing is waited for as long as this.
const LONG: Duration = Duration::from_secs(3600);

/// An output that changes in place. Its clones, and what arrives of it in messages, are one frame.
///
/// It stands where it was made, among what the cell shows; and below any other cell whose value it is. What it shows
/// can be changed by any process of the runtime, also when the cell is long through. It freezes when it is told to, or
/// when its cell is evaluated again or its runtime ends.
///
/// Outside of a notebook each state is printed.
///
/// # Panics
/// Whatever changes it is a message, and so has to be said by a process.
///
/// # Examples
/// ```
/// use greenroom_stage::frame::Frame;
///
/// greenroom::run(async {
///     let frame = Frame::new();
///     frame.render("half of it is done");
///     frame.render("all of it is done");
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    pid: Pid,
    /// There is no notebook: whoever changes it prints.
    is_printed: bool,
}

/// What a frame is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Change {
    Render(Output),
    Append(Output),
    Clear,
    Freeze,
    /// Show it below another cell, too.
    Show {
        leader: Pid,
    },
    /// Tell what has not been told, and say so.
    Settle(Pid),
}

/// A process has made a frame or shows one: told to its leader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Framed(pub Pid);

/// A frame has told all that it shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Settled(Pid);

impl Frame {
    /// Makes an empty frame below the running cell.
    ///
    /// # Panics
    /// Outside of a process.
    #[expect(clippy::new_without_default, reason = "it starts a process, which is no default")]
    #[track_caller]
    pub fn new() -> Frame {
        let leader = group_leader();
        let builder = Builder::new().label("frame").mailbox_limit(WAITING, Overflow::Block);
        let process = async move {
            if let Some(leader) = leader {
                serve(leader).await;
            }
        };
        let Ok(started) = builder.spawn(process) else { unreachable!("a process without a name is always started") };
        let frame = Frame { pid: started.pid, is_printed: leader.is_none() };
        if let Some(leader) = leader {
            tell(leader, Framed(frame.pid));
            // Its place is where it was made, whatever is shown before its process has its first turn.
            io::show(Output::Frame { frame: frame.pid, outputs: Vec::new(), is_live: true });
        }
        frame
    }

    /// Shows this, and nothing else.
    pub fn render(&self, output: impl IntoOutput) {
        self.change(Change::Render(output.into_output()));
    }

    /// Shows this below what it shows.
    pub fn append(&self, output: impl IntoOutput) {
        self.change(Change::Append(output.into_output()));
    }

    /// Shows nothing.
    pub fn clear(&self) {
        self.change(Change::Clear);
    }

    /// Leaves what it shows as it is from now on, and ends its process.
    pub fn freeze(&self) {
        self.change(Change::Freeze);
    }

    /// The frame's process.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Renders what `draw` makes of 0, 1, 2 and so on, with so much time between. Returns the process that does so; it is
    /// linked to the running one, and so ends with it.
    ///
    /// # Panics
    /// Outside of a process.
    #[track_caller]
    pub fn animate<T: IntoOutput>(&self, every: Duration, mut draw: impl FnMut(u64) -> T + Send + 'static) -> Pid {
        let frame = self.clone();
        spawn_link(async move {
            greenroom::process::set_label("animation");
            for number in 0.. {
                frame.render(draw(number));
                sleep(every.max(Duration::from_millis(1))).await;
            }
        })
    }

    fn change(&self, change: Change) {
        if !self.is_printed {
            return send(self.pid, change);
        }
        if let Change::Render(output) | Change::Append(output) = &change {
            io::print_line(output);
        }
    }
}

/// A new frame that shows what `draw` makes of 0, 1, 2 and so on: see [`Frame::animate`].
///
/// # Panics
/// Outside of a process.
#[track_caller]
pub fn animate<T: IntoOutput>(every: Duration, draw: impl FnMut(u64) -> T + Send + 'static) -> Frame {
    let frame = Frame::new();
    frame.animate(every, draw);
    frame
}

impl Render for Frame {
    /// Shows it below the running cell; it tells by itself what it shows.
    fn render(&self) -> Output {
        let Some(leader) = group_leader().filter(|_| !self.is_printed) else { return Output::Text(String::new()) };
        if !is_alive(self.pid) {
            return Output::Text("(this frame has ended)\n".to_owned());
        }
        tell(leader, Framed(self.pid));
        send(self.pid, Change::Show { leader });
        Output::Text(String::new())
    }
}

/// Sends what is no part of what a cell says.
fn tell<M: greenroom::Message>(to: Pid, message: M) {
    if let Some(node) = Node::current() {
        node.send_untraced(to, message);
    }
}

/// The life of a frame's process.
async fn serve(home: Pid) {
    let mut held = Held { outputs: VecDeque::new(), bytes: 0, left_out: 0 };
    let mut viewers = vec![(home, monitor(home))];
    let (mut is_told, mut due) = (true, Instant::now());
    loop {
        let patience = if is_told { LONG } else { due.saturating_duration_since(Instant::now()) };
        let mut is_over = false;
        receive! {
            change: Change => match change {
                Change::Render(output) => {
                    held.clear();
                    held.push(output);
                    is_told = false;
                }
                Change::Append(output) => {
                    held.push(output);
                    is_told = false;
                }
                Change::Clear => {
                    held.clear();
                    is_told = false;
                }
                Change::Show { leader } => {
                    if viewers.iter().all(|(viewer, _)| *viewer != leader) {
                        viewers.push((leader, monitor(leader)));
                        is_told = false;
                    }
                }
                Change::Settle(leader) => {
                    if !std::mem::replace(&mut is_told, true) {
                        due = held.tell(&viewers);
                    }
                    tell(leader, Settled(self_pid()));
                }
                Change::Freeze => is_over = true,
            },
            down: Down => {
                viewers.retain(|(_, watch)| *watch != down.reference);
                is_over = viewers.is_empty();
            },
            after patience => (),
        }
        if !is_told && (is_over || Instant::now() >= due) {
            due = held.tell(&viewers);
            is_told = true;
        }
        if is_over {
            return;
        }
    }
}

/// What a frame shows.
struct Held {
    outputs: VecDeque<Output>,
    bytes: usize,
    /// How many of the first ones there was no room for.
    left_out: usize,
}

impl Held {
    fn clear(&mut self) {
        *self = Held { outputs: VecDeque::new(), bytes: 0, left_out: 0 };
    }

    fn push(&mut self, mut output: Output) {
        if let Output::Text(text) = &mut output
            && text.len() > MOST
        {
            text.truncate(text.floor_char_boundary(MOST));
        }
        if output.size() > MOST {
            let size = output.size();
            output = Output::Error(format!("this output has {size} bytes, and a frame shows at most {MOST}\n"));
        }
        self.bytes += output.size();
        self.outputs.push_back(output);
        while (self.bytes > MOST || self.outputs.len() > MOST_OUTPUTS)
            && let Some(oldest) = self.outputs.pop_front()
        {
            self.bytes -= oldest.size();
            self.left_out += 1;
        }
    }

    /// Tells all of it, and says when that may be done again.
    fn tell(&self, viewers: &[(Pid, Ref)]) -> Instant {
        let note = format!("… {} outputs are left out …\n", self.left_out);
        let note = (self.left_out > 0).then_some(Output::Text(note));
        let outputs: Vec<Output> = note.into_iter().chain(self.outputs.iter().cloned()).collect();
        if let Some(node) = Node::current() {
            for (viewer, _) in viewers {
                let output = Output::Frame { frame: self_pid(), outputs: outputs.clone(), is_live: true };
                last_words::hand(&node, *viewer, output);
            }
        }
        Instant::now() + STEP.max(Duration::from_micros((self.bytes / BYTES_A_MICROSECOND) as u64))
    }
}

/// The frames that a leader knows of: each is watched, with what it has told last.
#[derive(Default)]
pub(crate) struct Frames(Vec<(Ref, Pid, Vec<Output>)>);

/// How long a leader waits for frames to tell what they show.
const SETTLED: Duration = Duration::from_millis(500);

impl Frames {
    /// A frame is shown here.
    pub(crate) fn add(&mut self, Framed(frame): Framed) {
        if self.0.iter().all(|(_, known, _)| *known != frame) {
            self.0.push((monitor(frame), frame, Vec::new()));
        }
    }

    /// Notes what a frame shows.
    pub(crate) fn note(&mut self, output: &Output) {
        if let Output::Frame { frame, outputs, .. } = output
            && let Some((_, _, last)) = self.0.iter_mut().find(|(_, known, _)| known == frame)
        {
            last.clone_from(outputs);
        }
    }

    /// The last state of the frame that has ended, if it was one.
    pub(crate) fn ended(&mut self, down: &Down) -> Option<Output> {
        let place = self.0.iter().position(|(watch, _, _)| *watch == down.reference)?;
        let (_, frame, outputs) = self.0.swap_remove(place);
        Some(Output::Frame { frame, outputs, is_live: false })
    }

    /// Has all frames tell what they have not told yet. What they tell is in the mailbox then, in its order. Returns
    /// what has come of those that have ended.
    pub(crate) async fn settle(&self) -> Vec<Down> {
        let mut open: Vec<Pid> = self.0.iter().map(|(_, frame, _)| *frame).collect();
        open.iter().for_each(|frame| tell(*frame, Change::Settle(self_pid())));
        let end = Instant::now() + SETTLED;
        let mut ended = Vec::new();
        while !open.is_empty() {
            receive! {
                Settled(frame): Settled => open.retain(|other| *other != frame),
                down: Down if self.0.iter().any(|(watch, _, _)| *watch == down.reference) => {
                    let is_it = |frame: &Pid| self.0.iter().any(|(watch, own, _)| own == frame && *watch == down.reference);
                    open.retain(|frame| !is_it(frame));
                    ended.push(down);
                },
                // What they tell after that is told when it comes.
                after end.saturating_duration_since(Instant::now()) => break,
            }
        }
        ended
    }

    /// The last states of all frames, which are shown here no more.
    pub(crate) fn freeze(&mut self) -> Vec<Output> {
        let freeze = |(watch, frame, outputs): (Ref, Pid, Vec<Output>)| {
            demonitor(watch);
            Output::Frame { frame, outputs, is_live: false }
        };
        std::mem::take(&mut self.0).into_iter().map(freeze).collect()
    }
}
