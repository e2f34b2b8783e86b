//! How the one task of a thread is woken: by sockets that became ready ([`ReadySet`]) and by
//! letters from other threads ([`Mailbox`]).
//!
//! Each thread runs exactly one task over all its sockets. A socket's waker notes the socket and
//! rings; the task, once awake, finds everything that is ready at the same time and handles it in
//! one go: one wake-up, and no task whose own scheduling could delay another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Wakes a thread's task.
#[derive(Debug, Default)]
pub(crate) struct Doorbell(Mutex<Option<Waker>>);

impl Doorbell {
    /// From now on, ringing wakes the task of this context. To be called before looking for work,
    /// so that no work goes unnoticed.
    pub(crate) fn answer(&self, cx: &Context<'_>) {
        let mut waker = locked(&self.0);
        match &mut *waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
    }

    /// Wakes the task. Before the task first waits there is nobody to wake: it looks for work
    /// anyway before it waits.
    pub(crate) fn ring(&self) {
        let waker = locked(&self.0).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Letters from other threads, taken all at once.
///
/// Not bounded by itself: every letter answers something bounded (a slot of a connection, a script,
/// a save) or belongs to one accepted connection, of which there are at most `maxclients`.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    letters: Mutex<Vec<T>>,
    bell: Arc<Doorbell>,
}

impl<T> Mailbox<T> {
    /// An empty mailbox whose owner answers to `bell`.
    pub(crate) fn new(bell: Arc<Doorbell>) -> Self {
        Self { letters: Mutex::new(Vec::new()), bell }
    }

    /// Leaves a letter and wakes the owner.
    pub(crate) fn post(&self, letter: T) {
        self.leave(letter);
        self.bell.ring();
    }

    /// Leaves a letter without waking the owner; somebody must ring its bell afterwards.
    pub(crate) fn leave(&self, letter: T) {
        locked(&self.letters).push(letter);
    }

    /// Moves all letters to the end of `into`.
    pub(crate) fn take(&self, into: &mut Vec<T>) {
        into.append(&mut locked(&self.letters));
    }

    /// Whether there is no letter.
    pub(crate) fn is_empty(&self) -> bool {
        locked(&self.letters).is_empty()
    }
}

/// The sockets of a thread that may be ready.
#[derive(Debug)]
pub(crate) struct ReadySet(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ready: Mutex<Vec<Arc<Readiness>>>,
    bell: Arc<Doorbell>,
}

/// The readiness of one socket: its waker's data.
#[derive(Debug)]
struct Readiness {
    key: u64,
    noted: AtomicBool,
    shared: Arc<Shared>,
}

impl ReadySet {
    /// An empty set whose owner answers to `bell`.
    pub(crate) fn new(bell: Arc<Doorbell>) -> Self {
        Self(Arc::new(Shared { ready: Mutex::default(), bell }))
    }

    /// A waker that notes `key` as ready. Keys must not be reused.
    pub(crate) fn waker(&self, key: u64) -> Waker {
        let shared = self.0.clone();
        Waker::from(Arc::new(Readiness { key, noted: AtomicBool::new(false), shared }))
    }

    /// Moves the keys of all ready sockets to the end of `into`.
    pub(crate) fn take(&self, into: &mut Vec<u64>) {
        for readiness in locked(&self.0.ready).drain(..) {
            readiness.noted.store(false, Ordering::Release);
            into.push(readiness.key);
        }
    }

    /// Whether no socket is ready.
    pub(crate) fn is_empty(&self) -> bool {
        locked(&self.0.ready).is_empty()
    }
}

impl Wake for Readiness {
    fn wake(self: Arc<Self>) {
        if self.noted.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = self.shared.clone();
        let first = {
            let mut ready = locked(&shared.ready);
            ready.push(self);
            ready.len() == 1
        };
        if first {
            shared.bell.ring();
        }
    }
}

/// Completes once the runtime has asked the operating system what is ready, without waiting for
/// anything to become so.
///
/// [`tokio::task::yield_now`] alone does not promise that: it returns early if something else woke
/// the task meanwhile. So it is given a waker of its own, which the runtime wakes after it asked.
pub(crate) async fn system_asked() {
    let mut asked: Option<Arc<Asked>> = None;
    let mut yielded = std::pin::pin!(tokio::task::yield_now());
    std::future::poll_fn(|cx| match &asked {
        Some(asked) if asked.yes.load(Ordering::Acquire) => Poll::Ready(()),
        Some(_) => Poll::Pending,
        None => {
            let note = Arc::new(Asked { yes: AtomicBool::new(false), task: cx.waker().clone() });
            asked = Some(note.clone());
            yielded.as_mut().poll(&mut Context::from_waker(&Waker::from(note)))
        }
    })
    .await;
}

struct Asked {
    yes: AtomicBool,
    task: Waker,
}

impl Wake for Asked {
    fn wake(self: Arc<Self>) {
        self.yes.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

/// A panic aborts the process, so a lock is never found poisoned; if it were, its data would still
/// be whole, as no update here can stop half-way.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_wakes_twice_is_listed_once() {
        let set = ReadySet::new(Arc::default());
        let (one, two) = (set.waker(1), set.waker(2));
        one.wake_by_ref();
        two.wake_by_ref();
        one.wake_by_ref();
        let mut keys = Vec::new();
        set.take(&mut keys);
        assert_eq!(keys, [1, 2]);
        one.wake_by_ref();
        keys.clear();
        set.take(&mut keys);
        assert_eq!(keys, [1], "a socket can become ready again once taken");
    }

    #[test]
    fn letters_come_in_order_and_once() {
        let mailbox = Mailbox::new(Arc::default());
        mailbox.post('a');
        mailbox.leave('b');
        let mut letters = vec!['0'];
        mailbox.take(&mut letters);
        assert_eq!(letters, ['0', 'a', 'b']);
        assert!(mailbox.is_empty());
    }
}
