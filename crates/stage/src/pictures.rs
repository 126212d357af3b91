//! Pictures that a cell can show: what processes say to each other, and who supervises whom.

use std::sync::OnceLock;

use greenroom::Pid;
use greenroom::supervisor::{self, TreeError};
use greenroom_tracing_viz::sequence::{self, Sequence};
use greenroom_tracing_viz::tree::{self, Direction, Tree};

use crate::cell::Output;
use crate::io::emit;

/// How wide pictures in text may be, in columns, where nobody says otherwise.
const WIDTH: usize = 100;

/// The width that the notebook asked for.
static COLUMNS: OnceLock<usize> = OnceLock::new();

/// Says how wide pictures in text may be; the first to say so wins.
pub(crate) fn set_width(columns: usize) {
    // A second notebook cannot join a runtime, so this is only ever said once.
    let _ = COLUMNS.set(columns.max(20));
}

fn width() -> usize {
    COLUMNS.get().copied().unwrap_or(WIDTH)
}

/// Runs a future and draws the messages that are sent meanwhile: by the running process, by those it
/// starts, and by whoever answers them. Returns what the future returns.
///
/// ```
/// use greenroom::{receive, self_pid, send, spawn};
/// use greenroom_stage::pictures::render_seq_trace;
///
/// greenroom::run(async {
///     let answer = render_seq_trace(async {
///         let parent = self_pid();
///         spawn(async move { send(parent, 42_u32) });
///         receive::<u32>().await
///     })
///     .await;
///     assert_eq!(answer, 42);
/// });
/// ```
///
/// # Panics
/// Outside of a process.
pub async fn render_seq_trace<F: Future>(future: F) -> F::Output {
    let (value, trace) = greenroom::trace(future).await;
    let sequence = Sequence::from_trace(&trace, &sequence::Options::default());
    let (text, mermaid, svg) = (sequence.to_text(width()), sequence.to_mermaid(), sequence.to_svg());
    emit(Output::Sequence { text, mermaid, svg });
    value
}

/// Draws the supervision tree below a supervisor.
///
/// # Errors
/// If the process has ended or is no supervisor.
///
/// # Panics
/// Outside of a process.
pub async fn render_sup_tree(supervisor: impl Into<Pid>) -> Result<(), TreeError> {
    let root = supervisor::tree(supervisor.into()).await?;
    let tree = Tree::from_node(&root, &tree::Options::default());
    let (text, mermaid) = (tree.to_text(width()), tree.to_mermaid(Direction::default()));
    emit(Output::Tree { text, mermaid, svg: tree.to_svg() });
    Ok(())
}
