//! What the status says, as numbers.

use jiff::Timestamp;

use super::text::{Family, Sample};
use crate::cli::args::VERSION;
use crate::model::{BackupMade, DriftKind, Outcome, RunRecord};
use crate::reconcile::{BackupStatus, ContainerStatus, NetworkStatus, Status, UnitStatus};

/// Kinds of drift that are looked for: what moved in registries is only known to `drift --images`.
const KINDS: [DriftKind; 4] = [
    DriftKind::Pending,
    DriftKind::Drifted,
    DriftKind::Unloaded,
    DriftKind::Degraded,
];

/// The names of all metrics, after `watchme_apply_`, and what each means.
pub(super) const HELP: &str = "
build_info                               The version of the program.
generation_info                          The generation that is applied, and its commit.
metrics_timestamp_seconds                When these metrics were collected.
compared                                 Whether the host could be compared with what was applied.
in_sync                                  Whether the host matches the checkout, and nothing is degraded.
drift_resources                          Number of deviations of each kind.
interrupted                              Whether a run was interrupted and has not been undone yet.
quarantined                              Whether a revision failed because of its content, so that unattended runs skip it.
held                                     Whether a person rolled back a revision, so that unattended runs skip it.
back_off_failures                        Number of consecutive failures because of which unattended runs wait.
paused_units                             Number of units that are kept stopped.
last_run_info                            What the last run was, and how it ended.
last_run_succeeded                       Whether the last run succeeded; 0 if it was rolled back.
last_run_timestamp_seconds               When the last run that changed the host, or tried to, ended.
last_run_duration_seconds                How long the last run took.
last_apply_timestamp_seconds             When the current generation was applied.
last_apply_duration_seconds              How long the last apply took.
last_apply_changes                       Number of changes that the last apply made.
gate_latency_seconds                     How long each health gate took to answer in the last apply.
gate_tries                               How many tries each health gate needed to pass.
daemon_up                                Whether each daemon that the desired state needs answers.
unit_well                                Whether each unit is in the expected state: running, done, or kept stopped on purpose.
unit_restarts                            How often systemd restarted each unit.
container_running                        Whether each container runs.
container_restarts                       How often the engine restarted each container.
certificate_not_after_timestamp_seconds  When each certificate of a site expires.
certificate_stale                        Whether nginx serves an older certificate than the one in the file.
foreign_resources                        Number of resources that look like a service and are not in the desired state.
network_members                          Number of members of each network in the desired state.
network_members_connected                Number of connected members of each network.
member_connected                         Whether each member is connected to its network.
backup_last_timestamp_seconds            When the last good backup that still exists was started.
backup_last_size_bytes                   Size of the last good backup.
backup_last_duration_seconds             How long the last good backup took.
backup_kept                              Number of backups that are kept.
backup_problems                          Problems of a backup: it or its rehearsal failed, or is overdue.
backup_rehearsal_last_timestamp_seconds  When the last successful rehearsal of each backup was.
";

/// One of these with its values.
fn family(name: &'static str, samples: impl IntoIterator<Item = Sample>) -> Family {
    let mut known = HELP.lines().filter_map(|line| line.split_once(' '));
    let help = known.find(|(known, _)| *known == name);
    Family {
        name: format!("watchme_apply_{name}"),
        help: help.map_or("", |(_, help)| help.trim_start()),
        samples: samples.into_iter().collect(),
    }
}

fn one(value: impl Into<Option<f64>>) -> Vec<Sample> {
    let sample = |value| Sample {
        labels: Vec::new(),
        value,
    };
    value.into().map(sample).into_iter().collect()
}

fn of(label: &'static str, name: impl ToString, value: f64) -> Sample {
    Sample {
        labels: vec![(label, name.to_string())],
        value,
    }
}

