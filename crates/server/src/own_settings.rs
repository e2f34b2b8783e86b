//! Our own settings: `vedette.toml` beside the configuration file, which is only ever read, and
//! the command line, which wins (spec: DESIGN 1, "Configuration").

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};
use vedette_wire::Dialect;

/// The name of the file.
const FILE_NAME: &str = "vedette.toml";

/// What `vedette.toml` may say. A missing file says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnSettings {
    /// Whose names and versions to give: `"redis"` or `"valkey"`.
    #[serde(default, deserialize_with = "dialect")]
    pub dialect: Option<Dialect>,
}

/// Why `vedette.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnSettingsError {
    /// It is there and cannot be read.
    #[error("{path} cannot be read: {cause}", path = .0.display(), cause = .1)]
    Unreadable(PathBuf, #[source] io::Error),
    /// A word of it is wrong; the text shows the line.
    #[error("{path} cannot be used: {cause}", path = .0.display(), cause = .1)]
    Bad(PathBuf, #[source] Box<toml::de::Error>),
}

impl OwnSettings {
    /// Reads the file beside this configuration file.
    ///
    /// # Errors
    /// It cannot be read, or says what nobody understands.
    pub fn beside(config_file: &Path) -> Result<Self, OwnSettingsError> {
        let path = config_file.with_file_name(FILE_NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).map_err(|error| OwnSettingsError::Bad(path, Box::new(error)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(OwnSettingsError::Unreadable(path, error)),
        }
    }
}

fn dialect<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Dialect>, D::Error> {
    let word = String::deserialize(deserializer)?;
    word.parse().map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<OwnSettings, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let settings = OwnSettings::beside(&folder.path().join("sentinel.conf"));
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_beside_the_configuration_is_read() {
        assert_eq!(of("").unwrap().dialect, None);
        assert_eq!(of("dialect = \"valkey\"\n").unwrap().dialect, Some(Dialect::Valkey));
    }

    #[test]
    fn no_file_is_no_setting() {
        let folder = tempfile::tempdir().unwrap();
        let settings = OwnSettings::beside(&folder.path().join("sentinel.conf")).unwrap();
        assert_eq!(settings, OwnSettings::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, why) in [
            ("dialect = \"keydb\"", "\"keydb\" is no dialect"),
            ("dialect = 3", "line 1"),
            ("\ndialekt = \"redis\"", "line 2"),
            ("dialect", "line 1"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(why) && error.contains(FILE_NAME), "{text}: {error}");
        }
    }
}
