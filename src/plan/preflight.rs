//! What a host says against what a plan would start there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::effect::{Effect, Plan, UnitStep};
use crate::model::finding::{
    HOST_DISK_SHORT, HOST_ENV_FILE_OPEN, HOST_MEMORY_SHORT, HOST_MOUNT_MISSING, HOST_PATH_MISSING,
    HOST_PORT_TAKEN,
};
use crate::model::{
    Bind, BindSource, Complaint, Desired, Diagnostic, Engine, Entry, Finding, Listener, Need,
    Observed, Preflight, Publish, RuleId, Severity, Stack, StoppedPort, Unit, layout,
};

/// Less than that on the disk, and an image seldom fits.
const DISK: u64 = 1 << 30;

/// A plan, and what is known around it.
pub(crate) struct Case<'a> {
    pub plan: &'a Plan,
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    /// What units need to find; only looked at if [`starts_units`].
    pub needs: &'a [Need],
    /// What units run of files outside the checkout: more than the plan knows of those files.
    pub external: &'a [(String, Stack)],
    /// The host's; only looked at if [`starts_units`].
    pub preflight: &'a Preflight,
}

/// What a unit that is started runs.
struct Start<'a> {
    unit: &'a str,
    stacks: Vec<&'a Stack>,
    definition: Option<&'a Unit>,
}

impl Start<'_> {
    fn published(&self) -> BTreeSet<Publish> {
        let own = self.definition.into_iter();
        let own = own.flat_map(|unit| {
            let of_podman = unit.by_podman.iter().map(|run| &run.published);
            unit.runs.iter().map(|run| &run.published).chain(of_podman)
        });
        let own = own.flatten().cloned();
        self.stacks
            .iter()
            .flat_map(|stack| stack.publishes())
            .chain(own)
            .collect()
    }

    /// Whether a program listens for a pod that it may make anew: Podman runs that one beside the unit.
    fn may_end(&self, listener: &Listener) -> bool {
        let quadlet = self.definition.and_then(|unit| unit.quadlet.as_deref());
        let has_pods = |name: &str| [".pod", ".kube"].iter().any(|end| name.ends_with(end));
        quadlet.is_some_and(has_pods) && listener.is_for(Engine::Podman, false)
    }
}

/// Whether a plan starts or restarts units, or has a stack make containers anew: else it does not matter how much room there
/// is, and which images are there.
pub(crate) fn starts_units(plan: &Plan) -> bool {
    plan.changes
        .iter()
        .any(|change| change.effect.starts().is_some())
}

/// Findings about what a plan would start, on a host with these preflight.
pub(crate) fn findings(case: &Case) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut starts: Vec<Start> = Vec::new();
    let mut restarts: Vec<Start> = Vec::new();
    let mut touched: BTreeSet<&str> = BTreeSet::new();
    for change in &case.plan.changes {
        match &change.effect {
            Effect::Start(step) => {
                starts.push(start(step, case));
                touched.insert(&step.unit);
            }
            Effect::Restart(step) => {
                restarts.push(start(step, case));
                touched.insert(&step.unit);
            }
            // Compose reads its files anew.
            Effect::ReloadUnit(step) if !step.stacks.is_empty() => {
                touched.insert(&step.unit);
            }
            _ => {}
        }
    }
    missing(case.needs, case.preflight, &touched, &mut findings);
    env_files(case.desired, case.observed, &mut findings);
    mounts(starts.iter().chain(&restarts), case, &mut findings);
    // What runs already has its memory, and may move to another port.
    let begin = starts.iter().chain(&restarts);
    ports(begin, case, &mut findings);
    room(&starts, case.preflight, &mut findings);
    findings
}

fn start<'a>(step: &'a UnitStep, case: &Case<'a>) -> Start<'a> {
    let external = case.external;
    let read = || {
        let own = external.iter().filter(|(unit, _)| *unit == step.unit);
        own.map(|(_, stack)| stack)
    };
    let known = step.stacks.iter();
    let known = known.filter(|stack| !read().any(|other| other.files == stack.files));
    Start {
        unit: &step.unit,
        stacks: known.chain(read()).collect(),
        definition: case.desired.units.get(&step.unit),
    }
}

