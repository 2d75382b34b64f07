//! Who owns a file, and who may do what with it.

use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer};

use super::{Reader, Text};

text! {
    /// in octal: `"0644"`
    Mode(u32), "mode", "string",
    "permission bits such as \"0644\"",
    |text| {
        let mode = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok();
        mode.filter(|mode| *mode <= 0o7777)
    }
}

text! {
    /// in octal, with permissions only for its owner and its group: `"0640"`
    SecretMode(u32), "mode of a secret", "string",
    "permission bits of a secret such as \"0600\" or \"0640\": its owner reads and writes it, and its group reads it at most",
    |text| {
        let mode = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok();
        mode.filter(|mode| mode & !0o640 == 0)
    }
}

text! {
    /// `"user:group"` or `"user"`, names or numbers
    Owner(String), "owner", "string",
    "\"user:group\"",
    |text| {
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_name =
            |name: &str| !name.is_empty() && !name.starts_with('-') && name.chars().all(is_allowed);
        (is_name(user) && is_name(group)).then(|| format!("{user}:{group}"))
    }
}
