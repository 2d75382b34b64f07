//! Whether tags moved in their registries: asked only where somebody asks.

use std::collections::{BTreeMap, BTreeSet};

use super::select;
use crate::host::Host;
use crate::host::registry::{Answers, Login};
use crate::kinds::images_of_unit;
use crate::model::image::{digest_of, digests_of, listed_name, short};
use crate::model::{
    AskedImage, DriftItem, DriftKind, ImageRecord, Kind, ResourceId, Selector, Unit,
};
use crate::reconcile::drift::Seen;
use crate::reconcile::{Drift, ReconcileError, Request};

/// What the look at registries brought.
#[derive(Default)]
struct Found {
    asked: BTreeMap<String, AskedImage>,
    items: Vec<DriftItem>,
    warnings: Vec<String>,
}

/// Asks the registries of all images that units name by a tag, and adds those whose tags moved to what deviates. A registry
/// that cannot be reached is a warning. Writes nothing.
///
/// # Errors
/// When Docker does not answer.
pub(crate) async fn ask_registries(
    host: &Host,
    request: &Request,
    drift: &mut Drift,
) -> Result<(), ReconcileError> {
    let Some(seen) = drift.seen.as_deref().filter(|_| host.is_live()) else {
        return Ok(());
    };
    let found = ask(host, request, seen).await?;
    drift.incomplete |= !found.warnings.is_empty();
    drift.items.extend(found.items);
    drift.warnings.extend(found.warnings);
    drift.images = found.asked.into_values().collect();
    Ok(())
}

async fn ask(host: &Host, request: &Request, seen: &Seen) -> Result<Found, ReconcileError> {
    let mut found = Found::default();
    let only = select::with_names(&request.only, &seen.desired, None);
    let is_asked_for = |name: &String| {
        let id = ResourceId::new(Kind::Unit, name);
        Selector::any(&only, &id)
    };
    let units = seen.desired.units.iter();
    let units: BTreeMap<&String, &Unit> = units.filter(|(name, _)| is_asked_for(name)).collect();
    for (name, unit) in &units {
        let images = images_of_unit(unit).into_iter();
        for image in images.filter(|image| !image.never) {
            if let Some(listed) = listed_name(&image.name) {
                let one = found.asked.entry(listed.clone()).or_default();
                one.name = listed;
                one.units.insert((*name).clone());
            }
        }
    }
    // Without Docker, the comparison has said so.
    if found.asked.is_empty() || seen.observed.docker.is_none() {
        return Ok(found);
    }
    let listed = host.docker().await?.images().await?;
    let mut logins = BTreeMap::new();
    for (name, image) in &mut found.asked {
        look(image, record(&listed, name));
        let first = image.units.iter().find_map(|unit| units.get(unit));
        if let Some(unit) = first.filter(|_| image.unknown.is_none()) {
            let login = Login {
                user: unit.user.clone(),
                config: unit.docker_config.clone(),
            };
            logins.insert(name.clone(), login);
        }
    }
    for answers in host.ask_registries(logins).await {
        take(answers, &mut found, &listed);
    }
    for image in found.asked.values().filter(|image| image.moved) {
        found.items.extend(items(image, &units));
    }
    Ok(found)
}

/// What a name leads to on the host.
fn record<'l>(listed: &'l BTreeMap<String, ImageRecord>, name: &str) -> Option<&'l ImageRecord> {
    let mut records = listed.values();
    records.find(|record| record.names.contains(name))
}

/// What there is to compare with.
fn look(image: &mut AskedImage, record: Option<&ImageRecord>) {
    image.local = record.and_then(|record| digest_of(record, &image.name));
    image.unknown = match (record, &image.local) {
        (_, Some(_)) => None,
        (None, None) => Some("it is not on this host".to_owned()),
        (Some(_), None) => Some(
            "it was made or tagged on this host: no digest of a registry to compare with"
                .to_owned(),
        ),
    };
}

/// Takes in what a registry said.
fn take(answers: Answers, found: &mut Found, listed: &BTreeMap<String, ImageRecord>) {
    for (name, answer) in answers.images {
        let Some(image) = found.asked.get_mut(&name) else {
            continue;
        };
        match answer {
            Ok(digest) => {
                // One image can have come by several digests: as it is, and by an index that has it.
                let same = record(listed, &name)
                    .is_some_and(|record| digests_of(record, &name).any(|known| known == digest));
                image.moved = !same;
                if same {
                    image.local = Some(digest.clone());
                }
                image.registry = Some(digest);
            }
            Err(why) => {
                found
                    .warnings
                    .push(format!("image {name} not checked: {why}"));
                image.unknown = Some(why);
            }
        }
    }
    if let Some(why) = answers.unreachable {
        let mut names = BTreeSet::new();
        for name in answers.not_asked {
            if let Some(image) = found.asked.get_mut(&name) {
                image.unknown = Some(why.clone());
            }
            names.insert(name);
        }
        let names: Vec<String> = names.into_iter().collect();
        found.warnings.push(format!(
            "images of {} not checked: {why}: {}",
            answers.registry,
            names.join(", ")
        ));
    }
}