fn missing(
    needs: &[Need],
    preflight: &Preflight,
    touched: &BTreeSet<&str>,
    findings: &mut Vec<Finding>,
) {
    let gone = needs.iter().filter(|need| {
        let mut paths = std::iter::once(&need.path).chain(&need.instead);
        // A plan brings the secrets that it needs.
        let is_secret = layout::secret_name(&need.path).is_some();
        !is_secret
            && touched.contains(need.unit.as_str())
            && paths.all(|path| preflight.missing.contains(path))
    });
    for need in gone {
        let path = need.path.display();
        let finding = Diagnostic {
            message: format!(
                "the {} {path} of {} does not exist on this host",
                need.what, need.unit
            ),
            help: Some(format!("create it, or fix the path: ls -ld {path}")),
            ..need.place.clone()
        };
        let finding = Finding::at(&HOST_PATH_MISSING, finding);
        // `up` and `pull` name the same file.
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
}

/// Files of settings that are not in git hold secrets.
fn env_files(desired: &Desired, observed: &Observed, findings: &mut Vec<Finding>) {
    let watched = desired.units.values().flat_map(|unit| &unit.watched);
    for path in watched.collect::<BTreeSet<_>>() {
        if let Entry::File { mode, .. } = observed.entry(path)
            && mode & 0o077 != 0
        {
            let path = path.display();
            findings.push(unplaced(
                &HOST_ENV_FILE_OPEN,
                format!("{path} may be read by others (mode {:04o})", mode & 0o7777),
                format!("chmod 600 {path}"),
            ));
        }
    }
}

/// Paths that containers mount and that are not there: Docker makes an empty folder, also where a file belongs.
fn mounts<'s>(
    starts: impl Iterator<Item = &'s Start<'s>>,
    case: &Case,
    findings: &mut Vec<Finding>,
) {
    for start in starts {
        let of_stacks = start
            .stacks
            .iter()
            .flat_map(|stack| stack.binds.values().flatten());
        let of_runs = start.definition.into_iter().flat_map(|unit| &unit.runs);
        let binds: BTreeSet<&Bind> = of_stacks
            .chain(of_runs.flat_map(|run| &run.binds))
            .collect();
        for bind in binds {
            if case.observed.binds.get(&bind.source) != Some(&BindSource::Missing) {
                continue;
            }
            let (source, target) = (bind.source.display(), bind.target.display());
            findings.push(unplaced(
                &HOST_MOUNT_MISSING,
                format!("{} mounts {source} at {target}, but it does not exist: Docker would create an empty folder", start.unit),
                format!("mkdir -p {source}, or create the file, or fix the path"),
            ));
        }
    }
}

