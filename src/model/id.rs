//! Names: of resources, of kinds, of contents.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::kinds::Kind;

/// One resource, written `kind/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceId {
    /// What it is.
    pub kind: Kind,
    /// Its name among its kind: site or unit file name, network name, path.
    pub name: String,
}

impl ResourceId {
    /// The id of `name` among `kind`.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// What `--only KIND[/NAME]` selects. A network brings its members along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    kind: Kind,
    name: Option<String>,
}

impl Selector {
    /// Whether `id` is selected. `network` takes members with it, because a network without
    /// them serves nobody; a member is named `NETWORK/CONTAINER`.
    pub fn selects(&self, id: &ResourceId) -> bool {
        let name = self.name.as_deref();
        if self.kind == Kind::Network && id.kind == Kind::Member {
            let network = id.name.split_once('/').map_or("", |(network, _)| network);
            return name.is_none_or(|name| name == network);
        }
        if self.kind == Kind::Member && id.kind == Kind::Member {
            let container = id
                .name
                .split_once('/')
                .map_or("", |(_, container)| container);
            return name.is_none_or(|name| name == container || name == id.name);
        }
        self.kind == id.kind && name.is_none_or(|name| name == id.name)
    }

    /// The name that it selects; `None`: all of its kind.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The kind that it selects of.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What selects `id` and nothing else.
    pub fn exactly(id: ResourceId) -> Self {
        Self {
            kind: id.kind,
            name: Some(id.name),
        }
    }

    /// Whether it selects some member of `network`.
    pub fn reaches_member_of(&self, network: &str) -> bool {
        let named = self.name.as_deref().and_then(|name| name.split_once('/'));
        self.kind == Kind::Member && named.is_none_or(|(of, _)| of == network)
    }

    /// Whether any of `selectors` selects `id`; none at all selects everything.
    pub fn any(selectors: &[Selector], id: &ResourceId) -> bool {
        selectors.is_empty() || selectors.iter().any(|selector| selector.selects(id))
    }

    /// Whether any resource of `kind` can be selected.
    pub fn any_of_kind(selectors: &[Selector], kind: Kind) -> bool {
        selectors.is_empty()
            || selectors.iter().any(|selector| {
                selector.kind == kind || (selector.kind == Kind::Network && kind == Kind::Member)
            })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}/{name}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) if !name.is_empty() => (kind, Some(name.to_owned())),
            Some(_) => return Err(format!("there is no name behind the slash of {text:?}")),
            None => (text, None),
        };
        let kind = Kind::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| {
                let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
                format!("no kind {kind:?}; the kinds are {}", known.join(", "))
            })?;
        Ok(Self { kind, name })
    }
}

/// SHA-256 of some content, in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Hash(String);

impl Hash {
    /// The hash of one run of bytes.
    pub fn of(content: &[u8]) -> Self {
        Self::of_parts([content])
    }

    /// The hash of several runs of bytes. Their lengths are part of it, so that moving a byte
    /// from one to the next changes the hash.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Self(hex(&digest.finalize()))
    }

    /// The first twelve digits, enough to tell revisions apart in a line of text.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