/// The deviation of each unit that runs an image whose tag moved.
fn items(image: &AskedImage, units: &BTreeMap<&String, &Unit>) -> Vec<DriftItem> {
    let digest = |digest: &Option<String>| digest.as_deref().map(short).unwrap_or_default();
    let of_unit = |name: &String| {
        let pulls = units.get(name).is_some_and(|unit| unit.pull.is_some());
        let pull = match pulls {
            true => String::new(),
            false => format!("sudo docker pull {} && ", image.name),
        };
        DriftItem {
            kind: DriftKind::Moved,
            resource: ResourceId::new(Kind::Unit, name),
            what: format!(
                "the tag {} moved in the registry: {} here, {} there; {pull}sudo systemctl restart {name} runs it",
                image.name,
                digest(&image.local),
                digest(&image.registry)
            ),
            fixable: false,
        }
    };
    image.units.iter().map(of_unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "r.example.com/app:latest";

    fn asked(digests: &[&str]) -> (Found, BTreeMap<String, ImageRecord>) {
        let record = ImageRecord {
            created: None,
            names: [NAME.to_owned()].into(),
            digests: digests.iter().map(|one| (*one).to_owned()).collect(),
        };
        let mut image = AskedImage {
            name: NAME.into(),
            units: ["web.service".to_owned()].into(),
            ..AskedImage::default()
        };
        look(&mut image, Some(&record));
        let found = Found {
            asked: [(NAME.to_owned(), image)].into(),
            ..Found::default()
        };
        (found, [("sha256:id".to_owned(), record)].into())
    }

    fn answered(digests: &[&str], digest: &str) -> AskedImage {
        let (mut found, listed) = asked(digests);
        let answers = Answers {
            registry: "r.example.com".into(),
            images: [(NAME.to_owned(), Ok(digest.to_owned()))].into(),
            unreachable: None,
            not_asked: Vec::new(),
        };
        take(answers, &mut found, &listed);
        found.asked.remove(NAME).unwrap()
    }

    #[test]
    fn a_tag_moved_where_the_registry_has_a_digest_that_the_image_never_had() {
        let known = [
            "r.example.com/app@sha256:index",
            "r.example.com/app@sha256:one",
        ];
        for digest in ["sha256:one", "sha256:index"] {
            let image = answered(&known, digest);
            assert_eq!((image.moved, image.local.as_deref()), (false, Some(digest)));
        }
        let image = answered(&known, "sha256:other");
        assert!(image.moved);
        let unit = Unit::default();
        let name = "web.service".to_owned();
        let items = items(&image, &[(&name, &unit)].into());
        assert_eq!(
            items[0].what,
            "the tag r.example.com/app:latest moved in the registry: sha256:index here, sha256:other there; \
             sudo docker pull r.example.com/app:latest && sudo systemctl restart web.service runs it"
        );
        // The digest of another registry says nothing of this one.
        assert!(answered(&["other.example.com/app@sha256:one"], "sha256:one").moved);
    }

    #[test]
    fn what_has_no_digest_is_not_asked_for() {
        let (found, _) = asked(&[]);
        let why = found.asked[NAME].unknown.as_deref();
        assert!(why.is_some_and(|why| why.starts_with("it was made or tagged on this host")));
        let mut image = AskedImage::default();
        look(&mut image, None);
        assert_eq!(image.unknown.as_deref(), Some("it is not on this host"));
    }

    #[test]
    fn a_registry_that_cannot_be_reached_is_one_line() {
        let (mut found, listed) = asked(&["r.example.com/app@sha256:one"]);
        let answers = Answers {
            registry: "r.example.com".into(),
            images: BTreeMap::new(),
            unreachable: Some("it cannot be reached: connection refused".into()),
            not_asked: vec![NAME.into()],
        };
        take(answers, &mut found, &listed);
        assert_eq!(
            found.warnings,
            [
                "images of r.example.com not checked: it cannot be reached: connection refused: r.example.com/app:latest"
            ]
        );
        assert!(!found.asked[NAME].moved && found.asked[NAME].unknown.is_some());
    }
}
