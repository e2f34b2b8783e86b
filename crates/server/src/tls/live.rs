//! The configurations of both directions while the process runs: a signal has their files read
//! anew, as certificates expire (spec: interface 13.14).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use rustls::{ClientConfig, ServerConfig};
use vedette_conf::{TlsDirective, TlsSettings};

use super::{Tls, TlsError, prepare};
use crate::log::Log;

/// What the next hand-shake begins with.
pub(crate) type Live<T> = Arc<ArcSwap<T>>;

/// TLS as it was asked for at start, with the files as they were read last.
#[derive(Clone, Debug)]
pub(crate) struct LiveTls {
    settings: TlsSettings,
    pub(crate) accepting: Option<Live<ServerConfig>>,
    pub(crate) dialing: Option<Live<ClientConfig>>,
    wishes: Arc<Wishes>,
}

/// Wishes for work that one thread does: whoever wishes meanwhile is served by doing it once more.
#[derive(Debug, Default)]
pub(super) struct Wishes(AtomicUsize);

impl Wishes {
    /// One more; whether the work must be begun for it.
    pub(super) fn add(&self) -> bool {
        self.0.fetch_add(1, Ordering::AcqRel) == 0
    }

    /// Works until nobody has wished since the work was begun last.
    pub(super) fn fulfil(&self, mut work: impl FnMut()) {
        let mut served = self.0.load(Ordering::Acquire);
        loop {
            work();
            match self.0.compare_exchange(served, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(more) => served = more,
            }
        }
    }

    /// The work cannot be begun.
    fn give_up(&self) {
        self.0.store(0, Ordering::Release);
    }
}

impl LiveTls {
    /// Begins with what was read at start.
    pub(crate) fn new(settings: TlsSettings, tls: Tls) -> Self {
        Self {
            settings,
            accepting: tls.accepting.map(|config| Arc::new(ArcSwap::new(config))),
            dialing: tls.dialing.map(|config| Arc::new(ArcSwap::new(config))),
            wishes: Arc::default(),
        }
    }

    /// Whether there are files at all.
    pub(crate) fn is_wanted(&self) -> bool {
        self.accepting.is_some() || self.dialing.is_some()
    }

    /// Reads the files anew on a thread of its own, one at a time: who asks meanwhile has them read
    /// once more afterwards. Whoever is connected stays so; if anything is wrong, nothing changes.
    pub(crate) fn reload_soon(&self, log: &Log) {
        if !self.wishes.add() {
            return;
        }
        let (live, told) = (self.clone(), log.clone());
        let work = move || live.wishes.fulfil(|| live.reload_and_tell(&told));
        if let Err(error) = std::thread::Builder::new().name("tls-files".into()).spawn(work) {
            self.wishes.give_up();
            log.warning(&format!("Can't start a thread: {error}"));
        }
    }

    fn reload_and_tell(&self, log: &Log) {
        match self.reload() {
            Ok(remarks) => {
                remarks.iter().for_each(|remark| log.warning(remark));
                log.notice("The TLS files were read anew: new connections use them");
            }
            Err(error) => log.warning(&format!(
                "The TLS files cannot be used, so those that were read before stay in use: {error}"
            )),
        }
    }

    pub(super) fn reload(&self) -> Result<Vec<String>, TlsError> {
        let tls = prepare(&self.settings)?;
        if tls.trusts_nobody {
            // As at a start, but now there is something better.
            return Err(TlsError::Authorities {
                directive: TlsDirective::CaCertDir,
                path: self.settings.ca_cert_dir.clone().unwrap_or_default(),
                why: "no authority is in it".into(),
            });
        }
        if let (Some(live), Some(config)) = (&self.accepting, tls.accepting) {
            live.store(config);
        }
        if let (Some(live), Some(config)) = (&self.dialing, tls.dialing) {
            live.store(config);
        }
        Ok(tls.remarks)
    }
}
