//! What a worker does: polls processes, turns how they end into exit reasons, and clears them away.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::io::Write;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Once};
use std::task::{Context, Poll, Waker};

use crate::body::{Body, Origin};
use crate::core::{Due, Inner};
use crate::current::{Current, unless_dead};
use crate::deliver::with_waker;
use crate::life::Rest;
use crate::looking;
use crate::mailbox::{Queue, drop_quietly};
use crate::pid::{LocalPid, Pid};
use crate::reason::{ExitReason, Outcome, Panic};
use crate::scheduler::Worker;
use crate::slot::{Slot, flag};

/// How many vacant places a worker fetches at once.
const PLACES_AT_HAND: usize = 64;
/// How many it keeps at most before it gives some back.
const PLACES_KEPT: usize = 256;

/// The life of a worker thread.
pub(crate) fn work(inner: &Arc<Inner>, worker: &Worker<Slot>) {
    let _entered = inner.tokio.enter();
    install_panic_hook();
    inner.scheduler.begin(worker);
    let current = Current::new(inner, worker);
    current.enter(|| {
        while let Some(slot) = inner.scheduler.next(worker, || inner.desks.tick()) {
            inner.scheduler.found_work();
            // SAFETY: places live as long as the node, which `inner` keeps.
            let slot = unsafe { slot.as_ref() };
            let now = inner.desks.now();
            inner.scheduler.begin_turn(worker, slot.resident().as_u64(), now);
            // SAFETY: whoever takes a place out of a run queue is its running thread.
            unsafe { turn(&current, slot, now) };
            inner.scheduler.end_turn(worker);
        }
    });
    inner.table.give_back(current.vacant.take());
}

/// The life of the timer thread.
pub(crate) fn keep_time(inner: &Arc<Inner>) {
    inner.timers.run(
        || inner.now(),
        |_, due| match due {
            Due::Wake(id) => inner.wake(id),
            Due::Send(to, envelope) => inner.send_envelope(&to, envelope),
        },
    );
}

/// Lets a process run until it waits, has used up its turn, or ends.
///
/// # Safety
/// The caller is the running thread of `slot`.
unsafe fn turn<'a>(current: &Current<'a>, slot: &'a Slot, now: u64) {
    let id = slot.resident();
    // SAFETY: as the caller says.
    if let Some(rare) = unsafe { slot.own() }.rare.as_deref_mut() {
        // Before the flag is lowered, as they may raise it.
        std::mem::take(&mut rare.listeners).into_iter().for_each(Waker::wake);
    }
    let flags = slot.life().acknowledge();
    if flags & (flag::DEAD | flag::SUSPENDED | flag::LOOKED_AT) != 0 {
        // SAFETY: as the caller says; nothing of `own` and `queue` is in use.
        unsafe {
            if flags & flag::DEAD != 0 {
                return clear_away(current, slot);
            }
            if flags & flag::LOOKED_AT != 0 {
                looking::write_down(current, slot);
            }
            if flags & flag::SUSPENDED != 0 {
                return hold_back(current, slot);
            }
        }
    }
    // SAFETY: as above; nothing else of `own` is in use.
    let wants_messages = unsafe { slot.own() }.wants_messages;
    if flags & flag::NOTIFIED != 0 || wants_messages {
        // SAFETY: as above.
        let body = unsafe { slot.take_body() };
        let Some(body) = body else { return };
        let mut body = std::mem::ManuallyDrop::new(body);
        // SAFETY: as above.
        unsafe { slot.own() }.wants_messages = false;
        current.begin_turn(now);
        // SAFETY: as above.
        let polled = unsafe {
            current.run(slot, || with_waker(current, |waker| guarded(|| body.poll(&mut Context::from_waker(waker)))))
        };
        current.end_turn(slot);
        if let Ok(Poll::Ready(reason)) | Err(reason) = polled {
            // SAFETY: as above.
            return unsafe { finish(current, slot, id, reason) };
        }
        if current.is_exhausted() {
            // It has more to do, but others come first.
            slot.raise(flag::NOTIFIED);
            return current.inner.scheduler.push_back(current.worker, slot);
        }
    }
    // SAFETY: as above.
    unsafe { rest(current, slot) }
}

