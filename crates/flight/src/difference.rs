//! Where two states differ.

use std::fmt;

use serde_json::Value;
use vedette_core::Sentinel;

use crate::file::FlightError;

/// The first place in which two states differ, as they are written: passwords count as equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The names of the fields on the way to it.
    pub place: String,
    /// What stands there in the one.
    pub one: String,
    /// And in the other; "nothing" if there is none.
    pub other: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} against {}", self.place, self.one, self.other)
    }
}

/// Compares two states.
///
/// # Errors
/// If one cannot be written.
pub fn difference(one: &Sentinel, other: &Sentinel) -> Result<Option<Difference>, FlightError> {
    let written = |state: &Sentinel| serde_json::to_value(state).map_err(FlightError::State);
    let (one, other) = (written(one)?, written(other)?);
    Ok(find("", Some(&one), Some(&other)))
}

fn find(place: &str, one: Option<&Value>, other: Option<&Value>) -> Option<Difference> {
    if one == other {
        return None;
    }
    let deeper = match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names = one.keys().chain(other.keys());
            let at = |name: &String| format!("{place}/{name}");
            names.into_iter().find_map(|name| find(&at(name), one.get(name), other.get(name)))
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            let indices = 0..one.len().max(other.len());
            let at = |index| format!("{place}/{index}");
            indices.into_iter().find_map(|i| find(&at(i), one.get(i), other.get(i)))
        }
        (_, _) => None,
    };
    let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let here = || Difference { place: place.to_owned(), one: text(one), other: text(other) };
    Some(deeper.unwrap_or_else(here))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(one: &Value, other: &Value, expected: Option<&str>) {
        let found = find("", Some(one), Some(other)).map(|difference| difference.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn the_first_difference_is_named_with_its_place() {
        let one = json!({"a": [1, {"b": 2}], "c": null});
        check(&one, &one, None);
        check(&one, &json!({"a": [1, {"b": 3}], "c": 4}), Some("/a/1/b: 2 against 3"));
        check(&one, &json!({"a": [1], "c": null}), Some("/a/1: {\"b\":2} against nothing"));
        check(&one, &json!({"a": [1, {"b": 2}]}), Some("/c: null against nothing"));
    }
}
