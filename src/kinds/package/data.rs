//! What is wanted of a package of the distribution.

use serde::{Deserialize, Serialize};

use crate::model::{Kind, Resource};

/// A package that has to be installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Package {
    /// The one version that will do; `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Package {
    /// How apt is asked for it, apt-get(8).
    pub fn asked(name: &str, version: Option<&str>) -> String {
        match version {
            None => name.to_owned(),
            Some(version) => format!("{name}={version}"),
        }
    }
}

impl Resource for Package {
    type Key = String;
    const KIND: Kind = Kind::Package;
}

/// Whether a text is `NAME` or `NAME=VERSION`, Debian Policy 5.6.1 and 5.6.12. A name that ends in `-` is left out: apt takes it for
/// a wish to remove.
pub fn is_package(text: &str) -> bool {
    let is_small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_name = |name: &str| {
        name.len() >= 2
            && name.starts_with(is_small)
            && !name.ends_with('-')
            && name.chars().all(|c| is_small(c) || "+-.".contains(c))
    };
    let is_version = |version: &str| {
        version.starts_with(|c: char| c.is_ascii_digit())
            && version
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".+-~:".contains(c))
    };
    match text.split_once('=') {
        None => is_name(text),
        Some((name, version)) => is_name(name) && is_version(version),
    }
}
