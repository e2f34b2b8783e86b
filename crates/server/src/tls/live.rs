//! The configurations of both directions while the process runs: a signal has their files read
//! anew, as certificates expire (spec: interface 13.14).

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::{ClientConfig, ServerConfig};
use vedette_conf::TlsSettings;

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
    /// One after the other: the last who reads has the newest files.
    reading: Arc<Mutex<()>>,
}

impl LiveTls {
    /// Begins with what was read at start.
    pub(crate) fn new(settings: TlsSettings, tls: Tls) -> Self {
        Self {
            settings,
            accepting: tls.accepting.map(|config| Arc::new(ArcSwap::new(config))),
            dialing: tls.dialing.map(|config| Arc::new(ArcSwap::new(config))),
            reading: Arc::default(),
        }
    }

    /// Whether there are files at all.
    pub(crate) fn is_wanted(&self) -> bool {
        self.accepting.is_some() || self.dialing.is_some()
    }

    /// Reads the files anew on a thread of its own. Whoever is connected stays so; if anything is
    /// wrong, nothing changes.
    pub(crate) fn reload_soon(&self, log: &Log) {
        let (live, told) = (self.clone(), log.clone());
        let reading =
            std::thread::Builder::new().name("tls-files".into()).spawn(move || {
                match live.reload() {
                    Ok(remarks) => {
                        remarks.iter().for_each(|remark| told.warning(remark));
                        told.notice("The TLS files were read anew: new connections use them");
                    }
                    Err(error) => told.warning(&format!(
                        "The TLS files cannot be used, so those that were read before stay in use: \
                     {error}"
                    )),
                }
            });
        if let Err(error) = reading {
            log.warning(&format!("Can't start a thread: {error}"));
        }
    }

    pub(super) fn reload(&self) -> Result<Vec<String>, TlsError> {
        let _turn = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let tls = prepare(&self.settings)?;
        if let (Some(live), Some(config)) = (&self.accepting, tls.accepting) {
            live.store(config);
        }
        if let (Some(live), Some(config)) = (&self.dialing, tls.dialing) {
            live.store(config);
        }
        Ok(tls.remarks)
    }
}
