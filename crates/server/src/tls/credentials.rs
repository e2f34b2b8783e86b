//! Certificates and keys from files.

use std::fs;
use std::path::Path;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use vedette_conf::TlsDirective;
use vedette_core::Secret;

use super::TlsError;
use crate::log::os_words;

/// Which directives name a certificate, its key and the key's password.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directives {
    pub(super) certificate: TlsDirective,
    pub(super) key: TlsDirective,
    pub(super) password: TlsDirective,
}

/// Reads a certificate with its chain, and its key.
pub(super) fn certified_key(
    names: Directives,
    certificate: &Path,
    key: &Path,
    password: Option<&Secret>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let no_certificate = |why| TlsError::Certificate {
        directive: names.certificate,
        path: certificate.to_owned(),
        why,
    };
    let no_key = |why| TlsError::Key { directive: names.key, path: key.to_owned(), why };
    let chain = certificates(certificate).map_err(no_certificate)?;
    let der = private_key(key, password, names.password).map_err(no_key)?;
    CertifiedKey::from_der(chain, der, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            no_key(format!("key values mismatch, it does not belong to {}", certificate.display()))
        }
        rustls::Error::InvalidCertificate(error) => {
            no_certificate(format!("{error}; it must be an X.509 certificate of version 3"))
        }
        other => no_key(other.to_string()),
    })
}

pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = fs::read(path).map_err(|error| os_words(&error))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let all = all.map_err(|error| error.to_string())?;
    if all.is_empty() { Err("no PEM certificate in it".into()) } else { Ok(all) }
}

/// What to do about a key whose encryption we do not read.
const REWRITE: &str =
    "rewrite it with 'openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.key -out new.key'";

fn private_key(
    path: &Path,
    password: Option<&Secret>,
    password_directive: TlsDirective,
) -> Result<PrivateKeyDer<'static>, String> {
    const LEGACY: &str = "Proc-Type: 4,ENCRYPTED";
    const PKCS8: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    let pem = fs::read(path).map_err(|error| os_words(&error))?;
    let text = String::from_utf8_lossy(&pem);
    let Some(begin) = first_key(&text) else { return Err("no PEM private key in it".into()) };
    if text[begin..].starts_with(PKCS8) {
        let password = password.ok_or_else(|| {
            format!("it is encrypted: set {} to its password", password_directive.name())
        })?;
        return decrypted(&text[begin..], password, password_directive);
    }
    if text[begin..].contains(LEGACY) {
        return Err(format!("it is encrypted in OpenSSL's old format; {REWRITE}"));
    }
    PrivateKeyDer::from_pem_slice(text[begin..].as_bytes()).map_err(|error| error.to_string())
}

/// Where the first private key of whatever kind begins.
fn first_key(text: &str) -> Option<usize> {
    let begins = text.match_indices("-----BEGIN ").map(|(begin, _)| begin);
    begins.into_iter().find(|begin| {
        let label = text[*begin..].lines().next().unwrap_or_default();
        label.trim_end().ends_with("PRIVATE KEY-----")
    })
}

/// Decrypts a PKCS#8 key.
fn decrypted(
    text: &str,
    password: &Secret,
    password_directive: TlsDirective,
) -> Result<PrivateKeyDer<'static>, String> {
    const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
    let end = text.find(END).ok_or("its PEM text has no end")? + END.len();
    let (_label, document) =
        pkcs8::SecretDocument::from_pem(&text[..end]).map_err(|error| error.to_string())?;
    let encrypted = pkcs8::EncryptedPrivateKeyInfo::try_from(document.as_bytes())
        .map_err(|error| format!("its encryption is not supported ({error}); {REWRITE}"))?;
    let key = encrypted.decrypt(password.expose()).map_err(|error| {
        format!("it cannot be decrypted ({error}): check {}", password_directive.name())
    })?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}
