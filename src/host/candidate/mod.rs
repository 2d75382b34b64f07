//! Judges a candidate before anything live changes: the real programs run on it, in a place that
//! nobody else sees.

mod mounts;
mod namespace;
mod nginx;
mod programs;
mod sources;
mod systemd;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;

use super::observe::resolve_owner;
use super::{Host, HostError, openssl};
use crate::model::{Action, Candidate, Certificate, Finding, layout};
use crate::root::{Root, RootError};
use sources::Sources;

/// Bound of each program: nginx waits for the names of upstreams, some seconds for each that
/// nobody answers for.
const BOUND: Duration = Duration::from_secs(60);

/// Bound of all of it: a file system that does not answer must not hold a run for ever.
const ALL: Duration = Duration::from_secs(180);

/// What was found out about a candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What could not be judged, and why: a sentence each.
    pub not_judged: Vec<String>,
}

impl Host {
    /// Judges a candidate with `nginx -t` and `systemd-analyze verify`, on the live host, as root.
    /// Nothing of it is seen outside, and nothing stays.
    ///
    /// # Errors
    /// When the candidate could not be put together.
    pub async fn judge(&self, candidate: &Candidate) -> Result<Judgement, HostError> {
        let (answer, answered) = oneshot::channel();
        let (nginx, copy) = (self.nginx.clone(), candidate.clone());
        // A mount namespace is one of a thread, and never changes back: this thread ends with it.
        let thread = std::thread::Builder::new().name("candidate".to_owned());
        let spawned = thread.spawn(move || {
            // Nobody waits any more when the run was given up.
            let _ = answer.send(judge(&copy, &nginx));
        });
        let failed = |source| HostError::Candidate {
            doing: "start a thread".to_owned(),
            source,
        };
        spawned.map_err(failed)?;
        let answer = tokio::time::timeout(ALL, answered).await;
        let answer = answer.map_err(|_| HostError::Timeout {
            what: "judge what would be applied".to_owned(),
            after: ALL,
        })?;
        let (mut judgement, missing) =
            answer.map_err(|error| failed(std::io::Error::other(error)))??;
        judgement
            .findings
            .extend(self.really_missing(missing, candidate).await);
        // Errors last, where people look.
        judgement
            .findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(judgement)
    }

    /// Units that others require and that have no file may be there all the same: the manager
    /// makes some from the state of the kernel, generators others. Those that it has loaded, and
    /// that the candidate does not take away, are no complaint.
    async fn really_missing(
        &self,
        missing: Vec<systemd::Missing>,
        candidate: &Candidate,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for missing in missing {
            let goes = candidate.actions.iter().any(|action| {
                matches!(action, Action::Remove { path, .. } if *path == layout::unit(&missing.unit))
            });
            let loaded = match self.systemd().await {
                Ok(systemd) => systemd.unit(&missing.unit).await,
                Err(error) => Err(error),
            };
            if goes || !loaded.is_ok_and(|state| state.load == "loaded") {
                findings.push(missing.finding);
            }
        }
        findings
    }
}

type Judged = (Judgement, Vec<systemd::Missing>);

/// Judges in a namespace of this thread.
fn judge(candidate: &Candidate, nginx: &super::nginx::Nginx) -> Result<Judged, HostError> {
    let mut judgement = Judgement::default();
    let logs = match candidate.nginx {
        true => nginx.open_files(),
        false => Vec::new(),
    };
    if let Err(refused) = namespace::enter(&written(candidate)) {
        if refused.is_fault() {
            return Err(HostError::Candidate {
                doing: refused.doing.to_owned(),
                source: refused.source,
            });
        }
        judgement.not_judged.push(format!(
            "not validated: no private mount namespace ({}: {})",
            refused.doing, refused.source
        ));
        return Ok((judgement, Vec::new()));
    }
    // Everything below here is the namespace's own.
    let root = Root::new("/");
    put(&root, candidate)?;
    let sources = Sources::new(&root, candidate);
    if candidate.nginx {
        nginx::judge(
            nginx,
            &logs,
            &sources,
            candidate.makes_networks,
            &mut judgement,
        );
    }
    let missing = match candidate.units.is_empty() {
        true => Vec::new(),
        false => systemd::judge(&candidate.units, &sources, &mut judgement),
    };
    Ok((judgement, missing))
}

/// Every path that [`put`] writes.
fn written(candidate: &Candidate) -> BTreeSet<PathBuf> {
    let mut paths: BTreeSet<PathBuf> = candidate.bound.keys().cloned().collect();
    paths.extend(candidate.sources.keys().cloned());
    for action in &candidate.actions {
        match action {
            Action::Store { path, .. } => paths.extend([layout::live(path)]),
            Action::Link { path, .. } | Action::Copy { path, .. } | Action::Remove { path, .. } => {
                paths.extend([path.clone()]);
            }
            Action::WriteCertificate(pair) => {
                paths.extend([pair.certificate.clone(), pair.key.clone()]);
            }
            _ => {}
        }
    }
    paths
}

/// Makes the files as they are after the plan.
fn put(root: &Root, candidate: &Candidate) -> Result<(), HostError> {
    for action in &candidate.actions {
        match action {
            Action::Store {
                path,
                file: Some(file),
                ..
            } => write(root, &layout::live(path), &file.content, file.mode())?,
            Action::Store {
                path, file: None, ..
            } => root.remove(&layout::live(path))?,
            Action::Link { path, target, .. } => {
                make_parent(root, path)?;
                root.link(path, target)?;
            }
            Action::Copy {
                path,
                file,
                mode,
                owner,
                ..
            } => {
                make_parent(root, path)?;
                root.write_owned(path, &file.content, *mode, resolve_owner(owner))?;
            }
            Action::Remove { path, .. } => root.remove(path)?,
            Action::WriteCertificate(pair) => write_certificate(root, pair)?,
            _ => {}
        }
    }
    // A unit sees the stored files at their paths in the checkout, whatever lies there now.
    for (path, file) in &candidate.bound {
        write(root, path, &file.content, file.mode())?;
    }
    Ok(())
}

fn write(root: &Root, path: &Path, content: &[u8], mode: u32) -> Result<(), RootError> {
    make_parent(root, path)?;
    root.write(path, content, mode)
}

fn make_parent(root: &Root, path: &Path) -> Result<(), RootError> {
    match path.parent() {
        Some(folder) => root.make_folder(folder),
        None => Ok(()),
    }
}

/// A pair in the place of the one that the plan writes.
fn write_certificate(root: &Root, pair: &Certificate) -> Result<(), HostError> {
    make_parent(root, &pair.key)?;
    make_parent(root, &pair.certificate)?;
    let mut command = openssl::self_signed(&pair.names, &pair.key, &pair.certificate);
    openssl::outcome(&pair.names, command.output())
}
