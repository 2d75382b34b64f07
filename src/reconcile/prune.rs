//! One network or volume of the engine goes that the desired state does not have, if nobody uses it.

mod error;

use std::path::PathBuf;

use jiff::Timestamp;

use super::planning::look;
use super::records::history;
use super::rollback::undo::begin;
use super::status::migration::{BUILT_IN, projects, users};
use super::{ReconcileError, Request, Which, confirm, read};
use crate::apply::Progress;
use crate::host::docker::room::Removable;
use crate::host::{Host, diagnosis, observe};
use crate::model::{BackupOf, Container, Desired, DockerState, Outcome, PROJECT_LABEL, RunKind};
use crate::state::State;
pub(crate) use error::{PruneError, Surplus};

/// What would go, for whoever is asked.
#[derive(Debug)]
pub(crate) struct Going {
    /// What it is.
    pub what: Surplus,
    /// What is known of it, a line each.
    pub known: Vec<String>,
    /// How what is in it can be kept.
    pub keep: Option<String>,
}

/// Removes it, if nobody wants or uses it and `agree` says yes. Returns what is to be said of it.
///
/// # Errors
/// When it is wanted, used or not there, or the engine does not remove it.
pub(crate) async fn prune(
    host: &Host,
    request: &Request,
    what: &Surplus,
    agree: &mut dyn FnMut(&Going) -> bool,
    progress: &mut dyn Progress,
) -> Result<String, ReconcileError> {
    if !host.is_live() {
        return Err(PruneError::Offline.into());
    }
    let state = State::new(host.root().clone());
    // Before the question, and again with the lock.
    confirm::demand_none(&state)?;
    let (record, _) = may_go(host, &state, request, what).await?;
    let going = going(host, what, &record).await;
    if !agree(&going) {
        return Err(PruneError::NotAgreed { what: what.clone() }.into());
    }
    let _lock = begin(host, &state, request, progress).await?;
    confirm::admit(host, &state).await?;
    // Somebody may have begun to use it meanwhile.
    let (record, _) = may_go(host, &state, request, what).await?;
    let mut run = history::begin_without(&state, request, RunKind::Prune);
    run.changes = vec![format!("remove {what} ({})", going.known.join("; "))];
    let docker = host.docker().await?;
    let removed = match what {
        Surplus::Network(_) => docker.remove_network(&record.id).await,
        Surplus::Volume(name) => docker.remove_volume(name).await,
    };
    run.time = Timestamp::now();
    let removed = removed.map_err(|error| {
        run.outcome = Outcome::Failed;
        run.reason = Some(observe::said_of(&error));
        ReconcileError::before_any_change(error)
    });
    if let Err(cause) = state.remember(run) {
        super::error::warn("the run is not in the history", &cause, progress);
    }
    removed.map(|()| format!("{what} is removed"))
}

/// What is known of it, where nobody wants or uses it.
async fn may_go(
    host: &Host,
    state: &State,
    request: &Request,
    what: &Surplus,
) -> Result<(Removable, DockerState), ReconcileError> {
    let recorded = look::recorded(state)?;
    let (_, applied) = look::applied(state, &recorded)?;
    if let Some(socket) = &applied.engine {
        host.use_engine(Some(socket));
    }
    let docker = host.docker().await?;
    let everything = |_: &Container| true;
    let seen = docker
        .observe(&[what.name().to_owned()].into(), &everything)
        .await?;
    let record = record(&docker, &seen, what).await?;
    let name = what.name();
    // An apply never removes a volume.
    let inventory = match what {
        Surplus::Network(_) => recorded.inventory.networks.contains(name),
        Surplus::Volume(_) => false,
    };
    // A newer revision may want it already: where that cannot be known, nothing goes.
    let (revision, _) = read(host, request, &Which::Head, &recorded)?;
    let pending = revision.desired;
    let by_applied = wanted(applied, what).or_else(|| of_files(host, applied, &seen, what));
    let by_pending = || {
        let why = wanted(&pending, what).or_else(|| of_files(host, &pending, &seen, what))?;
        Some(format!("{why} (in git, not applied yet)"))
    };
    let by_inventory = || {
        inventory.then(|| {
            "an apply created it, and an apply removes it once it is removed from git".to_owned()
        })
    };
    if let Some(why) = by_applied.or_else(by_pending).or_else(by_inventory) {
        let what = what.clone();
        return Err(PruneError::Wanted { what, why }.into());
    }
    let users = used_by(&seen, what);
    if !users.is_empty() {
        return Err(PruneError::InUse {
            what: what.clone(),
            help: what_frees(&seen, what),
            users,
        }
        .into());
    }
    Ok((record, seen))
}

