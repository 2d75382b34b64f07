//! The sources: each is read from its end, and no more than is asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::routes::{NginxLog, Routes, Which};
use super::{LogKind, LogLine, LogSource, LogWish, Parts};
use crate::host::log_file::FromEnd;
use crate::host::systemd::journal::{self, JournalEntry};
use crate::host::{Host, observe};
use crate::model::Container;

/// Lines of a source.
pub(super) struct Read {
    /// Which.
    pub source: LogSource,
    /// The lines.
    pub lines: Vec<LogLine>,
}

/// The journal of the units, and where it ends.
pub(super) async fn of_units(parts: &Parts, wish: &LogWish) -> (Vec<Read>, Option<String>) {
    if parts.units.is_empty() {
        return (Vec::new(), None);
    }
    let found = journal::last(&parts.units, wish.most, wish.since).await;
    let cursor = found.entries.last().map(|entry| entry.cursor.clone());
    let mut lines: BTreeMap<String, Vec<LogLine>> = BTreeMap::new();
    for entry in found.entries {
        for line in parts.lines_of(entry) {
            lines.entry(line.source.clone()).or_default().push(line);
        }
    }
    let read = parts.units.iter().map(|unit| {
        let lines = lines.remove(unit).unwrap_or_default();
        let nothing = || Some("it wrote nothing to the journal".to_owned());
        let why = match lines.is_empty() && wish.most > 0 {
            true => found.wrong.clone().or_else(nothing),
            false => found.wrong.clone(),
        };
        Read::of(LogKind::Journal, unit, lines, why)
    });
    (read.collect(), cursor)
}

/// What the containers wrote.
pub(super) async fn of_containers(host: &Host, parts: &Parts, wish: &LogWish) -> Vec<Read> {
    let mut read = Vec::new();
    if parts.containers.is_empty() {
        return read;
    }
    let docker = match host.docker().await {
        Ok(docker) => docker,
        Err(error) => {
            let why = observe::said_of(&error);
            let none = |container: &Container| {
                let why = Some(why.clone());
                Read::of(LogKind::Container, &container.name, Vec::new(), why)
            };
            return parts.containers.iter().map(none).collect();
        }
    };
    for container in &parts.containers {
        let name = &container.name;
        let found = docker
            .timed_lines(&container.id, wish.most, wish.since)
            .await;
        let (lines, why) = match found {
            Ok(lines) if lines.is_empty() && wish.most > 0 => {
                (Vec::new(), Some("it wrote nothing".to_owned()))
            }
            Ok(lines) => (lines, None),
            // Such as: configured logging driver does not support reading.
            Err(error) => (Vec::new(), Some(observe::said_of(&error))),
        };
        let lines = lines.into_iter();
        let lines = lines
            .map(|line| LogLine::of_container(name, line))
            .collect();
        read.push(Read::of(LogKind::Container, name, lines, why));
    }
    read
}

/// The lines of an access or error log of nginx that are of the service, also of the one before the last rotation.
pub(super) fn of_nginx(
    host: &Host,
    routes: &Routes<'_>,
    (log, end): (&NginxLog, u64),
    wish: &LogWish,
) -> Read {
    let (mut lines, mut why) = (Vec::new(), None);
    let rotated = PathBuf::from(format!("{}.1", log.path.display()));
    'files: for (number, path) in [&log.path, &rotated].into_iter().enumerate() {
        let mut file = match FromEnd::open(host.root(), path, (number == 0).then_some(end)) {
            Ok(file) => file,
            Err(error) if number == 0 => {
                why = Some(format!("it cannot be read: {error}"));
                continue;
            }
            Err(_) => break,
        };
        for line in file.by_ref() {
            if lines.len() >= wish.most {
                break 'files;
            }
            let Some(said) = routes.read(log, &line) else {
                // Of a line of others, only its time counts.
                if let (Some(since), Some(time)) = (wish.since, log.time_of(&line))
                    && time < since
                {
                    break 'files;
                }
                continue;
            };
            if said
                .time
                .zip(wish.since)
                .is_some_and(|(time, since)| time < since)
            {
                break 'files;
            }
            lines.push(LogLine::of_nginx(log, said.time, line));
        }
        if file.is_cut() {
            why = Some("it is large: only its end was read".to_owned());
            break;
        }
    }
    lines.reverse();
    if lines.is_empty() && why.is_none() {
        why = Some("it has no line of a request that leads there".to_owned());
    }
    Read::of(
        log.which.kind(),
        &log.path.display().to_string(),
        lines,
        why,
    )
}

impl Parts {
    /// The lines of an entry. What compose prints of a container while it waits in the unit is in the container's log.
    pub(super) fn lines_of(&self, entry: JournalEntry) -> Vec<LogLine> {
        let unit = entry.unit.filter(|unit| self.units.contains(unit));
        let Some(unit) = unit.or_else(|| self.units.first().cloned()) else {
            return Vec::new();
        };
        let lines = entry
            .text
            .lines()
            .filter(|line| !self.is_of_container(line));
        lines
            .filter(|line| !line.trim().is_empty())
            .map(|line| LogLine {
                time: Some(entry.time),
                kind: LogKind::Journal,
                source: unit.clone(),
                text: line.to_owned(),
            })
            .collect()
    }

    /// `api-1  | text`: compose leaves the project out.
    fn is_of_container(&self, line: &str) -> bool {
        let Some((name, _)) = line.split_once(" | ") else {
            return false;
        };
        let name = name.trim_end();
        let is_it = |container: &Container| {
            let rest = container.name.strip_suffix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '_']))
        };
        !name.is_empty() && self.containers.iter().any(is_it)
    }
}

impl Read {
    pub(super) fn of(
        kind: LogKind,
        source: &str,
        lines: Vec<LogLine>,
        why: Option<String>,
    ) -> Self {
        let source = LogSource {
            kind,
            source: source.to_owned(),
            lines: lines.len(),
            why,
        };
        Self { source, lines }
    }
}

impl LogLine {
    pub(super) fn of_container(name: &str, line: crate::host::docker::logs::ContainerLine) -> Self {
        Self {
            time: line.time,
            kind: LogKind::Container,
            source: name.to_owned(),
            text: line.text,
        }
    }

    pub(super) fn of_nginx(log: &NginxLog, time: Option<Timestamp>, text: String) -> Self {
        Self {
            time,
            kind: log.which.kind(),
            source: log.path.display().to_string(),
            text,
        }
    }
}

impl Which {
    pub(super) fn kind(self) -> LogKind {
        match self {
            Self::Access => LogKind::Access,
            Self::Error => LogKind::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::doctor::logs::backends::Backends;

    #[test]
    fn what_compose_repeats_is_left_out() {
        let container = Container {
            name: "shop-api-1".to_owned(),
            ..Container::default()
        };
        let parts = Parts {
            units: vec!["shop.service".to_owned()],
            containers: vec![container],
            backends: Backends::default(),
            notes: Vec::new(),
        };
        let entry = JournalEntry {
            time: Timestamp::UNIX_EPOCH,
            unit: Some("other.service".to_owned()),
            text: "api-1  | hello\nshop-api-1 | hello\nother-1 | x\n\nAttaching".to_owned(),
            cursor: String::new(),
        };
        let lines = parts.lines_of(entry);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["other-1 | x", "Attaching"]);
        assert_eq!(lines[0].source, "shop.service");
    }
}
