//! Keys: those that files are encrypted for, and those that open them.

use std::fmt;
use std::str::FromStr;

use age::{ssh, x25519};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A key that is none, or none for this.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// No public key of the two sorts.
    #[error("expected a public key: age1… or ssh-ed25519 …")]
    NotARecipient,
    /// No private key at all.
    #[error("it has no private key of age or of ssh-ed25519")]
    NoIdentity,
    /// It asks for a passphrase, which nobody types at boot.
    #[error("the key has a passphrase")]
    Passphrase,
    /// Another sort of key.
    #[error("it is a key of another sort than ssh-ed25519")]
    Unsupported,
}

/// Somebody for whom a file can be encrypted.
#[derive(Clone)]
pub struct Recipient {
    text: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Age(x25519::Recipient),
    Ssh(ssh::Recipient),
}

/// For whom a file is encrypted, as its header says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stanza {
    /// An age key. Which one, the header does not tell.
    Age,
    /// A key of ssh-ed25519 with this tag.
    Ssh(String),
    /// A recipient that is written out, of SOPS.
    Named(String),
    /// Something else, by the name of its type.
    Other(String),
}

impl Recipient {
    /// As it is written, without a comment.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the header of a file has for it.
    pub fn stanza(&self) -> Stanza {
        match &self.key {
            Key::Age(_) => Stanza::Age,
            Key::Ssh(_) => Stanza::Ssh(tag(&self.text).unwrap_or_default()),
        }
    }

    /// Whether a file that says this is encrypted for it, as far as that can be known: of the age keys only how many there are.
    pub fn is_among(&self, stanzas: &[Stanza], others: &[Recipient]) -> bool {
        let own = self.stanza();
        let named = stanzas.iter().any(|one| matches!(one, Stanza::Named(_)));
        match own {
            _ if named => stanzas.contains(&Stanza::Named(self.text.clone())),
            Stanza::Age => {
                let count = |all: &mut dyn Iterator<Item = Stanza>| {
                    all.filter(|one| *one == Stanza::Age).count()
                };
                let wanted = count(&mut others.iter().map(Recipient::stanza));
                count(&mut stanzas.iter().cloned()) >= wanted.max(1)
            }
            own => stanzas.contains(&own),
        }
    }

    pub(crate) fn age(&self) -> &dyn age::Recipient {
        match &self.key {
            Key::Age(key) => key,
            Key::Ssh(key) => key,
        }
    }
}

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with("age1") {
            let key = text.parse().map_err(|_| KeyError::NotARecipient)?;
            let key = Key::Age(key);
            return Ok(Self {
                text: text.to_owned(),
                key,
            });
        }
        let mut words = text.split_ascii_whitespace();
        let (Some("ssh-ed25519"), Some(key)) = (words.next(), words.next()) else {
            return Err(KeyError::NotARecipient);
        };
        let text = format!("ssh-ed25519 {key}");
        let key = text.parse().map_err(|_| KeyError::NotARecipient)?;
        let key = Key::Ssh(key);
        Ok(Self { text, key })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Recipient {}

/// The tag of an SSH key: the first four bytes of the SHA-256 of its wire form;
/// <https://github.com/FiloSottile/age/blob/main/agessh/agessh.go>.
fn tag(text: &str) -> Option<String> {
    let key = text.split_ascii_whitespace().nth(1)?;
    let wire = STANDARD.decode(key).ok()?;
    Some(STANDARD_NO_PAD.encode(Sha256::digest(&wire).get(..4)?))
}

/// Private keys. They are wiped when they are dropped, and never shown.
#[derive(Default)]
pub struct Identities {
    keys: Vec<Box<dyn age::Identity>>,
    public: Vec<String>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.public).finish()
    }
}

impl Identities {
    /// Adds the keys of a file: one of OpenSSH, or lines of `age-keygen`.
    ///
    /// # Errors
    /// When it has none, or one that cannot be used.
    pub fn add(&mut self, content: &Zeroizing<Vec<u8>>) -> Result<(), KeyError> {
        let is_ssh = content
            .windows(11)
            .take(4096)
            .any(|part| part == b"PRIVATE KEY");
        if is_ssh {
            return self.add_ssh(content);
        }
        let text = std::str::from_utf8(content).map_err(|_| KeyError::NoIdentity)?;
        let known = self.keys.len();
        for line in text.lines().map(str::trim) {
            if !line.starts_with("AGE-SECRET-KEY-1") {
                continue;
            }
            let key: x25519::Identity = line.parse().map_err(|_| KeyError::NoIdentity)?;
            self.public.push(key.to_public().to_string());
            self.keys.push(Box::new(key));
        }
        match self.keys.len() > known {
            true => Ok(()),
            false => Err(KeyError::NoIdentity),
        }
    }

    fn add_ssh(&mut self, content: &[u8]) -> Result<(), KeyError> {
        let key = ssh::Identity::from_buffer(content, None).map_err(|_| KeyError::NoIdentity)?;
        match &key {
            ssh::Identity::Unencrypted(_) => {}
            ssh::Identity::Encrypted(_) => return Err(KeyError::Passphrase),
            ssh::Identity::Unsupported(_) => return Err(KeyError::Unsupported),
        }
        let public = ssh::Recipient::try_from(key.clone()).map_err(|_| KeyError::Unsupported)?;
        let public = public.to_string();
        if !public.starts_with("ssh-ed25519") {
            return Err(KeyError::Unsupported);
        }
        let mut words = public.split_ascii_whitespace();
        let (kind, text) = (words.next(), words.next());
        self.public.push(format!(
            "{} {}",
            kind.unwrap_or_default(),
            text.unwrap_or_default()
        ));
        self.keys.push(Box::new(key));
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Their public keys, for whom to encrypt so that these open it.
    pub fn public(&self) -> &[String] {
        &self.public
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys.iter().map(|key| &**key)
    }
}
