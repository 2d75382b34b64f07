//! A plan and how its apply ended.

use std::time::Duration;

use super::{DIM, GOOD, STRONG, WARN, count, diff, gates, records};
use crate::cli::output::{Output, clean, styled};
use crate::cli::snippet;
use crate::model::{Action, Change, Finding, Origin, Severity, layout};
use crate::reconcile::{Applied, Planned};

/// Prints what apply would do.
pub(in crate::cli) fn plan(
    output: &mut Output,
    planned: &Planned,
    show_secrets: bool,
    all_findings: bool,
) {
    let back = planned.generation.map_or_else(String::new, |number| {
        format!("to go back to generation {number}, ")
    });
    let from = planned.from.as_ref().map_or_else(String::new, |from| {
        format!(", on a host that is as {} has it", origin(from))
    });
    let title = format!("plan {back}for {}{from}", origin(&planned.origin));
    output.line(&styled(STRONG, &title));
    for path in &planned.origin.dirty {
        let path = path.to_string_lossy();
        output.line(&format!(
            "  {} {} differs from the commit",
            styled(WARN, "dirty"),
            clean(&path)
        ));
    }
    for warning in &planned.warnings {
        output.line(&format!("  {} {}", styled(WARN, "warning"), clean(warning)));
    }
    for change in &planned.plan.changes {
        output.line(&format!("  {}", step(change)));
        if let Some(change) = &change.diff {
            diff::print(output, change, show_secrets);
        }
    }
    for gate in &planned.plan.gates {
        output.line(&format!("  {}", gates::would_be_asked(gate)));
    }
    for note in &planned.plan.notes {
        let text = format!("{}: {}", note.id, note.text);
        output.line(&format!("  {} {}", styled(DIM, "note"), clean(&text)));
    }
    for refusal in &planned.plan.refusals {
        let text = format!("{}: {}", refusal.id, refusal.why);
        output.line(&format!("  {} {}", styled(WARN, "refused"), clean(&text)));
        if let Some(lost) = &refusal.diff {
            diff::print(output, lost, show_secrets);
        }
        for line in &refusal.help {
            output.line(&format!("      {}", clean(line)));
        }
    }
    for finding in &planned.findings {
        output.line(&snippet::finding(finding));
    }
    let others = &planned.other_findings;
    if all_findings {
        for finding in others {
            output.line(&snippet::finding(finding));
        }
    } else if !others.is_empty() {
        output.line(&format!(
            "  {} {} about what this plan does not change: watchme-apply plan --all-findings",
            styled(DIM, "note"),
            count(others.len(), "finding")
        ));
    }
    output.line(&summary(planned));
}

/// Where a desired state came from, in a few words.
pub(super) fn origin(origin: &Origin) -> String {
    let commit = match &origin.commit {
        Some(commit) => commit.get(..12).unwrap_or(commit).to_owned(),
        None => format!("the folder {}", origin.folder.display()),
    };
    let subject = origin
        .subject
        .as_deref()
        .map_or_else(String::new, |subject| format!(" ({subject})"));
    let worktree = match (origin.worktree, &origin.commit) {
        (true, Some(_)) => ", as the work tree lies",
        _ => "",
    };
    clean(&format!("{commit}{subject}{worktree}")).into_owned()
}

/// One change in one line: what, to what, and why.
pub(in crate::cli) fn step(change: &Change) -> String {
    let (sign, text) = describe(change);
    let why = match change.why.is_empty() {
        true => String::new(),
        false => styled(DIM, &format!("  ({})", clean(&change.why))),
    };
    format!(
        "{} {}: {}{why}",
        styled(STRONG, sign),
        clean(&change.id.to_string()),
        clean(&text)
    )
}

