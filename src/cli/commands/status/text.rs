//! The status as text.

use jiff::Timestamp;

use super::{backups, images, secrets};
use crate::cli::output::{Output, clean, styled};
use crate::cli::render::layout::{Row, folded, rows};
use crate::cli::render::{BAD, DIM, STRONG, WARN, count, records};
use crate::host::observe::NEEDS_ROOT;
use crate::model::Health;
use crate::reconcile::{
    CertificateStatus, ContainerStatus, MemberStatus, NetworkStatus, Status, UnitStatus,
};

/// A certificate with fewer days left is shown as bad.
const DAYS: i64 = 14;

/// A line and how it is shown.
pub(super) type Line = (anstyle::Style, String);

/// Prints the status of a host.
pub(super) fn print(output: &mut Output, status: &Status) {
    for (style, line) in lines(status, output.width(), Timestamp::now()) {
        output.line(&styled(style, &line));
    }
}

fn lines(status: &Status, width: Option<usize>, now: Timestamp) -> Vec<Line> {
    let mut page = Page {
        lines: Vec::new(),
        width,
        now,
    };
    page.runs(status);
    page.waiting(status);
    page.daemons(status);
    for (unit, pause) in status.pauses.iter().filter(|(_, pause)| pause.holds(now)) {
        page.say(WARN, &format!("paused {}", records::pause(unit, pause)), 0);
    }
    page.units(status);
    for text in status.containers.iter().filter_map(images::moved) {
        page.say(WARN, &text, 2);
    }
    for network in &status.networks {
        page.network(network);
    }
    page.alone(status);
    page.certificates(&status.certificates);
    for (style, text) in secrets::lines(&status.secrets) {
        page.say(style, &text, 0);
    }
    for (style, text) in backups::lines(&status.backups, now) {
        page.say(style, &text, 0);
    }
    page.foreign(status);
    page.drift(status);
    page.lines
}

pub(super) struct Page {
    lines: Vec<Line>,
    width: Option<usize>,
    pub(super) now: Timestamp,
}

impl Page {
    /// Text, folded where the terminal is narrow.
    pub(super) fn say(&mut self, style: anstyle::Style, text: &str, indent: usize) {
        let text = clean(text);
        let lines = folded(&text, self.width.unwrap_or(usize::MAX), indent);
        self.lines
            .extend(lines.into_iter().map(|line| (style, line)));
    }

    fn table(&mut self, head: &[&str], all: &[Row]) {
        self.lines.extend(rows(head, all, self.width));
    }

    /// How long ago, in one unit.
    fn ago(&self, since: Option<Timestamp>) -> String {
        since.map_or_else(String::new, |since| {
            age(self.now.duration_since(since).as_secs())
        })
    }

    fn daemons(&mut self, status: &Status) {
        for daemon in status.daemons.iter().filter(|daemon| !daemon.up) {
            let why = daemon.why_not.as_deref().unwrap_or("it does not run");
            let text = match daemon.name {
                "nginx" => format!("nginx is down: {why}"),
                "firewall" => format!("firewall: {why}"),
                name if why == NEEDS_ROOT => format!("{name} was not checked: {why}"),
                name => format!("{name} does not answer: {why}"),
            };
            self.say(BAD, &text, 0);
        }
    }

    /// Units with the containers that they run below them.
    fn units(&mut self, status: &Status) {
        let mut all = Vec::new();
        for unit in &status.units {
            all.push(self.unit(unit));
            all.extend(published(unit));
            let own = status.containers.iter();
            let own = own.filter(|one| one.unit.as_ref() == Some(&unit.name));
            all.extend(own.map(|one| self.container(one, 2)));
        }
        if !status.units.is_empty() {
            let well = status.units.iter().filter(|unit| unit.well).count();
            let number = count(status.units.len(), "unit");
            self.say(STRONG, &format!("{number}, {well} OK"), 0);
            self.table(&["UNIT", "STATE", "SINCE", "RESTARTS", "IMAGE"], &all);
        }
    }

    /// Containers on networks that no unit runs.
    fn alone(&mut self, status: &Status) {
        let alone = |one: &&ContainerStatus| {
            let unit = one.unit.as_ref();
            unit.is_none_or(|unit| status.units.iter().all(|known| known.name != *unit))
        };
        let alone = status.containers.iter().filter(alone);
        let alone: Vec<Row> = alone.map(|one| self.container(one, 0)).collect();
        if !alone.is_empty() {
            let number = count(alone.len(), "container");
            self.say(STRONG, &format!("{number} without a unit"), 0);
            self.table(
                &["CONTAINER", "STATE", "SINCE", "RESTARTS", "IMAGE"],
                &alone,
            );
        }
    }

    fn unit(&self, unit: &UnitStatus) -> Row {
        let ended = match (unit.exit_status, &unit.meaning) {
            // For a signal, the status is the number of the signal.
            (_, Some(meaning)) if unit.signalled => format!(": {meaning}"),
            (Some(status), Some(meaning)) if status != 0 => format!(" {status} ({meaning})"),
            (Some(status), None) if status != 0 => format!(" with status {status}"),
            (_, Some(meaning)) => format!(": {meaning}"),
            _ => String::new(),
        };
        Row {
            indent: 0,
            cells: vec![
                unit.name.clone(),
                format!("{}{ended}", unit.state),
                self.ago(unit.since),
                restarts(i64::from(unit.restarts)),
            ],
            style: tone(unit.well),
        }
    }

