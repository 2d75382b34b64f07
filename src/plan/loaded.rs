//! What the daemons have loaded, by our own record of the last proved (re)load.
//!
//! `NeedDaemonReload` and modification times only add suspicion: after an exchange back to an
//! older file systemd says `no`, and a worker that was respawned is newer than its files.

mod mounts;
mod outside;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::Inputs;
use crate::model::{
    Desired, Entry, File, Hash, Kind, LoadedDaemon, Observed, ResourceId, SystemdState, Unit,
    UnitState, layout,
};
pub(crate) use mounts::mounts_hash;
pub(crate) use outside::{gone, may_differ_outside_git, outside_hashes};

/// A unit that is wanted, and how systemd has it.
#[derive(Clone, Copy)]
pub(crate) struct OnHost<'a> {
    pub name: &'a str,
    pub unit: &'a Unit,
    pub state: &'a UnitState,
}

impl OnHost<'_> {
    pub(crate) fn id(&self) -> ResourceId {
        ResourceId::new(Kind::Unit, self.name)
    }
}

/// Hash of everything that systemd reads: units, drop-ins and the links that enable them.
pub(crate) fn systemd_hash(desired: &Desired) -> Hash {
    let mut parts: Vec<String> = Vec::new();
    for (path, file) in desired.tree() {
        if path.starts_with(layout::store::UNITS) || path.starts_with(layout::store::QUADLETS) {
            parts.push(path.to_string_lossy().into_owned());
            parts.push(file.hash.to_string());
        }
    }
    let links = desired.units.values().flat_map(|unit| &unit.install.links);
    parts.extend(links.map(|link| link.to_string_lossy().into_owned()));
    Hash::of_parts(parts.iter().map(String::as_bytes))
}

/// Hash of everything that nginx reads: sites, which are enabled, and files below /etc/nginx.
pub(crate) fn nginx_hash(desired: &Desired) -> Hash {
    let sites = desired.sites.iter().filter(|(_, site)| site.enabled);
    let sites = sites.map(|(name, site)| (Cow::from(name), &site.file));
    let etc = desired.etc.iter();
    let etc = etc.filter(|(path, _)| path.starts_with("nginx"));
    let etc = etc.map(|(path, etc)| (path.to_string_lossy(), &etc.file));
    let files: Vec<(Cow<'_, str>, &File)> = sites.chain(etc).collect();
    let parts = files.iter();
    Hash::of_parts(parts.flat_map(|(name, file)| [name.as_bytes(), file.hash.as_str().as_bytes()]))
}

/// Hash of everything that a unit is started with: its file or template, its drop-ins, and the
/// files that it names, those outside git as they are on the host.
pub(crate) fn unit_hash(desired: &Desired, observed: &Observed, unit: &Unit) -> Hash {
    let template = template_of(desired, unit);
    let file = own_file(desired, unit);
    let mut parts: Vec<&[u8]> = Vec::new();
    let started_with = file.map(|file| match unit.stack {
        Some(_) => service_of_stack(file),
        None => file.hash.clone(),
    });
    parts.extend(started_with.iter().map(|hash| hash.as_str().as_bytes()));
    // What a stack builds is built again when it changes. Units that a person wrote build when and how they say.
    let built = unit.stacks.iter().filter(|_| unit.stack.is_some());
    let contexts = built.flat_map(|stack| stack.contexts.values());
    parts.extend(contexts.map(|hash| hash.as_str().as_bytes()));
    let dropins = template
        .into_iter()
        .chain([unit])
        .flat_map(|unit| &unit.dropins);
    for (name, file) in dropins {
        parts.push(name.as_bytes());
        parts.push(file.hash.as_str().as_bytes());
    }
    let made_of = made_of(desired, unit);
    for (path, file) in &made_of {
        parts.push(path.as_os_str().as_encoded_bytes());
        parts.push(file.hash.as_str().as_bytes());
    }
    let quadlet = unit
        .quadlet
        .as_ref()
        .and_then(|name| desired.quadlets.get(name));
    let in_checkout = quadlet
        .into_iter()
        .flat_map(|quadlet| quadlet.in_checkout(desired));
    parts.extend(in_checkout.map(|hash| hash.as_str().as_bytes()));
    for path in &unit.names {
        if let Some(file) = desired.files.get(path) {
            parts.push(path.as_os_str().as_encoded_bytes());
            parts.push(file.hash.as_str().as_bytes());
        }
    }
    for path in &unit.watched {
        if let Some(content) = observed.content(path) {
            parts.push(path.as_os_str().as_encoded_bytes());
            parts.push(content);
        }
    }
    Hash::of_parts(parts)
}

fn template_of<'a>(desired: &'a Desired, unit: &Unit) -> Option<&'a Unit> {
    desired.units.get(unit.template.as_ref()?)
}

