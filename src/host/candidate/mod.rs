//! Validates a candidate before anything live changes: the real programs run on it, in a place that
//! nobody else sees.

mod conf;
mod etc;
mod mounts;
mod namespace;
mod nginx;
mod programs;
mod quadlets;
mod sandbox;
mod secrets;
mod sources;
mod systemd;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;

use super::observe::resolve_owner;
use super::self_signed::{SelfSigned, self_signed};
use super::{Host, HostError};
use crate::effect::{Becomes, Candidate, Effect};
use crate::model::{Certificate, Finding, layout};
use crate::root::{Root, RootError};
use conf::Conf;
use sandbox::Sandbox;
use sources::Sources;

/// Bound of each program.
const BOUND: Duration = Duration::from_secs(20);
/// Bound of looking up a name, as long as a resolver takes that nobody answers.
const LOOK_UP: Duration = Duration::from_secs(30);

/// Bound of all of it: a file system that does not answer must not hold a run for ever.
const ALL: Duration = Duration::from_secs(180);

/// What was found out about a candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Validation {
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What could not be validated, and why: a sentence each.
    pub not_validated: Vec<String>,
}

/// Who may be asked about names of upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// The host's resolver, by this process: somebody applies what has them.
    Ask,
    /// Nobody: looking at a revision sends nothing anywhere.
    Leave,
}