    fn container(&self, one: &ContainerStatus, indent: usize) -> Row {
        let health = match one.health {
            Health::None => String::new(),
            health => format!(", {}", health.as_str()),
        };
        let ended = match (one.exit_code, &one.meaning) {
            (Some(code), Some(meaning)) => format!(" {code} ({meaning})"),
            (Some(code), None) => format!(" {code}"),
            (None, _) => String::new(),
        };
        let made = one.image_created.map(|made| {
            let old = age(self.now.duration_since(made).as_secs());
            format!("{old} old")
        });
        let finished = one.state == "exited" && one.exit_code == Some(0);
        let well = (one.state == "running" && one.health != Health::Unhealthy) || finished;
        Row {
            indent,
            cells: vec![
                one.name.clone(),
                format!("{}{ended}{health}", one.state),
                self.ago(one.since),
                restarts(one.restarts),
                images::cell(one, made),
            ],
            style: tone(well),
        }
    }

    fn network(&mut self, network: &NetworkStatus) {
        let subnet = network.subnet.as_ref().map(|subnet| format!(" {subnet}"));
        let subnet = subnet.unwrap_or_default();
        let exists = if network.exists { "" } else { " (missing)" };
        let title = format!("network {}{subnet}{exists}", network.name);
        self.say(STRONG, &title, 0);
        let head = ["MEMBER", "ADDRESS", "STATE", "HEALTH", "ALIASES"];
        let members: Vec<Row> = network.members.iter().map(member).collect();
        self.table(&head, &members);
        for name in &network.foreign {
            self.say(DIM, &format!("foreign {name}"), 2);
        }
        let number = count(network.members.len(), "member");
        let text = format!("{} of {number} connected", network.connected);
        self.say(anstyle::Style::new(), &text, 2);
    }

    fn certificates(&mut self, certificates: &[CertificateStatus]) {
        if certificates.is_empty() {
            return;
        }
        let number = count(certificates.len(), "certificate");
        self.say(STRONG, &number, 0);
        let row = |one: &CertificateStatus| {
            let left = match (one.days_left, one.unknown) {
                (Some(left), _) if left < 0 => "expired".to_owned(),
                (Some(1), _) => "1 day left".to_owned(),
                (Some(left), _) => format!("{left} days left"),
                (None, why) => why.unwrap_or("not known").to_owned(),
            };
            let stale = if one.stale {
                ", nginx serves an older one"
            } else {
                ""
            };
            let sites: Vec<&str> = one.sites.iter().map(String::as_str).collect();
            Row {
                indent: 0,
                cells: vec![
                    one.path.display().to_string(),
                    format!("{left}{stale}"),
                    sites.join(", "),
                ],
                style: tone(one.days_left.is_none_or(|left| left >= DAYS) && !one.stale),
            }
        };
        let all: Vec<Row> = certificates.iter().map(row).collect();
        self.table(&["CERTIFICATE", "LEFT", "SITES"], &all);
    }

    fn foreign(&mut self, status: &Status) {
        if status.foreign.is_empty() {
            return;
        }
        self.say(STRONG, "foreign: not in the desired state", 0);
        for kind in ["unit", "container", "site"] {
            let names = status.foreign.iter().filter(|one| one.kind == kind);
            let names: Vec<&str> = names.map(|one| one.name.as_str()).collect();
            if !names.is_empty() {
                let text = format!("{kind}s: {}", names.join(", "));
                self.say(DIM, &text, 2);
            }
        }
    }
}

/// What Podman publishes for it, in a line below it.
fn published(unit: &UnitStatus) -> Option<Row> {
    (!unit.publishes.is_empty()).then(|| Row {
        indent: 2,
        cells: vec!["publishes".to_owned(), unit.publishes.join(", ")],
        style: anstyle::Style::new(),
    })
}

fn member(member: &MemberStatus) -> Row {
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
    Row {
        indent: 0,
        cells: vec![
            member.name.clone(),
            address,
            state,
            member.health.as_str().to_owned(),
            aliases.join(","),
        ],
        style: tone(member.running && member.connected && member.health != Health::Unhealthy),
    }
}

fn tone(well: bool) -> anstyle::Style {
    match well {
        true => anstyle::Style::new(),
        false => BAD,
    }
}

fn restarts(number: i64) -> String {
    match number {
        0 => String::new(),
        1 => "1 restart".to_owned(),
        number => format!("{number} restarts"),
    }
}

/// Seconds in the largest unit that they fill twice.
pub(super) fn age(seconds: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400, "days"), (3_600, "h"), (60, "min")];
    let seconds = seconds.max(0);
    for (length, name) in UNITS {
        if seconds >= 2 * length {
            return format!("{} {name}", seconds / length);
        }
    }
    format!("{seconds} s")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
