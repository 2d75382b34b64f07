//! A host of values on which a plan is carried out.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::*;
use crate::plan::prune::normal;

/// What `observed` becomes when every change of `plan` is done.
pub(super) fn simulate(plan: &Plan, observed: &Observed) -> Observed {
    let mut host = observed.clone();
    for change in &plan.changes {
        act(&mut host, &change.action);
    }
    follow_links(&mut host);
    host
}

fn act(host: &mut Observed, action: &Action) {
    match action {
        Action::Store {
            path,
            file: Some(file),
            ..
        } => put(host, layout::live(path), file, file.mode()),
        Action::Store {
            path, file: None, ..
        } => {
            host.files.insert(layout::live(path), Entry::Missing);
        }
        Action::Copy {
            path, file, mode, ..
        } => put(host, path.clone(), file, *mode),
        Action::Link { path, target, .. } => {
            let link = Entry::Link {
                target: target.clone(),
                leads_to: None,
            };
            host.files.insert(path.clone(), link);
        }
        Action::Remove { path, .. } => {
            host.files.insert(path.clone(), Entry::Missing);
        }
        Action::Start(step) | Action::Restart(step) => set_active(host, &step.unit, "active"),
        Action::Stop(step) => set_active(host, &step.unit, "inactive"),
        _ => {}
    }
}

fn put(host: &mut Observed, path: PathBuf, file: &File, mode: u32) {
    let entry = Entry::File {
        content: file.content.clone(),
        mode,
        owner: (0, 0),
        modified: Timestamp::UNIX_EPOCH,
    };
    host.files.insert(path, entry);
}

fn set_active(host: &mut Observed, unit: &str, active: &str) {
    let systemd = host.systemd.as_mut().unwrap();
    let state = systemd.units.entry(unit.to_owned()).or_default();
    state.active = active.to_owned();
    state.load = "loaded".to_owned();
    state.result = "success".to_owned();
}

fn follow_links(host: &mut Observed) {
    let before = host.clone();
    for (path, entry) in &mut host.files {
        if let Entry::Link { leads_to, .. } = entry {
            *leads_to = lead(&before, path);
        }
    }
}

fn lead(host: &Observed, path: &Path) -> Option<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..10 {
        match host.entry(&at) {
            Entry::Link { target, .. } => at = normal(&at.parent()?.join(target)),
            Entry::Missing => return None,
            _ => return Some(at),
        }
    }
    None
}
