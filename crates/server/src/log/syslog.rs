//! The system's log: message text only, beside the log file (spec: interface 10.1).

use std::ffi::CString;

use nix::syslog::{Facility, LogFlags, Severity};
use vedette_core::LogLevel;

/// An open connection to the system's log; there is one per process.
#[derive(Clone, Debug)]
pub(crate) struct Syslog(());

impl Syslog {
    /// Opens it under a name and a facility: `user` or `local0` to `local7`.
    pub(crate) fn open(ident: &str, facility: &str) -> Option<Self> {
        let ident = CString::new(ident).ok()?;
        let flags = LogFlags::LOG_PID | LogFlags::LOG_NDELAY;
        nix::syslog::openlog(Some(Box::leak(ident.into_boxed_c_str())), flags, named(facility)?)
            .ok()?;
        Some(Self(()))
    }

    /// Sends a line. The system's log reports no errors.
    pub(crate) fn send(&self, level: LogLevel, text: &str) {
        let severity = match level {
            LogLevel::Debug => Severity::LOG_DEBUG,
            LogLevel::Verbose => Severity::LOG_INFO,
            LogLevel::Notice => Severity::LOG_NOTICE,
            LogLevel::Warning | LogLevel::Nothing => Severity::LOG_WARNING,
        };
        let _unreported = nix::syslog::syslog(severity, &text);
    }
}

fn named(facility: &str) -> Option<Facility> {
    Some(match facility.to_ascii_lowercase().as_str() {
        "user" => Facility::LOG_USER,
        "local0" => Facility::LOG_LOCAL0,
        "local1" => Facility::LOG_LOCAL1,
        "local2" => Facility::LOG_LOCAL2,
        "local3" => Facility::LOG_LOCAL3,
        "local4" => Facility::LOG_LOCAL4,
        "local5" => Facility::LOG_LOCAL5,
        "local6" => Facility::LOG_LOCAL6,
        "local7" => Facility::LOG_LOCAL7,
        _ => return None,
    })
}
