//! One encrypted value of SOPS: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:str]`;
//! <https://github.com/getsops/sops/blob/main/aes/cipher.go>.

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{AesGcm, Key, Nonce, aes::Aes256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::SealError;

/// AES-256-GCM with the long nonce that SOPS has.
type Cipher = AesGcm<Aes256, U32>;

/// The key of a file.
pub(crate) type DataKey = Zeroizing<Vec<u8>>;

/// What a value was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Text, or bytes.
    Text,
    /// A whole number.
    Whole,
    /// A number with a fraction.
    Fraction,
    /// Yes or no.
    Flag,
    /// A comment.
    Comment,
}

/// Whether a text is such a value.
pub(crate) fn is_encrypted(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,") && text.ends_with(']')
}

/// What a value was. `path` is what it is bound to: its keys, each with a colon behind it.
pub(crate) fn decrypt(
    text: &str,
    key: &DataKey,
    path: &str,
) -> Result<(Zeroizing<Vec<u8>>, Sort), SealError> {
    let damaged = || {
        let path = path.trim_end_matches(':');
        SealError::Damaged(format!(
            "the value of {path} is not what was written, or of another place"
        ))
    };
    let inner = text
        .strip_prefix("ENC[AES256_GCM,")
        .and_then(|rest| rest.strip_suffix(']'))
        .ok_or_else(damaged)?;
    let part = |name: &str| {
        let mut parts = inner.split(',');
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix(':'))
    };
    let bytes = |name: &str| {
        let encoded = part(name).ok_or_else(damaged)?;
        STANDARD.decode(encoded).map_err(|_| damaged())
    };
    let (mut data, nonce, tag) = (bytes("data")?, bytes("iv")?, bytes("tag")?);
    let sort = match part("type") {
        Some("str" | "bytes") => Sort::Text,
        Some("int") => Sort::Whole,
        Some("float") => Sort::Fraction,
        Some("bool") => Sort::Flag,
        Some("comment") => Sort::Comment,
        _ => return Err(damaged()),
    };
    if nonce.len() != 32 || tag.len() != 16 || key.len() != 32 {
        return Err(damaged());
    }
    data.extend(tag);
    let cipher = Cipher::new(Key::<Cipher>::from_slice(key));
    let payload = Payload {
        msg: &data,
        aad: path.as_bytes(),
    };
    let plain = cipher.decrypt(Nonce::<U32>::from_slice(&nonce), payload);
    Ok((Zeroizing::new(plain.map_err(|_| damaged())?), sort))
}
