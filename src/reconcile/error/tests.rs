//! Words of failed passes.

use super::*;
use crate::effect::{Effect, PullImage};
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
    let text = "could not pull the image app:9 for app.service: not found";
    assert_eq!((error.told(), chain(&error)), (text.into(), text.into()));
    let error = ReconcileError::before_any_change(error);
    assert_eq!(error.told(), format!("{text}; nothing was changed"));
    assert_eq!(chain(&error), text, "as a cause, it says only why");
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

/// A disk that is full before anything was changed, and one that is full behind that.
#[test]
fn a_full_disk_says_what_was_changed() {
    let full = || {
        let root = crate::root::RootError {
            doing: "write",
            path: "/var/lib/watchme-apply/journal".into(),
            source: std::io::ErrorKind::StorageFull.into(),
        };
        ReconcileError::State(StateError::Root(root))
    };
    let error = ReconcileError::before_any_change(full());
    assert_eq!(
        error.told(),
        "could not write /var/lib/watchme-apply/journal; nothing was changed"
    );
    assert_eq!(chain(&error).matches("nothing was changed").count(), 0);
    assert!(error.hint().is_some_and(|hint| hint.starts_with("df -h")));
    let rolled_back = ReconcileError::RolledBack {
        kind: RunKind::Apply,
        cause: Box::new(full()),
    };
    assert!(!rolled_back.told().contains("nothing was changed"));
}

/// `recover` is named only where it has something to undo.
#[test]
fn an_incomplete_roll_back_says_what_helps() {
    let hint = |line: &str, way_on| {
        let incomplete = ReconcileError::Incomplete {
            kind: RunKind::Apply,
            cause: Box::new(ReconcileError::Interrupted("a step".into())),
            left: vec![line.into()],
            way_on,
        };
        incomplete.hint().unwrap()
    };
    let line = "unit/a.service: is not running";
    for (way_on, named, not_named) in [
        (WayOn::Recover, "watchme-apply recover", "drift"),
        (WayOn::Fix, "watchme-apply drift --fix", "recover"),
        (WayOn::Apply, "watchme-apply apply", "drift --fix"),
    ] {
        for line in [line, "the Docker engine does not answer"] {
            let hint = hint(line, way_on);
            assert!(hint.contains(named), "{hint}");
            assert!(!hint.contains(not_named), "{hint}");
        }
    }
    assert!(hint("the Docker engine", WayOn::Fix).starts_with("get the Docker engine running"));
}
