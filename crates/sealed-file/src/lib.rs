//! Files that are encrypted for keys of [age](https://age-encryption.org/v1): those of `age` itself, and files of variables and
//! YAML of [SOPS](https://getsops.io/docs/).
//!
//! What a file says without a key is [`Form::look`]; what it says with one is [`Form::open`].

mod age_file;
mod keys;
mod sops;
mod sops_value;

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use age_file::seal;
pub use keys::{Identities, KeyError, Recipient, Stanza};

/// How a file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// By age, in either of its formats.
    Age,
    /// By SOPS, a file of variables.
    Variables,
    /// By SOPS, a YAML file.
    Yaml,
}

/// What is said of a file without a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// For whom it is encrypted, as far as it tells.
    pub stanzas: Vec<Stanza>,
}

/// What a file cannot be opened or read for. No variant has anything of the content.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// It is something else.
    #[error("it is not encrypted: {0}")]
    Plain(&'static str),
    /// It begins as it should and does not go on so.
    #[error("it is damaged or cut off: {0}")]
    Damaged(String),
    /// It is encrypted in a way that this program does not read.
    #[error("{0}")]
    Unsupported(String),
    /// No identity fits.
    #[error("it is not encrypted for this key")]
    NotForThisKey,
    /// Nobody to encrypt for.
    #[error("there is no recipient to encrypt for")]
    NoRecipient,
}

/// What was encrypted. It is wiped when it is dropped, and never shown.
pub struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    /// Takes over what will be encrypted.
    pub fn new(content: Vec<u8>) -> Self {
        Self(Zeroizing::new(content))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is these bytes; how long that takes says nothing of where they differ.
    pub fn is(&self, bytes: &[u8]) -> bool {
        self.0.as_slice().ct_eq(bytes).into()
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(…)")
    }
}

impl Form {
    /// The form of a file by its name, and the name of what is in it: `app.env` for `app.env.age` and for `app.sops.env`.
    pub fn of(name: &str) -> Option<(Self, String)> {
        if let Some(inner) = name.strip_suffix(".age") {
            return (!inner.is_empty()).then(|| (Self::Age, inner.to_owned()));
        }
        // A name that ends in .env alone is that of a file for no repository.
        if let Some(stem) = name.strip_suffix(".sops.env") {
            return (!stem.is_empty()).then(|| (Self::Variables, format!("{stem}.env")));
        }
        let (stem, end) = name.rsplit_once('.')?;
        let form = match end {
            "yaml" | "yml" => Self::Yaml,
            _ => return None,
        };
        let stem = stem.strip_suffix(".sops").unwrap_or(stem);
        (!stem.is_empty()).then(|| (form, format!("{stem}.{end}")))
    }

    /// What a file says without a key.
    ///
    /// # Errors
    /// When it is not encrypted, or damaged as far as that can be seen.
    pub fn look(self, content: &[u8]) -> Result<About, SealError> {
        match self {
            Self::Age => age_file::look(content),
            Self::Variables => sops::variables(content).and_then(|file| file.about()),
            Self::Yaml => sops::yaml(content).and_then(|file| file.about()),
        }
    }

    /// What is in a file.
    ///
    /// # Errors
    /// When no identity fits, or it is not what was encrypted.
    pub fn open(self, content: &[u8], identities: &Identities) -> Result<Plain, SealError> {
        match self {
            Self::Age => age_file::open(content, identities),
            Self::Variables => sops::variables(content)?.open(identities),
            Self::Yaml => sops::yaml(content)?.open(identities),
        }
    }
}

#[cfg(test)]
mod tests;