/// Lets a suspended process wait. Whoever resumes it notifies it, so it is polled then in any case.
///
/// # Safety
/// As for [`turn`].
#[cold]
unsafe fn hold_back<'a>(current: &Current<'a>, slot: &'a Slot) {
    // SAFETY: as the caller says.
    unsafe {
        slot.own().wants_messages = false;
        rest(current, slot);
    }
}

/// Parks the process, unless something happened meanwhile that it has to see.
///
/// # Safety
/// As for [`turn`].
unsafe fn rest<'a>(current: &Current<'a>, slot: &'a Slot) {
    let id = slot.resident();
    let tag = slot.tag();
    loop {
        match slot.life().rest(id.generation()) {
            Rest::Parked => return,
            Rest::Again => return current.inner.scheduler.push_back(current.worker, slot),
            Rest::Refused => (),
        }
        if slot.flags(id).is_none_or(|flags| flags & flag::DEAD != 0) {
            // SAFETY: the inbox is closed or full, so the process was not parked: it is still ours.
            return unsafe { clear_away(current, slot) };
        }
        // SAFETY: as the caller says.
        if unsafe { slot.own() }.wants_messages {
            return current.inner.scheduler.push_next(current.worker, slot);
        }
        // It waits for something else: messages need not wake it, they only have to make room.
        // SAFETY: as the caller says.
        let queue = unsafe { slot.queue() };
        queue.refill(&slot.kept, &slot.inbox, tag);
    }
}

/// The body has returned or panicked.
///
/// # Safety
/// As for [`turn`].
unsafe fn finish<'a>(current: &Current<'a>, slot: &'a Slot, id: LocalPid, reason: ExitReason) {
    // SAFETY: as the caller says.
    unsafe {
        current.run(slot, || current.inner.end(id, reason));
        clear_away(current, slot);
    }
}

/// Drops what is left of a dead process and makes its place vacant.
///
/// # Safety
/// As for [`turn`]; the process has been declared dead.
unsafe fn clear_away<'a>(current: &Current<'a>, slot: &'a Slot) {
    let inner = current.inner;
    // SAFETY: as the caller says. The body goes first, then the rest, each within a run of its own, so
    // that destructors see their own process.
    unsafe {
        let body = slot.take_body();
        slot.forget_body();
        current.run(slot, || drop_quietly(body));
        let queue = std::mem::replace(slot.queue(), Queue::new());
        let own = slot.own();
        let (token, rare) = (own.token.take(), own.rare.take().map(|rare| *rare).unwrap_or_default());
        if let Some(alarm) = rare.alarm {
            inner.timers.remove(alarm);
        }
        drop_quietly(queue);
        drop_quietly(token);
        drop_quietly(rare.listeners);
    }
    if slot.is_looked_at() {
        inner.forget_looks(slot.resident());
    }
    // Someone may have declared it dead and not yet be done with telling everyone.
    let (messages, _) = slot.inbox.close(slot.tag());
    drop_quietly(messages);
    let mut vacant = current.vacant.borrow_mut();
    vacant.extend(slot.vacate());
    if vacant.len() > PLACES_KEPT {
        inner.table.give_back(vacant.drain(..PLACES_KEPT / 2));
    }
}

thread_local! {
    /// What the panic hook saw of the panic that is unwinding on this thread.
    static PANIC: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// The panic that is unwinding the running process, if one is.
pub(crate) fn unwinding() -> Option<Panic> {
    if !std::thread::panicking() {
        return None;
    }
    PANIC.with_borrow(Clone::clone)
}

/// The payload with which [`crate::process::exit_self`] unwinds.
pub(crate) struct ExitSelf(pub(crate) ExitReason);

/// Runs a poll; what it panicked with becomes an exit reason.
#[inline]
pub(crate) fn guarded<T>(poll: impl FnOnce() -> Poll<T>) -> Result<Poll<T>, ExitReason> {
    catch_unwind(AssertUnwindSafe(poll)).map_err(reason_of)
}

/// What a panic means for the process that it unwinds.
#[cold]
fn reason_of(payload: Box<dyn Any + Send>) -> ExitReason {
    match payload.downcast::<ExitSelf>() {
        Ok(exit) => exit.0,
        Err(payload) => {
            let message = text_of(&*payload);
            // What the hook saw last may be another panic, which was caught, if this one went round it.
            let seen = PANIC.take().filter(|seen| seen.message == message);
            let panic = seen.unwrap_or(Panic { message, location: None });
            drop_quietly(payload);
            ExitReason::Panic(Arc::new(panic))
        }
    }
}

pub(crate) fn text_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic with a value that is not text".to_owned()
    }
}

