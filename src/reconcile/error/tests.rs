//! Words of failed passes.

use super::*;
use crate::effect::PullImage;
use crate::model::{Image, Kind, ResourceId};
use crate::plan::draft::change;

#[test]
fn generations_are_listed() {
    let lost = ReconcileError::GenerationLost {
        number: 3,
        folder: "/etc/watchme-apply/generations".into(),
        kept: vec![1, 2],
    };
    assert!(
        lost.hint()
            .is_some_and(|hint| hint.ends_with("; kept are: 1, 2"))
    );
    let none = ReconcileError::NoSuchGeneration {
        number: 9,
        known: Vec::new(),
    };
    assert_eq!(none.to_string(), "there is no generation 9");
}

#[test]
fn a_failed_pull_says_once_why_and_that_nothing_was_changed() {
    let pull = || {
        let image = Image {
            name: "app:9".into(),
            ..Image::default()
        };
        let effect = Effect::Pull(PullImage {
            image,
            unit: "app.service".into(),
            podman: false,
            user: None,
            config: None,
            optional: false,
            timeout: std::time::Duration::ZERO,
        });
        let id = ResourceId::new(Kind::Unit, "app.service");
        change(id, effect, "it is not on this host")
    };
    let failed = || {
        StepError::Host(HostError::PullFailed {
            engine: crate::model::Engine::Docker,
            image: "app:9".into(),
            unit: "app.service".into(),
            user: "root".into(),
            said: vec!["not found".into()],
        })
    };
    let error = ReconcileError::step((pull(), failed()));
    assert_eq!(
        chain(&error),
        "could not pull the image app:9 for app.service: not found; nothing was changed"
    );
    assert!(error.hint().is_some());
    let interrupted = ReconcileError::step((pull(), StepError::Interrupted));
    assert_eq!(
        chain(&interrupted),
        "interrupted by a signal during: pulling the image app:9"
    );
    let rolled_back = ReconcileError::RolledBack {
        kind: RunKind::Apply,
        cause: Box::new(interrupted),
    };
    assert_eq!(
        rolled_back.to_string(),
        "the apply was interrupted and rolled back: the host is as before"
    );
}

/// A full disk, for one: what undoes a step is written down before the step is done.
#[test]
fn a_run_that_failed_before_its_first_record_says_that_nothing_was_changed() {
    let why = || StepError::Interrupted;
    let step = |what: &str| ReconcileError::Step {
        what: what.to_owned(),
        is_unchanged: false,
        source: Box::new(why()),
    };
    assert_eq!(step("site/a (new)").to_string(), "site/a (new) failed");
    assert_eq!(
        step("site/a (new)").with_nothing_changed().to_string(),
        "site/a (new) failed; nothing was changed"
    );
    assert_eq!(
        ReconcileError::Declined.with_nothing_changed().to_string(),
        "not confirmed; nothing was changed"
    );
}
