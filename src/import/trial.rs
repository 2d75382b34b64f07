//! Takes out of a new checkout what a plan would change on the host, until nothing is left of that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::ImportError;
use super::begin::FOLDER;
use super::found::{Category, Found};
use super::look::Look;
use super::written::write;
use crate::check::{self, Subject};
use crate::effect::{Change, Effect};
use crate::host::ComposeProject;
use crate::model::{DockerState, Entry, Kind, ResourceId, layout};
use crate::reconcile::{Planned, Request, plan};
use crate::source::{Checkout, Revision, Which};

/// Why something is taken out.
type Out = BTreeMap<ResourceId, String>;

/// Writes what was found, and takes out again what a plan would change, until the plan changes nothing that runs and no content.
/// Returns that plan.
pub(super) async fn run(
    look: &Look<'_>,
    request: &Request,
    checkout: &Path,
    found: &mut Found,
) -> Result<Planned, ImportError> {
    let mut compared = BTreeSet::new();
    loop {
        write(checkout, found)?;
        let mut out = Out::new();
        checked(look, checkout, found, &mut out)?;
        if out.is_empty() {
            hashes(look, checkout, found, &mut compared, &mut out)?;
        }
        let mut changes = None;
        if out.is_empty() {
            let planned = plan(look.host, request).await?;
            let all = offending(&planned, found, &mut out);
            if out.is_empty() && all.is_empty() {
                return Ok(planned);
            }
            changes = Some(all);
        }
        let mut dropped = false;
        for (id, why) in &out {
            dropped |= found.drop(id, why);
        }
        if !dropped {
            let what = changes.unwrap_or_else(|| out.values().cloned().collect());
            return Err(ImportError::Remains { what });
        }
    }
}

/// What cannot be read, and what `check` calls an error.
fn checked(
    look: &Look<'_>,
    checkout: &Path,
    found: &Found,
    out: &mut Out,
) -> Result<(), ImportError> {
    let folder = checkout.join(FOLDER);
    let opened = Checkout::open(&folder, &[])?;
    let (revision, wrong) = opened.survey(&Which::Worktree)?;
    for place in &wrong {
        let why = format!("line {}: {}", place.position().line, place.message);
        by_file(found, place.path(), why, out)?;
    }
    if look.docker.is_none() {
        out.extend(in_need_of_an_engine(look, &revision));
    }
    let subject = Subject {
        revision: &revision,
        wrong: &wrong,
    };
    for finding in check::check(&subject) {
        if !finding.is_error() {
            continue;
        }
        let why = format!("check [{}]: {}", finding.rule.name, finding.message());
        match finding.place() {
            Some(place) => {
                let line = place.position().line;
                by_file(found, place.path(), format!("{why} (line {line})"), out)?;
            }
            None => return Err(ImportError::Remains { what: vec![why] }),
        }
    }
    Ok(())
}

/// The units that run containers, where no engine answers: a plan could not say what becomes of them.
fn in_need_of_an_engine(look: &Look<'_>, revision: &Revision) -> Out {
    let units = revision.desired.units.iter();
    let units = units.filter(|(_, unit)| !unit.stacks.is_empty() || !unit.runs.is_empty());
    let state = match look.root().is_there(&look.host.engine_socket()) {
        true => "does not answer: start it",
        false => "is not there: install or start it",
    };
    let why = format!("it runs containers, and the container engine {state}, and import again");
    units
        .map(|(name, _)| (ResourceId::new(Kind::Unit, name), why.clone()))
        .collect()
}

/// Takes out what a file belongs to.
fn by_file(found: &Found, path: &Path, why: String, out: &mut Out) -> Result<(), ImportError> {
    // The infrastructure file and watchme.toml are of several: the one that is named is meant.
    let owner = found.owner_of(path).or_else(|| found.named_in(&why));
    let Some(id) = owner else {
        let what = vec![format!("{}: {why}", path.display())];
        return Err(ImportError::Remains { what });
    };
    out.entry(id).or_insert(why);
    Ok(())
}

