//! What of a plan nginx and systemd can validate before it is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::effect::{Becomes, Candidate, Effect, FileEffect, Plan};
use crate::model::layout::store;
use crate::model::{Checker, Desired, EtcCheck, File, layout};

/// The candidate of a plan for `desired`. `None` when there is nothing to validate: the plan changes
/// no unit's files, and nginx does not load anything.
pub(crate) fn candidate(plan: &Plan, desired: &Desired) -> Option<Candidate> {
    let effects = || plan.changes.iter().map(|change| &change.effect);
    let nginx = effects().any(concerns_nginx);
    let units = units(effects(), desired);
    let etc = etc(effects(), desired);
    let quadlets = !desired.quadlets.is_empty() && effects().any(concerns_quadlets);
    if !nginx && units.is_empty() && etc.is_empty() && !quadlets {
        return None;
    }
    let named = units.iter().filter_map(|name| desired.units.get(name));
    let bound = named
        .flat_map(|unit| &unit.names)
        .filter_map(|path| Some((path.clone(), desired.files.get(path)?.clone())))
        .collect();
    Some(Candidate {
        effects: effects()
            .filter(|effect| !effect.files().is_empty())
            .cloned()
            .collect(),
        sources: sources(desired),
        bound,
        nginx,
        units,
        quadlets,
        etc,
        makes_networks: effects().any(|effect| matches!(effect, Effect::CreateNetwork { .. })),
    })
}

fn concerns_nginx(effect: &Effect) -> bool {
    let of_nginx = |file: &FileEffect<'_>| match file.stored {
        Some(stored) => {
            stored.starts_with(store::SITES)
                || stored.starts_with(Path::new(store::ETC).join("nginx"))
        }
        None => file.path.starts_with(layout::NGINX),
    };
    effect.loads_nginx() || effect.files().iter().any(of_nginx)
}

fn concerns_quadlets(effect: &Effect) -> bool {
    effect.files().iter().any(|file| match file.stored {
        Some(stored) => stored.starts_with(store::QUADLETS),
        None => file.path.starts_with(layout::QUADLETS),
    })
}

/// Files of /etc that change and that somebody can validate.
fn etc<'a>(effects: impl Iterator<Item = &'a Effect>, desired: &Desired) -> Vec<EtcCheck> {
    let files = effects.flat_map(Effect::files);
    let changed: BTreeSet<PathBuf> = files
        .filter(|file| file.stored.is_some() || file.becomes != Becomes::Nothing)
        .filter_map(|file| match file.stored {
            Some(stored) => stored.strip_prefix(store::ETC).ok().map(Path::to_owned),
            None => file.path.strip_prefix("/etc").ok().map(Path::to_owned),
        })
        .collect();
    let found = changed.into_iter().filter_map(|relative| {
        let file = desired.etc.get(&relative)?;
        let checker = Checker::of(&relative);
        (checker.is_some() || file.validate.is_some()).then(|| EtcCheck {
            path: layout::etc(&relative),
            checker,
            validate: file.validate.clone(),
            mode: file.mode,
            owner: file.owner.clone(),
        })
    });
    found.collect()
}

/// Units whose files change, and which are there afterwards.
fn units<'a>(effects: impl Iterator<Item = &'a Effect>, desired: &Desired) -> BTreeSet<String> {
    let mut units = BTreeSet::new();
    for name in effects
        .flat_map(Effect::files)
        .filter_map(|file| unit_of(&file))
    {
        let instances: Vec<&String> = desired
            .units
            .iter()
            .filter(|(_, unit)| unit.template.as_ref() == Some(&name))
            .map(|(instance, _)| instance)
            .collect();
        match instances.is_empty() {
            true if is_there(&name, desired) => drop(units.insert(name)),
            true => {}
            false => units.extend(instances.into_iter().cloned()),
        }
    }
    units
}

fn is_there(name: &str, desired: &Desired) -> bool {
    desired.units.contains_key(name)
        || desired
            .etc
            .contains_key(&Path::new("systemd/system").join(name))
}

/// The unit of which an action changes the file or a drop-in. Links that only enable a unit do
/// not change it.
fn unit_of(file: &FileEffect<'_>) -> Option<String> {
    let relative = match file.stored {
        Some(stored) => stored
            .strip_prefix(store::UNITS)
            .or_else(|_| stored.strip_prefix(Path::new(store::ETC).join("systemd/system")))
            .ok()?,
        None => file.path.strip_prefix(layout::SYSTEMD).ok()?,
    };
    let mut parts = relative.components();
    let first = parts.next()?.as_os_str().to_str()?;
    match parts.next() {
        None => Some(first.to_owned()),
        Some(_) => first.strip_suffix(".d").map(str::to_owned),
    }
}

