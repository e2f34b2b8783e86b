//! What clients that ask a Sentinel are told, all the while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::ensure;

use super::{Client, Lab, fields, text};

/// Between two questions: short beside a switch, little work.
const PAUSE: Duration = Duration::from_millis(20);

/// What one Sentinel said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// The ports that it named as the master's, without repetitions.
    masters: Vec<u16>,
    /// How many other Sentinels it knew, without repetitions.
    others: Vec<usize>,
}

/// Asks every Sentinel of a lab for the master and for the number of its fellows.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Mutex<Vec<Seen>>>,
    is_ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Starts to ask.
    pub fn start(lab: &Lab) -> Self {
        let seen = Arc::new(Mutex::new(vec![Seen::default(); lab.sentinels.len()]));
        let is_ending = Arc::new(AtomicBool::new(false));
        let threads = lab.sentinels.iter().enumerate().map(|(number, sentinel)| {
            let (seen, is_ending) = (seen.clone(), is_ending.clone());
            let (port, name) = (sentinel.port(), lab.name().to_owned());
            std::thread::spawn(move || {
                while !is_ending.load(Ordering::Relaxed) {
                    // One that is being replaced is tried again.
                    let _ = ask(port, &name, &is_ending, &seen, number);
                    std::thread::sleep(PAUSE);
                }
            })
        });
        Self { threads: threads.collect(), seen, is_ending }
    }

    /// Every Sentinel named these masters, in this order and no other, and always knew as many
    /// other Sentinels.
    ///
    /// # Errors
    ///
    /// One did not.
    pub fn check(&self, masters: &[u16], others: usize) -> anyhow::Result<()> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, seen) in seen.iter().enumerate() {
            let told = &seen.masters;
            ensure!(told == masters, "Sentinel {number} named {told:?}, not {masters:?}");
            let known = &seen.others;
            ensure!(known == &[others], "Sentinel {number} knew {known:?} others, not {others}");
        }
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn ask(
    port: u16,
    name: &str,
    is_ending: &AtomicBool,
    seen: &Mutex<Vec<Seen>>,
    number: usize,
) -> std::io::Result<()> {
    let mut client = Client::connect(port)?;
    while !is_ending.load(Ordering::Relaxed) {
        let answer = client.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name])?;
        let master = answer.items().and_then(|items| text(items.get(1)?).parse().ok());
        let entry = fields(&client.ask(&["SENTINEL", "MASTER", name])?);
        let others = entry.get("num-other-sentinels").and_then(|number| number.parse().ok());
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.get_mut(number) {
            push_news(&mut seen.masters, master);
            push_news(&mut seen.others, others);
        }
        drop(seen);
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn push_news<T: PartialEq>(list: &mut Vec<T>, value: Option<T>) {
    if value.is_some() && list.last() != value.as_ref() {
        list.extend(value);
    }
}
