//! Files of SOPS: their values are encrypted with a key of the file, and that for each recipient. A hash over all values, encrypted
//! with the same key, tells whether they are those that were written;
//! <https://github.com/getsops/sops/blob/main/sops.go>.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::sops_value::{DataKey, Sort, decrypt, is_encrypted};
use crate::{About, Identities, Plain, SealError, Stanza, age_file};

/// A file that was read.
pub(crate) struct Sops {
    /// Recipients, each with the key of the file for it.
    keys: Vec<(String, String)>,
    mac: String,
    modified: String,
    content: Content,
}

enum Content {
    /// Names and values, in their order.
    Variables(Vec<(String, String)>),
    Yaml(Mapping),
}

fn damaged(what: &str) -> SealError {
    SealError::Damaged(what.to_owned())
}

/// Reads a file of variables.
pub(crate) fn variables(content: &[u8]) -> Result<Sops, SealError> {
    let text = std::str::from_utf8(content).map_err(|_| damaged("it is not UTF-8"))?;
    let (mut own, mut values) = (BTreeMap::new(), Vec::new());
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(damaged("a line has no ="));
        };
        let value = value.replace("\\n", "\n");
        match name.strip_prefix("sops_") {
            Some(name) => drop(own.insert(name.to_owned(), value)),
            None => values.push((name.to_owned(), value)),
        }
    }
    if own.is_empty() {
        return Err(SealError::Plain("it has no sops_ variables"));
    }
    if own.get("mac_only_encrypted").is_some_and(|on| on == "true") {
        return Err(only_encrypted());
    }
    if !values.iter().any(|(_, value)| is_encrypted(value)) {
        return Err(SealError::Plain("none of its values is encrypted"));
    }
    let mut keys = Vec::new();
    for at in 0.. {
        let part = |what: &str| own.get(&format!("age__list_{at}__map_{what}")).cloned();
        let (Some(recipient), Some(key)) = (part("recipient"), part("enc")) else {
            break;
        };
        keys.push((recipient, key));
    }
    let mut part = |name: &str| own.remove(name).unwrap_or_default();
    Sops {
        keys,
        mac: part("mac"),
        modified: part("lastmodified"),
        content: Content::Variables(values),
    }
    .whole()
}

/// Reads a YAML file.
pub(crate) fn yaml(content: &[u8]) -> Result<Sops, SealError> {
    let text = std::str::from_utf8(content).map_err(|_| damaged("it is not UTF-8"))?;
    let value: Value = serde_yaml::from_str(text)
        .map_err(|_| damaged("it is no YAML, or has several documents"))?;
    let Value::Mapping(mut content) = value else {
        return Err(SealError::Plain("it has no key sops:"));
    };
    let Some(own) = content.shift_remove("sops") else {
        return Err(SealError::Plain("it has no key sops:"));
    };
    let flag = own.get("mac_only_encrypted").and_then(Value::as_bool);
    if flag == Some(true) {
        return Err(only_encrypted());
    }
    if own.get("shamir_threshold").is_some() || own.get("key_groups").is_some() {
        return Err(SealError::Unsupported(
            "it needs keys of several groups of SOPS, which this program does not read".to_owned(),
        ));
    }
    if !has_encrypted(&Value::Mapping(content.clone())) {
        return Err(SealError::Plain("none of its values is encrypted"));
    }
    let part = |name: &str| {
        let value = own.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let age = own.get("age").and_then(Value::as_sequence);
    let key = |one: &Value| {
        let part = |name: &str| Some(one.get(name)?.as_str()?.to_owned());
        Some((part("recipient")?, part("enc")?))
    };
    Sops {
        keys: age.into_iter().flatten().filter_map(key).collect(),
        mac: part("mac"),
        modified: part("lastmodified"),
        content: Content::Yaml(content),
    }
    .whole()
}

fn only_encrypted() -> SealError {
    SealError::Unsupported(
        "it was written with mac_only_encrypted, so that changes of its other values cannot be detected".to_owned(),
    )
}

fn has_encrypted(value: &Value) -> bool {
    match value {
        Value::String(text) => is_encrypted(text),
        Value::Sequence(all) => all.iter().any(has_encrypted),
        Value::Mapping(all) => all.values().any(has_encrypted),
        _ => false,
    }
}

impl Sops {
    fn whole(self) -> Result<Self, SealError> {
        if self.keys.is_empty() {
            return Err(SealError::Unsupported(
                "it is encrypted by SOPS, and for no age key".to_owned(),
            ));
        }
        if !is_encrypted(&self.mac) || self.modified.is_empty() {
            return Err(damaged("it has no mac, or no lastmodified"));
        }
        Ok(self)
    }

    /// For whom it is encrypted.
    pub(crate) fn about(&self) -> Result<About, SealError> {
        for (_, key) in &self.keys {
            age_file::look(key.as_bytes())?;
        }
        let named = self.keys.iter().map(|(recipient, _)| {
            let mut words = recipient.split_ascii_whitespace();
            let text = match (words.next(), words.next()) {
                (Some(kind), Some(key)) => format!("{kind} {key}"),
                (first, _) => first.unwrap_or_default().to_owned(),
            };
            Stanza::Named(text)
        });
        let stanzas = named.collect();
        Ok(About { stanzas })
    }

    /// What was in it before: the variables, or the YAML without comments.
    pub(crate) fn open(self, identities: &Identities) -> Result<Plain, SealError> {
        let key = self.key(identities)?;
        let mut reader = Reader {
            key: &key,
            seen: Sha512::new(),
        };
        let plain = match self.content {
            Content::Variables(values) => reader.variables(&values)?,
            Content::Yaml(content) => {
                let opened = reader.value(&Value::Mapping(content), "")?;
                let text = serde_yaml::to_string(&opened);
                let text = text.map_err(|_| damaged("it cannot be written as YAML"))?;
                Zeroizing::new(text.into_bytes())
            }
        };
        let (mac, _) = decrypt(&self.mac, &key, &self.modified)?;
        let seen = reader.seen.finalize();
        let seen: String = seen.iter().map(|byte| format!("{byte:02X}")).collect();
        match *mac == seen.as_bytes() {
            true => Ok(Plain(plain)),
            false => Err(damaged(
                "its mac says that values were changed, added or removed",
            )),
        }
    }

    /// The key of the file, for the first identity that fits.
    fn key(&self, identities: &Identities) -> Result<DataKey, SealError> {
        for (_, key) in &self.keys {
            match age_file::open(key.as_bytes(), identities) {
                Ok(key) => return Ok(key.0),
                Err(SealError::NotForThisKey) => {}
                Err(error) => return Err(error),
            }
        }
        Err(SealError::NotForThisKey)
    }
}

/// Opens values in their order, and hashes them.
struct Reader<'k> {
    key: &'k DataKey,
    seen: Sha512,
}

