//! Packages of the distribution: apt installs those that are missing, and those that it installed for this program go with it.

pub(crate) mod data;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, ResourceKind, Unwanted};
use crate::effect::{Effect, InstallPackages};
use crate::model::{
    AptPlan, AptRefusal, Desired, Kind, Package, PackageFound, PackageState, PackagesState,
    ResourceId, Selector, Watch, WatchedPackages, joined, list,
};
use crate::plan::draft::{Draft, Stage, change};

/// The name of a step that is about several.
const ALL: &str = "apt";

/// The kind `package`.
pub(crate) struct Packages;

impl ResourceKind for Packages {
    fn paths(&self, _: &Desired, _: &mut Watch) {}

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        let selects = |name: &str| Selector::any(asked.only, &id(name));
        let wanted = asked.desired.packages.iter();
        let wanted = wanted.filter(|(name, _)| selects(name));
        let wanted: BTreeMap<_, _> = wanted
            .map(|(name, package)| (name.clone(), package.version.clone()))
            .collect();
        let ours = asked.recorded.inventory.packages.iter();
        let leaving = ours.filter(|name| !asked.desired.packages.contains_key(*name));
        let leaving: BTreeSet<_> = leaving.filter(|name| selects(name)).cloned().collect();
        if !wanted.is_empty() || !leaving.is_empty() {
            watch.packages = Some(WatchedPackages { wanted, leaving });
        }
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        let desired = draft.desired;
        if desired.packages.is_empty() {
            return;
        }
        let Some(state) = &draft.observed.packages else {
            note_offline(draft);
            return;
        };
        let packages = desired.packages.iter().filter(|(name, package)| {
            draft.selects(&id(name)) && why(state, name, package).is_some()
        });
        let missing: BTreeMap<&String, &Package> = packages.collect();
        let Some((first, package)) = missing.first_key_value() else {
            return;
        };
        let why = match missing.len() {
            1 => why(state, first, package).unwrap_or_default(),
            _ => "not installed, or not as named".to_owned(),
        };
        let step = step(missing.len(), first);
        if let Some(absent) = &state.absent {
            let help = "take [packages] out of watchme.toml; it is for hosts with dpkg and apt";
            draft.refuse(step, absent.clone(), vec![help.to_owned()]);
            return;
        }
        if state.interrupted {
            let why = "dpkg was interrupted, and installs nothing until that is completed";
            draft.refuse(step, why, vec!["dpkg --configure -a".to_owned()]);
            return;
        }
        let wanted = missing.iter();
        let wanted = wanted.map(|(name, package)| ((*name).clone(), package.version.clone()));
        let mut install = InstallPackages {
            wanted: wanted.collect(),
            ..InstallPackages::default()
        };
        match &state.install {
            Some(Ok(plan)) => match refusal(plan, &install) {
                Some((why, help)) => return draft.refuse(step, why, vec![help]),
                None => {
                    install.new.clone_from(&plan.installs);
                    install.upgrades.clone_from(&plan.upgrades);
                }
            },
            Some(Err(AptRefusal { outdated: true, .. })) => {
                let why = "the package lists of this host do not contain all of them";
                let update = change(id(ALL), Effect::UpdatePackageLists, why);
                draft.derived(Stage::Packages, update);
            }
            Some(Err(AptRefusal { said, .. })) => {
                let asked = install.asked().join(" ");
                let why = format!("apt does not install {asked}: {}", said.join("; "));
                let help =
                    format!("apt-get -s install {asked}; apt-cache policy {asked}; apt-get update");
                return draft.refuse(step, why, vec![help]);
            }
            None => {}
        }
        if !state.simulated && draft.desired.ids().len() > missing.len() {
            let text = "the rest is planned again, and validated, once they are installed";
            draft.note(step.clone(), None, text);
        }
        let effect = Effect::InstallPackages(install);
        draft.derived(Stage::Packages, change(step, effect, why));
    }

    fn retire(&self, draft: &mut Draft<'_>, _: &mut Unwanted) {
        let Some(state) = &draft.observed.packages else {
            return;
        };
        let ours = draft.recorded.inventory.packages.iter();
        let leaving = ours.filter(|name| !draft.desired.packages.contains_key(*name));
        let leaving = leaving.filter(|name| draft.selects(&id(name)));
        let there = leaving.filter_map(|name| Some((name.clone(), state.there.get(name)?.clone())));
        let mut gone: BTreeMap<String, PackageFound> = there.collect();
        if state.interrupted || state.absent.is_some() {
            return;
        }
        loop {
            let stays = gone
                .keys()
                .find_map(|name| Some((name.clone(), needed(state, name, &gone)?)));
            let Some((name, why)) = stays else {
                break;
            };
            gone.remove(&name);
            let text = format!("left [packages] and stays installed: {why}");
            draft.note(id(&name), None, text);
        }
        let (Some((first, _)), count) = (gone.first_key_value(), gone.len()) else {
            return;
        };
        let step = step(count, first);
        let versions = gone.into_iter().map(|(name, found)| (name, found.version));
        let effect = Effect::RemovePackages(versions.collect());
        let why = "left the desired state, and was installed for it";
        draft.derived(Stage::Uninstall, change(step, effect, why));
    }
}