impl Host {
    /// Validates a candidate with `nginx -t` and `systemd-analyze verify`, on the live host: by processes
    /// that have nothing to give away. Nothing of it is seen outside, and nothing stays.
    pub(crate) async fn validate(
        &self,
        candidate: &Candidate,
        ask: Names,
    ) -> Result<Validation, HostError> {
        let (answer, answered) = oneshot::channel();
        let (nginx, copy) = (self.nginx.clone(), candidate.clone());
        // A mount namespace is one of a thread, and never changes back: this thread ends with it.
        let thread = std::thread::Builder::new().name("candidate".to_owned());
        let spawned = thread.spawn(move || {
            // Nobody waits any more when the run was given up.
            let _ = answer.send(validate(&copy, &nginx));
        });
        let failed = |source| HostError::Candidate {
            doing: "start a thread".to_owned(),
            source,
        };
        spawned.map_err(failed)?;
        let answer = tokio::time::timeout(ALL, answered).await;
        let answer = answer.map_err(|_| HostError::Timeout {
            what: "validate what would be applied".to_owned(),
            after: ALL,
        })?;
        let Validated {
            mut validation,
            missing,
            names,
        } = answer.map_err(|error| failed(std::io::Error::other(error)))??;
        resolve(names, ask, &mut validation).await;
        validation
            .findings
            .extend(self.really_missing(missing, candidate).await);
        // Errors last, where people look.
        validation
            .findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(validation)
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
            let goes = candidate.effects.iter().any(|action| {
                matches!(action, Effect::Remove { path, .. } if *path == layout::unit(&missing.unit))
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

/// What the programs said, and what remains to be asked of others.
#[derive(Default)]
struct Validated {
    validation: Validation,
    missing: Vec<systemd::Missing>,
    names: Vec<nginx::Name>,
}

/// Looks names up, or says that nobody did.
async fn resolve(names: Vec<nginx::Name>, ask: Names, validation: &mut Validation) {
    for name in names {
        if ask == Names::Leave {
            if !name.known {
                let text = format!("not validated: whether {} resolves", name.name);
                validation.not_validated.push(text);
            }
            continue;
        }
        let asked = tokio::net::lookup_host((name.name.as_str(), 0));
        let found = tokio::time::timeout(LOOK_UP, asked).await;
        let is_there = found.is_ok_and(|found| found.is_ok_and(|mut found| found.next().is_some()));
        if !is_there {
            validation.findings.push(name.finding);
        }
    }
}

/// Validates in a namespace of this thread.
fn validate(candidate: &Candidate, nginx: &super::nginx::Nginx) -> Result<Validated, HostError> {
    let mut validated = Validated::default();
    let host = Root::open("/")?;
    etc::validate_bytes(
        &candidate.etc,
        &Sources::new(&host, candidate),
        &mut validated.validation,
    );
    let sandbox = Sandbox::new(sandbox::addresses(), BOUND);
    if let Err(refused) = namespace::enter(&written(candidate)) {
        if refused.is_fault() {
            return Err(HostError::Candidate {
                doing: refused.doing.to_owned(),
                source: refused.source,
            });
        }
        validated.validation.not_validated.push(format!(
            "not validated: no private mount namespace ({}: {})",
            refused.doing, refused.source
        ));
        return Ok(validated);
    }
    // Everything below here is the namespace's own.
    let root = Root::open("/")?;
    let before = match candidate.nginx {
        true => Conf::read(&root),
        false => Conf::default(),
    };
    // In place of the keys that programs would read, and of the pairs that the plan writes.
    let stand_in = self_signed(&[])?;
    put(&root, candidate, &stand_in)?;
    secrets::close(&root);
    let sources = Sources::new(&root, candidate);
    if candidate.nginx {
        let case = nginx::Case {
            nginx,
            sandbox: &sandbox,
            sources: &sources,
            before: &before,
            stand_in: &stand_in,
            makes_networks: candidate.makes_networks,
        };
        validated.names = nginx::validate(&case, &mut validated.validation);
    }
    if !candidate.units.is_empty() {
        let units = &candidate.units;
        validated.missing = systemd::validate(units, &sandbox, &sources, &mut validated.validation);
    }
    if candidate.quadlets {
        quadlets::validate(&sandbox, &sources, &mut validated.validation);
    }
    let case = etc::Case {
        sandbox: &sandbox,
        sources: &sources,
        stand_in: &stand_in,
    };
    etc::validate(&candidate.etc, &case, &mut validated.validation);
    Ok(validated)
}

/// Every path that [`put`] writes.
fn written(candidate: &Candidate) -> BTreeSet<PathBuf> {
    let mut paths: BTreeSet<PathBuf> = candidate.bound.keys().cloned().collect();
    paths.extend(candidate.sources.keys().cloned());
    let files = candidate.effects.iter().flat_map(Effect::files);
    paths.extend(files.map(|file| file.path.into_owned()));
    paths
}

/// Makes the files as they are after the plan.
fn put(root: &Root, candidate: &Candidate, pair: &SelfSigned) -> Result<(), HostError> {
    for effect in &candidate.effects {
        if let Effect::WriteCertificate(names) = effect {
            write_certificate(root, names, pair)?;
            continue;
        }
        for file in effect.files() {
            let path = &*file.path;
            match file.becomes {
                Becomes::File { file, mode, owner } => {
                    root.make_parent(path)?;
                    let owner = owner.and_then(resolve_owner);
                    root.write_owned(path, &file.content, mode, owner)?;
                }
                Becomes::Link { target, .. } => {
                    root.make_parent(path)?;
                    root.link(path, target)?;
                }
                Becomes::Nothing => root.remove(path)?,
                Becomes::Made => {}
            }
        }
    }
    // A unit sees the stored files at their paths in the checkout, whatever is there now.
    for (path, file) in &candidate.bound {
        write(root, path, &file.content, file.mode())?;
    }
    Ok(())
}

fn write(root: &Root, path: &Path, content: &[u8], mode: u32) -> Result<(), RootError> {
    root.make_parent(path)?;
    root.write(path, content, mode)
}

/// A pair in the place of the one that the plan writes.
fn write_certificate(root: &Root, paths: &Certificate, pair: &SelfSigned) -> Result<(), HostError> {
    write(root, &paths.key, pair.key.as_bytes(), 0o600)?;
    let certificate = pair.certificate.as_bytes();
    Ok(write(root, &paths.certificate, certificate, 0o644)?)
}
