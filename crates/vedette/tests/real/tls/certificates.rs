//! Authorities and what they sign.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};

/// The name in every certificate: nobody here goes by it.
pub(crate) const NAME: &str = "somebody.example";

/// An authority, and the folder where its certificates lie.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    name: String,
    folder: PathBuf,
}

/// Files of somebody who is known to an authority.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// Whom it trusts.
    pub(crate) authority: PathBuf,
}

impl Authority {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, name: name.to_owned(), folder: folder.to_path_buf() };
        std::fs::write(authority.path(), authority.issuer.pem()).unwrap();
        authority
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.crt", self.name))
    }

    /// Signs a certificate for whoever it may be.
    pub(crate) fn issue(&self, name: &str) -> Identity {
        self.issue_for(name, &[NAME])
    }

    /// The same for clients that look at the address.
    pub(crate) fn issue_for_loopback(&self, name: &str) -> Identity {
        self.issue_for(name, &[NAME, "127.0.0.1"])
    }

    fn issue_for(&self, name: &str, hosts: &[&str]) -> Identity {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |ending| self.folder.join(format!("{}-{name}.{ending}", self.name));
        std::fs::write(path("crt"), certificate.pem()).unwrap();
        std::fs::write(path("key"), key.serialize_pem()).unwrap();
        Identity { certificate: path("crt"), key: path("key"), authority: self.path() }
    }
}

impl Identity {
    /// The same, but it trusts somebody else.
    pub(crate) fn trusting(&self, other: &Authority) -> Self {
        Self { authority: other.path(), ..self.clone() }
    }

    /// Its lines in a configuration file.
    pub(crate) fn lines(&self) -> Vec<String> {
        vec![
            format!("tls-cert-file {}", self.certificate.display()),
            format!("tls-key-file {}", self.key.display()),
            format!("tls-ca-cert-file {}", self.authority.display()),
        ]
    }
}
