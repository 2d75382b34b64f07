//! Scalars as compose reads them, whatever their type in YAML.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use crate::service;

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

/// A boolean, also as the text that a variable leaves.
pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(text(&value).is_some_and(|text| says_yes(&text)))
}

/// A map of scalars, or a list of `KEY=VALUE`.
pub(super) fn pairs<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let pairs = service::pairs(Some(&Value::deserialize(deserializer)?)).into_iter();
    Ok(pairs
        .map(|(key, value)| (key, value.unwrap_or_default()))
        .collect())
}