pub(super) fn describe(change: &Change) -> (&'static str, String) {
    match &change.action {
        Action::CreateNetwork { spec, .. } => {
            let subnets: Vec<String> = spec
                .subnets
                .iter()
                .map(|subnet| subnet.subnet.to_string())
                .collect();
            (
                "+",
                format!("create the network {}", subnets.join(", "))
                    .trim_end()
                    .to_owned(),
            )
        }
        Action::RemoveNetwork { .. } => ("-", "remove the network".to_owned()),
        Action::CreateVolume { .. } => ("+", "create the volume".to_owned()),
        Action::WriteCertificate(pair) => ("+", format!("write {}", pair.certificate.display())),
        Action::Store {
            path,
            file: Some(_),
            ..
        } => ("~", format!("write {}", layout::live(path).display())),
        Action::Store {
            path, file: None, ..
        } => ("-", format!("remove {}", layout::live(path).display())),
        Action::Link { path, target, .. } => (
            "~",
            format!("link {} → {}", path.display(), target.display()),
        ),
        Action::Copy {
            path, mode, owner, ..
        } => (
            "~",
            format!("write {} ({mode:04o} {owner})", path.display()),
        ),
        Action::Remove { path, .. } => ("-", format!("remove {}", path.display())),
        Action::ClearMountPoint { path, .. } => {
            ("-", format!("remove the mount point {}", path.display()))
        }
        Action::DaemonReload => ("!", "daemon-reload, interrupts nothing".to_owned()),
        Action::Start(_) => ("+", "start".to_owned()),
        Action::Restart(_) => ("!", format!("restart, interrupts {}", interrupted(change))),
        Action::ReloadUnit(_) => ("!", "reload, interrupts nothing".to_owned()),
        Action::Stop(_) => ("-", format!("stop, interrupts {}", interrupted(change))),
        Action::Pull(pull) => (".", format!("pull {}", pull.image.name)),
        Action::Release(release) => match release.keep {
            true => ("~", format!("rename the container {} out of the way", release.container)),
            false => ("-", format!("remove the container {}", release.container)),
        },
        Action::Soak(time) => (".", format!("the gates hold for {} s", time.as_secs_f64())),
        Action::Drain(_) => (".", "drain".to_owned()),
        Action::Connect(connect) => {
            let address = connect
                .address
                .map_or_else(String::new, |address| format!(" as {address}"));
            (
                "~",
                format!(
                    "connect {} to {}{address}",
                    connect.container, connect.network
                ),
            )
        }
        Action::ReloadNginx => ("!", "reload nginx, interrupts nothing".to_owned()),
        Action::RestartNginx => (
            "!",
            "restart nginx, interrupts every site for a moment and cuts requests off that last longer than 5 s".to_owned(),
        ),
        Action::StartNginx => ("+", "start nginx".to_owned()),
    }
}

fn interrupted(change: &Change) -> String {
    if change.interrupts.is_empty() {
        return "it alone".to_owned();
    }
    let others: Vec<&str> = change.interrupts.iter().map(String::as_str).collect();
    format!("it and {}", others.join(", "))
}