/// Files of the checkout by where they lie on the host. What is generated is in no checkout.
fn sources(desired: &Desired) -> BTreeMap<PathBuf, File> {
    let stored = desired
        .tree()
        .into_iter()
        .filter(|(_, file)| file.source != Path::new(layout::BIND_DROPIN))
        .map(|(path, file)| (layout::live(path), file));
    let copied = desired
        .etc
        .iter()
        .map(|(path, etc)| (layout::etc(path), etc.file.clone()));
    stored.chain(copied).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Change;
    use crate::model::{DriftKind, Kind, ResourceId, Unit};

    fn plan(actions: &[Effect]) -> Plan {
        let change = |action: &Effect| Change {
            id: ResourceId::new(Kind::Unit, "x"),
            effect: action.clone(),
            why: String::new(),
            diff: None,
            after_gates: false,
            interrupts: BTreeSet::new(),
            drift: DriftKind::Drifted,
        };
        Plan {
            changes: actions.iter().map(change).collect(),
            ..Plan::default()
        }
    }

    fn store(path: &str) -> Effect {
        Effect::Store {
            path: path.into(),
            file: Some(File::new(path, b"x".to_vec(), false)),
            keep: false,
        }
    }

    fn link(path: &str) -> Effect {
        Effect::Link {
            path: path.into(),
            target: "/t".into(),
            leads_to: "/t".into(),
            keep: false,
        }
    }

    fn remove(path: &str) -> Effect {
        Effect::Remove {
            path: path.into(),
            keep: false,
        }
    }

    fn desired(units: &[(&str, Option<&str>)]) -> Desired {
        let unit = |(name, template): &(&str, Option<&str>)| {
            let unit = Unit {
                template: template.map(str::to_owned),
                ..Unit::default()
            };
            ((*name).to_owned(), unit)
        };
        Desired {
            units: units.iter().map(unit).collect(),
            ..Desired::default()
        }
    }

    fn validated(actions: &[Effect], desired: &Desired) -> (bool, Vec<String>) {
        let candidate = candidate(&plan(actions), desired).unwrap_or_default();
        (candidate.nginx, candidate.units.into_iter().collect())
    }

    #[test]
    fn only_what_changes_is_validated() {
        let two = desired(&[("a.service", None), ("b.service", None)]);
        let none: Vec<String> = Vec::new();
        for (actions, expected) in [
            (
                vec![store("systemd/a.service")],
                (false, vec!["a.service".into()]),
            ),
            (
                vec![store("systemd/b.service.d/x.conf"), Effect::DaemonReload],
                (false, vec!["b.service".into()]),
            ),
            (
                vec![remove("/etc/systemd/system/a.service.d/x.conf")],
                (false, vec!["a.service".into()]),
            ),
            (
                vec![link("/etc/nginx/sites-enabled/s")],
                (true, none.clone()),
            ),
            (vec![store("etc/nginx/conf.d/c.conf")], (true, none.clone())),
            (vec![Effect::RestartNginx], (true, none.clone())),
        ] {
            assert_eq!(validated(&actions, &two), expected, "{actions:?}");
        }
    }

    #[test]
    fn nothing_to_validate() {
        let one = desired(&[("a.service", None)]);
        for actions in [
            vec![],
            vec![Effect::DaemonReload],
            // Enabled, not changed.
            vec![link(
                "/etc/systemd/system/multi-user.target.wants/a.service",
            )],
            // Gone afterwards.
            vec![remove("/etc/systemd/system/old.service")],
            vec![store("files/compose.yml"), store("etc/logrotate.d/x")],
        ] {
            assert_eq!(candidate(&plan(&actions), &one), None, "{actions:?}");
        }
    }

    #[test]
    fn a_template_is_validated_by_its_instances() {
        let actions = [store("systemd/w@.service")];
        let both = desired(&[
            ("w@.service", None),
            ("w@1.service", Some("w@.service")),
            ("w@2.service", Some("w@.service")),
        ]);
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).into()).collect() };
        assert_eq!(
            validated(&actions, &both).1,
            names(&["w@1.service", "w@2.service"])
        );
        let alone = desired(&[("w@.service", None)]);
        assert_eq!(validated(&actions, &alone).1, names(&["w@.service"]));
    }
}