/// Makes panics in processes known to [`guarded`] with their place; others go to the hook before.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let handled = Current::with(|current| {
                let Some(current) = current.filter(|current| current.process().is_some()) else { return false };
                let panic = Panic { message: text_of(info.payload()), location: info.location().map(Into::into) };
                let handler = current.inner.on_panic.as_deref();
                if let Some(handler) = handler {
                    handler(&panic);
                }
                if handler.is_none() {
                    introduce(current);
                }
                PANIC.set(Some(panic));
                handler.is_some()
            });
            if !handled {
                previous(info);
            }
        }));
    });
}

/// Says which process it is that panics, above what the program's hook has to say.
fn introduce(current: &Current) {
    let Some(pid) = current.pid() else { return };
    let locked = current.inner.slot(pid.id).and_then(|slot| slot.try_lock(pid.id));
    let cold = locked.as_ref().and_then(|locked| locked.view());
    let name = cold.and_then(|cold| cold.name.as_deref().or(cold.label.as_deref()));
    let name = name.map_or_else(String::new, |name| format!(" `{name}`"));
    // Nobody can be told that nobody is told.
    let _ = write!(std::io::stderr(), "\nin process {pid}{name}:");
}

impl Inner {
    /// Starts a process with what the running one hands down to it. `introduce` is called before it
    /// can run: to link, monitor or name it.
    pub(crate) fn spawn<F>(&self, spawned_at: &'static Location<'static>, introduce: impl FnOnce(Pid), future: F) -> Pid
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let leader = Current::of(self).and_then(Current::leader);
        self.spawn_led(spawned_at, leader, introduce, future)
    }

    /// The same with a group leader of its own.
    pub(crate) fn spawn_led<F>(
        &self,
        spawned_at: &'static Location<'static>,
        leader: Option<Pid>,
        introduce: impl FnOnce(Pid),
        future: F,
    ) -> Pid
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let current = Current::of(self);
        let parent = current.and_then(Current::pid);
        #[cfg(feature = "tracing")]
        let future = crate::span::spanned(spawned_at, future);
        let mut body = Some(Body::new(Origin { parent, leader, spawned_at }, future));
        let settled = unless_dead(self, || {
            let slot = self.settle(&mut body)?;
            introduce(self.pid(slot.resident()));
            // A parent that was killed meanwhile may have come too late to link it: then it never lived.
            let is_orphan = parent.is_some_and(|parent| !self.is_alive(parent.id));
            Some((slot, is_orphan.then(|| self.declare_dead(slot.resident(), ExitReason::Killed)).flatten()))
        });
        let Some((slot, stillborn)) = settled.flatten() else {
            drop_quietly(body);
            return self.pid(LocalPid::NOBODY);
        };
        self.spread(stillborn);
        let child = self.pid(slot.resident());
        if let Some(parent) = parent
            && self.is_traced()
        {
            self.trace_spawn(parent, child);
        }
        match current {
            Some(current) => self.scheduler.push_new(current.worker, slot),
            None => self.scheduler.inject(slot),
        }
        child
    }

    /// Gives a body a place; none if the node is ending.
    fn settle(&self, body: &mut Option<Body>) -> Option<&Slot> {
        if self.is_ending.load(Ordering::SeqCst) {
            return None;
        }
        let Some(current) = Current::of(self) else {
            let place = self.table.vacant(1).pop()?;
            return Some(self.table.settle(place, body.take()?, None));
        };
        current.charge(1);
        let place = {
            let mut vacant = current.vacant.borrow_mut();
            if vacant.is_empty() {
                vacant.extend(self.table.vacant(PLACES_AT_HAND));
            }
            vacant.pop()?
        };
        let token = self.inherited_token(current);
        Some(self.table.settle(place, body.take()?, token))
    }

    /// Ends every process, so that a node can stop; none is started after this.
    pub(crate) fn end_all(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
        loop {
            let all: Vec<LocalPid> = self.table.residents().map(|(_, id)| id).collect();
            if all.is_empty() {
                return;
            }
            // Whoever is being started at this moment is found by the next round.
            for id in all {
                self.end(id, ExitReason::Killed);
            }
        }
    }
}
