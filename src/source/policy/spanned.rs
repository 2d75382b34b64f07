//! A value with its place in the file.

use std::borrow::Borrow;
use std::ops::{Deref, Range};

use serde::Deserialize;

/// A value of watchme.toml, and the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Spanned<T>(toml::Spanned<T>);

impl<T> Spanned<T> {
    /// A value that the file does not have: a default.
    pub(crate) fn unwritten(value: T) -> Self {
        Self(toml::Spanned::new(0..0, value))
    }

    /// Whether the file has it.
    pub fn is_written(&self) -> bool {
        !self.span().is_empty()
    }

    /// The same, so many bytes further on.
    pub(super) fn moved(self, by: usize) -> Self {
        let span = self.span();
        let span = span.start + by..span.end + by;
        Self(toml::Spanned::new(span, self.0.into_inner()))
    }

    /// The same place with another value.
    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Spanned<U> {
        let span = self.span();
        Spanned(toml::Spanned::new(span, map(self.0.into_inner())))
    }

    /// The bytes of the file.
    pub fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get_ref()
    }
}

impl Borrow<str> for Spanned<String> {
    fn borrow(&self) -> &str {
        self
    }
}

#[cfg(test)]
impl<T: serde::Serialize> serde::Serialize for Spanned<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}
