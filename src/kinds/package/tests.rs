//! Plans of packages.

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::{Effect, Plan};
use crate::kinds::tests::{empty_host, lines, planned};
use crate::model::{
    AptPlan, AptRefusal, Desired, Inventory, Observed, Origin, Package, PackageFound, PackageState,
    PackagesState, Recorded,
};

fn desired(packages: &[(&str, Option<&str>)]) -> Desired {
    let package = |(name, version): &(&str, Option<&str>)| {
        let version = version.map(str::to_owned);
        ((*name).to_owned(), Package { version })
    };
    Desired {
        packages: packages.iter().map(package).collect(),
        ..Desired::default()
    }
}

fn found(version: &str, state: PackageState) -> PackageFound {
    PackageFound {
        version: version.to_owned(),
        state,
        essential: false,
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let text = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
    pairs.iter().map(text).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn looked_at(state: PackagesState) -> Observed {
    Observed {
        packages: Some(state),
        ..empty_host()
    }
}

fn text(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter();
    let changes = changes.map(|change| format!("{}: {}", change.words().text, change.why));
    let refusals = plan.refusals.iter().map(|refusal| refusal.why.clone());
    let notes = plan.notes.iter().map(|note| note.text.clone());
    changes.chain(refusals).chain(notes).collect()
}

fn look(state: PackagesState, wanted: &[(&str, Option<&str>)]) -> Vec<String> {
    let plan = planned(&desired(wanted), &looked_at(state), &Recorded::default());
    text(&plan)
}

#[test]
fn what_is_missing_is_installed_with_what_it_needs() {
    let there = [("curl".to_owned(), found("7.88", PackageState::Installed))];
    let install = AptPlan {
        installs: map(&[("nginx", "1.22"), ("nginx-common", "1.22")]),
        upgrades: [("libc6".to_owned(), ("2.35".to_owned(), "2.36".to_owned()))].into(),
        ..AptPlan::default()
    };
    let state = PackagesState {
        there: there.clone().into(),
        install: Some(Ok(install)),
        ..PackagesState::default()
    };
    let wanted = [("curl", None), ("nginx", None)];
    let observed = looked_at(state.clone());
    let plan = planned(&desired(&wanted), &observed, &Recorded::default());
    assert_eq!(
        text(&plan),
        [
            "install nginx 1.22, with nginx-common 1.22; upgrade libc6 2.35 to 2.36: not installed",
            "the rest is planned again, and validated, once they are installed"
        ]
    );
    // What was there before is nobody's to remove.
    assert_eq!(plan.inventory.packages, names(&["nginx"]));
    assert!(matches!(plan.changes[0].effect, Effect::InstallPackages(_)));

    let as_wanted = PackagesState {
        there: there.into(),
        ..PackagesState::default()
    };
    assert_eq!(look(as_wanted.clone(), &[("curl", None)]), [""; 0]);
    assert_eq!(look(as_wanted, &[("curl", Some("7.88"))]), [""; 0]);
    let provided = PackagesState {
        there: [("mta".to_owned(), found("", PackageState::Provided))].into(),
        ..PackagesState::default()
    };
    assert_eq!(look(provided, &[("mta", None)]), [""; 0]);
    // Nobody looked, on an offline root.
    let offline = planned(
        &desired(&wanted),
        &Observed::default(),
        &Recorded::default(),
    );
    assert_eq!(lines(&offline), [""; 0]);
    assert_eq!(
        text(&offline)[0],
        "is installed by an apply on the host when it runs"
    );
}

#[test]
fn what_apt_may_not_do_is_refused() {
    let plan = |plan: AptPlan| PackagesState {
        install: Some(Ok(plan)),
        ..PackagesState::default()
    };
    let said = |outdated| PackagesState {
        install: Some(Err(AptRefusal {
            said: vec!["Unable to locate package a".to_owned()],
            outdated,
        })),
        ..PackagesState::default()
    };
    let removes = AptPlan {
        removes: names(&["b", "c"]),
        ..AptPlan::default()
    };
    let older = AptPlan {
        upgrades: [("a".to_owned(), ("2".to_owned(), "1".to_owned()))].into(),
        downgrades: names(&["a"]),
        ..AptPlan::default()
    };
    let other = AptPlan {
        installs: map(&[("postfix", "3")]),
        ..AptPlan::default()
    };
    let absent = PackagesState {
        absent: Some("there is no apt-get on this host".to_owned()),
        ..PackagesState::default()
    };
    let interrupted = PackagesState {
        interrupted: true,
        ..PackagesState::default()
    };
    for (state, expected) in [
        (plan(removes), "to install a, apt would remove b, c"),
        (plan(older), "apt would replace a 2 by the older 1"),
        (
            plan(other),
            "a is not a package itself: apt would install postfix",
        ),
        (
            plan(AptPlan::default()),
            "apt has nothing to do to install a, and it is not installed",
        ),
        (
            said(false),
            "apt does not install a: Unable to locate package a",
        ),
        (absent, "there is no apt-get on this host"),
        (
            interrupted,
            "dpkg was interrupted, and installs nothing until that is completed",
        ),
    ] {
        assert_eq!(look(state, &[("a", None)]), [expected]);
    }
    assert_eq!(
        look(said(true), &[("a", None)])[..2],
        [
            "apt-get update: load the lists of packages: the package lists of this host do not contain all of them",
            "install a: not installed"
        ]
    );
}

#[test]
fn only_ours_go_and_only_where_nothing_needs_them() {
    let recorded = Recorded {
        inventory: Inventory {
            packages: names(&["app", "base", "gone", "libc6"]),
            ..Inventory::default()
        },
        ..Recorded::default()
    };
    let installed = |name: &str| (name.to_owned(), found("1.0", PackageState::Installed));
    let mut state = PackagesState {
        there: ["app", "base", "libc6"].map(installed).into(),
        remove: [
            ("app".to_owned(), Ok(names(&["app"]))),
            ("base".to_owned(), Ok(names(&["base", "app"]))),
            ("libc6".to_owned(), Ok(names(&["libc6", "everything"]))),
        ]
        .into(),
        ..PackagesState::default()
    };
    let go = |state: &PackagesState| planned(&desired(&[]), &looked_at(state.clone()), &recorded);
    let plan = go(&state);
    assert_eq!(
        text(&plan),
        [
            "uninstall app, base; its configuration stays: left the desired state, and was installed for it",
            "left [packages] and stays installed: everything would be removed with it; apt-mark auto libc6 has it removed with them"
        ]
    );
    assert_eq!(plan.inventory.packages, names(&["libc6"]));
    // One that stays keeps what it needs.
    state
        .remove
        .insert("app".to_owned(), Ok(names(&["app", "plugin"])));
    state.there.get_mut("libc6").unwrap().essential = true;
    assert_eq!(
        text(&go(&state)),
        [
            "left [packages] and stays installed: plugin would be removed with it; apt-mark auto app has it removed with them",
            "left [packages] and stays installed: app would be removed with it; apt-mark auto base has it removed with them",
            "left [packages] and stays installed: the system needs it"
        ]
    );
}

#[test]
fn applied_packages_leave_nothing_to_do() {
    let wanted = desired(&[("app", None), ("base", Some("1.0"))]);
    let (observed, recorded) = crate::kinds::simulated(&wanted, &Origin::default());
    assert_eq!(lines(&planned(&wanted, &observed, &recorded)), [""; 0]);
    let more = desired(&[("app", None), ("base", Some("1.0")), ("new", None)]);
    assert_eq!(
        lines(&planned(&more, &observed, &recorded)),
        ["InstallPackages package/new"]
    );
}
