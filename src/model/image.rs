//! Images by the names that people give them, and by what those names led to when containers were started.

use serde::{Deserialize, Serialize};

use super::observed::{Container, ImageRecord};

/// The image that a container ran when a generation was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RanImage {
    /// The container's name.
    pub container: String,
    /// The unit that ran it.
    pub unit: String,
    /// Compose project and service, if it was one of compose.
    pub service: Option<(String, String)>,
    /// The image as it was asked for.
    pub image: String,
    /// The image's id.
    pub id: String,
    /// The digest by which its registry knows it, that of an index where it came from one; none of an image that was built
    /// or loaded on the host.
    pub digest: Option<String>,
}

/// What ran when a generation was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RanImages {
    /// The generation's number.
    pub generation: u64,
    /// The image of each container.
    pub images: Vec<RanImage>,
}

impl RanImages {
    /// What a unit ran under that name; else what another unit did.
    pub fn of(&self, unit: &str, name: &str) -> Option<&RanImage> {
        let mut named = self.images.iter().filter(|ran| ran.is_named(name));
        let own = named.clone().find(|ran| ran.unit == unit);
        own.or_else(|| named.next())
    }
}

impl RanImage {
    /// Whether it ran under that name, which a tag can be moved of.
    pub fn is_named(&self, name: &str) -> bool {
        let listed = listed_name(name);
        listed.is_some() && listed == listed_name(&self.image)
    }

    /// What a container of a unit runs.
    pub fn new(unit: &str, container: &Container, record: Option<&ImageRecord>) -> Self {
        Self {
            container: container.name.clone(),
            unit: unit.to_owned(),
            service: container.compose.clone(),
            image: container.image.clone(),
            id: container.image_id.clone(),
            digest: record.and_then(|record| digest_of(record, &container.image)),
        }
    }
}

/// The digest by which the registry of `name` knows an image, `sha256:…`; not that of another registry or repository, where
/// the same image has other names.
pub fn digest_of(record: &ImageRecord, name: &str) -> Option<String> {
    digests_of(record, name).next().map(str::to_owned)
}

/// All digests by which that registry knows it: by itself, and by indices that have it.
pub fn digests_of<'r>(record: &'r ImageRecord, name: &str) -> impl Iterator<Item = &'r str> {
    let repository = |name: &str| {
        let name = name.split_once('@').map_or(name, |(name, _)| name);
        let listed = listed_name(name)?;
        Some(split_tag(&listed).0.to_owned())
    };
    let own = repository(name);
    record.digests.iter().filter_map(move |known| {
        let (_, digest) = known.split_once('@')?;
        (own.is_some() && repository(known) == own).then_some(digest)
    })
}

/// The tag of a name that has none.
const LATEST: &str = "latest";
/// Registries that a name without one means.
const HUB: [&str; 2] = ["docker.io", "index.docker.io"];
/// Its folder of images that have none.
const OFFICIAL: &str = "library/";
/// How much of a digest people are shown, as `docker ps` does.
const SHORT: usize = 12;

/// The name by which an engine lists what is asked for as `name`: with a tag, and without what Docker Hub's names can do
/// without; `FamiliarName` and `TagNameOnly` in <https://pkg.go.dev/github.com/distribution/reference>. `None` for what no tag
/// can be moved of: digests and ids.
pub fn listed_name(name: &str) -> Option<String> {
    let is_id = name.len() >= SHORT && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if name.is_empty() || name.contains('@') || name.starts_with("sha256:") || is_id {
        return None;
    }
    let mut listed = match name.split_once('/') {
        Some((registry, rest)) if HUB.contains(&registry) => rest,
        _ => name,
    };
    if let Some(rest) = listed
        .strip_prefix(OFFICIAL)
        .filter(|rest| !rest.contains('/'))
    {
        listed = rest;
    }
    Some(match tag(listed) {
        Some(_) => listed.to_owned(),
        None => format!("{listed}:{LATEST}"),
    })
}

/// The repository and the tag of a listed name.
pub fn split_tag(listed: &str) -> (&str, &str) {
    match tag(listed) {
        Some(at) => (
            listed.get(..at).unwrap_or(listed),
            listed.get(at + 1..).unwrap_or(LATEST),
        ),
        None => (listed, LATEST),
    }
}

/// Where the colon before the tag is: one before a slash is that of a port.
fn tag(name: &str) -> Option<usize> {
    let at = name.rfind(':')?;
    (!name.get(at..)?.contains('/')).then_some(at)
}

/// The registry that a name is asked from.
pub fn registry(name: &str) -> &str {
    match name.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => "docker.io",
    }
}

/// A digest or an id as people are shown it: `sha256:0123456789ab`.
pub fn short(digest: &str) -> String {
    let (algorithm, hex) = digest.split_once(':').unwrap_or(("sha256", digest));
    format!("{algorithm}:{}", hex.get(..SHORT).unwrap_or(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_with_a_tag_and_without_the_hub() {
        for (name, listed) in [
            ("app", "app:latest"),
            ("app:2", "app:2"),
            ("team/app", "team/app:latest"),
            ("docker.io/library/redis:7", "redis:7"),
            ("docker.io/team/app", "team/app:latest"),
            ("library/redis", "redis:latest"),
            ("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"),
            ("r.example.com/library/app:2", "r.example.com/library/app:2"),
        ] {
            assert_eq!(listed_name(name).as_deref(), Some(listed), "{name}");
        }
        for name in ["", "app@sha256:12", "sha256:0123", "0123456789ab"] {
            assert_eq!(listed_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_tag_is_no_port() {
        assert_eq!(split_tag("r:5000/app:2"), ("r:5000/app", "2"));
        assert_eq!(split_tag("r:5000/app"), ("r:5000/app", "latest"));
        assert_eq!(registry("r:5000/app"), "r:5000");
        assert_eq!(registry("team/app"), "docker.io");
    }

    #[test]
    fn a_digest_is_short_for_people() {
        let id = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        assert_eq!(short(id), "sha256:0123456789ab");
        assert_eq!(short("0123456789abcdef"), "sha256:0123456789ab");
    }
}
