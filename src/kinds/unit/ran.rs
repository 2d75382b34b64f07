//! Back to what ran: where the image of a generation is still on the host, its name leads there again before the unit starts.

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::{Effect, TagImage};
use crate::model::image::{listed_name, short};
use crate::model::{Image, ImageFound, Kind, ResourceId, Unit};
use crate::plan::draft::{Draft, Stage, change};

/// What of a generation's images is brought back.
#[derive(Default)]
pub(super) struct Back {
    /// Names that come to lead to another image, each with the unit that ran it.
    tags: BTreeMap<String, (TagImage, String)>,
    /// Units that must not pull as they start.
    held: BTreeSet<String>,
    /// Images under names so far, moved or not.
    known: BTreeMap<String, String>,
}

impl Back {
    /// Whether a unit starts with what it ran under that name; else the plan goes on as if nothing were on record, and says so.
    pub(super) fn has(
        &mut self,
        draft: &mut Draft<'_>,
        (name, unit): (&str, &Unit),
        image: &Image,
        found: &ImageFound,
    ) -> bool {
        let Some(back_to) = draft.ran else {
            return false;
        };
        let (Some(ran), Some(listed)) = (back_to.of(name, &image.name), listed_name(&image.name))
        else {
            return false;
        };
        let id = ResourceId::new(Kind::Unit, name);
        let known = ran.digest.as_ref().unwrap_or(&ran.id);
        let docker = draft.observed.docker.as_ref();
        let there = docker.and_then(|docker| docker.images.get(&ran.id));
        if !matches!(there, Some(ImageFound::There(_))) {
            let generation = back_to.generation;
            let text = gone(
                (&listed, known),
                generation,
                (unit, found),
                ran.digest.as_deref(),
            );
            draft.note(id, None, text);
            return false;
        }
        if let Some(other) = self.known.get(&listed).filter(|other| **other != ran.id) {
            let text = format!(
                "it ran another image under {listed} than another unit did: it starts with {}, and not with {}",
                short(other),
                short(known)
            );
            draft.note(id.clone(), None, text);
        } else if !matches!(found, ImageFound::There(found) if found.id == ran.id) {
            let tag = TagImage {
                name: listed.clone(),
                image: ran.id.clone(),
                digest: ran.digest.clone(),
            };
            self.tags
                .entry(listed.clone())
                .or_insert((tag, name.to_owned()));
        }
        self.known.entry(listed.clone()).or_insert(ran.id.clone());
        match unit.pull {
            Some(pull) if pull.lasting => {
                let text = format!(
                    "it pulls {listed} by what cannot be left out of its start: it may run what the registry has now"
                );
                draft.note(id, None, text);
            }
            Some(_) => drop(self.held.insert(name.to_owned())),
            None => {}
        }
        true
    }

    /// Says of units that this plan does not start that they run something else than in the generation.
    fn note_others(draft: &mut Draft<'_>) {
        let (Some(back_to), Some(docker)) = (draft.ran, &draft.observed.docker) else {
            return;
        };
        let starting = draft.starting();
        for ran in &back_to.images {
            let mut containers = docker.containers.iter();
            let found = containers.find(|one| one.name == ran.container);
            let Some(other) = found.filter(|one| one.is_running() && one.image_id != ran.id) else {
                continue;
            };
            if starting.contains(&ran.unit) || !draft.desired.units.contains_key(&ran.unit) {
                continue;
            }
            let text = format!(
                "its files do not change, and so {} keeps the image that it runs, {}; in generation {} it ran {}",
                ran.container,
                short(&other.image_id),
                back_to.generation,
                short(&ran.id)
            );
            draft.note(ResourceId::new(Kind::Unit, &ran.unit), None, text);
        }
    }

    /// Plans it: names first, and pulls are held back once systemd has read the units.
    pub(super) fn plan(self, draft: &mut Draft<'_>) {
        Self::note_others(draft);
        let generation = draft.ran.map_or(0, |ran| ran.generation);
        for (tag, unit) in self.tags.into_values() {
            let id = ResourceId::new(Kind::Unit, &unit);
            let why = format!("what {unit} ran in generation {generation}");
            draft.derived(Stage::Images, change(id, Effect::Tag(tag), why));
        }
        if !self.held.is_empty() {
            let id = ResourceId::new(Kind::Unit, "systemd");
            let why = format!(
                "to run what ran in generation {generation}; they pull again at their next start"
            );
            let hold = change(id, Effect::HoldPulls(self.held), why);
            draft.derived(Stage::Manager, hold);
        }
    }
}

/// That an image is not on the host any more, and what runs instead.
fn gone(
    (listed, known): (&str, &str),
    generation: u64,
    (unit, found): (&Unit, &ImageFound),
    digest: Option<&str>,
) -> String {
    let instead = match found {
        ImageFound::There(found) if unit.pull.is_none() => {
            format!("it starts with what {listed} is now, {}", short(&found.id))
        }
        _ => format!("it starts with what the registry has as {listed} now"),
    };
    let help = digest.map_or_else(String::new, |digest| {
        let (repository, _) = crate::model::image::split_tag(listed);
        format!("; to have it back before: docker pull {repository}@{digest}")
    });
    format!(
        "the image {} that it ran in generation {generation} is not on this host any more: {instead}{help}",
        short(known)
    )
}
