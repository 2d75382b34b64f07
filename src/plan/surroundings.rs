//! What a host says against what a plan would start there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::model::finding::{
    HOST_DISK_SHORT, HOST_ENV_FILE_OPEN, HOST_MEMORY_SHORT, HOST_PATH_MISSING, HOST_PORT_TAKEN,
};
use crate::model::{
    Action, Complaint, Desired, Diagnostic, Entry, Finding, Need, Observed, Plan, Rule, Stack,
    Surroundings, UnitStep,
};

/// Less than that on the disk, and an image seldom fits.
const DISK: u64 = 1 << 30;
/// Programs that listen for others: Docker's own, and nginx, whose ports nginx itself takes over.
const PROXIES: [&str; 3] = ["docker-proxy", "dockerd", "nginx"];

/// A plan, and what is known around it.
pub struct Judged<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is wanted.
    pub desired: &'a Desired,
    /// What is there.
    pub observed: &'a Observed,
    /// What units need to find; only looked at if [`starts_units`].
    pub needs: &'a [Need],
    /// What units run of files outside the checkout: more than the plan knows of those files.
    pub elsewhere: &'a [(String, Stack)],
    /// The host's; only looked at if [`starts_units`].
    pub surroundings: &'a Surroundings,
}

/// What a unit that is started runs.
struct Start<'a> {
    unit: &'a str,
    stacks: Vec<&'a Stack>,
}

/// Whether a plan starts or restarts units: else it does not matter how much room there is.
pub fn starts_units(plan: &Plan) -> bool {
    let mut actions = plan.changes.iter().map(|change| &change.action);
    actions.any(|action| matches!(action, Action::Start(_) | Action::Restart(_)))
}

/// Findings about what a plan would start, on a host with these surroundings.
pub fn judge(judged: &Judged) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut starts: Vec<Start> = Vec::new();
    let mut restarts: Vec<Start> = Vec::new();
    let mut touched: BTreeSet<&str> = BTreeSet::new();
    for change in &judged.plan.changes {
        match &change.action {
            Action::Start(step) => {
                starts.push(start(step, judged.elsewhere));
                touched.insert(&step.unit);
            }
            Action::Restart(step) => {
                restarts.push(start(step, judged.elsewhere));
                touched.insert(&step.unit);
            }
            _ => {}
        }
    }
    missing(judged.needs, judged.surroundings, &touched, &mut findings);
    env_files(judged.desired, judged.observed, &mut findings);
    // What runs already has its memory, and may move to another port.
    let begin = starts.iter().chain(&restarts);
    ports(begin, judged.surroundings, &mut findings);
    room(&starts, judged.surroundings, &mut findings);
    findings
}

fn start<'a>(step: &'a UnitStep, elsewhere: &'a [(String, Stack)]) -> Start<'a> {
    let read = || {
        let own = elsewhere.iter().filter(|(unit, _)| *unit == step.unit);
        own.map(|(_, stack)| stack)
    };
    let known = step.stacks.iter();
    let known = known.filter(|stack| !read().any(|other| other.files == stack.files));
    Start {
        unit: &step.unit,
        stacks: known.chain(read()).collect(),
    }
}