async fn record(
    docker: &crate::host::docker::Docker,
    seen: &DockerState,
    what: &Surplus,
) -> Result<Removable, ReconcileError> {
    let not_there = |known: Vec<String>| PruneError::NotThere {
        what: what.clone(),
        known,
    };
    let found = match what {
        Surplus::Network(name) => {
            if BUILT_IN.contains(&name.as_str()) {
                return Err(PruneError::BuiltIn { what: what.clone() }.into());
            }
            let known = || {
                let all = seen.networks.keys();
                let all = all.filter(|one| !BUILT_IN.contains(&one.as_str()));
                all.cloned().collect()
            };
            match seen.networks.get(name).map(Vec::as_slice) {
                Some([one]) => docker.network_record(&one.id).await?,
                Some(several) if !several.is_empty() => {
                    return Err(PruneError::Several {
                        name: name.clone(),
                        ids: several.iter().map(|one| one.id.clone()).collect(),
                        command: seen.engine.command(),
                    }
                    .into());
                }
                _ => return Err(not_there(known()).into()),
            }
        }
        Surplus::Volume(name) => match seen.volumes.contains_key(name) {
            true => docker.volume_record(name).await?,
            false => return Err(not_there(seen.volumes.keys().cloned().collect()).into()),
        },
    };
    Ok(found.ok_or_else(|| not_there(Vec::new()))?)
}

/// Who of a desired state wants it.
fn wanted(desired: &Desired, what: &Surplus) -> Option<String> {
    let stacks = || {
        let units = desired.units.iter();
        units.flat_map(|(unit, state)| state.stacks.iter().map(move |stack| (unit, stack)))
    };
    match what {
        Surplus::Network(name) => {
            if desired.networks.contains_key(name) {
                return Some("the desired state has it".to_owned());
            }
            let mut makes = stacks().filter(|(_, stack)| stack.networks.contains_key(name));
            let (unit, _) = makes.next()?;
            Some(format!("the compose project of {unit} has it"))
        }
        Surplus::Volume(name) => {
            if desired.volumes.contains_key(name) {
                return Some("the desired state has it".to_owned());
            }
            let backup = desired.backups.iter().find(|(_, backup)| {
                matches!(&backup.of, BackupOf::Volume { volume, .. } if volume == name)
            });
            if let Some((backup, _)) = backup {
                return Some(format!("backup {backup} is made of it"));
            }
            let mounts = |volumes: &std::collections::BTreeSet<compose_file::VolumeMount>| {
                volumes.iter().any(|mount| mount.volume == *name)
            };
            if let Some((unit, _)) = stacks().find(|(_, stack)| stack.volumes.values().any(mounts))
            {
                return Some(format!("the compose project of {unit} has it"));
            }
            let mut units = desired.units.iter();
            let (unit, _) =
                units.find(|(_, unit)| unit.runs.iter().any(|run| mounts(&run.volumes)))?;
            Some(format!("a container of {unit} mounts it"))
        }
    }
}

/// The unit whose compose files have it, as they are on the host: of those outside the checkout, the records say little.
fn of_files(host: &Host, desired: &Desired, seen: &DockerState, what: &Surplus) -> Option<String> {
    let label = match what {
        Surplus::Network(name) => {
            let found = seen.networks.get(name).and_then(|found| found.first());
            found.and_then(|found| found.labels.get(PROJECT_LABEL).cloned())
        }
        Surplus::Volume(name) => seen.volumes.get(name).map(|volume| volume.project.clone()),
    };
    projects(host, desired)
        .into_iter()
        .find_map(|(running, files)| {
            let (unit, _) = running.unit?;
            let has = match what {
                Surplus::Network(name) => files.makes_network(name),
                Surplus::Volume(name) => files.has_volume(name),
            };
            if has {
                return Some(format!("the compose project of {unit} has it"));
            }
            let why = files
                .wrong
                .filter(|_| label.as_ref() == Some(&files.project))?;
            Some(format!(
                "it is of the compose project of {unit}, whose file cannot be read: {why}"
            ))
        })
}

