//! Scalars as compose reads them, whatever their type in YAML.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

/// A scalar as text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Whether a word is one of those that YAML 1.1 takes for true.
pub(super) fn says_yes(text: &str) -> bool {
    matches!(
        text.to_lowercase().as_str(),
        "true" | "yes" | "y" | "on" | "1"
    )
}

/// `null` where a list or map may stand.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A scalar of any type as text.
pub(super) fn scalar<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(text(&Value::deserialize(deserializer)?))
}

/// A truth value, also as the text that a variable leaves.
pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(text(&value).is_some_and(|text| says_yes(&text)))
}

/// A map of scalars, or a list of `KEY=VALUE`.
pub(super) fn pairs<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let mut pairs = BTreeMap::new();
    match Value::deserialize(deserializer)? {
        Value::Mapping(map) => {
            for (key, value) in &map {
                if let Some(key) = text(key) {
                    pairs.insert(key, text(value).unwrap_or_default());
                }
            }
        }
        Value::Sequence(list) => {
            for item in list.iter().filter_map(text) {
                let (key, value) = item.split_once('=').unwrap_or((&item, ""));
                pairs.insert(key.to_owned(), value.to_owned());
            }
        }
        _ => {}
    }
    Ok(pairs)
}
