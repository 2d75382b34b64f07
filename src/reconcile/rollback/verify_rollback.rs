//! Whether a host that was rolled back is as it was: "rolled back" is said only after looking.

mod containers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::host::Host;
use crate::kinds;
use crate::model::{Entry, NginxState, Observed, SecretState, SystemdState, UnitState};
use crate::reconcile::Planned;
use crate::state::Undo;
use containers::{additional, containers, memberships};

/// How long what was rolled back has to come up.
const COMES_BACK: Duration = Duration::from_secs(60);
/// How long it is looked at whether it stays up, at least.
const STAYS: Duration = Duration::from_secs(3);
/// How often it is looked at meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A way in which the host is not as it was.
struct Difference {
    text: String,
    /// Whether it may go by itself: something is not up yet. What runs too much stays.
    may_pass: bool,
}

impl Difference {
    fn lasting(text: String) -> Self {
        Self {
            text,
            may_pass: false,
        }
    }

    fn passing(text: String) -> Self {
        Self {
            text,
            may_pass: true,
        }
    }
}

/// How the host differs from what it was before the run. Containers take a moment to come back.
pub(in crate::reconcile) async fn differences(
    host: &Host,
    planned: &Planned,
    with_packages: Option<&Observed>,
) -> Vec<String> {
    let until = Instant::now() + COMES_BACK;
    loop {
        let found = differences_now(host, planned, with_packages).await;
        let may_pass = found.iter().any(|difference| difference.may_pass);
        if !may_pass || Instant::now() > until {
            return found.into_iter().map(|found| found.text).collect();
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What was put back and does not stay up: one that dies again and again looks right at some moments.
pub(in crate::reconcile) async fn unsteady(
    host: &Host,
    (planned, with_packages): (&Planned, Option<&Observed>),
    undos: &[Undo],
) -> Vec<String> {
    let was_up = |unit: &&String| {
        let state = planned.observed.unit_state(unit);
        state.is_some_and(UnitState::is_active)
    };
    let units: BTreeSet<&String> = undos
        .iter()
        .filter_map(|undo| match undo {
            Undo::Start(unit) | Undo::Restart(unit) | Undo::ReloadUnit(unit) => Some(unit),
            _ => None,
        })
        .filter(was_up)
        .collect();
    if units.is_empty() {
        return Vec::new();
    }
    let first = runs(host, &units).await;
    tokio::time::sleep(longest_settle(planned, &units)).await;
    let second = runs(host, &units).await;
    let mut found: Vec<String> = units
        .iter()
        .filter(|unit| first.get(**unit) != second.get(**unit))
        .map(|unit| format!("{unit} does not stay up: journalctl -u {unit} -n 50"))
        .collect();
    if found.is_empty() {
        let again = differences_now(host, planned, with_packages).await;
        found.extend(again.into_iter().map(|difference| difference.text));
    }
    found
}

/// Of each unit, its run and how often systemd has restarted it.
async fn runs<'u>(
    host: &Host,
    units: &BTreeSet<&'u String>,
) -> BTreeMap<&'u String, (String, u32)> {
    let mut runs = BTreeMap::new();
    for unit in units {
        if let Ok(systemd) = host.systemd().await
            && let Ok(state) = systemd.unit(unit).await
        {
            runs.insert(*unit, (state.invocation, state.restarts));
        }
    }
    runs
}

/// How long these units have to stay up, as what was applied has it.
fn longest_settle(planned: &Planned, units: &BTreeSet<&String>) -> Duration {
    let settle = |unit: &&String| Some(planned.recorded.unit(unit)?.settle);
    let longest = units.iter().filter_map(settle).max();
    longest.unwrap_or(STAYS).clamp(STAYS, COMES_BACK)
}

async fn differences_now(
    host: &Host,
    planned: &Planned,
    with_packages: Option<&Observed>,
) -> Vec<Difference> {
    let mut watch = kinds::watch(&planned.desired, &planned.recorded, &[]);
    // Units of this program itself are in nothing that is desired, and the look before the run may have had more.
    let known = planned.observed.systemd.iter();
    let known = known.flat_map(|systemd| systemd.units.keys());
    watch.units.extend(known.cloned());
    let after = match host.observe(&watch).await {
        Ok(after) => after,
        Err(error) => {
            let why = crate::reconcile::error::chain(&error);
            return vec![Difference {
                text: format!("the host could not be observed: {why}"),
                // One that hangs was waited for.
                may_pass: !error.is_engine_mute(),
            }];
        }
    };
    let before = &planned.observed;
    let mut found: Vec<Difference> = files(planned, &after, with_packages)
        .into_iter()
        .chain(secrets(before, &after))
        .map(Difference::lasting)
        .collect();
    if let (Some(before), Some(after)) = (&before.systemd, &after.systemd) {
        found.extend(units(planned, before, after));
    }
    if let (Some(before), Some(after)) = (&before.nginx, &after.nginx) {
        found.extend(nginx(before, after).map(Difference::passing));
    }
    if let (Some(before_docker), Some(after)) = (&before.docker, &after.docker) {
        let mut projects = watch.projects;
        let on_the_way = coming(planned);
        projects.retain(|project| !on_the_way.contains(project));
        let mut passing = containers(before_docker, after);
        passing.extend(memberships(before_docker, after));
        let lasting = additional(before_docker, after, &projects);
        found.extend(passing.into_iter().map(Difference::passing));
        found.extend(lasting.into_iter().map(Difference::lasting));
    }
    found
}

/// Compose projects of units that were neither up nor down before the run: what becomes of them is not its doing.
fn coming(planned: &Planned) -> BTreeSet<String> {
    let Some(systemd) = &planned.observed.systemd else {
        return BTreeSet::new();
    };
    let known = [Some(&planned.desired), planned.recorded.desired()];
    let known = known.into_iter().flatten();
    known
        .flat_map(|desired| &desired.units)
        .filter(|(name, _)| systemd.units.get(*name).is_some_and(is_on_the_way))
        .flat_map(|(_, unit)| &unit.stacks)
        .map(|stack| stack.project.clone())
        .collect()
}

/// Whether a unit is on the way to another state: starting, stopping, or waiting for its next start.
fn is_on_the_way(state: &UnitState) -> bool {
    matches!(state.active.as_str(), "activating" | "deactivating")
}

/// Packages that are removed again leave their configuration as it came with them.
fn files(planned: &Planned, after: &Observed, with_packages: Option<&Observed>) -> Vec<String> {
    // The checkout is not ours to put back, and systemd puts mount points there.
    let applied = planned.recorded.desired();
    let in_checkout = |path: &PathBuf| {
        planned.desired.files.contains_key(path)
            || applied.is_some_and(|applied| applied.files.contains_key(path))
    };
    let came_along = |path: &PathBuf| {
        let came = with_packages.and_then(|with| with.files.get(path));
        came.is_some_and(|came| is_same(came, after.entry(path)))
    };
    let files = planned.observed.files.iter();
    files
        .filter(|(path, entry)| !in_checkout(path) && !is_same(entry, after.entry(path)))
        .filter(|(path, _)| !came_along(path))
        .map(|(path, _)| format!("{} is not as before", path.display()))
        .collect()
}

/// Secrets that do not lie decrypted as they did. One that was gone may be back.
fn secrets(before: &Observed, after: &Observed) -> Vec<String> {
    let states = before.secrets.iter();
    let other = states.filter(|(name, state)| {
        let now = after.secrets.get(*name);
        now != Some(state) && **state != SecretState::Missing
    });
    other
        .map(|(name, _)| format!("the secret {name} is not as before"))
        .collect()
}

/// Whether two entries are the same to a reader; when they were written does not count.
fn is_same(before: &Entry, after: &Entry) -> bool {
    let without_time = |entry: &Entry| match entry {
        Entry::File {
            content,
            mode,
            owner,
            ..
        } => Some((content.clone(), *mode, *owner)),
        _ => None,
    };
    match (without_time(before), without_time(after)) {
        (Some(before), Some(after)) => before == after,
        _ => before == after,
    }
}

fn units(planned: &Planned, before: &SystemdState, after: &SystemdState) -> Vec<Difference> {
    let mut found = Vec::new();
    // Whether such a unit is active says nothing about its containers.
    let goes_on_alone = |name: &str| {
        let units = [planned.recorded.unit(name), planned.desired.units.get(name)];
        units.into_iter().flatten().any(|unit| unit.alone)
    };
    let time = Timestamp::now();
    for (name, state) in &before.units {
        let now = after.units.get(name);
        let runs = now.is_some_and(UnitState::is_active);
        let may_change =
            is_on_the_way(state) || state.restarted_lately(time) || goes_on_alone(name);
        if state.is_active() != runs && !may_change {
            let (was, is) = (word(state.is_active()), word(runs));
            found.push(Difference {
                text: format!("{name} was {was} and is {is}"),
                may_pass: !runs,
            });
        }
        if now.is_some_and(|now| now.need_reload) && !state.need_reload {
            found.push(Difference::lasting(format!(
                "systemd has not loaded {name} as it was"
            )));
        }
    }
    found
}

fn nginx(before: &NginxState, after: &NginxState) -> Option<String> {
    let (ran, runs) = (before.master.is_some(), after.master.is_some());
    (ran != runs).then(|| format!("nginx was {} and is {}", word(ran), word(runs)))
}

fn word(active: bool) -> &'static str {
    if active { "running" } else { "not running" }
}