/// The containers that have it, each with its state.
fn used_by(seen: &DockerState, what: &Surplus) -> Vec<String> {
    let names: Vec<String> = match what {
        Surplus::Network(name) => {
            let mut names: Vec<String> = users(seen, name)
                .into_iter()
                .map(|user| user.name)
                .collect();
            let ids = seen.networks.get(name).into_iter().flatten();
            for id in ids.flat_map(|network| network.endpoints.keys()) {
                let known = seen.containers.iter().find(|one| one.id == *id);
                let name = known.map_or(id, |container| &container.name);
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            names
        }
        Surplus::Volume(name) => {
            let has =
                |container: &&Container| container.volumes.iter().any(|one| one.volume == *name);
            seen.containers
                .iter()
                .filter(has)
                .map(|one| one.name.clone())
                .collect()
        }
    };
    let told = names.into_iter().map(|name| {
        let Some(container) = seen.containers.iter().find(|one| one.name == name) else {
            return name;
        };
        let since = container
            .since
            .map_or_else(String::new, |since| format!(" since {}", day(since)));
        format!("{name} ({}{since})", container.state)
    });
    told.collect()
}

/// The commands that free it.
fn what_frees(seen: &DockerState, what: &Surplus) -> String {
    let command = seen.engine.command();
    match what {
        Surplus::Network(name) => format!(
            "have the compose files of those use another network, and recreate them; or take one off it: sudo {command} network disconnect {name} CONTAINER; watchme-apply status --migration shows what is left to do"
        ),
        Surplus::Volume(_) => format!(
            "it has their data; if the containers are no longer needed: sudo {command} rm CONTAINER, then again"
        ),
    }
}

/// What is known of it: how old and how large it is, and when it was used last.
async fn going(host: &Host, what: &Surplus, record: &Removable) -> Going {
    let made = record.made.map(|made| format!("made {}", day(made)));
    let mut known = vec![format!("driver {}", record.driver)];
    known.extend(made);
    let mut keep = None;
    match what {
        Surplus::Network(_) => known.push(
            "no container is on it, running or stopped; the engine does not record when one last was".to_owned(),
        ),
        Surplus::Volume(name) => {
            known.push(size(host, name).await);
            let newest = record.folder.as_deref().and_then(diagnosis::newest_below);
            known.push(match newest.and_then(|(path, time)| Some((path, Timestamp::try_from(time).ok()?))) {
                Some((path, time)) => format!(
                    "last written {}, according to its newest file: {}",
                    day(time),
                    below(&path, record.folder.as_ref())
                ),
                None => "when it was last written is not known: its files are not on this host".to_owned(),
            });
            keep = record.folder.as_ref().map(|folder| {
                format!(
                    "to keep what is in it: sudo tar -C '{}' -czf {name}.tar.gz . ; docs/backups.md has more",
                    folder.display()
                )
            });
        }
    }
    Going {
        what: what.clone(),
        known,
        keep,
    }
}

async fn size(host: &Host, name: &str) -> String {
    let found = match host.docker().await {
        Ok(docker) => docker.volume_size(name).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(Some(bytes)) => format!("{} according to the engine", bytes_of(bytes)),
        Ok(None) => "the engine does not know its size".to_owned(),
        Err(error) => format!("its size is not known: {}", observe::said_of(&error)),
    }
}

fn below(path: &std::path::Path, folder: Option<&PathBuf>) -> String {
    let rest = folder.and_then(|folder| path.strip_prefix(folder).ok());
    match rest.map(|rest| rest.to_string_lossy().into_owned()) {
        Some(rest) if rest.is_empty() => "the folder itself".to_owned(),
        Some(rest) => rest,
        None => path.to_string_lossy().into_owned(),
    }
}

fn bytes_of(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, unit) in UNITS {
        if bytes >= size {
            let tenths = bytes.saturating_mul(10) / size;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

fn day(time: Timestamp) -> String {
    let zoned = time.to_zoned(jiff::tz::TimeZone::system());
    zoned.strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(bytes_of(12), "12 bytes");
        assert_eq!(bytes_of(1536), "1.5 KiB");
        assert_eq!(bytes_of(3 << 30), "3.0 GiB");
    }
}
