//! Who is believed. As with the reference, the chain of a certificate must lead to a trusted
//! authority and be valid today, and the name in it is not looked at: nodes and peers go by
//! addresses that they announce, and an authority that is trusted here signs for this group.
//!
//! `rustls` wants servers and clients to have other certificates than authorities. OpenSSL does not
//! mind, and a small group often has one certificate that signed itself: it is believed too, if it
//! is byte for byte one of those that are trusted, and valid today.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

/// Whom we trust.
#[derive(Debug)]
pub(super) struct Authorities {
    pub(super) roots: Arc<RootCertStore>,
    /// The same, as they stand in the files.
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// Whether a certificate was refused for nothing but being one of these authorities. Its dates
    /// are looked at before (a test holds the library to that).
    fn excuse(&self, certificate: &CertificateDer<'_>, error: &Error) -> bool {
        let Error::InvalidCertificate(CertificateError::Other(cause)) = error else { return false };
        cause.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
            && self.certificates.iter().any(|trusted| **trusted == **certificate)
    }
}

/// Verifies everything of a server but its name.
#[derive(Debug)]
pub(super) struct AnyName {
    authorities: Arc<Authorities>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl AnyName {
    pub(super) fn new(authorities: Arc<Authorities>, provider: &CryptoProvider) -> Self {
        Self { authorities, algorithms: provider.signature_verification_algorithms }
    }

    /// Whether the chain leads to a trusted authority, and serves for a server.
    pub(super) fn verify_chain(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let verified = verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(certificate)?,
            &self.authorities.roots,
            intermediates,
            now,
            self.algorithms.all,
        );
        verified.or_else(|error| match self.authorities.excuse(certificate, &error) {
            true => Ok(()),
            false => Err(error),
        })
    }
}

/// Verifies clients as the library does, and excuses authorities.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) authorities: Arc<Authorities>,
    pub(super) library: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.library.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.library.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.library.verify_client_cert(end_entity, intermediates, now);
        verified.or_else(|error| match self.authorities.excuse(end_entity, &error) {
            true => Ok(ClientCertVerified::assertion()),
            false => Err(error),
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.library.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.library.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.library.supported_verify_schemes()
    }
}

/// Verifies clients where no authority is trusted: the library wants one at least.
#[derive(Debug)]
pub(super) struct Nobody {
    is_mandatory: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Nobody {
    pub(super) fn new(is_mandatory: bool, provider: &CryptoProvider) -> Self {
        Self { is_mandatory, algorithms: provider.signature_verification_algorithms }
    }
}

impl ClientCertVerifier for Nobody {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _whatever_its_name: &ServerName<'_>,
        _no_revocation: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify_chain(end_entity, intermediates, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
