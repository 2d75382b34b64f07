//! Files below /etc that a program of systemd loads: users, files and folders, kernel parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::effect::{Effect, LoadFiles};
use crate::model::{
    Desired, EtcAction, EtcFile, EtcLoader, Kind, ParameterLine, ResourceId, layout, list,
    parameter_lines, parameter_name,
};
use crate::plan::draft::{Draft, Stage, change};

/// The kernel parameters that the files of a desired state set, with their values: of two files the later name wins,
/// sysctl.d(5).
pub(super) fn parameters(desired: &Desired) -> BTreeMap<String, String> {
    of_kernel(desired)
        .flat_map(|(_, etc)| parameters_of(etc))
        .collect()
}

fn of_kernel(desired: &Desired) -> impl Iterator<Item = (&PathBuf, &EtcFile)> {
    let sysctl = EtcAction::Load(EtcLoader::Sysctl);
    (desired.etc.iter()).filter(move |(_, etc)| etc.action.as_ref() == Some(&sysctl))
}

fn parameters_of(etc: &EtcFile) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(&etc.file.content);
    let set = parameter_lines(&text).filter_map(|(_, line)| match line {
        ParameterLine::Set { name, value } => Some((name, value)),
        ParameterLine::Loose | ParameterLine::Wrong => None,
    });
    set.collect()
}

/// What is to be loaded, by program.
pub(super) struct Loads {
    /// What all files together set.
    wanted: BTreeMap<String, String>,
    planned: BTreeMap<EtcLoader, (ResourceId, String, LoadFiles)>,
}

impl Loads {
    pub(super) fn new(draft: &Draft<'_>) -> Self {
        Self {
            wanted: parameters(draft.desired),
            planned: BTreeMap::new(),
        }
    }

    /// A file, and whether it changes.
    pub(super) fn add(
        &mut self,
        draft: &Draft<'_>,
        loader: EtcLoader,
        id: ResourceId,
        changes: bool,
    ) {
        let relative = Path::new(&*id.name);
        let Some(etc) = draft.desired.etc.get(relative) else {
            return;
        };
        // Without a host there is nobody to load it.
        if draft.observed.program.is_none() || !draft.selects(&id) {
            return;
        }
        let own = match loader {
            EtcLoader::Sysctl => parameters_of(etc),
            EtcLoader::Sysusers | EtcLoader::Tmpfiles => BTreeMap::new(),
        };
        let differs = |name: &&String| {
            let found = draft.observed.parameters.get(*name);
            found.is_some_and(|found| self.wanted.get(*name) != Some(found))
        };
        let (why, names): (_, Vec<&String>) = match changes {
            true => (format!("/etc/{} changed", id.name), own.keys().collect()),
            false => (
                format!("the kernel's values differ from /etc/{}", id.name),
                own.keys().filter(differs).collect(),
            ),
        };
        if !changes && names.is_empty() {
            return;
        }
        let values = names.into_iter().filter_map(|name| {
            let value = self.wanted.get(name)?;
            Some((name.clone(), value.clone()))
        });
        let values: BTreeMap<String, String> = values.collect();
        let path = layout::etc(relative);
        let (_, _, load) = self.planned.entry(loader).or_insert_with(|| {
            let load = LoadFiles {
                loader,
                files: BTreeSet::new(),
                parameters: BTreeMap::new(),
            };
            (id, why, load)
        });
        load.files.insert(path);
        load.parameters.extend(values);
    }

    /// Plans the loads, and says which parameters stay that no file sets any more.
    pub(super) fn plan(self, draft: &mut Draft<'_>) {
        for (_, (id, why, load)) in self.planned {
            draft.change(Stage::Etc, change(id, Effect::Load(load), why));
        }
        let Some(applied) = draft.recorded.desired() else {
            return;
        };
        let gone: Vec<(String, String)> = of_kernel(applied)
            .filter(|(path, _)| !draft.desired.etc.contains_key(*path))
            .map(|(path, etc)| {
                let names = parameters_of(etc).into_keys();
                let left = names.filter(|name| !self.wanted.contains_key(name));
                let left = list(left.map(|name| parameter_name(&name)));
                (path.to_string_lossy().into_owned(), left)
            })
            .filter(|(_, left)| !left.is_empty())
            .collect();
        for (path, left) in gone {
            let id = ResourceId::new(Kind::Etc, &*path);
            if draft.selects(&id) {
                let text = format!(
                    "{left}: the kernel keeps the values of /etc/{path} until the next boot"
                );
                draft.note(id, None, text);
            }
        }
    }
}
