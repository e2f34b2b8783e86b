//! From settings and files to what both directions need, or to a refusal at start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::UnixTime;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};
use vedette_conf::{TlsClientAuth, TlsDirective, TlsSettings};

use super::authorities::authorities;
use super::credentials::{self, Directives};
use super::names;
use super::resumption::Sessions;
use super::verify::{AnyName, Authorities, Clients, Nobody};

/// Sessions that are kept where the file says 0, which means no limit to the reference.
const SESSIONS_MAX: u32 = 20_480;

const SERVER: Directives = Directives {
    certificate: TlsDirective::CertFile,
    key: TlsDirective::KeyFile,
    password: TlsDirective::KeyFilePass,
};

const CLIENT: Directives = Directives {
    certificate: TlsDirective::ClientCertFile,
    key: TlsDirective::ClientKeyFile,
    password: TlsDirective::ClientKeyFilePass,
};

/// TLS as it is wanted: ready, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// For those who come in at `tls-port`.
    pub(crate) accepting: Option<Arc<ServerConfig>>,
    /// For links to nodes and peers, with `tls-replication yes`.
    pub(crate) dialing: Option<Arc<ClientConfig>>,
    pub(super) remarks: Vec<String>,
    /// Although somebody should be trusted.
    pub(super) trusts_nobody: bool,
}

