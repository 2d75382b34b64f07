//! Files of age: <https://github.com/C2SP/C2SP/blob/main/age.md>.

use std::io::{Read, Write};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, Encryptor};
use zeroize::Zeroizing;

use crate::{About, Identities, Plain, Recipient, SealError, Stanza};

const VERSION: &str = "age-encryption.org/v1";
const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// Behind its header a file has a nonce, and at least the tag of one piece.
const LEAST: usize = 16 + 16;
/// A header is no longer than that.
const HEADER: usize = 64 << 10;

/// What the header says.
pub(crate) fn look(content: &[u8]) -> Result<About, SealError> {
    let start = content.trim_ascii_start();
    if !start.starts_with(ARMOR) && !content.starts_with(VERSION.as_bytes()) {
        return Err(SealError::Plain("it does not begin as a file of age does"));
    }
    let mut binary = Vec::with_capacity(content.len());
    ArmoredReader::new(content)
        .read_to_end(&mut binary)
        .map_err(|_| SealError::Damaged("its text form is not whole".to_owned()))?;
    let mut stanzas = Vec::new();
    let mut at = 0;
    loop {
        let rest = binary.get(at..).unwrap_or_default();
        let end = rest.iter().take(HEADER).position(|byte| *byte == b'\n');
        let line = end.and_then(|end| std::str::from_utf8(rest.get(..end)?).ok());
        let (Some(end), Some(line)) = (end, line) else {
            return Err(SealError::Damaged("its header does not end".to_owned()));
        };
        at += end + 1;
        if line.starts_with("---") {
            break;
        }
        if let Some(words) = line.strip_prefix("-> ") {
            stanzas.extend(stanza(words));
        }
        if at > HEADER {
            return Err(SealError::Damaged("its header does not end".to_owned()));
        }
    }
    if binary.len().saturating_sub(at) < LEAST {
        return Err(SealError::Damaged(
            "nothing is behind its header".to_owned(),
        ));
    }
    Ok(About { stanzas })
}

/// A recipient of the header; what age adds at random so that nobody relies on the order is none.
fn stanza(words: &str) -> Option<Stanza> {
    let mut words = words.split(' ');
    match (words.next()?, words.next()) {
        ("X25519", _) => Some(Stanza::Age),
        ("ssh-ed25519", Some(tag)) => Some(Stanza::Ssh(tag.to_owned())),
        (kind, _) if kind.ends_with("-grease") => None,
        (kind, _) => Some(Stanza::Other(kind.to_owned())),
    }
}

/// What is in it.
pub(crate) fn open(content: &[u8], identities: &Identities) -> Result<Plain, SealError> {
    look(content)?;
    let damaged = |what: &str| SealError::Damaged(what.to_owned());
    let opened = Decryptor::new(ArmoredReader::new(content));
    let opened = opened.and_then(|opened| opened.decrypt(identities.iter()));
    let mut reader = opened.map_err(|error| match error {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => {
            SealError::NotForThisKey
        }
        DecryptError::InvalidMac | DecryptError::InvalidHeader => {
            damaged("its header is not what was written")
        }
        DecryptError::UnknownFormat => {
            SealError::Unsupported("it is a file of another version of age".to_owned())
        }
        _ => damaged("its header cannot be read"),
    })?;
    // With room for all of it nothing is left behind where it grew.
    let mut plain = Zeroizing::new(Vec::with_capacity(content.len()));
    reader
        .read_to_end(&mut plain)
        .map_err(|_| damaged("its content is not what was written"))?;
    Ok(Plain(plain))
}

/// Encrypts for these recipients, as text.
///
/// # Errors
/// When there is none.
pub fn seal(plain: &Plain, recipients: &[Recipient]) -> Result<Vec<u8>, SealError> {
    if recipients.is_empty() {
        return Err(SealError::NoRecipient);
    }
    let failed = || SealError::Unsupported("it could not be encrypted".to_owned());
    let encryptor = Encryptor::with_recipients(recipients.iter().map(Recipient::age));
    let encryptor = encryptor.map_err(|_| failed())?;
    let mut sealed = Vec::new();
    let write = || {
        let armor = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(plain.bytes())?;
        writer.finish()?.finish()
    };
    write().map_err(|_: std::io::Error| failed())?;
    Ok(sealed)
}
