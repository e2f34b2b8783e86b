//! What every Sentinel says, with the moment at which it was heard.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::bail;
use vedette_resp::Frame;

use super::{Client, Sentinel, text};

/// A subscriber looks so often whether it should end.
const LOOK: Duration = Duration::from_millis(200);
/// Pause before a subscriber tries a Sentinel again that is gone.
const RETRY: Duration = Duration::from_millis(20);

/// Something one Sentinel said.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it was heard.
    pub at: Instant,
    /// The place of the Sentinel in the lab.
    pub sentinel: usize,
    /// What it said.
    pub saying: Saying,
}

/// What a Sentinel said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saying {
    /// A message of its own on a channel.
    Message {
        /// The name of the event, such as `+odown`.
        channel: String,
        /// Its payload.
        payload: String,
    },
    /// Its answer to GET-MASTER-ADDR-BY-NAME, asked at the events that may change it.
    Address {
        /// The name of the master.
        master: String,
        /// The port it named.
        port: u16,
    },
}

impl Event {
    /// Whether it is a message on this channel whose payload has `word` as one of its words.
    pub fn is(&self, channel_name: &str, word: &str) -> bool {
        match &self.saying {
            Saying::Message { channel, payload } => {
                channel == channel_name && payload.split(' ').any(|other| other == word)
            }
            Saying::Address { .. } => false,
        }
    }

    /// Whether it shows that its Sentinel names `port` as the address of the master.
    pub fn shows_switch_to(&self, name: &str, port: u16) -> bool {
        match &self.saying {
            Saying::Message { .. } => {
                self.is("+switch-master", name) && self.is("+switch-master", &port.to_string())
            }
            Saying::Address { master, port: named } => master == name && *named == port,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    events: Mutex<Vec<Event>>,
    grown: Condvar,
    is_ending: AtomicBool,
}

/// The events of all Sentinels in the order in which they were heard.
#[derive(Debug)]
pub struct EventLog {
    shared: Arc<Shared>,
    subscribers: Vec<JoinHandle<()>>,
}

impl EventLog {
    /// Subscribes to these Sentinels; lost subscriptions are renewed.
    pub fn subscribe(sentinels: &[Sentinel], masters: &[String]) -> Self {
        let shared = Arc::new(Shared::default());
        let subscribers = sentinels.iter().enumerate().map(|(number, sentinel)| {
            let subscriber = Subscriber {
                sentinel: number,
                port: sentinel.port(),
                password: sentinel.password().map(str::to_owned),
                masters: masters.to_vec(),
                shared: shared.clone(),
            };
            std::thread::spawn(move || subscriber.run())
        });
        Self { subscribers: subscribers.collect(), shared }
    }

    /// A mark: events from here on are the later ones.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing has been heard yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All events from `mark` on.
    pub fn since(&self, mark: usize) -> Vec<Event> {
        self.lock()[mark..].to_vec()
    }

    /// Waits until the events from `mark` on give a value.
    ///
    /// # Errors
    ///
    /// They gave none within `bound`; with the events.
    pub fn wait_for<T>(
        &self,
        what: &str,
        mark: usize,
        bound: Duration,
        mut condition: impl FnMut(&[Event]) -> Option<T>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        let mut events = self.lock();
        loop {
            if let Some(value) = condition(&events[mark..]) {
                return Ok(value);
            }
            let Some(left) = bound.checked_sub(start.elapsed()) else {
                bail!("waited {bound:?} in vain for {what}; heard: {:#?}", &events[mark..]);
            };
            events = self
                .shared
                .grown
                .wait_timeout(events, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.shared.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::Relaxed);
        for subscriber in self.subscribers.drain(..) {
            let _ = subscriber.join();
        }
    }
}

struct Subscriber {
    sentinel: usize,
    port: u16,
    password: Option<String>,
    masters: Vec<String>,
    shared: Arc<Shared>,
}

impl Subscriber {
    fn run(&self) {
        while !self.is_ending() {
            // A Sentinel that is gone or hangs is tried again until the lab ends.
            let _ = self.listen();
            std::thread::sleep(RETRY);
        }
    }

    fn is_ending(&self) -> bool {
        self.shared.is_ending.load(Ordering::Relaxed)
    }

    fn listen(&self) -> std::io::Result<()> {
        let mut subscription = Client::connect(self.port)?;
        let mut questions = Client::connect(self.port)?;
        subscription.give(self.password.as_deref())?;
        questions.give(self.password.as_deref())?;
        subscription.set_patience(Some(LOOK))?;
        subscription.send(&["PSUBSCRIBE", "*"])?;
        while !self.is_ending() {
            match subscription.receive() {
                Ok(frame) => self.hear(&frame, &mut questions)?,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn hear(&self, frame: &Frame, questions: &mut Client) -> std::io::Result<()> {
        let at = Instant::now();
        let Some([kind, _, channel, payload]) = frame.items() else { return Ok(()) };
        if text(kind) != "pmessage" {
            return Ok(());
        }
        let (channel, payload) = (text(channel), text(payload));
        let may_change =
            ["+switch-master", "+failover-state-reconf-slaves"].contains(&channel.as_str());
        self.record(at, Saying::Message { channel, payload });
        if may_change {
            self.ask_addresses(questions)?;
        }
        Ok(())
    }

    fn ask_addresses(&self, questions: &mut Client) -> std::io::Result<()> {
        for master in &self.masters {
            let answer = questions.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", master])?;
            let port = answer.items().and_then(|items| text(items.get(1)?).parse().ok());
            if let Some(port) = port {
                self.record(Instant::now(), Saying::Address { master: master.clone(), port });
            }
        }
        Ok(())
    }

    fn record(&self, at: Instant, saying: Saying) {
        let event = Event { at, sentinel: self.sentinel, saying };
        self.shared.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        self.shared.grown.notify_all();
    }
}