/// Why there can be no TLS as it is wanted. Fatal at start. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file is not named.
    #[error("No {} configured!", directive.name())]
    Missing {
        /// By this directive.
        directive: TlsDirective,
    },
    /// Nobody to trust.
    #[error(
        "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, \
         tls-replication or tls-auth-clients are enabled!"
    )]
    NoAuthority,
    /// A certificate cannot be used.
    #[error("Failed to load certificate: {}: {why}", path.display())]
    Certificate {
        /// The directive that names it.
        directive: TlsDirective,
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A key cannot be used.
    #[error("Failed to load private key: {}: {why}", path.display())]
    Key {
        /// The directive that names it.
        directive: TlsDirective,
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// An authority cannot be used.
    #[error("Failed to configure CA certificate(s) file/directory: {}: {why}", path.display())]
    Authorities {
        /// The directive that names it.
        directive: TlsDirective,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A value that is unknown or cannot be had.
    #[error("{message}")]
    Value {
        /// Of this directive.
        directive: TlsDirective,
        /// Why, and what to do.
        message: String,
    },
}

impl Tls {
    /// What works and is worth knowing.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }
}

impl TlsError {
    /// The directive to blame, if there is one in the file.
    #[must_use]
    pub fn directive(&self) -> Option<TlsDirective> {
        match self {
            Self::Missing { .. } | Self::NoAuthority => None,
            Self::Certificate { directive, .. }
            | Self::Key { directive, .. }
            | Self::Authorities { directive, .. }
            | Self::Value { directive, .. } => Some(*directive),
        }
    }
}

/// Reads all files and makes both directions ready. Without `tls-port`, `tls-replication` and
/// `tls-cluster` nothing is read, as with the reference.
///
/// # Errors
/// [`TlsError`]
pub fn prepare(settings: &TlsSettings) -> Result<Tls, TlsError> {
    if settings.port == 0 && !settings.replication && !settings.cluster {
        return Ok(Tls::default());
    }
    if settings.dh_params_file.is_some() {
        return Err(TlsError::Value {
            directive: TlsDirective::DhParamsFile,
            message: "Ciphers with parameters from a file are not supported, only those with \
                      elliptic curves, which need none. Take the line out."
                .into(),
        });
    }
    let terms = Terms::of(settings)?;
    let own = own_key(settings, &terms.provider)?;
    let (file, folder) = (settings.ca_cert_file.as_deref(), settings.ca_cert_dir.as_deref());
    let has_links = settings.replication || settings.cluster;
    let needs_authority = has_links || settings.auth_clients != TlsClientAuth::No;
    if needs_authority && file.is_none() && folder.is_none() {
        return Err(TlsError::NoAuthority);
    }
    let mut tls = Tls::default();
    let authorities = Arc::new(authorities(file, folder, &mut tls.remarks)?);
    tls.trusts_nobody = needs_authority && authorities.certificates.is_empty();
    if settings.port != 0 {
        tls.accepting = Some(accepting(settings, &terms, own.clone(), &authorities)?.into());
        if settings.session_caching && settings.session_cache_size == 0 {
            tls.remarks.push(format!(
                "tls-session-cache-size 0 keeps {SESSIONS_MAX} sessions: memory has its limits"
            ));
        }
    }
    if settings.replication {
        let verifier = AnyName::new(authorities, &terms.provider);
        let shown = client_key(settings, &terms.provider)?.unwrap_or_else(|| own.clone());
        tls.remarks.extend(distrusted_by_peers(&own, &verifier));
        tls.dialing = Some(dialing(&terms, shown, verifier)?.into());
    }
    Ok(tls)
}

/// What both directions agree to.
struct Terms {
    provider: Arc<CryptoProvider>,
    versions: Vec<&'static SupportedProtocolVersion>,
}

impl Terms {
    fn of(settings: &TlsSettings) -> Result<Self, TlsError> {
        let refused = |directive, prefix: &'static str| {
            move |why: String| TlsError::Value { directive, message: format!("{prefix}{why}") }
        };
        let versions = names::protocols(settings.protocols.as_deref())
            .map_err(refused(TlsDirective::Protocols, ""))?;
        let mut cipher_suites = names::ciphersuites(settings.ciphersuites.as_deref())
            .map_err(refused(TlsDirective::Ciphersuites, "Failed to configure ciphersuites: "))?;
        let older: Vec<SupportedCipherSuite> = names::ciphers(settings.ciphers.as_deref())
            .map_err(refused(TlsDirective::Ciphers, "Failed to configure ciphers: "))?;
        cipher_suites.extend(older);
        let provider = CryptoProvider { cipher_suites, ..ring::default_provider() };
        Ok(Self { provider: provider.into(), versions })
    }
}

fn accepting(
    settings: &TlsSettings,
    terms: &Terms,
    own: Arc<CertifiedKey>,
    authorities: &Arc<Authorities>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(terms.provider.clone())
        .with_protocol_versions(&terms.versions)
        .map_err(not_possible)?
        .with_client_cert_verifier(client_verifier(settings.auth_clients, terms, authorities)?)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    config.ignore_client_order = settings.prefer_server_ciphers;
    if settings.session_caching {
        let size = match settings.session_cache_size {
            0 => SESSIONS_MAX,
            size => size,
        };
        let lifetime = Duration::from_secs(settings.session_cache_timeout_secs.into());
        config.session_storage =
            Arc::new(Sessions::new(usize::try_from(size).unwrap_or(usize::MAX), lifetime));
        config.send_tls13_tickets = 1;
    } else {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

fn client_verifier(
    wanted: TlsClientAuth,
    terms: &Terms,
    authorities: &Arc<Authorities>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let roots = authorities.roots.clone();
    if wanted != TlsClientAuth::No && roots.is_empty() {
        let is_mandatory = wanted == TlsClientAuth::Yes;
        return Ok(Arc::new(Nobody::new(is_mandatory, &terms.provider)));
    }
    let builder = WebPkiClientVerifier::builder_with_provider(roots, terms.provider.clone());
    let library = match wanted {
        TlsClientAuth::No => return Ok(WebPkiClientVerifier::no_client_auth()),
        TlsClientAuth::Yes => builder.build(),
        TlsClientAuth::Optional => builder.allow_unauthenticated().build(),
    }
    .map_err(|error| not_possible(rustls::Error::General(error.to_string())))?;
    Ok(Arc::new(Clients { authorities: authorities.clone(), library }))
}

fn dialing(
    terms: &Terms,
    shown: Arc<CertifiedKey>,
    verifier: AnyName,
) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(terms.provider.clone())
        .with_protocol_versions(&terms.versions)
        .map_err(not_possible)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    // Links last; and nodes that share an address are not to be confused.
    config.resumption = rustls::client::Resumption::disabled();
    config.enable_sni = false;
    Ok(config)
}

/// The versions and the ciphers do not go together.
fn not_possible(error: rustls::Error) -> TlsError {
    let message = format!("{error}. Change tls-protocols, tls-ciphers or tls-ciphersuites.");
    TlsError::Value { directive: TlsDirective::Protocols, message }
}

fn own_key(
    settings: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let certificate = named(settings.cert_file.as_deref(), SERVER.certificate)?;
    let key = named(settings.key_file.as_deref(), SERVER.key)?;
    let password = settings.key_file_pass.as_ref();
    credentials::certified_key(SERVER, certificate, key, password, provider).map(Arc::new)
}

/// The certificate that links show, if it is another one.
fn client_key(
    settings: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<Option<Arc<CertifiedKey>>, TlsError> {
    let Some(certificate) = settings.client_cert_file.as_deref() else { return Ok(None) };
    let key = named(settings.client_key_file.as_deref(), CLIENT.key)?;
    let password = settings.client_key_file_pass.as_ref();
    let key = credentials::certified_key(CLIENT, certificate, key, password, provider)?;
    Ok(Some(Arc::new(key)))
}

fn named(path: Option<&Path>, directive: TlsDirective) -> Result<&Path, TlsError> {
    path.ok_or(TlsError::Missing { directive })
}

/// Peers most likely trust the same authorities: if we would not believe ourselves, say so.
fn distrusted_by_peers(own: &CertifiedKey, verifier: &AnyName) -> Option<String> {
    let (certificate, intermediates) = own.cert.split_first()?;
    let error = verifier.verify_chain(certificate, intermediates, UnixTime::now()).err()?;
    Some(format!(
        "The certificate of tls-cert-file does not pass against the authorities of this file: \
         {error}. Sentinels with the same authorities will not believe it."
    ))
}
