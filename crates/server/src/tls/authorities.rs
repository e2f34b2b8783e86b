//! Whom to trust, from a file and from folders as `openssl rehash` leaves them.
//!
//! A file must be good. Folders are looked at as OpenSSL does: what has no hash for a name is not
//! looked at, and what cannot be used is passed over, with a remark: there it costs a connection.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use vedette_conf::TlsDirective;

use super::TlsError;
use super::credentials::certificates;
use super::verify::Authorities;
use crate::log::os_words;

/// What stands in a folder under one hash, by its number.
type Numbered = BTreeMap<u32, PathBuf>;

/// Reads the authorities to trust; what was passed over is added to the remarks. `folders` is one
/// or several, with colons between them.
pub(super) fn authorities(
    file: Option<&Path>,
    folders: Option<&Path>,
    remarks: &mut Vec<String>,
) -> Result<Authorities, TlsError> {
    let mut found = Found { roots: RootCertStore::empty(), certificates: Vec::new(), remarks };
    if let Some(file) = file {
        let all = certificates(file)
            .and_then(|all| all.into_iter().try_for_each(|certificate| found.add(certificate)));
        let (directive, path) = (TlsDirective::CaCertFile, file.to_owned());
        all.map_err(|why| TlsError::Authorities { directive, path, why })?;
    }
    if let Some(folders) = folders {
        let named = std::env::split_paths(folders).filter(|path| !path.as_os_str().is_empty());
        named.for_each(|folder| found.look_into(&folder));
        if found.certificates.is_empty() {
            found.remarks.push(format!(
                "No authority is trusted, so nobody will be: tls-ca-cert-dir {} has no \
                 certificate with a hash for its name; run 'openssl rehash' on it",
                folders.display()
            ));
        }
    }
    Ok(Authorities { roots: found.roots.into(), certificates: found.certificates })
}

struct Found<'a> {
    roots: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
    remarks: &'a mut Vec<String>,
}

impl Found<'_> {
    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), String> {
        self.roots.add(certificate.clone()).map_err(|error| error.to_string())?;
        self.certificates.push(certificate);
        Ok(())
    }

    fn pass_over(&mut self, path: &Path, why: &str) {
        let path = path.display();
        self.remarks.push(format!("tls-ca-cert-dir: {path} is passed over: {why}"));
    }

    fn look_into(&mut self, folder: &Path) {
        match hashed_files(folder) {
            Ok(by_hash) => by_hash.iter().for_each(|(hash, files)| self.take(hash, files)),
            Err(why) => self.pass_over(folder, &why),
        }
    }

    /// From number 0 on, until one is missing or cannot be used.
    fn take(&mut self, hash: &str, files: &Numbered) {
        for (expected, (number, path)) in (0..).zip(files) {
            if *number != expected {
                return self.pass_over(path, &format!("there is no {hash}.{expected}"));
            }
            if let Err(why) = self.take_first_of(path) {
                return self.pass_over(path, &why);
            }
        }
    }

    /// All certificates of a file until one is bad; at least one must be good.
    fn take_first_of(&mut self, path: &Path) -> Result<(), String> {
        let pem = fs::read(path).map_err(|error| os_words(&error))?;
        let mut taken = 0;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let added = certificate.map_err(|error| error.to_string());
            match added.and_then(|certificate| self.add(certificate)) {
                Ok(()) => taken += 1,
                Err(why) if taken == 0 => return Err(why),
                Err(why) => {
                    let why = format!("what follows its certificate number {taken}: {why}");
                    self.pass_over(path, &why);
                    return Ok(());
                }
            }
        }
        if taken == 0 { Err("no PEM certificate in it".into()) } else { Ok(()) }
    }
}

/// The files of a folder that are named by the hash of their subject.
fn hashed_files(folder: &Path) -> Result<BTreeMap<String, Numbered>, String> {
    let mut found: BTreeMap<String, Numbered> = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| os_words(&error))? {
        let entry = entry.map_err(|error| os_words(&error))?;
        if let Some((hash, number)) = entry.file_name().to_str().and_then(hash_and_number) {
            found.entry(hash.to_owned()).or_default().insert(number, entry.path());
        }
    }
    Ok(found)
}

/// `0a1b2c3d.0`; in capitals or with another zero it is not looked for.
fn hash_and_number(name: &str) -> Option<(&str, u32)> {
    let (hash, number) = name.split_once('.')?;
    let is_hash = hash.len() == 8 && hash.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
    let number = number.parse::<u32>().ok().filter(|parsed| parsed.to_string() == number);
    number.filter(|_| is_hash).map(|number| (hash, number))
}
