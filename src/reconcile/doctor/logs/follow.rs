//! What comes after what was read: the journal and the engine send it, nginx's files are looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinSet;

use super::routes::Routes;
use super::{LogLine, Parts, Read, Told};
use crate::host::Host;
use crate::host::docker::logs::ContainerLine;
use crate::host::log_file::Growing;
use crate::host::systemd::journal::{self, JournalEntry};
use crate::reconcile::ReconcileError;

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(300);
/// Lines that wait to be told.
const QUEUE: usize = 1024;

/// Where to go on from.
pub(super) struct From {
    files: Vec<Growing>,
    began: Timestamp,
    /// Where the journal that was read ends.
    pub cursor: Option<String>,
    /// When the last line was written that was read of a container.
    last: BTreeMap<String, Timestamp>,
}

impl From {
    /// From where the files end now, and from this moment.
    pub(super) fn now(host: &Host, routes: &Routes<'_>) -> Self {
        let files = routes.logs.iter();
        let files = files.map(|log| Growing::of(host.root(), &log.path));
        Self {
            files: files.collect(),
            began: Timestamp::now(),
            cursor: None,
            last: BTreeMap::new(),
        }
    }

    /// Where the files ended, in the order of the logs.
    pub(super) fn ends(&self) -> Vec<u64> {
        self.files.iter().map(Growing::at).collect()
    }

    /// What was read of containers is not told again.
    pub(super) fn after(&mut self, read: &[Read]) {
        for Read { source, lines } in read {
            let last = lines.iter().filter_map(|line| line.time).max();
            let last = last.map_or(self.began, |last| last.max(self.began));
            self.last.insert(source.source.clone(), last);
        }
    }

    /// Tells what comes until `tell` says no, or nobody writes any more.
    pub(super) async fn follow(
        mut self,
        host: &Host,
        parts: &Parts,
        routes: &Routes<'_>,
        tell: &mut dyn FnMut(Told<'_>) -> bool,
    ) -> Result<(), ReconcileError> {
        // Those who send end with it.
        let mut senders = JoinSet::new();
        let mut entries = entries(host, parts, (self.cursor.take(), self.began), &mut senders);
        let mut written = written(host, parts, &self, &mut senders).await;
        let mut look = tokio::time::interval(LOOK);
        loop {
            let lines: Vec<LogLine> = tokio::select! {
                Some(entry) = entries.recv() => parts.lines_of(entry),
                Some((name, line)) = written.recv() => vec![LogLine::of_container(&name, line)],
                _ = look.tick() => self.of_files(routes),
            };
            // A look without lines shows whether somebody still reads.
            if !tell(Told::More(&lines)) {
                return Ok(());
            }
        }
    }

    fn of_files(&mut self, routes: &Routes<'_>) -> Vec<LogLine> {
        let mut found = Vec::new();
        for (file, log) in self.files.iter_mut().zip(&routes.logs) {
            let lines = file.more().into_iter();
            found.extend(lines.filter_map(|line| {
                let said = routes.read(log, &line)?;
                Some(LogLine::of_nginx(log, said.time, line))
            }));
        }
        found.sort_by_key(|line| line.time);
        found
    }
}

fn entries(
    host: &Host,
    parts: &Parts,
    (cursor, began): (Option<String>, Timestamp),
    senders: &mut JoinSet<()>,
) -> Receiver<JournalEntry> {
    let (to, entries) = mpsc::channel(QUEUE);
    if host.is_live() && !parts.units.is_empty() {
        senders.spawn(journal::follow(parts.units.clone(), cursor, began, to));
    }
    entries
}

async fn written(
    host: &Host,
    parts: &Parts,
    from: &From,
    senders: &mut JoinSet<()>,
) -> Receiver<(String, ContainerLine)> {
    let (to, written) = mpsc::channel(QUEUE);
    if host.is_live()
        && !parts.containers.is_empty()
        && let Ok(docker) = host.docker().await
    {
        for container in &parts.containers {
            let name = container.name.clone();
            let since = from.last.get(&name).copied().unwrap_or(from.began);
            senders.spawn(docker.clone().follow(name, since, to.clone()));
        }
    }
    written
}