/// The file of a unit, or of its template.
fn own_file<'a>(desired: &'a Desired, unit: &'a Unit) -> Option<&'a File> {
    let of_template = || template_of(desired, unit)?.file.as_ref();
    unit.file.as_ref().or_else(of_template)
}

/// Hash of what a stack's unit runs: what comes before in its generated file is its order among other units, for which
/// systemd only has to read it again.
fn service_of_stack(file: &File) -> Hash {
    let section = b"[Service]".as_slice();
    let mut windows = file.content.windows(section.len());
    let at = windows.position(|window| window == section);
    Hash::of(&file.content[at.unwrap_or(0)..])
}

/// The files of the Quadlet of which a unit is made, each where Podman reads it.
fn made_of<'a>(desired: &'a Desired, unit: &Unit) -> Vec<(PathBuf, &'a File)> {
    let name = unit.quadlet.as_deref().unwrap_or_default();
    let quadlet = desired.quadlets.get(name);
    quadlet.map_or_else(Vec::new, |quadlet| quadlet.reads(name, desired))
}

/// Why systemd has not read the units as desired; `None` when it has.
pub(crate) fn unread_units(inputs: &Inputs<'_>, systemd: &SystemdState) -> Option<String> {
    for (name, unit) in &inputs.desired.units {
        let state = systemd.units.get(name);
        if state.is_some_and(|state| state.need_reload) {
            return Some(format!("{name} changed on disk since systemd read it"));
        }
        if (unit.file.is_some() || unit.quadlet.is_some())
            && !name.contains("@.")
            && state.is_some_and(|state| state.load == "not-found")
        {
            return Some(format!("systemd does not know {name}"));
        }
    }
    let loaded = is_loaded(
        inputs,
        inputs.recorded.loaded.systemd.as_ref(),
        &systemd.identity,
        systemd.started,
        &systemd_hash(inputs.desired),
    );
    let managed = !inputs.desired.units.is_empty();
    (managed && !loaded).then(|| "systemd has not loaded the current units".to_owned())
}

/// Whether a daemon has loaded what hashes to `wanted`. One that started anew after the last
/// switch has read what is on the disk, which the other comparisons look at.
pub(crate) fn is_loaded(
    inputs: &Inputs<'_>,
    record: Option<&LoadedDaemon>,
    identity: &str,
    started: Option<jiff::Timestamp>,
    wanted: &Hash,
) -> bool {
    match record {
        Some(record) if record.identity == identity => record.hash == *wanted,
        _ => match (started, inputs.recorded.loaded.switched) {
            (Some(started), Some(switched)) => started > switched,
            _ => inputs.recorded.applied.is_none(),
        },
    }
}

/// Whether a running unit runs with files other than the desired ones, or with files outside the checkout that changed
/// since, and why.
pub(crate) fn is_outdated(inputs: &Inputs<'_>, of: OnHost<'_>) -> Option<String> {
    let why = differs(inputs, of).or_else(|| {
        let path = outside::changed_outside(inputs, of)?;
        Some(format!("it names {}, which changed", path.display()))
    });
    why.or_else(|| changed_secret(inputs, of.unit))
}

/// A secret that a unit uses and that gets another content.
pub(crate) fn changed_secret(inputs: &Inputs<'_>, unit: &Unit) -> Option<String> {
    let mut secrets = unit.secrets.iter();
    let name = secrets.find(|name| inputs.changes_secret(name))?;
    Some(format!("it uses the secret {name}, which changed"))
}

fn differs(inputs: &Inputs<'_>, of: OnHost<'_>) -> Option<String> {
    let OnHost { name, unit, state } = of;
    // What this user may not read cannot be compared.
    let unreadable = |path: &PathBuf| *inputs.observed.entry(path) == Entry::Unreadable;
    if unit.watched.iter().any(unreadable) {
        return None;
    }
    let doubtful = inputs.recorded.loaded.doubtful.get(name);
    if doubtful.is_some_and(|run| run.is_empty() || *run == state.invocation) {
        return Some("a run that could not be undone left it with other files".to_owned());
    }
    let wanted = unit_hash(inputs.desired, inputs.observed, unit);
    if let Some(record) = inputs.recorded.loaded.units.get(name) {
        let same_run = record.invocation == state.invocation;
        if record.hash == wanted && same_run {
            return mounts::outdated(inputs, name, unit, record);
        }
        // Who started it anew since gave it what was applied, as far as that lay there.
        if same_run || !(was_applied(inputs, name, &wanted) || lay_there(inputs, name, unit)) {
            let changed =
                mounts::changed(inputs, name, unit).or_else(|| changed_names(inputs, unit));
            return Some(changed.unwrap_or_else(|| "its files changed".to_owned()));
        }
    }
    files_as_desired(inputs, of)
}

/// Whether a unit's files are those of the revision that was applied last.
fn was_applied(inputs: &Inputs<'_>, name: &str, wanted: &Hash) -> bool {
    inputs.recorded.desired().is_some_and(|applied| {
        let unit = applied.units.get(name);
        unit.is_some_and(|unit| unit_hash(applied, inputs.observed, unit) == *wanted)
    })
}

