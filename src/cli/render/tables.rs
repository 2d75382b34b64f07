//! Drift and status.

use jiff::Timestamp;

use super::plan::origin;
use super::{BAD, DIM, GOOD, STRONG, WARN, columns, count, diff, records, when};
use crate::cli::output::{Output, clean, styled};
use crate::model::{DriftItem, DriftKind, Health, Pause, RunRecord};
use crate::reconcile::{Drift, MemberStatus, NetworkStatus, Status};

/// Prints how the host deviates.
pub(in crate::cli) fn drift(output: &mut Output, drift: &Drift, show_secrets: bool) {
    for item in &drift.fixed {
        output.line(&format!("{}     {}", styled(GOOD, "fixed"), describe(item)));
    }
    for item in &drift.items {
        let kind = styled(colour(item.kind), &format!("{:<9}", item.kind.as_str()));
        output.line(&format!("{kind} {}", describe(item)));
    }
    for refusal in &drift.plan.refusals {
        output.line(&format!("{}: {}", refusal.id, clean(&refusal.why)));
        for line in &refusal.help {
            output.line(&format!("    {}", clean(line)));
        }
    }
    for change in drift
        .plan
        .changes
        .iter()
        .filter_map(|change| change.diff.as_ref())
    {
        diff::print(output, change, show_secrets);
    }
    for warning in &drift.warnings {
        output.line(&format!("{}   {}", styled(WARN, "warning"), clean(warning)));
    }
    let applied = match &drift.applied {
        Some(record) => format!(
            "{}, {}",
            records::generation(record),
            origin(&record.origin)
        ),
        None => {
            let number = count(drift.items.len(), "resource");
            return output.line(&format!("nothing was applied yet; {number} in git"));
        }
    };
    match drift.items.len() {
        0 if drift.incomplete => {
            output.line(&format!(
                "{}: {applied}",
                styled(WARN, "in sync, as far as compared")
            ));
        }
        0 => output.line(&format!("{}: {applied}", styled(GOOD, "in sync"))),
        number => {
            let fixable = drift.items.iter().filter(|item| item.fixable).count();
            let help = match fixable {
                0 => String::new(),
                fixable => format!("; `watchme-apply drift --fix` mends {fixable}"),
            };
            output.line(&format!(
                "drift: {} from {applied}{help}",
                count(number, "deviation")
            ));
        }
    }
}

fn describe(item: &DriftItem) -> String {
    clean(&format!("{}: {}", item.resource, item.what)).into_owned()
}

fn colour(kind: DriftKind) -> anstyle::Style {
    match kind {
        DriftKind::Degraded => BAD,
        _ => WARN,
    }
}

/// Prints a host at a glance.
pub(in crate::cli) fn status(output: &mut Output, status: &Status) {
    match &status.applied {
        Some(record) => applied(output, record),
        None if status.problem.is_none() => output.line("nothing was applied yet"),
        None => {}
    }
    if let Some(run) = &status.failed {
        records::failed(output, run);
    }
    if let Some(skip) = &status.skip {
        let text = format!("unattended runs wait: {}", records::skip(skip));
        output.line(&styled(WARN, &text));
    }
    if let Some(text) = &status.unfinished {
        output.line(&styled(BAD, text));
    }
    let now = Timestamp::now();
    for (unit, pause) in status.pauses.iter().filter(|(_, pause)| pause.holds(now)) {
        paused(output, unit, pause);
    }
    for network in &status.networks {
        network_table(output, network);
    }
    let out_of_sync = status.out_of_sync();
    match out_of_sync.is_empty() {
        true if status.problem.is_some() || status.applied.is_none() => {}
        true => output.line(&styled(GOOD, "in sync")),
        false => {
            let text = format!("out of sync: {}", count(out_of_sync.len(), "resource"));
            output.line(&styled(WARN, &text));
            for item in &status.drift.items {
                output.line(&format!("  {:<9} {}", item.kind.as_str(), describe(item)));
            }
        }
    }
    for warning in status.drift.warnings.iter().chain(&status.warnings) {
        output.line(&format!("{} {}", styled(WARN, "warning"), clean(warning)));
    }
}

fn applied(output: &mut Output, record: &RunRecord) {
    let text = format!(
        "applied {} as {}{}",
        origin(&record.origin),
        records::generation(record),
        record.back_to.map_or_else(String::new, |number| format!(
            ", back to generation {number}"
        ))
    );
    output.line(&styled(STRONG, &text));
    let only = match record.only.is_empty() {
        true => String::new(),
        false => format!(", only {}", record.only.join(", ")),
    };
    output.line(&format!(
        "  {} by {}, {}{}",
        when(record.time),
        clean(&record.by),
        count(record.changes.len(), "change"),
        clean(&only)
    ));
}

/// Prints a pause.
pub(in crate::cli) fn paused(output: &mut Output, unit: &str, pause: &Pause) {
    let until = match pause.until {
        Some(until) => format!("until {}", when(until)),
        None => "until `watchme-apply resume`".to_owned(),
    };
    let text = format!("{unit} {until}: {} ({})", pause.reason, pause.by);
    output.line(&format!("{} {}", styled(WARN, "paused"), clean(&text)));
}

fn network_table(output: &mut Output, network: &NetworkStatus) {
    let subnet = network.subnet.as_deref().unwrap_or("");
    let exists = if network.exists { "" } else { " (missing)" };
    output.line(&styled(
        STRONG,
        &format!("network {} {subnet}{exists}", network.name),
    ));
    let head = ["MEMBER", "ADDRESS", "STATE", "HEALTH", "ALIASES"].map(str::to_owned);
    let rows: Vec<[String; 5]> = [head]
        .into_iter()
        .chain(network.members.iter().map(row))
        .collect();
    let styles = [DIM].into_iter().chain(network.members.iter().map(tone));
    for (line, style) in columns(&rows).iter().zip(styles) {
        output.line(&format!("  {}", styled(style, line)));
    }
    for name in &network.foreign {
        output.line(&format!("  {} {}", styled(DIM, "foreign"), clean(name)));
    }
    output.line(&format!(
        "  {} of {} connected",
        network.connected,
        count(network.members.len(), "member")
    ));
}

fn tone(member: &MemberStatus) -> anstyle::Style {
    match member.running && member.connected && member.health != Health::Unhealthy {
        true => anstyle::Style::new(),
        false => BAD,
    }
}

fn row(member: &MemberStatus) -> [String; 5] {
    let address = match (member.address, member.pinned, member.expected_address) {
        (Some(address), true, _) => format!("{address} (pinned)"),
        (Some(address), false, Some(expected)) if address != expected => {
            format!("{address} (expected {expected})")
        }
        (Some(address), ..) => address.to_string(),
        (None, ..) => "-".to_owned(),
    };
    let state = match (&member.why_not, member.connected) {
        (Some(why), _) => why.clone(),
        (None, true) => "running".to_owned(),
        (None, false) => "running, not connected".to_owned(),
    };
    let aliases: Vec<&str> = member.aliases.iter().map(String::as_str).collect();
    [
        member.name.clone(),
        address,
        state,
        member.health.as_str().to_owned(),
        aliases.join(","),
    ]
}
