//! Units that start without their own pulls: the image that is to run is on the host, and a pull could bring another one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Run, StepError};
use crate::host::{Host, HostError};
use crate::model::{UnitState, layout};
use crate::source::unit::settings::Source;
use crate::source::unit::{Settings, without_pulls};
use crate::state::Undo;

/// Drop-ins below /run that hold the pulls of units back, until [`Unpulled::end`].
#[derive(Debug, Default)]
pub(crate) struct Unpulled {
    paths: BTreeSet<PathBuf>,
}

impl Unpulled {
    /// Holds back the pulls of these units, as far as they are commands of their own. A drop-in that a killed run left is
    /// written again, and so goes at the end.
    ///
    /// # Errors
    /// When systemd does not answer, or a file cannot be written.
    pub(super) async fn begin(
        &mut self,
        host: &Host,
        units: impl Iterator<Item = &str>,
    ) -> Result<(), StepError> {
        let units: BTreeSet<&str> = units.filter(|unit| unit.ends_with(".service")).collect();
        let systemd = host.systemd().await?;
        let known = self.paths.len();
        for unit in units {
            let state = systemd.unit(unit).await?;
            let path = layout::no_pull_dropin(unit);
            let Some(text) = without_pulls(&settings(host, &state)?) else {
                continue;
            };
            if let Some(folder) = path.parent() {
                host.root().make_folder(folder)?;
            }
            host.root().write(&path, text.as_bytes(), 0o644)?;
            self.paths.insert(path);
        }
        match self.paths.len() > known {
            true => Ok(systemd.reload().await?),
            false => Ok(()),
        }
    }

    /// Lets the units pull again at their next start.
    ///
    /// # Errors
    /// When a file cannot be removed, or systemd does not answer.
    pub(super) async fn end(self, host: &Host) -> Result<(), StepError> {
        if self.paths.is_empty() {
            return Ok(());
        }
        for path in &self.paths {
            host.root().remove(path)?;
            if let Some(folder) = path.parent() {
                host.root().remove_empty(folder);
            }
        }
        Ok(host.systemd().await?.reload().await?)
    }
}

impl Run<'_> {
    /// Holds back the pulls of units until what starts has settled, with what takes the drop-ins away on record.
    pub(super) async fn hold_pulls(&mut self, units: &BTreeSet<String>) -> Result<(), StepError> {
        for unit in units {
            let path = layout::no_pull_dropin(unit);
            if let Some(folder) = path.parent() {
                self.journal.record(Undo::RemoveFolder(folder.to_owned()))?;
            }
            self.journal.save(&path)?;
        }
        self.journal.record(Undo::DaemonReload)?;
        let units = units.iter().map(String::as_str);
        self.unpulled.begin(self.host, units).await
    }
}

/// A unit's file and drop-ins as systemd has read them, without what holds its pulls back.
fn settings(host: &Host, state: &UnitState) -> Result<Settings, HostError> {
    let own = |path: &&PathBuf| path.file_name() != Some(layout::NO_PULL_DROPIN.as_ref());
    let files = std::iter::once(&state.fragment).chain(state.dropins.iter().filter(own));
    let mut sources = Vec::new();
    for path in files.filter(|path| path.is_absolute()) {
        if let Some(text) = host.root().read(Path::new(path))? {
            let text = String::from_utf8_lossy(&text).into_owned();
            sources.push(Arc::new(Source::new(path.clone(), text)));
        }
    }
    Ok(Settings::new(sources))
}