/// Whether what is wanted of a unit differs from what was applied only in files that were edited on the host, and that git
/// has now, too: whoever started the unit anew since may have given it those.
fn lay_there(inputs: &Inputs<'_>, name: &str, unit: &Unit) -> bool {
    inputs.recorded.unit(name).is_some_and(|applied| {
        let is_written = |unit: &Unit| unit.stack.is_none() && unit.quadlet.is_none();
        is_written(unit)
            && is_written(applied)
            && applied.template == unit.template
            && applied.names == unit.names
            && (applied.dropins.iter())
                .all(|(name, _)| unit.dropins.iter().any(|(wanted, _)| wanted == name))
            && !changes_files(inputs, name, unit)
    })
}

/// Whether other bytes come to stand where a unit reads.
pub(crate) fn changes_files(inputs: &Inputs<'_>, name: &str, unit: &Unit) -> bool {
    reads(inputs, name, unit).any(|(path, file)| {
        inputs
            .observed
            .content(&path)
            .is_none_or(|content| **content != *file.content)
    })
}

/// Of a unit that others started: what it runs with follows from what stood where it reads,
/// and from when it started. Returns what differs.
fn files_as_desired(inputs: &Inputs<'_>, of: OnHost<'_>) -> Option<String> {
    for (path, file) in reads(inputs, of.name, of.unit) {
        match inputs.observed.content(&path) {
            Some(content) if **content == *file.content => {}
            Some(_) => return Some(format!("{} changed", path.display())),
            None => return Some(format!("{} is new", path.display())),
        }
        if !is_adopted(inputs, of.name) && is_newer(inputs, &path, of.state) {
            return Some(format!("{} is newer than its start", path.display()));
        }
    }
    None
}

/// Whether a unit is new to this program: nothing is on record of it, and none of its files is ours.
fn is_adopted(inputs: &Inputs<'_>, name: &str) -> bool {
    let recorded = inputs.recorded;
    let made_of = inputs.desired.units.get(name);
    let made_of = made_of.and_then(|unit| unit.quadlet.as_deref());
    let own = made_of.map_or_else(|| layout::unit(name), layout::quadlet);
    !recorded.loaded.units.contains_key(name) && !recorded.inventory.paths.contains_key(&own)
}

/// Whether what is at `path` was changed after a unit started.
fn is_newer(inputs: &Inputs<'_>, path: &Path, state: &UnitState) -> bool {
    let modified = inputs.observed.modified(path);
    modified
        .zip(state.started)
        .is_some_and(|(file, unit)| file > unit)
}

/// Of a unit that is adopted as it runs, a file that changed after its start. Adopting restarts nothing: whether the
/// unit runs with an older version of that file only its owner knows.
pub(crate) fn newer_at_adoption(inputs: &Inputs<'_>, of: OnHost<'_>) -> Option<PathBuf> {
    if !is_adopted(inputs, of.name) {
        return None;
    }
    let own = reads(inputs, of.name, of.unit).map(|(path, _)| path);
    let mut paths = own.chain(of.unit.outside.iter().cloned());
    paths.find(|path| is_newer(inputs, path, of.state))
}

/// The files of a unit, each where it is read.
fn reads<'a>(
    inputs: &Inputs<'a>,
    name: &str,
    unit: &'a Unit,
) -> impl Iterator<Item = (PathBuf, &'a File)> {
    let (desired, observed) = (inputs.desired, inputs.observed);
    let own = layout::unit(unit.template.as_deref().unwrap_or(name));
    let own = own_file(desired, unit).map(|file| (own, file));
    let owner = name.to_owned();
    let dropins = unit.dropins.iter();
    let dropins = dropins.map(move |(dropin, file)| (layout::dropin(&owner, dropin), file));
    let named = unit.names.iter().filter_map(move |path| {
        let file = desired.files.get(path)?;
        let stored = layout::live(Path::new(layout::store::FILES).join(&file.source));
        let read = match observed.content(&stored) {
            Some(_) => stored,
            None => path.clone(),
        };
        Some((read, file))
    });
    let made_of = made_of(desired, unit).into_iter();
    own.into_iter().chain(made_of).chain(dropins).chain(named)
}

/// A file that the unit names and whose content is another than the applied one.
fn changed_names(inputs: &Inputs<'_>, unit: &Unit) -> Option<String> {
    let applied = inputs.recorded.desired()?;
    let mut changed = unit.names.iter().filter(|path| {
        let hash = |desired: &Desired| desired.files.get(*path).map(|file| file.hash.clone());
        !path.starts_with(layout::LIVE) && hash(inputs.desired) != hash(applied)
    });
    let path = changed.next()?;
    Some(format!("it names {}, which changed", path.display()))
}
