//! Files and values that can be had, and those that cannot; who is believed.

use std::fs;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;

use pkcs8::{LineEnding, PrivateKeyInfo, pkcs5::pbes2};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection};
use tempfile::TempDir;
use tokio::io::ReadBuf;
use vedette_conf::{TlsClientAuth, TlsDirective, TlsSettings};
use vedette_core::Secret;

use super::session::{Secured, shake_hands};
use super::{LiveTls, Tls, prepare};

mod folders;
mod wishes;

/// A folder with an authority, a certificate that it signed, and the key.
struct Files {
    folder: TempDir,
    key: KeyPair,
}

impl Files {
    fn new() -> Self {
        Self::with(CertificateParams::new(vec!["another.name".to_owned()]).unwrap())
    }

    fn with(params: CertificateParams) -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap());
        let authority = authority.unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let files = Self { folder: tempfile::tempdir().unwrap(), key };
        files.write("ca.crt", &authority.pem());
        files.write("own.crt", &certificate.pem());
        files.write("own.key", &files.key.serialize_pem());
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Settings that work, for both directions.
    fn settings(&self) -> TlsSettings {
        TlsSettings {
            port: 1,
            replication: true,
            cert_file: Some(self.path("own.crt")),
            key_file: Some(self.path("own.key")),
            ca_cert_file: Some(self.path("ca.crt")),
            ..TlsSettings::default()
        }
    }

    /// What is said about settings that are changed like this.
    fn refusal(&self, change: impl FnOnce(&mut TlsSettings)) -> (Option<&'static str>, String) {
        let mut settings = self.settings();
        change(&mut settings);
        let error = prepare(&settings).expect_err("refused");
        (error.directive().map(TlsDirective::name), error.to_string())
    }
}

/// What shakes hands with clients.
pub(super) fn accepting() -> Arc<rustls::ServerConfig> {
    prepare(&Files::new().settings()).unwrap().accepting.unwrap()
}

#[test]
fn without_a_port_and_links_nothing_is_read() {
    let nowhere = Some(PathBuf::from("/does/not/exist"));
    let settings = TlsSettings { cert_file: nowhere, ..TlsSettings::default() };
    let tls = prepare(&settings).unwrap();
    assert!(tls.accepting.is_none() && tls.dialing.is_none());
}

#[test]
fn each_direction_is_made_ready_only_if_wanted() {
    let files = Files::new();
    let both = prepare(&files.settings()).unwrap();
    assert!(both.accepting.is_some() && both.dialing.is_some());
    assert_eq!(both.remarks, [""; 0]);
    let links = prepare(&TlsSettings { port: 0, ..files.settings() }).unwrap();
    assert!(links.accepting.is_none() && links.dialing.is_some());
    let clients = prepare(&TlsSettings { replication: false, ..files.settings() }).unwrap();
    assert!(clients.accepting.is_some() && clients.dialing.is_none());
}

#[test]
fn missing_files_are_refused_in_the_references_words() {
    let files = Files::new();
    let (directive, said) = files.refusal(|settings| settings.cert_file = None);
    assert_eq!((directive, said.as_str()), (None, "No tls-cert-file configured!"));
    let (_, said) = files.refusal(|settings| settings.key_file = None);
    assert_eq!(said, "No tls-key-file configured!");
    let (_, said) = files.refusal(|settings| settings.ca_cert_file = None);
    assert!(said.starts_with("Either tls-ca-cert-file or tls-ca-cert-dir must be"), "{said}");
    let nobody = |settings: &mut TlsSettings| {
        settings.ca_cert_file = None;
        settings.auth_clients = TlsClientAuth::No;
    };
    files.refusal(nobody);
    let mut settings = TlsSettings { replication: false, ..files.settings() };
    nobody(&mut settings);
    prepare(&settings).expect("clients need no certificates and there are no links");
}

