//! Writing what waits on a connection: by whoever comes first, the flusher right after the turn of the process that has
//! sent something, or the connection's own writing task.
//!
//! A turn often sends several things: a monitor, a request. They go in one piece, from the thread that they were sent on,
//! as soon as the turn is over. What is much, or finds the channel full, is left to the writing task, and so is what
//! comes from elsewhere: a sign of life is given also when all workers are busy.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use crate::hub::{Hub, Link};
use crate::pen::{Pen, end_of};

/// How many bytes may wait at most for the flusher to see to them: encrypting more keeps processes waiting.
const FLUSHED: usize = 32 << 10;

impl Hub {
    /// Something was queued, so that so many bytes wait.
    pub(crate) fn flush(&self, link: &Arc<Link>, waiting: usize) {
        if waiting > FLUSHED {
            link.writable.notify_one();
        } else if !link.is_due.swap(true, Ordering::AcqRel) {
            self.due.lock().push(link.clone());
            self.flush_wanted.notify_one();
        }
    }
}

/// The life of the process that writes after turns: woken by one, it runs next, on the same thread.
pub(crate) async fn flush_after_turns(hub: Arc<Hub>) {
    loop {
        hub.flush_wanted.notified().await;
        let due = std::mem::take(&mut *hub.due.lock());
        for link in due {
            link.is_due.store(false, Ordering::Release);
            if !link.write_now(&hub) {
                link.writable.notify_one();
            }
        }
    }
}

/// The task that writes what the flusher does not, until the connection is over.
pub(crate) async fn write(hub: Arc<Hub>, link: Arc<Link>) {
    // However this task ends, also with its node.
    let _held = Held(&link);
    loop {
        if let Err(error) = with_pen(&link, |pen, context| {
            pen.be_held_by(context.waker());
            link.write_with(pen, &hub, context)
        })
        .await
        {
            // The reading task sees to the rest.
            link.core.lock().handle_end(&end_of(&error));
            link.nudge.notify_one();
            return;
        }
        if link.core.lock().is_closed() {
            let _ = with_pen(&link, |pen, context| pen.poll_shutdown(context)).await; // If it is gone already, all the better.
            return;
        }
        link.writable.notified().await;
    }
}

/// The pen of a link, which is put away with this: a channel ends with both of its halves.
struct Held<'a>(&'a Link);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.pen.lock().take();
    }
}

async fn with_pen(
    link: &Link,
    mut work: impl FnMut(&mut Pen, &mut Context<'_>) -> Poll<io::Result<()>>,
) -> io::Result<()> {
    poll_fn(|context| link.pen.lock().as_mut().map_or(Poll::Ready(Ok(())), |pen| work(pen, context))).await
}

impl Link {
    fn write_with(&self, pen: &mut Pen, hub: &Hub, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut went = false;
        pen.poll_write(context, |out| {
            if std::mem::take(&mut went) {
                self.make_room();
            }
            went = self.core.lock().poll_transmit(out, hub.now());
            went
        })
    }

    /// Writes what can be written at once; false if the writing task has to see to the rest.
    fn write_now(&self, hub: &Hub) -> bool {
        let Some(mut pen) = self.pen.try_lock() else { return false };
        let Some(pen) = &mut *pen else { return true };
        let Some(task) = pen.task() else { return false };
        matches!(self.write_with(pen, hub, &mut Context::from_waker(&task)), Poll::Ready(Ok(())))
    }
}
