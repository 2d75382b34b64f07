//! The files of a compose project as one.

use std::sync::Arc;

use serde_yaml::Value;

use crate::source::compose::{self, Compose, Document};

/// Files laid over each other.
pub(super) enum Whole {
    /// One file as it is.
    One(Arc<Document>),
    /// Several, or one with what it extends.
    Laid(Value),
}

impl Whole {
    /// What they say together.
    pub(super) fn value(&self) -> &Value {
        match self {
            Self::One(document) => &document.value,
            Self::Laid(value) => value,
        }
    }

    /// The same as compose understands it.
    pub(super) fn compose(&self) -> Arc<Compose> {
        match self {
            Self::One(document) => document.compose.clone(),
            Self::Laid(Value::Null) => Arc::default(),
            Self::Laid(whole) => Arc::new(Compose::of(whole).unwrap_or_default()),
        }
    }
}

/// Lays files over each other, each with its value where that is not just what it says. Those that were each read
/// without complaint can only disagree in ways that do not matter.
pub(super) fn laid_over(layers: Vec<(Arc<Document>, Option<Value>)>) -> Whole {
    if let [(document, None)] = &layers[..] {
        return Whole::One(document.clone());
    }
    let mut whole = Value::Null;
    for (document, value) in layers {
        compose::reset(&mut whole, &document.tags);
        compose::overlay(&mut whole, value.unwrap_or_else(|| document.value.clone()));
    }
    Whole::Laid(whole)
}
