//! Volumes that the containers of Quadlets have, by the names that Podman knows them by; podman-systemd.unit(5).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Read;
use crate::source::unit::docker_call::RunCall;
use crate::source::unit::{Name, Settings};

/// The volumes of the Quadlets of a folder.
pub(super) struct Volumes {
    /// What each `.volume` makes.
    made: BTreeMap<String, String>,
    /// What each `.pod` gives to its containers.
    of_pods: BTreeMap<String, BTreeSet<String>>,
}

impl Volumes {
    pub(super) fn new(read: &[Read]) -> Self {
        let made = read.iter().filter_map(|quadlet| {
            let stem = quadlet.name.strip_suffix(".volume")?;
            Some((quadlet.name.clone(), made(stem, &quadlet.settings)?))
        });
        let mut volumes = Self {
            made: made.collect(),
            of_pods: BTreeMap::new(),
        };
        for quadlet in read {
            if let Some(stem) = quadlet.name.strip_suffix(".pod")
                && let Ok(unit) = Name::parse(&format!("{stem}-pod.service"))
            {
                let own = volumes.own("Pod", &unit, &quadlet.settings);
                volumes.of_pods.insert(quadlet.name.clone(), own);
            }
        }
        volumes
    }

    /// The volumes of what a Quadlet runs.
    pub(super) fn of(&self, quadlet: &str, unit: &Name, settings: &Settings) -> BTreeSet<String> {
        let Some((_, extension)) = quadlet.rsplit_once('.') else {
            return BTreeSet::new();
        };
        match extension {
            "pod" => self.own("Pod", unit, settings),
            "container" => {
                let pod = settings.last("Container", "Pod");
                let of_pod = pod.and_then(|pod| self.of_pods.get(&pod.text));
                let mut all = self.own("Container", unit, settings);
                all.extend(of_pod.into_iter().flatten().cloned());
                all
            }
            _ => BTreeSet::new(),
        }
    }

    fn own(&self, section: &str, unit: &Name, settings: &Settings) -> BTreeSet<String> {
        let values = |key: &str| {
            let values = settings.list(section, key).into_iter();
            values.filter_map(|value| unit.expand(&value.text))
        };
        let volumes = values("Volume").map(|value| ["--volume".to_owned(), value]);
        let mounts = values("Mount").map(|value| ["--mount".to_owned(), value]);
        let mut words: Vec<String> = volumes.chain(mounts).flatten().collect();
        for arguments in values("PodmanArgs") {
            words.extend(arguments.split_whitespace().map(str::to_owned));
        }
        let named = RunCall::read(&words).volumes().into_iter();
        let name = |volume: String| self.made.get(&volume).cloned().unwrap_or(volume);
        named.map(name).collect()
    }
}

/// `systemd-%N` where the Quadlet names none, with the name of its file for `%N`.
fn made(stem: &str, settings: &Settings) -> Option<String> {
    let unit = Name::parse(&format!("{stem}-volume.service")).ok()?;
    match settings.last("Volume", "VolumeName") {
        Some(name) => unit.expand(&name.text),
        None => Some(format!("systemd-{stem}")),
    }
}

/// A volume in the YAML of a `.kube`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Volume {
    persistent_volume_claim: Claim,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Claim {
    claim_name: String,
}

/// A claim has the name of its volume, podman-kube-play(1).
pub(super) fn claimed<'v>(volumes: impl Iterator<Item = &'v Volume>) -> BTreeSet<String> {
    let names = volumes.map(|volume| volume.persistent_volume_claim.claim_name.clone());
    names.filter(|name| !name.is_empty()).collect()
}