impl Reader<'_> {
    fn variables(&mut self, values: &[(String, String)]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let room = values
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2);
        // Values get shorter, but for their line ends.
        let mut plain = Zeroizing::new(Vec::with_capacity(2 * room.sum::<usize>()));
        for (name, value) in values {
            let opened = match is_encrypted(value) {
                true => decrypt(value, self.key, &format!("{name}:"))?.0,
                false => Zeroizing::new(value.clone().into_bytes()),
            };
            self.seen.update(&*opened);
            plain.extend_from_slice(name.as_bytes());
            plain.push(b'=');
            for byte in opened.iter() {
                match byte {
                    b'\n' => plain.extend_from_slice(b"\\n"),
                    other => plain.push(*other),
                }
            }
            plain.push(b'\n');
        }
        Ok(plain)
    }

    /// A value of YAML. The entries of a list have the path of the list.
    fn value(&mut self, value: &Value, path: &str) -> Result<Value, SealError> {
        match value {
            Value::String(text) if is_encrypted(text) => self.encrypted(text, path),
            Value::Sequence(all) => {
                let all = all.iter().map(|one| self.value(one, path));
                Ok(Value::Sequence(all.collect::<Result<_, _>>()?))
            }
            Value::Mapping(all) => {
                let mut opened = Mapping::new();
                for (name, one) in all {
                    let text = name.as_str().ok_or_else(|| {
                        SealError::Unsupported("a key in it is not text".to_owned())
                    })?;
                    let one = self.value(one, &format!("{path}{text}:"))?;
                    opened.insert(name.clone(), one);
                }
                Ok(Value::Mapping(opened))
            }
            Value::String(text) => {
                self.seen.update(text.as_bytes());
                Ok(value.clone())
            }
            Value::Bool(flag) => {
                self.seen.update(if *flag { "True" } else { "False" });
                Ok(value.clone())
            }
            Value::Number(number) => {
                self.seen.update(number.to_string());
                Ok(value.clone())
            }
            Value::Null => Ok(Value::Null),
            Value::Tagged(_) => Err(SealError::Unsupported(
                "a value in it has a tag of YAML".to_owned(),
            )),
        }
    }

    fn encrypted(&mut self, text: &str, path: &str) -> Result<Value, SealError> {
        let (opened, sort) = decrypt(text, self.key, path)?;
        if sort != Sort::Comment {
            self.seen.update(&*opened);
        }
        let text = std::str::from_utf8(&opened)
            .map_err(|_| SealError::Unsupported("a value in it is not UTF-8".to_owned()))?;
        let number = || {
            serde_yaml::from_str::<Value>(text)
                .ok()
                .filter(Value::is_number)
        };
        Ok(match sort {
            Sort::Flag => Value::Bool(text.eq_ignore_ascii_case("true")),
            Sort::Whole | Sort::Fraction => number().unwrap_or_else(|| text.into()),
            Sort::Text | Sort::Comment => text.into(),
        })
    }
}
