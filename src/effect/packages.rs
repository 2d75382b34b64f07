//! What apt is asked to do.

use std::collections::BTreeMap;

use crate::model::{Package, list};

/// Packages that are installed together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InstallPackages {
    /// Those that are wanted, each with its version where one is named.
    pub wanted: BTreeMap<String, Option<String>>,
    /// Every package that is not there and comes, with its version; empty where apt could not say.
    pub new: BTreeMap<String, String>,
    /// Packages that are replaced by another version: the one from before and the new one.
    pub upgrades: BTreeMap<String, (String, String)>,
}

impl InstallPackages {
    /// How apt is asked for them.
    pub(crate) fn asked(&self) -> Vec<String> {
        let wanted = self.wanted.iter();
        wanted
            .map(|(name, version)| Package::asked(name, version.as_deref()))
            .collect()
    }

    /// What it does, for people.
    pub(crate) fn words(&self) -> String {
        let wanted = self.wanted.iter().map(|(name, version)| {
            let other = self.upgrades.get(name).map(|(_, new)| new);
            let version = self.new.get(name).or(other).or(version.as_ref());
            version.map_or(name.clone(), |version| format!("{name} {version}"))
        });
        let mut text = format!("install {}", list(wanted));
        let is_along = |name: &String| !self.wanted.contains_key(name);
        let along = self.new.iter().filter(|(name, _)| is_along(name));
        let along = list(along.map(|(name, version)| format!("{name} {version}")));
        if !along.is_empty() {
            text += &format!(", with {along}");
        }
        let upgraded = self.upgrades.iter().filter(|(name, _)| is_along(name));
        let upgraded = list(upgraded.map(|(name, (old, new))| format!("{name} {old} to {new}")));
        if !upgraded.is_empty() {
            text += &format!("; upgrade {upgraded}");
        }
        text
    }
}
