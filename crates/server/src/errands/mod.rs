//! What the core orders and what takes its time: name resolution and scripts. They run on the main
//! thread's runtime, away from the control thread; the outcome is posted to the core.

mod resolver;
mod scripts;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use vedette_core::JobId;

use crate::control::ControlMailbox;

/// An order to fetch something.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Resolve a name.
    Resolve { host: Arc<str> },
    /// Run a script.
    RunScript { job: JobId, argv: Vec<String> },
    /// Kill a script's process group.
    KillScript { job: JobId },
}

/// Where errands are handed in. The core bounds them: at most 16 scripts run, and each name is
/// asked for once at a time.
#[derive(Clone, Debug)]
pub(crate) struct Errands(mpsc::UnboundedSender<Errand>);

/// Runs errands.
pub(crate) struct Runner {
    orders: mpsc::UnboundedReceiver<Errand>,
    control: Arc<ControlMailbox>,
    scripts: scripts::Running,
}

impl Errands {
    pub(crate) fn send(&self, errand: Errand) {
        // The runner lives as long as the process.
        let _ = self.0.send(errand);
    }
}

/// A runner and the place where its errands are handed in.
pub(crate) fn channel(control: Arc<ControlMailbox>) -> (Errands, Runner) {
    let (sender, orders) = mpsc::unbounded_channel();
    (Errands(sender), Runner { orders, control, scripts: Arc::new(HashMap::new().into()) })
}

impl Runner {
    /// Runs for ever, on a runtime with sockets (for child processes).
    pub(crate) async fn run(mut self) {
        while let Some(errand) = self.orders.recv().await {
            match errand {
                Errand::Resolve { host } => resolver::resolve(host, self.control.clone()),
                Errand::RunScript { job, argv } => {
                    scripts::run(job, &argv, &self.scripts, &self.control);
                }
                Errand::KillScript { job } => scripts::kill(job, &self.scripts),
            }
        }
    }
}
