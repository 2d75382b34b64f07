//! Units that start otherwise than their files say, once: without their own pulls, since the image that is to run is on the
//! host, and a pull could bring another one; or with the containers that run, which are adopted as they are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Run, StepError};
use crate::effect::UnitStep;
use crate::host::{Host, HostError};
use crate::model::{UnitState, layout};
use crate::source::unit::settings::Source;
use crate::source::unit::{
    Settings, laid_over, laid_over_instead, without_pulls, without_services,
};
use crate::state::Undo;

/// Drop-ins below /run for starts, until [`OneStart::end`].
#[derive(Debug, Default)]
pub(crate) struct OneStart {
    paths: BTreeSet<PathBuf>,
}

impl OneStart {
    /// Holds back the pulls of these units, as far as they are commands of their own. A drop-in that a killed run left is
    /// written again, and so goes at the end.
    pub(super) async fn without_pulls(
        &mut self,
        host: &Host,
        units: impl Iterator<Item = &str>,
    ) -> Result<(), StepError> {
        let units: BTreeSet<&str> = units.filter(|unit| unit.ends_with(".service")).collect();
        let systemd = host.systemd().await?;
        let known = self.paths.len();
        for unit in units {
            let state = systemd.unit(unit).await?;
            let path = layout::runtime_dropin(unit, layout::NO_PULL_DROPIN);
            let Some(text) = without_pulls(&settings(host, &state)?) else {
                continue;
            };
            host.root().make_parent(&path)?;
            host.root().write(&path, text.as_bytes(), 0o644)?;
            self.paths.insert(path);
        }
        match self.paths.len() > known {
            true => Ok(systemd.reload().await?),
            false => Ok(()),
        }
    }

    /// Has what is laid over a stack's compose files say nothing of these services.
    pub(super) async fn without_mounts(
        &mut self,
        host: &Host,
        unit: &str,
        services: &BTreeSet<String>,
    ) -> Result<(), StepError> {
        let systemd = host.systemd().await?;
        let settings = settings(host, &systemd.unit(unit).await?)?;
        let Some(path) = laid_over(&settings) else {
            return Ok(());
        };
        let text = host.root().read(&path)?;
        let rest = text.and_then(|text| without_services(&text, services));
        let instead = layout::laid_over(unit);
        let instead = match rest {
            Some(rest) => {
                host.root().write(&instead, &rest, 0o644)?;
                self.paths.insert(instead.clone());
                Some(instead)
            }
            None => None,
        };
        let dropin = layout::runtime_dropin(unit, layout::AS_IT_RUNS_DROPIN);
        host.root().make_parent(&dropin)?;
        let text = laid_over_instead(&settings, instead.as_deref());
        host.root().write(&dropin, text.as_bytes(), 0o644)?;
        self.paths.insert(dropin);
        Ok(systemd.reload().await?)
    }

    /// Lets the units start as their files say.
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
            self.record_dropin(unit, layout::NO_PULL_DROPIN)?;
        }
        self.journal.record(Undo::DaemonReload)?;
        let units = units.iter().map(String::as_str);
        self.unpulled.without_pulls(self.host, units).await
    }

    /// Has the containers of services of a stack stay as they were adopted when compose is called, also on the way back.
    pub(super) async fn hold_mounts(&mut self, step: &UnitStep) -> Result<OneStart, StepError> {
        let mut held = OneStart::default();
        if step.leaves.is_empty() {
            return Ok(held);
        }
        self.journal.record(Undo::Leave {
            unit: step.unit.clone(),
            services: step.leaves.clone(),
        })?;
        self.record_dropin(&step.unit, layout::AS_IT_RUNS_DROPIN)?;
        self.journal.save(&layout::laid_over(&step.unit))?;
        self.journal.record(Undo::DaemonReload)?;
        held.without_mounts(self.host, &step.unit, &step.leaves)
            .await?;
        Ok(held)
    }

    /// Writes down what takes a drop-in below /run away.
    fn record_dropin(&mut self, unit: &str, dropin: &str) -> Result<(), StepError> {
        let path = layout::runtime_dropin(unit, dropin);
        if let Some(folder) = path.parent() {
            self.journal.record(Undo::RemoveFolder(folder.to_owned()))?;
        }
        Ok(self.journal.save(&path)?)
    }
}

/// A unit's file and drop-ins as systemd has read them, without those for a start.
fn settings(host: &Host, state: &UnitState) -> Result<Settings, HostError> {
    let passing = [layout::NO_PULL_DROPIN, layout::AS_IT_RUNS_DROPIN];
    let own = |path: &&PathBuf| {
        passing
            .iter()
            .all(|name| path.file_name() != Some(name.as_ref()))
    };
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