fn yes(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// Seconds since 1970, in whole milliseconds.
fn at(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

fn took(run: &RunRecord) -> Option<f64> {
    let began = run.began?;
    let milliseconds = run.time.duration_since(began).as_millis();
    (milliseconds >= 0).then_some(milliseconds as f64 / 1000.0)
}

/// Whether a run did what it was to do. One that was rolled back did not.
fn succeeded(run: &RunRecord) -> bool {
    matches!(run.outcome, Outcome::Applied | Outcome::Degraded)
}

/// All metrics. Families without a value are left out.
pub(super) fn families(status: &Status, now: Timestamp) -> Vec<Family> {
    let mut all = overview(status, now);
    all.extend(runs(status));
    all.extend(parts(status));
    all.extend(networks(status));
    all.extend(backups(&status.backups));
    all.retain(|family| !family.samples.is_empty());
    all
}

fn overview(status: &Status, now: Timestamp) -> Vec<Family> {
    let is_compared = status.problem.is_none();
    let compared = |value: f64| one(is_compared.then_some(value));
    let drift = KINDS.map(|kind| {
        let items = status.drift.items.iter();
        let number = items.filter(|item| item.kind == kind).count();
        of("kind", kind, number as f64)
    });
    let generation = status.applied.as_ref().map(|run| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let number = run.number.map(|number| number.to_string());
        Sample {
            labels: vec![
                ("generation", number.unwrap_or_default()),
                ("commit", text(&run.origin.commit)),
            ],
            value: 1.0,
        }
    });
    let attempts = &status.attempts;
    let failures = attempts.back_off.as_ref();
    let failures = failures.map(|back_off| f64::from(back_off.failures));
    let paused = status.pauses.values().filter(|pause| pause.holds(now));
    vec![
        family("build_info", [of("version", VERSION, 1.0)]),
        family("generation_info", generation),
        family("metrics_timestamp_seconds", one(at(now))),
        family("compared", one(yes(is_compared))),
        family("in_sync", compared(yes(status.is_well()))),
        family("drift_resources", drift.into_iter().filter(|_| is_compared)),
        family("interrupted", compared(yes(status.interrupted))),
        family("quarantined", one(yes(attempts.quarantine.is_some()))),
        family("held", one(yes(attempts.hold.is_some()))),
        family("back_off_failures", one(failures.unwrap_or_default())),
        family("paused_units", one(paused.count() as f64)),
    ]
}

fn runs(status: &Status) -> Vec<Family> {
    let applied = status.applied.as_ref();
    let of_last = |value: fn(&RunRecord) -> f64| one(status.last.as_ref().map(value));
    let of_applied = |value: fn(&RunRecord) -> f64| one(applied.map(value));
    let described = status.last.as_ref().map(|run| Sample {
        labels: vec![
            ("kind", run.kind.as_str().to_owned()),
            ("outcome", run.outcome.as_str().to_owned()),
        ],
        value: 1.0,
    });
    let gates = || applied.iter().flat_map(|run| &run.gates);
    let latency = gates().filter_map(|answer| {
        let milliseconds = answer.milliseconds?;
        Some(of("gate", &answer.gate, milliseconds as f64 / 1000.0))
    });
    let tries = gates().map(|answer| of("gate", &answer.gate, f64::from(answer.tries)));
    vec![
        family("last_run_info", described),
        family("last_run_succeeded", of_last(|run| yes(succeeded(run)))),
        family("last_run_timestamp_seconds", of_last(|run| at(run.time))),
        family(
            "last_run_duration_seconds",
            one(status.last.as_ref().and_then(took)),
        ),
        family(
            "last_apply_timestamp_seconds",
            of_applied(|run| at(run.time)),
        ),
        family("last_apply_duration_seconds", one(applied.and_then(took))),
        family(
            "last_apply_changes",
            of_applied(|run| run.changes.len() as f64),
        ),
        family("gate_latency_seconds", latency),
        family("gate_tries", tries),
    ]
}

fn parts(status: &Status) -> Vec<Family> {
    let units = |value: fn(&UnitStatus) -> f64| {
        let units = status.units.iter();
        units.map(move |unit| of("unit", &unit.name, value(unit)))
    };
    let containers = |value: fn(&ContainerStatus) -> f64| {
        let containers = status.containers.iter();
        containers.map(move |one| of("container", &one.name, value(one)))
    };
    let certificates = || status.certificates.iter();
    let kinds = ["unit", "container", "site"];
    let foreign = kinds.map(|kind| {
        let number = status.foreign.iter().filter(|one| one.kind == kind).count();
        of("kind", kind, number as f64)
    });
    let is_known = !status.units.is_empty() || !status.foreign.is_empty();
    vec![
        family(
            "daemon_up",
            (status.daemons.iter()).map(|one| of("daemon", one.name, yes(one.up))),
        ),
        family("unit_well", units(|unit| yes(unit.well))),
        family("unit_restarts", units(|unit| f64::from(unit.restarts))),
        family(
            "container_running",
            containers(|one| yes(one.state == "running")),
        ),
        family("container_restarts", containers(|one| one.restarts as f64)),
        family(
            "certificate_not_after_timestamp_seconds",
            certificates()
                .filter_map(|one| Some(of("path", one.path.display(), at(one.not_after?)))),
        ),
        family(
            "certificate_stale",
            certificates().map(|one| of("path", one.path.display(), yes(one.stale))),
        ),
        family(
            "foreign_resources",
            foreign.into_iter().filter(|_| is_known),
        ),
    ]
}

fn networks(status: &Status) -> Vec<Family> {
    let networks = |value: fn(&NetworkStatus) -> usize| {
        let networks = status.networks.iter();
        networks.map(move |one| of("network", &one.name, value(one) as f64))
    };
    let members = status.networks.iter().flat_map(|network| {
        network.members.iter().map(|member| Sample {
            labels: vec![
                ("network", network.name.clone()),
                ("member", member.name.clone()),
            ],
            value: yes(member.connected),
        })
    });
    vec![
        family("network_members", networks(|one| one.members.len())),
        family("network_members_connected", networks(|one| one.connected)),
        family("member_connected", members),
    ]
}

fn backups(backups: &[BackupStatus]) -> Vec<Family> {
    let each = |value: fn(&BackupStatus) -> usize| {
        let backups = backups.iter();
        backups.map(move |one| of("backup", &one.name, value(one) as f64))
    };
    let last = |value: fn(&BackupMade) -> f64| {
        backups.iter().filter_map(move |backup| {
            let made = backup.record.last()?;
            Some(of("backup", &backup.name, value(made)))
        })
    };
    vec![
        family("backup_last_timestamp_seconds", last(|made| at(made.time))),
        family("backup_last_size_bytes", last(|made| made.bytes as f64)),
        family(
            "backup_last_duration_seconds",
            last(|made| made.seconds as f64),
        ),
        family("backup_kept", each(|one| one.record.kept.len())),
        family("backup_problems", each(|one| one.wrong.len())),
        family(
            "backup_rehearsal_last_timestamp_seconds",
            backups.iter().filter_map(|one| {
                let good = one.rehearsal.as_ref()?.good?;
                Some(of("backup", &one.name, at(good)))
            }),
        ),
    ]
}