#[test]
fn unusable_files_are_refused_by_their_directive() {
    let files = Files::new();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let other = files.write("other.key", &other);
    let empty = files.write("empty", "");
    let broken = files.write("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let legacy = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n";
    let legacy = files.write("legacy.key", legacy);
    let gone = files.path("gone");
    type Change<'a> = Box<dyn FnOnce(&mut TlsSettings) + 'a>;
    let certificate = |path: &Path| -> Change<'_> {
        let path = path.to_owned();
        Box::new(move |settings| settings.cert_file = Some(path))
    };
    let key = |path: &Path| -> Change<'_> {
        let path = path.to_owned();
        Box::new(move |settings| settings.key_file = Some(path))
    };
    let authority = |path: &Path| -> Change<'_> {
        let path = path.to_owned();
        Box::new(move |settings| settings.ca_cert_file = Some(path))
    };
    let cases = [
        ("tls-cert-file", "No such file or directory", certificate(&gone)),
        ("tls-cert-file", "no PEM certificate", certificate(&empty)),
        ("tls-cert-file", "Failed to load certificate", certificate(&broken)),
        ("tls-key-file", "No such file or directory", key(&gone)),
        ("tls-key-file", "no PEM private key", key(&empty)),
        ("tls-key-file", "key values mismatch", key(&other)),
        ("tls-key-file", "openssl pkcs8 -topk8", key(&legacy)),
        ("tls-ca-cert-file", "No such file or directory", authority(&gone)),
        ("tls-ca-cert-file", "no PEM certificate", authority(&empty)),
    ];
    for (expected, part, change) in cases {
        let (directive, said) = files.refusal(change);
        assert_eq!(directive, Some(expected), "{said}");
        assert!(said.contains(part), "{said}");
    }
    let (directive, _) = files.refusal(|settings| {
        settings.client_cert_file = Some(files.path("own.crt"));
        settings.client_key_file = Some(other.clone());
    });
    assert_eq!(directive, Some("tls-client-key-file"));
}

/// Of version 1, as `openssl x509 -req` makes them without extensions.
const OLD: &str = "-----BEGIN CERTIFICATE-----
MIIBGTCBvwIUYxgaux+O4tMxfPxTNCmFXLkEgnswCgYIKoZIzj0EAwIwDjEMMAoG
A1UEAwwDb2xkMCAXDTI2MTEyMzExMTgzNFoYDzIxMjYxMDMwMTExODM0WjAOMQww
CgYDVQQDDANvbGQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR3qs+l8gGtFyJn
/QOEk26jhtFo9Z6Kr1TIsondtsyVHBssBneT2fBV0yTKN704UK2n599Ne5VUTTwI
i2+pqRE5MAoGCCqGSM49BAMCA0kAMEYCIQCBvZ/6d7SQTkPgMoAa7Jc1iYfH5YSE
SXKPA8fZRaTR+AIhANFxffLovnPmDHbgP4LboOC+XhCPZtbWodhus1QMtHwf
-----END CERTIFICATE-----
";

#[test]
fn a_certificate_of_version_1_is_refused_at_start() {
    let files = Files::new();
    files.write("own.crt", OLD);
    let (directive, said) = files.refusal(|_| {});
    assert_eq!(directive, Some("tls-cert-file"));
    assert!(said.contains("it must be an X.509 certificate of version 3"), "{said}");
}

#[test]
fn values_that_cannot_be_had_are_refused_by_their_directive() {
    let files = Files::new();
    let text = |text: &str| Some(text.to_owned());
    let (directive, said) = files.refusal(|settings| settings.protocols = text("TLSv1.1"));
    assert_eq!(directive, Some("tls-protocols"));
    assert!(said.contains("TLSv1.1 is not supported"), "{said}");
    let (directive, said) = files.refusal(|settings| settings.ciphers = text("AES256-SHA"));
    assert_eq!(directive, Some("tls-ciphers"));
    assert!(said.contains("'AES256-SHA' is not supported"), "{said}");
    let (directive, _) = files.refusal(|settings| settings.ciphersuites = text("TLS_NULL"));
    assert_eq!(directive, Some("tls-ciphersuites"));
    let (directive, said) = files.refusal(|settings| settings.dh_params_file = Some("x".into()));
    assert_eq!(directive, Some("tls-dh-params-file"));
    assert!(said.ends_with("Take the line out."), "{said}");
}

