//! The exchange of the store, as a step of a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::draft::change;
use crate::effect::{Change, Effect, Prime, Switch};
use crate::model::{File, Kind, ResourceId, layout};

/// Puts the exchange before the first step that touches a file, where `changes` need one.
pub(super) fn insert(changes: &mut Vec<Change>) {
    let effects = || changes.iter().map(|change| &change.effect);
    let Some(first) = effects().position(touches_files) else {
        return;
    };
    let mut files: BTreeMap<PathBuf, File> = BTreeMap::new();
    let mut keep = BTreeSet::new();
    for effect in effects() {
        if let Effect::Store {
            path,
            file,
            keep: edited,
        } = effect
        {
            files.extend(file.iter().map(|file| (path.clone(), file.clone())));
            keep.extend(edited.then(|| path.clone()));
        }
    }
    let prime: Vec<Prime> = effects()
        .filter_map(|effect| prime(effect, &files))
        .collect();
    let leaves = prime
        .iter()
        .any(|prime| matches!(prime, Prime::Leave { .. }));
    if files.is_empty() && !leaves {
        return;
    }
    let switch = Switch { files, keep, prime };
    let id = ResourceId::new(Kind::File, "store");
    let after_gates = changes.get(first).is_some_and(|first| first.after_gates);
    let why = "all or none";
    let step = Change {
        after_gates,
        ..change(id, Effect::Switch(switch), why)
    };
    changes.insert(first, step);
}

fn touches_files(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Store { .. } | Effect::Link { .. } | Effect::Copy { .. } | Effect::Remove { .. }
    )
}

/// What nginx reads: a link into what comes, or a path that leaves.
fn prime(effect: &Effect, files: &BTreeMap<PathBuf, File>) -> Option<Prime> {
    match effect {
        Effect::Link {
            path,
            target,
            leads_to,
            keep,
        } if path.starts_with(layout::NGINX) => {
            let stored = leads_to.strip_prefix(layout::LIVE).ok()?;
            files.contains_key(stored).then(|| Prime::Link {
                path: path.clone(),
                target: target.clone(),
                leads_to: leads_to.clone(),
                keep: *keep,
            })
        }
        Effect::Remove { path, keep } if path.starts_with(layout::NGINX) => Some(Prime::Leave {
            path: path.clone(),
            keep: *keep,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(effects: Vec<Effect>) -> Vec<Change> {
        let id = || ResourceId::new(Kind::Site, "x");
        effects
            .into_iter()
            .map(|effect| change(id(), effect, ""))
            .collect()
    }

    fn store(path: &str, file: Option<&str>, keep: bool) -> Effect {
        Effect::Store {
            path: path.into(),
            file: file.map(|text| File::new(path, text.as_bytes().to_vec(), false)),
            keep,
        }
    }

    fn link(path: &str, stored: &str) -> Effect {
        Effect::Link {
            path: path.into(),
            target: layout::live(stored),
            leads_to: layout::live(stored),
            keep: false,
        }
    }

    /// The place of the exchange in a plan with these effects, and what it is.
    fn planned(effects: Vec<Effect>) -> Option<(usize, Switch)> {
        let mut changes = changes(effects);
        insert(&mut changes);
        let found = changes.into_iter().enumerate();
        found
            .into_iter()
            .find_map(|(at, change)| match change.effect {
                Effect::Switch(switch) => Some((at, switch)),
                _ => None,
            })
    }

    #[test]
    fn it_comes_before_the_first_file_and_has_all_of_them() {
        let effects = vec![
            Effect::DaemonReload,
            link("/etc/nginx/sites-available/a", "sites-available/a"),
            link("/etc/systemd/system/a.service", "systemd/a.service"),
            link("/etc/nginx/sites-enabled/b", "sites-available/b"),
            store("sites-available/a", Some("new"), true),
            store("systemd/a.service", Some("new"), false),
            store("etc/old", None, false),
        ];
        let (at, switch) = planned(effects).unwrap();
        assert_eq!(at, 1);
        let files: Vec<_> = switch
            .files
            .keys()
            .map(|path| path.to_string_lossy())
            .collect();
        assert_eq!(files, ["sites-available/a", "systemd/a.service"]);
        assert_eq!(switch.keep, BTreeSet::from(["sites-available/a".into()]));
        // The link of b leads to a file that already exists; systemd reads links when it is told to.
        let primed: Vec<_> = switch
            .prime
            .iter()
            .map(|prime| match prime {
                Prime::Link { path, .. } | Prime::Leave { path, .. } => path.to_string_lossy(),
            })
            .collect();
        assert_eq!(primed, ["/etc/nginx/sites-available/a"]);
    }

    #[test]
    fn what_leaves_nginx_needs_one_and_what_is_only_removed_does_not() {
        let remove = |path: &str| Effect::Remove {
            path: path.into(),
            keep: true,
        };
        let (at, switch) = planned(vec![remove("/etc/nginx/sites-enabled/a")]).unwrap();
        let path = "/etc/nginx/sites-enabled/a".into();
        assert_eq!(
            (at, switch.prime),
            (0, vec![Prime::Leave { path, keep: true }])
        );
        assert_eq!(
            planned(vec![
                remove("/etc/app.conf"),
                store("etc/app.conf", None, false)
            ]),
            None
        );
        assert_eq!(planned(vec![Effect::DaemonReload]), None);
    }
}