/// Asks compose, once for each stack, whether it would leave the containers as they are.
fn hashes(
    look: &Look<'_>,
    checkout: &Path,
    found: &Found,
    compared: &mut BTreeSet<ResourceId>,
    out: &mut Out,
) -> Result<(), ImportError> {
    for taken in &found.taken {
        if taken.kind != Category::Compose || !compared.insert(taken.id.clone()) {
            continue;
        }
        let files = taken.files.iter().filter(|file| !file.private);
        let files: Vec<PathBuf> = files
            .map(|file| checkout.join(FOLDER).join(&file.path))
            .collect();
        let Some(folder) = files.first().and_then(|file| file.parent()) else {
            continue;
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let settings: toml::Table = taken.settings.parse().unwrap_or_default();
        let stacks = settings.get("stack");
        let profiles = stacks.and_then(|all| all.get(&*name)?.get("profiles")?.as_array());
        let profiles = profiles.into_iter().flatten();
        let profiles = profiles.filter_map(|name| name.as_str());
        let profiles: Vec<String> = profiles.map(str::to_owned).collect();
        let project = ComposeProject {
            name: &name,
            folder,
            files: &files,
            profiles: &profiles,
        };
        let hashes = match look.host.compose_hashes(&project)? {
            Ok(hashes) => hashes,
            Err(said) => {
                let why = format!("compose refuses its files: {said}");
                out.insert(taken.id.clone(), why);
                continue;
            }
        };
        let containers = look.docker.iter().flat_map(|docker| &docker.containers);
        for container in containers.filter(|container| !container.oneoff) {
            let Some((project, service)) = &container.compose else {
                continue;
            };
            if *project != *name || hashes.get(service) == container.config_hash.as_ref() {
                continue;
            }
            let mut why = format!(
                "compose would recreate its container {}: its files, its .env or its image changed since it was started, or another version of compose started it",
                container.name
            );
            if !taken.lacks.is_empty() {
                let names: Vec<&str> = taken.lacks.iter().map(String::as_str).collect();
                let names = names.join(", ");
                why = format!("{why}; {names} has no value: was it in a .env that is gone?");
            }
            out.insert(taken.id.clone(), why);
        }
    }
    Ok(())
}

/// What of a plan changes the host other than by taking it over as it is. What belongs to something that was taken is put into
/// `out`; all of it is returned in words.
fn offending(planned: &Planned, found: &Found, out: &mut Out) -> Vec<String> {
    let mut all = Vec::new();
    let mut add = |id: &ResourceId, why: String, all: &mut Vec<String>| {
        all.push(format!("{id}: {why}"));
        if let Some(taken) = found.taken.iter().find(|taken| taken.id == *id) {
            out.entry(taken.id.clone()).or_insert(why);
        }
    };
    for refusal in &planned.plan.refusals {
        add(&refusal.id, refusal.why.clone(), &mut all);
    }
    for change in &planned.plan.changes {
        if let Some(why) = changes(change, planned) {
            add(&change.id, why, &mut all);
        }
    }
    for finding in planned.findings.iter().filter(|finding| finding.is_error()) {
        let why = finding.message().to_owned();
        let owner = finding
            .place()
            .and_then(|place| found.owner_of(place.path()));
        // What is said of no file names the unit or the site.
        match owner.or_else(|| found.named_in(&why)) {
            Some(id) => add(&id, why, &mut all),
            None => all.push(why),
        }
    }
    all
}

/// How a change differs from taking over what is there; `None` where it does not.
fn changes(change: &Change, planned: &Planned) -> Option<String> {
    if layout::OWN_UNITS.contains(&change.id.name.as_str()) {
        return None;
    }
    let rewrites = change.diff.as_ref().is_some_and(|diff| diff.old.is_some());
    let words = || {
        let what = change.words().text;
        format!("an apply would change it: {what} ({})", change.why)
    };
    match &change.effect {
        Effect::Switch(_) | Effect::DaemonReload | Effect::ReloadNginx | Effect::HoldPulls(_) => {
            None
        }
        Effect::Store { .. } if !rewrites => None,
        Effect::Link { path, .. } if !rewrites && may_link(path, change, planned) => None,
        Effect::Start(step) if !change.effect.recreates() && runs(&step.unit, planned) => None,
        _ => Some(words()),
    }
}

/// Whether a link replaces what is there, or is new where nothing reads it.
fn may_link(path: &Path, change: &Change, planned: &Planned) -> bool {
    let is_new = *planned.observed.entry(path) == Entry::Missing;
    let is_stack = change.id.name.starts_with("stack-");
    let is_available = path.parent() == Some(Path::new("/etc/nginx/sites-available"));
    !is_new || is_stack || is_available
}

/// Whether all containers of a stack run already.
fn runs(unit: &str, planned: &Planned) -> bool {
    let unit = planned.desired.units.get(unit);
    let unit = unit.filter(|unit| unit.stack.is_some());
    let (Some(unit), Some(docker)) = (unit, &planned.observed.docker) else {
        return false;
    };
    unit.stacks.iter().all(|stack| {
        let mut services = stack.services.iter();
        services.all(|service| is_up(docker, &stack.project, service))
    })
}

fn is_up(docker: &DockerState, project: &str, service: &str) -> bool {
    docker.containers.iter().any(|container| {
        let compose = container.compose.as_ref();
        container.is_running()
            && compose.is_some_and(|(of, known)| of == project && known == service)
    })
}