/// Encrypts the key with the password "open sesame".
fn encrypt_key(files: &Files) {
    let parameters = pbes2::Parameters::pbkdf2_sha256_aes256cbc(2048, b"salt", &[7; 16]).unwrap();
    let plain = files.key.serialize_der();
    let encrypted = PrivateKeyInfo::try_from(plain.as_slice()).unwrap();
    let encrypted = encrypted.encrypt_with_params(parameters, "open sesame").unwrap();
    let pem = encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
    files.write("own.key", &pem);
}

#[test]
fn an_encrypted_key_needs_its_password_which_is_never_shown() {
    let files = Files::new();
    encrypt_key(&files);
    let (_, said) = files.refusal(|_| {});
    assert!(said.contains("it is encrypted: set tls-key-file-pass"), "{said}");
    let wrong = Some(Secret::new("open barley"));
    let (directive, said) = files.refusal(|settings| settings.key_file_pass = wrong);
    assert_eq!(directive, Some("tls-key-file"));
    assert!(said.contains("check tls-key-file-pass") && !said.contains("barley"), "{said}");
    let right = Some(Secret::new("open sesame"));
    let tls = prepare(&TlsSettings { key_file_pass: right, ..files.settings() }).unwrap();
    let shown = format!("{tls:?}");
    assert!(!shown.contains("sesame") && !shown.contains("BEGIN"), "{shown}");
}

/// Both ends of a hand-shake over loopback.
async fn met(server: &Tls, client: &Tls) -> (Result<Secured, String>, Result<Secured, String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (here, address) = listener.accept().await.unwrap();
    let name = ServerName::from(address.ip());
    let accepting = ServerConnection::new(server.accepting.clone().unwrap()).unwrap();
    let dialing = ClientConnection::new(client.dialing.clone().unwrap(), name).unwrap();
    let (accepted, dialed) =
        tokio::join!(shake_hands(here, accepting), shake_hands(there, dialing));
    (accepted.map_err(|error| error.to_string()), dialed.map_err(|error| error.to_string()))
}

#[tokio::test]
async fn a_chain_counts_and_a_name_does_not() {
    let tls = prepare(&Files::new().settings()).unwrap();
    let (accepted, dialed) = met(&tls, &tls).await;
    // The certificate says another.name, and 127.0.0.1 was dialed.
    assert!(accepted.is_ok() && dialed.is_ok(), "{accepted:?} {dialed:?}");
}

#[tokio::test]
async fn links_show_a_certificate_of_their_own() {
    let (files, others) = (Files::new(), Files::new());
    // The listener wants to see what `others` signed, and shows what `files` signed.
    let server = TlsSettings { ca_cert_file: Some(others.path("ca.crt")), ..files.settings() };
    let server = prepare(&server).unwrap();
    let without = prepare(&files.settings()).unwrap();
    let (accepted, _) = met(&server, &without).await;
    accepted.unwrap_err();
    let client = TlsSettings {
        client_cert_file: Some(others.path("own.crt")),
        client_key_file: Some(others.path("own.key")),
        ..files.settings()
    };
    let (accepted, dialed) = met(&server, &prepare(&client).unwrap()).await;
    assert!(accepted.is_ok() && dialed.is_ok(), "{accepted:?} {dialed:?}");
    encrypt_key(&others);
    let said = prepare(&client).unwrap_err().to_string();
    assert!(said.contains("set tls-client-key-file-pass"), "{said}");
    let right = Some(Secret::new("open sesame"));
    let unlocked = TlsSettings { client_key_file_pass: right, ..client.clone() };
    let (accepted, dialed) = met(&server, &prepare(&unlocked).unwrap()).await;
    assert!(accepted.is_ok() && dialed.is_ok(), "{accepted:?} {dialed:?}");
    let keyless = TlsSettings { client_key_file: None, ..client };
    let said = prepare(&keyless).unwrap_err().to_string();
    assert_eq!(said, "No tls-client-key-file configured!");
}