fn missing(
    needs: &[Need],
    surroundings: &Surroundings,
    touched: &BTreeSet<&str>,
    findings: &mut Vec<Finding>,
) {
    let gone = needs.iter().filter(|need| {
        let mut paths = std::iter::once(&need.path).chain(&need.instead);
        touched.contains(need.unit.as_str())
            && paths.all(|path| surroundings.missing.contains(path))
    });
    for need in gone {
        let path = need.path.display();
        let finding = Diagnostic {
            message: format!(
                "the {} {path} of {} is not there on this host",
                need.what, need.unit
            ),
            help: Some(format!("put it there, or mend the path: ls -ld {path}")),
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

fn ports<'s>(
    starts: impl Iterator<Item = &'s Start<'s>>,
    surroundings: &Surroundings,
    findings: &mut Vec<Finding>,
) {
    for start in starts {
        let ports: BTreeSet<u16> = start
            .stacks
            .iter()
            .flat_map(|stack| stack.ports.clone())
            .collect();
        for (port, program) in &surroundings.listeners {
            let is_proxy = program
                .as_deref()
                .is_some_and(|name| PROXIES.contains(&name));
            if !ports.contains(port) || is_proxy {
                continue;
            }
            let who = program.as_deref().unwrap_or("another program");
            findings.push(unplaced(
                &HOST_PORT_TAKEN,
                format!(
                    "{} publishes port {port}, and {who} listens there",
                    start.unit
                ),
                format!("ss -ltnp 'sport = :{port}'"),
            ));
        }
    }
}

fn room(starts: &[Start], surroundings: &Surroundings, findings: &mut Vec<Finding>) {
    let stacks = || starts.iter().flat_map(|step| &step.stacks);
    let wanted = stacks()
        .map(|stack| stack.memory)
        .fold(0, u64::saturating_add);
    if let (Some(memory), Some(swap)) = (surroundings.memory, surroundings.swap)
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
    if let Some(disk) = surroundings.disk
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

fn unplaced(rule: &'static Rule, message: String, help: String) -> Finding {
    Finding {
        rule,
        severity: rule.severity,
        complaint: Complaint::Unplaced {
            message,
            help: Some(help),
        },
    }
}

/// Paths that have to be looked at for [`judge`].
pub fn paths(needs: &[Need]) -> impl Iterator<Item = &std::path::PathBuf> {
    needs
        .iter()
        .flat_map(|need| std::iter::once(&need.path).chain(&need.instead))
        .filter(|path| path.as_path() != Path::new("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, DriftKind, Kind, ResourceId, Unit};

    fn start(ports: &[u16], memory: u64) -> Plan {
        starting(ports, memory, Action::Start)
    }

    fn starting(ports: &[u16], memory: u64, action: fn(UnitStep) -> Action) -> Plan {
        let stack = Stack {
            ports: ports.iter().copied().collect(),
            memory,
            ..Stack::default()
        };
        let step = UnitStep {
            unit: "a.service".into(),
            stacks: vec![stack],
            ..UnitStep::default()
        };
        Plan {
            changes: vec![Change {
                id: ResourceId::new(Kind::Unit, "a.service"),
                action: action(step),
                why: String::new(),
                diff: None,
                interrupts: BTreeSet::new(),
                drift: DriftKind::Drifted,
                after_gates: false,
            }],
            ..Plan::default()
        }
    }

    fn found(plan: &Plan, needs: &[Need], surroundings: &Surroundings) -> Vec<String> {
        let findings = judge(&Judged {
            plan,
            desired: &Desired::default(),
            observed: &Observed::default(),
            needs,
            elsewhere: &[],
            surroundings,
        });
        findings
            .iter()
            .map(|one| format!("{} {one}", one.rule.name))
            .collect()
    }

    #[test]
    fn what_is_not_there_matters_to_what_starts() {
        let need = |unit: &str| Need {
            unit: unit.into(),
            path: "/srv/app".into(),
            instead: Vec::new(),
            what: "working directory",
            place: Diagnostic::of_line(
                "systemd/a.service",
                "[Service]\nWorkingDirectory=/srv/app\n",
                2,
                "",
            ),
        };
        let gone = Surroundings {
            missing: BTreeSet::from(["/srv/app".into()]),
            ..Surroundings::default()
        };
        assert_eq!(
            found(
                &start(&[], 0),
                &[need("a.service"), need("b.service")],
                &gone
            ),
            [
                "host-path-missing systemd/a.service:2:1: the working directory /srv/app of a.service is not there on this host"
            ]
        );
        assert_eq!(
            found(
                &start(&[], 0),
                &[need("a.service")],
                &Surroundings::default()
            ),
            [""; 0]
        );
        assert_eq!(
            found(&Plan::default(), &[need("a.service")], &gone),
            [""; 0]
        );
    }

    #[test]
    fn ports_that_others_have() {
        let taken = |program: Option<&str>| Surroundings {
            listeners: BTreeSet::from([
                (8001, program.map(str::to_owned)),
                (22, Some("sshd".into())),
            ]),
            ..Surroundings::default()
        };
        assert_eq!(
            found(&start(&[8001], 0), &[], &taken(Some("python3"))),
            ["host-port-taken a.service publishes port 8001, and python3 listens there"]
        );
        assert_eq!(
            found(&start(&[8001], 0), &[], &taken(None)),
            ["host-port-taken a.service publishes port 8001, and another program listens there"]
        );
        assert_eq!(
            found(&start(&[8001], 0), &[], &taken(Some("docker-proxy"))),
            [""; 0]
        );
        assert_eq!(
            found(&start(&[8002], 0), &[], &taken(Some("python3"))),
            [""; 0]
        );
        assert_eq!(
            found(
                &starting(&[8001], 0, Action::Restart),
                &[],
                &taken(Some("python3"))
            ),
            ["host-port-taken a.service publishes port 8001, and python3 listens there"]
        );
    }

    #[test]
    fn room_that_is_short() {
        let host = |memory: u64, disk: u64| Surroundings {
            memory: Some(memory << 20),
            swap: Some(2048 << 20),
            disk: Some(disk << 20),
            ..Surroundings::default()
        };
        assert_eq!(
            found(&start(&[], 500 << 20), &[], &host(380, 4000)),
            [
                "host-memory-short what would start may take 500 MiB of memory; 380 MiB are left, and 2048 MiB of swap"
            ]
        );
        assert_eq!(
            found(&start(&[], 0), &[], &host(380, 400)),
            ["host-disk-short 400 MiB are left on the disk for images and containers"]
        );
        assert_eq!(
            found(&start(&[], 300 << 20), &[], &host(380, 4000)),
            [""; 0]
        );
        assert_eq!(found(&Plan::default(), &[], &host(1, 1)), [""; 0]);
    }

    #[test]
    fn settings_that_others_may_read() {
        let path = std::path::PathBuf::from("/srv/.env");
        let unit = Unit {
            watched: BTreeSet::from([path.clone()]),
            ..Unit::default()
        };
        let desired = Desired {
            units: [("a.service".to_owned(), unit)].into(),
            ..Desired::default()
        };
        let look = |mode| {
            let entry = Entry::File {
                content: std::sync::Arc::from(&b""[..]),
                mode,
                owner: (0, 0),
                modified: jiff::Timestamp::UNIX_EPOCH,
            };
            let observed = Observed {
                files: [(path.clone(), entry)].into(),
                ..Observed::default()
            };
            judge(&Judged {
                plan: &Plan::default(),
                desired: &desired,
                observed: &observed,
                needs: &[],
                elsewhere: &[],
                surroundings: &Surroundings::default(),
            })
            .len()
        };
        assert_eq!(
            (look(0o600), look(0o400), look(0o640), look(0o644)),
            (0, 0, 1, 1)
        );
    }
}
