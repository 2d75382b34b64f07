//! Back to the images that ran in a generation.

use std::collections::BTreeMap;

use super::{applied, file, planned_back, unit};
use crate::effect::{Effect, Plan};
use crate::model::{
    Container, Desired, Image, ImageFound, ImageState, Pull, RanImage, RanImages, Stack, Unit,
};

const OLD: &str = "sha256:0000000000000000";
const NEW: &str = "sha256:1111111111111111";

fn there(id: &str) -> ImageFound {
    ImageFound::There(ImageState {
        id: id.into(),
        architecture: "amd64".into(),
        runs_here: true,
    })
}

fn web(text: &str, pull: Option<Pull>) -> Desired {
    let image = Image {
        name: "app".into(),
        ..Image::default()
    };
    let stack = Stack {
        project: "web".into(),
        services: ["server".to_owned()].into(),
        images: BTreeMap::from([("server".to_owned(), image)]),
        ..Stack::default()
    };
    let unit = Unit {
        file: Some(file("systemd/web.service", text)),
        stacks: vec![stack],
        pull,
        ..unit("web.service", "")
    };
    Desired {
        units: BTreeMap::from([("web.service".into(), unit)]),
        ..Desired::default()
    }
}

/// What ran in generation 3.
fn ran() -> RanImages {
    RanImages {
        generation: 3,
        images: vec![RanImage {
            container: "web".into(),
            unit: "web.service".into(),
            image: "app:latest".into(),
            id: OLD.into(),
            digest: Some("sha256:2222222222222222".into()),
            ..RanImage::default()
        }],
    }
}

/// The plan back, where these images are on the host by name or id.
fn back(pull: Option<Pull>, images: &[(&str, ImageFound)]) -> Plan {
    let (mut observed, recorded) = applied(&web("new", pull));
    let docker = observed.docker.as_mut().unwrap();
    let images = images.iter();
    docker.images = images
        .map(|(name, found)| ((*name).to_owned(), found.clone()))
        .collect();
    planned_back(&web("old", pull), &observed, &recorded, Some(&ran()))
}

/// What of a plan is about images.
fn about_images(plan: &Plan) -> Vec<String> {
    let is_about = |effect: &Effect| {
        matches!(
            effect,
            Effect::Pull(_) | Effect::Tag(_) | Effect::HoldPulls(_)
        )
    };
    let changes = plan
        .changes
        .iter()
        .filter(|change| is_about(&change.effect));
    changes
        .map(|change| format!("{} ({})", change.words().text, change.why))
        .collect()
}

fn pulls(lasting: bool) -> Option<Pull> {
    Some(Pull {
        optional: true,
        lasting,
    })
}

#[test]
fn a_name_leads_to_what_ran_before_its_unit_starts() {
    let tagged =
        "tag app:latest as sha256:222222222222 again (what web.service ran in generation 3)";
    let held = "start web.service without pulling (to run what ran in generation 3; they pull again at their next start)";
    let moved = [("app", there(NEW)), (OLD, there(OLD))];
    assert_eq!(about_images(&back(None, &moved)), [tagged]);
    assert_eq!(about_images(&back(pulls(false), &moved)), [tagged, held]);
    let missing = [("app", ImageFound::Missing), (OLD, there(OLD))];
    assert_eq!(about_images(&back(None, &missing)), [tagged]);
    let same = [("app", there(OLD)), (OLD, there(OLD))];
    assert_eq!(about_images(&back(None, &same)), [""; 0]);
    assert_eq!(about_images(&back(pulls(false), &same)), [held]);
    let plan = back(pulls(true), &moved);
    assert_eq!(about_images(&plan), [tagged]);
    assert!(
        plan.notes[0].text.contains("cannot be left out"),
        "{:?}",
        plan.notes
    );
}

#[test]
fn what_runs_instead_of_an_image_that_is_gone_is_said() {
    let plan = back(None, &[("app", there(NEW)), (OLD, ImageFound::Missing)]);
    assert_eq!(about_images(&plan), [""; 0]);
    assert_eq!(
        plan.notes[0].text,
        "the image sha256:222222222222 that it ran in generation 3 is not on this host any more: it starts with what app:latest \
         is now, sha256:111111111111; to have it back before: docker pull app@sha256:2222222222222222"
    );
    let plan = back(
        None,
        &[("app", ImageFound::Missing), (OLD, ImageFound::Missing)],
    );
    assert_eq!(about_images(&plan), ["pull app (it is not on this host)"]);
    assert!(
        plan.notes[0]
            .text
            .contains("it starts with what the registry has as app:latest now"),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_unit_that_is_not_started_keeps_its_image_and_that_is_said() {
    let desired = web("same", None);
    let (mut observed, recorded) = applied(&desired);
    let docker = observed.docker.as_mut().unwrap();
    docker.containers.push(Container {
        name: "web".into(),
        image: "app:latest".into(),
        image_id: NEW.into(),
        state: "running".into(),
        ..Container::default()
    });
    let plan = planned_back(&desired, &observed, &recorded, Some(&ran()));
    assert_eq!(plan.changes, []);
    assert_eq!(
        plan.notes[0].text,
        "its files do not change, and so web keeps the image that it runs, sha256:111111111111; in generation 3 it ran sha256:000000000000"
    );
}
