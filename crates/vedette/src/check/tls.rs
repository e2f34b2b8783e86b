//! Certificates and keys, as the daemon would read them at its start.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use vedette_conf::{TlsDirective, TlsSettings};
use vedette_server::tls::prepare;

use super::findings::{Findings, Severity, Subject};
use super::permissions::OTHERS_READ;
use super::remedies::remedy;

pub(super) fn tls(found: &mut Findings, subject: &Subject<'_>) {
    let server = &subject.loaded.server;
    let settings = seen_from(server.dir.as_deref(), &server.tls);
    let wanting = match &settings {
        TlsSettings { port: 1.., .. } => "tls-port",
        TlsSettings { replication: true, .. } => "tls-replication",
        TlsSettings { .. } => "tls-cluster",
    };
    match prepare(&settings) {
        Ok(tls) => {
            for remark in tls.remarks() {
                let place = subject.lines.general(wanting);
                found.warn(place, remark, "change it, or know why");
            }
        }
        Err(error) => {
            let message = error.to_string();
            let place =
                subject.lines.general(error.directive().map_or(wanting, TlsDirective::name));
            found.add(Severity::Error, place, &message, remedy(&message));
        }
    }
    if settings.replication && settings.port == 0 {
        let problem =
            "the links of the other Sentinels use TLS too, and find none at the plain port";
        found.warn(subject.lines.general("tls-replication"), problem, "set tls-port");
    }
    if settings.replication || settings.port != 0 {
        let keys = [
            ("tls-key-file", &settings.key_file),
            ("tls-client-key-file", &settings.client_key_file),
        ];
        for (directive, path) in keys {
            if let Some(path) = path.as_deref().filter(|path| is_readable_by_others(path)) {
                let path = path.display();
                let problem = format!("{path} can be read by everybody on this machine");
                let place = subject.lines.general(directive);
                found.warn(place, problem, format!("chmod o-r {path}"));
            }
        }
    }
}

/// The settings with paths as the daemon sees them from its working directory.
fn seen_from(folder: Option<&Path>, settings: &TlsSettings) -> TlsSettings {
    let mut settings = settings.clone();
    let TlsSettings {
        cert_file,
        key_file,
        client_cert_file,
        client_key_file,
        ca_cert_file,
        ca_cert_dir,
        ..
    } = &mut settings;
    let seen = |path: &Path| folder.map_or_else(PathBuf::new, Path::to_path_buf).join(path);
    let paths = [cert_file, key_file, client_cert_file, client_key_file, ca_cert_file];
    paths.into_iter().flatten().for_each(|path| *path = seen(path));
    if let Some(folders) = ca_cert_dir {
        // One or several, with colons between them.
        let named = std::env::split_paths(&*folders).filter(|path| !path.as_os_str().is_empty());
        let all = std::env::join_paths(named.map(|path| seen(&path)));
        *folders = all.map_or_else(|_| folders.clone(), PathBuf::from);
    }
    settings
}

fn is_readable_by_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.mode() & OTHERS_READ != 0)
}
