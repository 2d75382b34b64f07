//! Plans of secrets, as tables.

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::Plan;
use crate::kinds::tests::{applied, file, lines, planned, unit};
use crate::model::{
    Desired, Observed, Recorded, Secret, SecretForm, SecretState, Unit, UnitState, layout,
};

fn secret(text: &str) -> Secret {
    Secret {
        file: file("secrets/app.env.age", text),
        form: SecretForm::Age,
        mode: 0o600,
        owner: "root:root".to_owned(),
        identity: layout::HOST_KEY.into(),
    }
}

/// One secret, a unit that uses it, and one that does not.
fn desired(text: &str) -> Desired {
    let user = Unit {
        secrets: BTreeSet::from(["app.env".to_owned()]),
        ..unit("app.service", "app")
    };
    Desired {
        secrets: BTreeMap::from([("app.env".to_owned(), secret(text))]),
        units: BTreeMap::from([
            ("app.service".to_owned(), user),
            ("other.service".to_owned(), unit("other.service", "other")),
        ]),
        ..Desired::default()
    }
}

/// What is planned for `text` on a host with "old", where the look came to `state`.
fn plan(text: &str, state: Option<SecretState>) -> (Plan, Observed, Recorded) {
    let (mut observed, recorded) = applied(&desired("old"));
    observed.secrets = state
        .map(|state| ("app.env".to_owned(), state))
        .into_iter()
        .collect();
    for state in observed.systemd.as_mut().unwrap().units.values_mut() {
        *state = UnitState {
            active: "active".into(),
            ..state.clone()
        };
    }
    (
        planned(&desired(text), &observed, &recorded),
        observed,
        recorded,
    )
}

#[test]
fn a_secret_restarts_who_uses_it_when_its_content_changes() {
    let put = "PutSecret secret/app.env";
    let both = &[put, "Restart unit/app.service"][..];
    for (text, state, expected) in [
        ("old", Some(SecretState::Same), &[][..]),
        ("new", Some(SecretState::Differs), both),
        ("new", Some(SecretState::Missing), both),
        // Somebody edited it, and who runs may have read that.
        ("old", Some(SecretState::Differs), both),
        ("old", Some(SecretState::Missing), &[put]),
        ("old", Some(SecretState::Attributes("mode".into())), &[put]),
        // Encrypted anew.
        ("new", Some(SecretState::Same), &[]),
        // An offline root.
        ("new", Some(SecretState::NotRunning), &[]),
        // Nobody looked.
        ("old", None, &[]),
        ("new", None, both),
        ("old", Some(SecretState::NotCompared), &[]),
        ("new", Some(SecretState::NotCompared), both),
    ] {
        let (plan, ..) = plan(text, state.clone());
        assert_eq!(lines(&plan), expected, "{text} {state:?}");
        assert!(plan.refusals.is_empty(), "{:?}", plan.refusals);
        // Nothing of it is shown, and the store has nothing of it.
        assert!(plan.changes.iter().all(|change| change.diff.is_none()));
        let of_store = |id: &str| id.contains("secrets/");
        assert!(
            plan.inventory
                .paths
                .keys()
                .all(|path| !of_store(&path.to_string_lossy()))
        );
    }
}

#[test]
fn what_cannot_be_decrypted_is_refused_with_what_helps() {
    let state = SecretState::Unusable {
        why: "it is not for this key".into(),
        help: vec!["secret rotate".into()],
    };
    let (plan, ..) = plan("new", Some(state));
    assert_eq!(plan.refusals.len(), 1);
    assert_eq!(
        (plan.refusals[0].why.as_str(), &plan.refusals[0].help[..]),
        (
            "secrets/app.env.age: it is not for this key",
            &["secret rotate".to_owned()][..]
        )
    );
}

#[test]
fn what_left_is_taken_away_after_the_gates() {
    let (_, mut observed, recorded) = plan("old", Some(SecretState::Same));
    let states = [("app.env".to_owned(), SecretState::Unwanted)];
    observed.secrets = BTreeMap::from(states);
    let without = Desired {
        secrets: BTreeMap::new(),
        ..desired("old")
    };
    let plan = planned(&without, &observed, &recorded);
    assert_eq!(lines(&plan), ["RemoveSecret secret/app.env"]);
    assert!(plan.changes[0].after_gates);
}

#[test]
fn a_generation_has_the_encrypted_file_and_the_store_has_none() {
    let desired = desired("old");
    let kept: Vec<_> = desired.inputs().into_iter().map(|(path, _)| path).collect();
    assert!(kept.contains(&"secrets/app.env.age".into()), "{kept:?}");
    assert!(
        desired
            .tree()
            .keys()
            .all(|path| !path.starts_with("secrets"))
    );
}

/// systemd reads environment files for a stop, too.
#[test]
fn a_secret_goes_after_who_used_it() {
    let (mut observed, recorded) = applied(&desired("old"));
    observed.secrets = BTreeMap::from([("app.env".to_owned(), SecretState::Unwanted)]);
    for state in observed.systemd.as_mut().unwrap().units.values_mut() {
        *state = UnitState {
            active: "active".into(),
            ..state.clone()
        };
    }
    let mut without = desired("old");
    without.secrets.clear();
    without.units.remove("app.service");
    let lines = lines(&planned(&without, &observed, &recorded));
    let at = |start: &str| lines.iter().position(|line| line.starts_with(start));
    let (stop, gone) = (at("Stop unit/app.service"), at("RemoveSecret"));
    assert!(stop.is_some() && stop < gone, "{lines:?}");
}
