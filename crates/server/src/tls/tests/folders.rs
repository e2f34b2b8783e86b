//! Folders of authorities: what OpenSSL takes is taken, as a Redis with OpenSSL 3.0 showed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use vedette_conf::{TlsClientAuth, TlsSettings};

use super::super::{LiveTls, prepare};
use super::{Files, met};

/// Any hash will do.
const HASH: &str = "0a1b2c3d";

impl Files {
    /// Settings with a folder of authorities instead of a file.
    fn with_folder(&self) -> (PathBuf, TlsSettings) {
        let folder = self.path("authorities");
        fs::create_dir(&folder).unwrap();
        let ca_cert_dir = Some(folder.clone());
        (folder, TlsSettings { ca_cert_file: None, ca_cert_dir, ..self.settings() })
    }

    fn authority(&self) -> String {
        fs::read_to_string(self.path("ca.crt")).unwrap()
    }
}

/// Whether the authority is believed, and what is said, with these files in the folder.
fn check(files: &[(&str, &str)], is_believed: bool, said: &[&str]) {
    let setting = Files::new();
    let (folder, settings) = setting.with_folder();
    for (name, text) in files {
        let authority = setting.authority();
        let half = &authority[..authority.len() / 2];
        let text = text.replace("$HALF", half).replace("$AUTHORITY", &authority);
        fs::write(folder.join(name), text).unwrap();
    }
    let tls = prepare(&settings).unwrap();
    assert_eq!(!tls.trusts_nobody, is_believed, "{files:?}");
    let remarks = tls.remarks.join("\n");
    for part in said {
        assert!(remarks.contains(part), "{files:?}: {part}: {remarks}");
    }
    assert_eq!(said.is_empty(), remarks.is_empty(), "{files:?}: {remarks}");
}

#[test]
fn a_folder_of_authorities_is_read_as_openssl_does() {
    let [first, second] = [0, 1].map(|number| format!("{HASH}.{number}"));
    let (first, second) = (first.as_str(), second.as_str());
    let nobody = "run 'openssl rehash' on it";
    check(&[(first, "$AUTHORITY")], true, &[]);
    check(&[(first, "before\n$AUTHORITY\nafter")], true, &[]);
    check(&[(first, "$AUTHORITY"), ("README", "no certificate")], true, &[]);
    check(&[(first, "$AUTHORITY"), ("11111111.0", "junk")], true, &["11111111.0 is passed over"]);
    check(&[(first, "$AUTHORITY"), ("11111111.0", "$HALF")], true, &["11111111.0 is passed over"]);
    check(&[(first, "$AUTHORITY$HALF")], true, &["what follows its certificate number 1"]);
    check(&[(first, "$AUTHORITY"), (second, "junk")], true, &["0a1b2c3d.1 is passed over"]);
    check(&[], false, &[nobody]);
    check(&[("ca.pem", "$AUTHORITY")], false, &[nobody]);
    check(&[("0A1B2C3D.0", "$AUTHORITY")], false, &[nobody]);
    check(&[("0a1b2c3d.00", "$AUTHORITY")], false, &[nobody]);
    check(&[(second, "$AUTHORITY")], false, &["there is no 0a1b2c3d.0", nobody]);
    check(&[(first, "junk"), (second, "$AUTHORITY")], false, &["0a1b2c3d.0 is passed over"]);
    check(&[(first, "$HALF\n$AUTHORITY")], false, &["0a1b2c3d.0 is passed over", nobody]);
}

#[test]
fn what_is_no_file_is_passed_over() {
    let files = Files::new();
    let (folder, settings) = files.with_folder();
    fs::write(folder.join("0a1b2c3d.0"), files.authority()).unwrap();
    fs::create_dir(folder.join("11111111.0")).unwrap();
    fs::create_dir(folder.join("more")).unwrap();
    symlink("nowhere", folder.join("22222222.0")).unwrap();
    symlink("nowhere", folder.join("link.pem")).unwrap();
    let tls = prepare(&settings).unwrap();
    assert!(!tls.trusts_nobody);
    assert_eq!(tls.remarks.len(), 2, "{:?}", tls.remarks);
    // A list of folders, of which one is not there.
    let list = std::env::join_paths([&files.path("gone"), &folder]).unwrap();
    let settings = TlsSettings { ca_cert_dir: Some(list.into()), ..settings };
    let tls = prepare(&settings).unwrap();
    assert!(!tls.trusts_nobody);
    assert!(tls.remarks[0].contains("gone is passed over"), "{:?}", tls.remarks);
}

#[tokio::test]
async fn where_no_authority_is_trusted_nobody_is_believed() {
    let (files, others) = (Files::new(), Files::new());
    let (_, settings) = others.with_folder();
    let knows_nobody = prepare(&settings).unwrap();
    let somebody = prepare(&files.settings()).unwrap();
    let (accepted, _) = met(&knows_nobody, &somebody).await;
    let (_, dialed) = met(&somebody, &knows_nobody).await;
    accepted.unwrap_err();
    dialed.unwrap_err();
    let open = TlsSettings { auth_clients: TlsClientAuth::No, ..settings };
    let trusting = TlsSettings { ca_cert_file: Some(others.path("ca.crt")), ..files.settings() };
    let (accepted, dialed) = met(&prepare(&open).unwrap(), &prepare(&trusting).unwrap()).await;
    assert!(accepted.is_ok() && dialed.is_ok(), "{accepted:?} {dialed:?}");
}

#[test]
fn a_folder_that_is_emptied_changes_nothing() {
    let files = Files::new();
    let (folder, settings) = files.with_folder();
    let hashed = folder.join("0a1b2c3d.0");
    fs::write(&hashed, files.authority()).unwrap();
    let live = LiveTls::new(settings.clone(), prepare(&settings).unwrap());
    // Somebody is writing a file.
    fs::write(folder.join("11111111.0"), &files.authority()[..100]).unwrap();
    let remarks = live.reload().unwrap();
    assert!(remarks[0].contains("11111111.0 is passed over"), "{remarks:?}");
    fs::remove_file(&hashed).unwrap();
    let refusal = live.reload().unwrap_err().to_string();
    assert!(refusal.ends_with("no authority is in it"), "{refusal}");
}