#[tokio::test]
async fn files_that_are_read_anew_serve_both_directions() {
    let (files, others) = (Files::new(), Files::new());
    let live = LiveTls::new(files.settings(), prepare(&files.settings()).unwrap());
    let present = || Tls {
        accepting: live.accepting.as_ref().map(|config| config.load_full()),
        dialing: live.dialing.as_ref().map(|config| config.load_full()),
        ..Tls::default()
    };
    let stranger = prepare(&others.settings()).unwrap();
    let (accepted, _) = met(&stranger, &present()).await;
    accepted.unwrap_err();
    for name in ["ca.crt", "own.crt", "own.key"] {
        std::fs::copy(others.path(name), files.path(name)).unwrap();
    }
    assert_eq!(live.reload(), Ok(Vec::new()));
    for (server, client) in [(&stranger, &present()), (&present(), &stranger)] {
        let (accepted, dialed) = met(server, client).await;
        assert!(accepted.is_ok() && dialed.is_ok(), "{accepted:?} {dialed:?}");
    }
    files.write("own.key", "nonsense");
    live.reload().unwrap_err();
    let (accepted, dialed) = met(&stranger, &present()).await;
    assert!(accepted.is_ok() && dialed.is_ok(), "what was read before stays in use");
}

/// Settings with one certificate that signed itself, for everything.
fn self_signed(files: &Files, change: impl FnOnce(&mut CertificateParams)) -> TlsSettings {
    let mut params = CertificateParams::new(vec!["another.name".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    files.write("own.crt", &params.self_signed(&files.key).unwrap().pem());
    TlsSettings { ca_cert_file: Some(files.path("own.crt")), ..files.settings() }
}

#[tokio::test]
async fn one_certificate_that_signed_itself_is_enough() {
    let files = Files::new();
    let tls = prepare(&self_signed(&files, |_| {})).unwrap();
    assert_eq!(tls.remarks, [""; 0]);
    let (accepted, dialed) = met(&tls, &tls).await;
    assert!(accepted.is_ok() && dialed.is_ok(), "{accepted:?} {dialed:?}");
    // Another one that looks the same is not it.
    let others = Files::new();
    let other = prepare(&self_signed(&others, |_| {})).unwrap();
    let (_, dialed) = met(&other, &tls).await;
    dialed.unwrap_err();
    let knows_both = TlsSettings { ca_cert_file: Some(files.path("own.crt")), ..others.settings() };
    let (accepted, _) = met(&tls, &prepare(&knows_both).unwrap()).await;
    accepted.unwrap_err();
}

#[tokio::test]
async fn one_certificate_that_signed_itself_expires() {
    let (files, others) = (Files::new(), Files::new());
    let expired = self_signed(&others, |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let tls = prepare(&expired).unwrap();
    let (_, dialed) = met(&tls, &tls).await;
    let said = dialed.unwrap_err();
    assert!(said.contains("certificate expired"), "{said}");
    // As a client's it has expired too.
    let server = TlsSettings { ca_cert_file: Some(others.path("own.crt")), ..files.settings() };
    let client = TlsSettings { ca_cert_file: Some(files.path("ca.crt")), ..expired };
    let (accepted, _) = met(&prepare(&server).unwrap(), &prepare(&client).unwrap()).await;
    let said = accepted.unwrap_err();
    assert!(said.contains("certificate expired"), "{said}");
}

#[tokio::test]
async fn strangers_are_not_believed() {
    let ours = prepare(&Files::new().settings()).unwrap();
    let strangers = prepare(&Files::new().settings()).unwrap();
    let (accepted, dialed) = met(&strangers, &ours).await;
    let (accepted, dialed) = (accepted.unwrap_err(), dialed.unwrap_err());
    assert!(dialed.contains("invalid peer certificate"), "{dialed}");
    assert!(accepted.contains("received fatal alert"), "and it is told: {accepted}");
}

#[tokio::test]
async fn a_strangers_client_certificate_is_refused() {
    let (files, others) = (Files::new(), Files::new());
    let ours = prepare(&files.settings()).unwrap();
    let mixed = TlsSettings { ca_cert_file: Some(files.path("ca.crt")), ..others.settings() };
    let mixed = prepare(&mixed).unwrap();
    assert!(mixed.remarks[0].contains("does not pass"), "{:?}", mixed.remarks);
    let (accepted, _) = met(&ours, &mixed).await;
    let said = accepted.unwrap_err();
    assert!(said.contains("invalid peer certificate"), "{said}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let mut params = CertificateParams::new(vec!["another.name".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
    let tls = prepare(&Files::with(params).settings()).unwrap();
    let (_, dialed) = met(&tls, &tls).await;
    let said = dialed.unwrap_err();
    assert!(said.contains("certificate expired"), "{said}");
}

#[tokio::test]
async fn versions_and_ciphers_are_kept_to() {
    let files = Files::new();
    let with = |protocols: &str, ciphers: &str| {
        let (protocols, ciphers) = (Some(protocols.to_owned()), Some(ciphers.to_owned()));
        prepare(&TlsSettings { protocols, ciphers, ..files.settings() }).unwrap()
    };
    let old = with("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256");
    let new = with("TLSv1.3", "DEFAULT");
    let (accepted, dialed) = met(&new, &old).await;
    assert!(accepted.is_err() && dialed.is_err(), "no version in common");
    let other = with("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384");
    let (accepted, dialed) = met(&other, &old).await;
    assert!(accepted.is_err() && dialed.is_err(), "no cipher in common");
    let (accepted, dialed) = met(&old, &prepare(&files.settings()).unwrap()).await;
    assert!(accepted.is_ok() && dialed.is_ok());
}

#[test]
fn a_cache_without_a_limit_is_given_one_and_says_so() {
    let files = Files::new();
    let tls = prepare(&TlsSettings { session_cache_size: 0, ..files.settings() }).unwrap();
    assert!(tls.remarks[0].starts_with("tls-session-cache-size 0"), "{:?}", tls.remarks);
    let off = TlsSettings { session_caching: false, ..files.settings() };
    let config: Arc<_> = prepare(&off).unwrap().accepting.unwrap();
    assert!(!config.session_storage.can_cache() && config.send_tls13_tickets == 0);
}

#[tokio::test]
async fn what_the_socket_does_not_take_is_held_and_sent_later() {
    let tls = prepare(&Files::new().settings()).unwrap();
    let (accepted, dialed) = met(&tls, &tls).await;
    let (mut writer, mut reader) =
        (accepted.unwrap().settle().unwrap(), dialed.unwrap().settle().unwrap());
    let chunk = [b'x'; 10_000];
    let mut taken = 0;
    // Until the socket is full, whatever it holds.
    poll_fn(|cx| {
        while let Poll::Ready(written) = writer.poll_write(cx, &chunk) {
            taken += written.unwrap();
        }
        Poll::Ready(())
    })
    .await;
    assert!(!writer.is_flushed() && taken > 0);
    let mut read = 0;
    let mut scratch = [0; 50_000];
    poll_fn(|cx| {
        let flushed = writer.poll_flush(cx).map(Result::unwrap);
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match reader.poll_read(cx, &mut buffer) {
                Poll::Ready(result) => result.unwrap(),
                Poll::Pending => return Poll::Pending,
            }
            read += buffer.filled().len();
            if flushed.is_ready() && read == taken {
                return Poll::Ready(());
            }
        }
    })
    .await;
    assert!(writer.is_flushed());
    // The good-bye of one side is the end for the other.
    let end = poll_fn(|cx| {
        writer.say_good_bye(cx);
        let mut buffer = ReadBuf::new(&mut scratch);
        reader.poll_read(cx, &mut buffer).map(|result| result.map(|()| buffer.filled().len()))
    });
    assert_eq!(end.await.unwrap(), 0);
}