fn id(name: &str) -> ResourceId {
    ResourceId::new(Kind::Package, name)
}

/// What a step is about: the one package, or all of them.
fn step(count: usize, first: &str) -> ResourceId {
    match count {
        1 => id(first),
        _ => id(ALL),
    }
}

/// On an offline root nothing can be installed.
fn note_offline(draft: &mut Draft<'_>) {
    let applied = draft.recorded.desired();
    for (name, package) in &draft.desired.packages {
        if applied.is_none_or(|applied| applied.packages.get(name) != Some(package)) {
            let text = "is installed by an apply on the host when it runs";
            draft.note(id(name), None, text);
        }
    }
}

/// Why a package has to be installed; `None`: it is as wanted.
fn why(state: &PackagesState, name: &str, package: &Package) -> Option<String> {
    let Some(found) = state.there.get(name) else {
        return Some("not installed".to_owned());
    };
    match (&found.state, &package.version) {
        (PackageState::Broken(how), _) => Some(format!("dpkg has it {how}")),
        (PackageState::Provided, Some(_)) => Some("only provided by another package".to_owned()),
        (PackageState::Installed, Some(version))
            if !state.simulated && *version != found.version =>
        {
            Some(format!("version {} is installed", found.version))
        }
        _ => None,
    }
}

/// Why what apt would do is not done, and what helps.
fn refusal(plan: &AptPlan, install: &InstallPackages) -> Option<(String, String)> {
    let asked = install.asked().join(" ");
    let look = format!("apt-get -s install {asked}");
    if !plan.removes.is_empty() {
        let why = format!(
            "to install {asked}, apt would remove {}",
            list(&plan.removes)
        );
        let gone = joined(&plan.removes, " ");
        let help = format!("if it can be removed, remove it first: apt-get remove {gone}; {look}");
        return Some((why, help));
    }
    if !plan.downgrades.is_empty() {
        let versions = plan.upgrades.iter();
        let versions = versions.filter(|(name, _)| plan.downgrades.contains(*name));
        let versions =
            versions.map(|(name, (old, new))| format!("{name} {old} by the older {new}"));
        let why = format!("apt would replace {}", list(versions));
        return Some((why, format!("name another version in [packages]; {look}")));
    }
    let comes =
        |name: &String| plan.installs.contains_key(name) || plan.upgrades.contains_key(name);
    let virtual_one = install.wanted.keys().find(|name| !comes(name))?;
    let offers = list(plan.installs.keys());
    let why = match offers.is_empty() {
        true => format!("apt has nothing to do to install {virtual_one}, and it is not installed"),
        false => format!("{virtual_one} is not a package itself: apt would install {offers}"),
    };
    let help = format!("name the package in [packages]; apt-cache showpkg {virtual_one}");
    Some((why, help))
}

/// Why a package cannot go together with those others; `None`: it can.
fn needed(
    state: &PackagesState,
    name: &str,
    gone: &BTreeMap<String, PackageFound>,
) -> Option<String> {
    if gone.get(name)?.essential {
        return Some("the system needs it".to_owned());
    }
    match state.remove.get(name) {
        Some(Err(said)) => Some(format!("apt does not remove it: {}", said.join("; "))),
        Some(Ok(with)) => {
            let others = list(with.iter().filter(|other| !gone.contains_key(*other)));
            (!others.is_empty()).then(|| {
                format!("{others} would be removed with it; apt-mark auto {name} has it removed with them")
            })
        }
        None if state.simulated => None,
        None => Some("apt was not asked".to_owned()),
    }
}
