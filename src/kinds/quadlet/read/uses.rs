//! What Quadlets use: images, each other, and files of the checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::model::image::listed_name;
use crate::model::{Hash, Image, Pull};
use crate::source::error::Result;
use crate::source::load::Loader;
use crate::source::tree::Node;
use crate::source::unit::Settings;

/// Names that `podman pull` takes and that are no images of a registry; containers-transports(5).
const TRANSPORTS: [&str; 8] = [
    "containers-storage:",
    "dir:",
    "docker-archive:",
    "docker-daemon:",
    "docker://",
    "oci-archive:",
    "oci:",
    "sif:",
];

/// Keys of `[Image]` that say how it is pulled; podman-systemd.unit(5).
const OF_PULLS: [&str; 10] = [
    "AllTags",
    "Arch",
    "AuthFile",
    "CertDir",
    "Creds",
    "DecryptionKey",
    "OS",
    "Policy",
    "TLSVerify",
    "Variant",
];

/// Options of `podman run` that say the same; podman-run(1).
const OPTIONS: [&str; 9] = [
    "--arch",
    "--authfile",
    "--cert-dir",
    "--creds",
    "--os",
    "--platform",
    "--pull",
    "--tls-verify",
    "--variant",
];

/// The image that the unit of a `.container` or `.image` pulls as it starts, and whether it does so each time. `None` where
/// that is the unit's own work: another Quadlet makes the image, or only the unit knows how it is pulled.
pub(super) fn image(
    section: &str,
    settings: &Settings,
    built: &BTreeSet<String>,
) -> Option<(Image, Option<Pull>)> {
    let pull = |optional| {
        Some(Pull {
            optional,
            lasting: true,
        })
    };
    let name = settings.last(section, "Image")?.text;
    let pull = match (section, settings.last(section, "Pull")) {
        ("Image", _) => pull(false),
        ("Container", None) => None,
        ("Container", Some(policy)) => match policy.text.as_str() {
            "missing" => None,
            "always" => pull(false),
            "newer" => pull(true),
            "never" if is_pulled_in_a_way_of_its_own(section, settings) => return None,
            "never" => {
                let is_made = name.ends_with(".image") || name.ends_with(".build");
                return Some((kept(name, built).filter(|_| !is_made)?, None));
            }
            _ => return None,
        },
        _ => return None,
    };
    let is_made = [".image", ".build"].iter().any(|end| name.ends_with(end));
    if is_made || is_pulled_in_a_way_of_its_own(section, settings) {
        return None;
    }
    Some((of_registry(name, built)?, pull))
}

/// An image that Podman never pulls, if nothing here makes it: it has to be on the host.
pub(super) fn kept(name: String, built: &BTreeSet<String>) -> Option<Image> {
    let is_made = listed_name(&name).is_some_and(|name| built.contains(&name));
    (!is_made && !is_another(&name)).then_some(Image {
        name,
        never: true,
        ..Image::default()
    })
}

/// An image by its name, if it is one that a registry has.
pub(super) fn of_registry(name: String, built: &BTreeSet<String>) -> Option<Image> {
    let is_made = name.starts_with("localhost/")
        || listed_name(&name).is_some_and(|name| built.contains(&name));
    (!is_made && !is_another(&name)).then_some(Image {
        name,
        ..Image::default()
    })
}

/// Whether it is no name of an image, or one that only Podman knows.
fn is_another(name: &str) -> bool {
    name.is_empty()
        || name.contains(['%', '$', ' '])
        || TRANSPORTS.iter().any(|start| name.starts_with(start))
}

/// Whether a unit says more of a pull than the name of the image.
pub(super) fn is_pulled_in_a_way_of_its_own(section: &str, settings: &Settings) -> bool {
    let has = |section: &str, key: &str| !settings.list(section, key).is_empty();
    let arguments = settings.list(section, "PodmanArgs");
    let environment = settings.list("Service", "Environment");
    OF_PULLS
        .iter()
        .any(|key| section == "Image" && has(section, key))
        || has(section, "GlobalArgs")
        || has(section, "ContainersConfModule")
        || has("Service", "User")
        || has("Service", "EnvironmentFile")
        || OPTIONS
            .iter()
            .any(|option| arguments.iter().any(|value| value.text.contains(option)))
        || environment.iter().any(|value| {
            let text = value.text.to_lowercase();
            text.contains("registry_auth_file=")
                || text.contains("containers_")
                || text.contains("_proxy=")
        })
}

/// The names under which a `.build` puts its image.
pub(super) fn tags(settings: &Settings) -> impl Iterator<Item = String> {
    let tags = settings.list("Build", "ImageTag").into_iter();
    tags.filter_map(|tag| listed_name(&tag.text))
}

/// Everything that values name: words, and the parts of those that have parts.
pub(super) fn words(settings: &Settings) -> BTreeSet<String> {
    let sources = settings.sources().iter();
    let sections = sources.flat_map(|source| &source.parsed.sections);
    let values = sections.flat_map(|section| &section.entries);
    let parts = values.flat_map(|entry| entry.value.split([' ', '\t', '=', ':', ',', '"', '\'']));
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What a Quadlet names, with what that names.
pub(super) fn closed(name: &str, named: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut next = vec![name];
    while let Some(name) = next.pop() {
        for other in named.get(name).into_iter().flatten() {
            if all.insert(other.clone()) {
                next.push(other);
            }
        }
    }
    all.remove(name);
    all
}

impl Loader<'_, '_> {
    /// What is in the checkout at the paths that a Quadlet names; of folders only the one that an image is built from.
    pub(super) fn named_in_checkout(
        &self,
        settings: &Settings,
        words: &BTreeSet<String>,
    ) -> Result<BTreeMap<PathBuf, Hash>> {
        let context = settings.last("Build", "SetWorkingDirectory");
        let context = context.map(|value| PathBuf::from(value.text));
        let mut found = BTreeMap::new();
        for word in words.iter().filter(|word| word.starts_with('/')) {
            let path = Path::new(word);
            let Some(relative) = self.in_checkout(path) else {
                continue;
            };
            let hash = match self.inputs.node(&relative)? {
                Some((_, Node::Folder)) if context.as_deref() == Some(path) => {
                    self.inputs.digest(&relative)
                }
                Some((_, Node::Folder)) | None => None,
                Some(_) => self.inputs.probe(&relative)?.map(|file| file.hash),
            };
            found.extend(hash.map(|hash| (path.to_owned(), hash)));
        }
        Ok(found)
    }
}