/// Programs that have a port which a unit is about to publish, unless the plan stops them before. Containers are
/// holders, too, and those are a matter of the plan itself.
fn ports<'s>(
    starts: impl Iterator<Item = &'s Start<'s>>,
    case: &Case,
    findings: &mut Vec<Finding>,
) {
    let changes = case
        .plan
        .changes
        .iter()
        .filter(|change| !change.after_gates);
    let stopped: BTreeSet<&str> = changes
        .filter_map(|change| match &change.effect {
            Effect::Stop(step) | Effect::Restart(step) => Some(step.unit.as_str()),
            _ => None,
        })
        .collect();
    let leaves = |one: &Listener| {
        one.unit
            .as_deref()
            .is_some_and(|unit| stopped.contains(unit))
    };
    let others = case.observed.listeners.iter();
    let others = others.filter(|one| !case.observed.is_of_engine(one));
    // Without root nobody tells whether it is the engine that listens there for the unit itself.
    let is_unknown = |one: &Listener| one.program.is_none() && case.observed.docker.is_none();
    let others: Vec<&Listener> = others.filter(|one| !leaves(one)).collect();
    for start in starts {
        let published: BTreeSet<Publish> = start.published();
        for other in &others {
            let is_taken = published.iter().any(|port| port.collides(&other.taken()));
            if !is_taken || start.may_end(other) {
                continue;
            }
            let (port, protocol) = (other.port, other.protocol);
            let who = match (&other.program, &other.unit) {
                (Some(program), Some(unit)) => format!("{program} ({unit})"),
                (Some(program), None) => program.clone(),
                (None, _) => "another program".to_owned(),
            };
            let help = match &other.unit {
                _ if is_unknown(other) => {
                    "sudo watchme-apply plan shows whether that is its own container".to_owned()
                }
                Some(unit) if unit.ends_with(".service") => {
                    format!("systemctl disable --now {unit}, or publish another port")
                }
                _ => format!(
                    "ss -lp{} 'sport = :{port}' shows which process it is: stop it, or publish another port",
                    if protocol == "udp" { "nu" } else { "nt" }
                ),
            };
            let text = format!(
                "{} publishes port {port}, and {who} listens there",
                start.unit
            );
            let finding = unplaced(&HOST_PORT_TAKEN, text, help);
            let finding = match is_unknown(other) {
                true => finding.weighing(Severity::Warning),
                false => finding,
            };
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        findings.extend(of_stopped(start, &published, case));
    }
}

/// Containers that do not run and would take a port that a unit publishes, those of units apart.
fn of_stopped(start: &Start<'_>, published: &BTreeSet<Publish>, case: &Case<'_>) -> Vec<Finding> {
    let Some(docker) = &case.observed.docker else {
        return Vec::new();
    };
    let is_ours = |name: &str| {
        let mut known = docker.containers.iter().filter(|one| one.name == name);
        known.any(|one| {
            let mut units = case.desired.units.values();
            units.any(|unit| unit.owns_in(docker.engine, one))
        })
    };
    let others = case.observed.stopped.iter().filter(|one| {
        let mut ports = published.iter();
        ports.any(|port| port.collides(&one.port)) && !is_ours(&one.container)
    });
    let finding = |one: &StoppedPort| {
        let (name, port) = (&one.container, one.port.port);
        let text = format!(
            "{} publishes port {port}, and the container {name}, which is stopped, uses it when it starts",
            start.unit
        );
        let help = format!(
            "{} rm {name}, or publish another port",
            docker.engine.command()
        );
        unplaced(&HOST_PORT_TAKEN, text, help).weighing(Severity::Warning)
    };
    others.map(finding).collect()
}

fn room(starts: &[Start], preflight: &Preflight, findings: &mut Vec<Finding>) {
    let stacks = || starts.iter().flat_map(|step| &step.stacks);
    let wanted = stacks()
        .map(|stack| stack.memory)
        .fold(0, u64::saturating_add);
    if let (Some(memory), Some(swap)) = (preflight.memory, preflight.swap)
        && wanted > memory
    {
        findings.push(unplaced(
            &HOST_MEMORY_SHORT,
            format!(
                "what would start may take {} of memory; {} are left, and {} of swap",
                mebibytes(wanted),
                mebibytes(memory),
                mebibytes(swap)
            ),
            "watchme-apply pause stops what is not needed now; free -m".to_owned(),
        ));
    }
    if let Some(disk) = preflight.disk
        && disk < DISK
        && stacks().next().is_some()
    {
        findings.push(unplaced(
            &HOST_DISK_SHORT,
            format!(
                "{} are left on the disk for images and containers",
                mebibytes(disk)
            ),
            "docker system df; docker image prune".to_owned(),
        ));
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

fn unplaced(rule: &'static RuleId, message: String, help: String) -> Finding {
    Finding {
        rule,
        severity: rule.severity,
        complaint: Complaint::Unplaced {
            message,
            help: Some(help),
        },
    }
}

/// Paths that have to be looked at for [`findings`].
pub(crate) fn paths(needs: &[Need]) -> impl Iterator<Item = &std::path::PathBuf> {
    needs
        .iter()
        .flat_map(|need| std::iter::once(&need.path).chain(&need.instead))
        .filter(|path| path.as_path() != Path::new("/"))
}

#[cfg(test)]
mod tests;
