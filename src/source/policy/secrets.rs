//! The keys of watchme.toml about secrets.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::spanned::Spanned;
use super::values::{KeyPath, Owner, PublicKey, SecretMode};

/// `[secrets]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Secrets {
    /// The private key on the server that decrypts them: one of OpenSSH without a passphrase, or a file of `age-keygen`.
    ///
    /// Default: the key of the host, `"/etc/ssh/ssh_host_ed25519_key"`
    #[cfg_attr(test, schemars(example = &"/root/age.txt"))]
    pub identity: Option<KeyPath>,
    /// For whom `secret edit` and `secret rotate` encrypt: the server's own public key, and those of the people who edit.
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBI1+Q+ntzANebtnicCiAY29uqLGWOaOGLEa8bUqOVmS host"]))]
    #[serde(deserialize_with = "at_least_one")]
    pub recipients: Vec<Spanned<PublicKey>>,
}

/// A list that is written and empty is a key that somebody forgot: nobody could open what is encrypted for it.
fn at_least_one<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Spanned<PublicKey>>, D::Error> {
    let keys = Vec::deserialize(deserializer)?;
    match keys.is_empty() {
        true => Err(D::Error::custom(
            "there are no recipients, expected at least one public key",
        )),
        false => Ok(keys),
    }
}

/// `[secret."NAME"]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SecretPolicy {
    /// Permission bits of the decrypted file.
    ///
    /// Default: `"0600"`
    #[cfg_attr(test, schemars(example = &"0640"))]
    pub mode: Option<SecretMode>,
    /// Owner of the decrypted file.
    ///
    /// Default: `"root:root"`
    #[cfg_attr(test, schemars(example = &"root:app"))]
    pub owner: Option<Owner>,
}