/// The closing count.
pub(super) fn summary(planned: &Planned) -> String {
    let plan = &planned.plan;
    let of = |is: fn(&Action) -> bool| {
        plan.changes
            .iter()
            .filter(|change| is(&change.action))
            .count()
    };
    let parts = [
        (
            of(|action| {
                matches!(
                    action,
                    Action::Store { file: Some(_), .. }
                        | Action::Copy { .. }
                        | Action::WriteCertificate(_)
                )
            }),
            "file",
        ),
        (of(|action| matches!(action, Action::Link { .. })), "link"),
        (
            of(|action| {
                matches!(
                    action,
                    Action::Remove { .. }
                        | Action::ClearMountPoint { .. }
                        | Action::Store { file: None, .. }
                )
            }),
            "removal",
        ),
        (
            of(|action| {
                matches!(
                    action,
                    Action::CreateNetwork { .. } | Action::RemoveNetwork { .. }
                )
            }),
            "network",
        ),
        (
            of(|action| matches!(action, Action::CreateVolume { .. })),
            "volume",
        ),
        (of(|action| matches!(action, Action::Connect(_))), "member"),
        (
            of(|action| matches!(action, Action::Start(_) | Action::StartNginx)),
            "start",
        ),
        (
            of(|action| matches!(action, Action::Restart(_) | Action::RestartNginx)),
            "restart",
        ),
        (of(|action| matches!(action, Action::Stop(_))), "stop"),
        (of(|action| matches!(action, Action::Soak(_))), "soak"),
        (of(|action| matches!(action, Action::Drain(_))), "drain"),
        (
            of(|action| {
                matches!(
                    action,
                    Action::DaemonReload | Action::ReloadUnit(_) | Action::ReloadNginx
                )
            }),
            "reload",
        ),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, thing)| count(number, thing))
        .collect();
    let found = |severity| {
        let of_it = |finding: &&Finding| finding.severity == severity;
        planned.findings.iter().filter(of_it).count()
    };
    let behind: String = [
        (plan.refusals.len(), "refusal", " in the way"),
        (found(Severity::Error), "error", " in the way"),
        (found(Severity::Warning), "warning", ""),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, thing, how)| format!("; {}{how}", count(number, thing)))
    .collect();
    let changes = count(plan.changes.len(), "change");
    match (plan.is_empty(), parts.is_empty()) {
        (true, _) if planned.only_writes_down() => {
            format!("plan: nothing to change; what is new is asked and written down{behind}")
        }
        (true, _) => format!("plan: nothing to do{behind}"),
        (false, true) => format!("plan: {changes}{behind}"),
        (false, false) => format!("plan: {changes}: {}{behind}", parts.join(", ")),
    }
}

/// Prints how an apply ended.
pub(in crate::cli) fn applied(
    output: &mut Output,
    applied: &Applied,
    took: Duration,
    warnings: usize,
) {
    match applied {
        Applied::InSync { planned, gates } => {
            let held = match gates.len() {
                0 => String::new(),
                1 => "; its health gate holds".to_owned(),
                many => format!("; all {many} health gates hold"),
            };
            output.line(&format!(
                "{}: {}{held}",
                styled(GOOD, "in sync"),
                origin(&planned.origin)
            ));
            for warning in &planned.warnings {
                output.line(&format!("  {} {}", styled(WARN, "warning"), clean(warning)));
            }
            for note in &planned.plan.notes {
                let text = format!("{}: {}", note.id, note.text);
                output.line(&format!("  {} {}", styled(DIM, "note"), clean(&text)));
            }
        }
        Applied::Done(record) => {
            let done = match record.back_to {
                Some(number) => format!("back to generation {number}"),
                None => "applied".to_owned(),
            };
            let (style, done, looked) = match record.degraded.is_empty() {
                true => (GOOD, done, "in sync".to_owned()),
                false => (
                    WARN,
                    format!("{done}, degraded"),
                    format!("in sync but for {}", count(record.degraded.len(), "unit")),
                ),
            };
            let held = match record.gates.len() {
                0 => String::new(),
                1 => "; its health gate holds".to_owned(),
                number => format!("; {number} health gates hold"),
            };
            output.line(&format!(
                "{} as {}: {}; {} in {:.1} s; looked again: {looked}{held}{}",
                styled(style, &done),
                records::generation(record),
                origin(&record.origin),
                count(record.changes.len(), "change"),
                took.as_secs_f64(),
                match warnings {
                    0 => String::new(),
                    number => format!("; {} above", count(number, "warning")),
                }
            ));
            for why in &record.degraded {
                output.line(&format!("  {} {}", styled(WARN, "degraded"), clean(why)));
            }
        }
        Applied::Skipped(skip) => {
            output.line(&format!(
                "{}: {}",
                styled(WARN, "skipped"),
                records::skip(skip)
            ));
        }
    }
}
