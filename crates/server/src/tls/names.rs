//! Versions and ciphers by the names that OpenSSL gives them. What `rustls` does not have is
//! refused by its name: a list that is quietly cut short is not what somebody wrote down.

use rustls::crypto::ring::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

type Suites = &'static [(&'static str, SupportedCipherSuite)];

/// Up to TLS 1.2, the strongest first.
static CIPHERS: Suites = &[
    ("ECDHE-ECDSA-AES256-GCM-SHA384", TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES256-GCM-SHA384", TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-RSA-CHACHA20-POLY1305", TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-AES128-GCM-SHA256", TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
];

/// Of TLS 1.3, the strongest first.
static CIPHERSUITES: Suites = &[
    ("TLS_AES_256_GCM_SHA384", TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_AES_128_GCM_SHA256", TLS13_AES_128_GCM_SHA256),
];

/// Words for sets that hold all of ours.
const ALL_OF_THEM: &[&str] = &["DEFAULT", "ALL", "HIGH", "ECDHE", "EECDH", "kECDHE"];

/// Words for sets that hold none of ours: taking them out changes nothing.
const NONE_OF_THEM: &[&str] = &[
    "MEDIUM", "LOW", "EXPORT", "EXP", "NULL", "eNULL", "aNULL", "ADH", "AECDH", "MD5", "SHA1",
    "SHA", "RC4", "RC2", "DES", "3DES", "IDEA", "SEED", "CAMELLIA", "ARIA", "DSS", "aDSS", "PSK",
    "kPSK", "SRP", "kRSA", "DH", "DHE", "EDH", "kDHE", "kEDH", "SSLv2", "SSLv3", "TLSv1",
];

/// The versions of `tls-protocols`; all that there are if the file does not say.
pub(super) fn protocols(
    text: Option<&str>,
) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let Some(text) = text else { return Ok(vec![&TLS13, &TLS12]) };
    let mut versions = Vec::new();
    for word in text.split_whitespace() {
        let version = match word.to_ascii_lowercase().as_str() {
            "tlsv1.3" => &TLS13,
            "tlsv1.2" => &TLS12,
            "tlsv1" | "tlsv1.1" => {
                return Err(format!(
                    "{word} is not supported, it is no longer safe. Use 'TLSv1.2' and 'TLSv1.3'."
                ));
            }
            _ => return Err(not_a_version()),
        };
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    if versions.is_empty() { Err(not_a_version()) } else { Ok(versions) }
}

fn not_a_version() -> String {
    "Invalid tls-protocols specified. Use a combination of 'TLSv1.2' and 'TLSv1.3'.".to_owned()
}

/// The ciphers of `tls-ciphers`, up to TLS 1.2.
pub(super) fn ciphers(text: Option<&str>) -> Result<Vec<SupportedCipherSuite>, String> {
    let all = CIPHERS.iter().map(|(_, suite)| *suite);
    let Some(text) = text else { return Ok(all.collect()) };
    let mut chosen: Vec<SupportedCipherSuite> = Vec::new();
    let mut removed: Vec<SupportedCipherSuite> = Vec::new();
    for word in words(text) {
        match word.strip_prefix('!') {
            Some(name) if NONE_OF_THEM.contains(&name) => {}
            Some(name) => removed.push(one_of(CIPHERS, name)?),
            None if ALL_OF_THEM.contains(&word) => add_missing(&mut chosen, all.clone()),
            None => add_missing(&mut chosen, [one_of(CIPHERS, word)?]),
        }
    }
    chosen.retain(|suite| !removed.contains(suite));
    if chosen.is_empty() { Err(nothing_left(CIPHERS)) } else { Ok(chosen) }
}

/// The cipher suites of `tls-ciphersuites`, of TLS 1.3.
pub(super) fn ciphersuites(text: Option<&str>) -> Result<Vec<SupportedCipherSuite>, String> {
    let Some(text) = text else {
        return Ok(CIPHERSUITES.iter().map(|(_, suite)| *suite).collect());
    };
    let mut chosen = Vec::new();
    for word in words(text) {
        add_missing(&mut chosen, [one_of(CIPHERSUITES, word)?]);
    }
    if chosen.is_empty() { Err(nothing_left(CIPHERSUITES)) } else { Ok(chosen) }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([':', ',', ' ']).filter(|word| !word.is_empty())
}

fn add_missing(
    chosen: &mut Vec<SupportedCipherSuite>,
    suites: impl IntoIterator<Item = SupportedCipherSuite>,
) {
    for suite in suites {
        if !chosen.contains(&suite) {
            chosen.push(suite);
        }
    }
}

fn one_of(table: Suites, name: &str) -> Result<SupportedCipherSuite, String> {
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, suite)| *suite).ok_or_else(|| {
        format!("'{name}' is not supported. Take it out, or use any of: {}.", list(table))
    })
}

fn nothing_left(table: Suites) -> String {
    format!("no cipher is left. Use any of: {}.", list(table))
}

fn list(table: Suites) -> String {
    table.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_as_in_openssl() {
        assert_eq!(protocols(None).unwrap().len(), 2);
        assert_eq!(protocols(Some("tlsv1.3")).unwrap(), [&TLS13]);
        assert_eq!(protocols(Some("TLSv1.2 TLSv1.3 TLSv1.2")).unwrap(), [&TLS12, &TLS13]);
        for bad in ["TLSv1.1 TLSv1.2", "TLSv1", "SSLv3", " ", "TLSv1.2,TLSv1.3"] {
            assert!(protocols(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn ciphers_are_named_as_in_openssl() {
        assert_eq!(ciphers(None).unwrap().len(), CIPHERS.len());
        assert_eq!(ciphers(Some("DEFAULT:!MEDIUM")).unwrap().len(), CIPHERS.len());
        let without = ciphers(Some("HIGH:!ECDHE-RSA-AES128-GCM-SHA256")).unwrap();
        assert_eq!(without.len(), CIPHERS.len() - 1);
        let order = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
        let suites = [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384];
        assert_eq!(ciphers(Some(order)).unwrap(), suites);
        let unknown = ciphers(Some("ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA")).unwrap_err();
        assert!(unknown.starts_with("'AES256-SHA' is not supported."), "{unknown}");
        for bad in ["!MEDIUM", "DEFAULT:@SECLEVEL=0", "DEFAULT:-ECDHE", ":"] {
            assert!(ciphers(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn cipher_suites_are_named_as_in_openssl() {
        assert_eq!(ciphersuites(None).unwrap().len(), 3);
        let one = ciphersuites(Some("TLS_CHACHA20_POLY1305_SHA256")).unwrap();
        assert_eq!(one, [TLS13_CHACHA20_POLY1305_SHA256]);
        assert!(ciphersuites(Some("TLS_AES_128_CCM_SHA256")).is_err());
    }
}
