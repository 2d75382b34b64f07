//! What is checked: a desired state, some of its files, or files alone.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use crate::check::{self, Subject};
use crate::cli::Failure;
use crate::cli::session::Session;
use crate::model::{Diagnostic, Finding};
use crate::reconcile::ReconcileError;
use crate::source::{Checkout, Revision, Which};

/// A desired state as far as it can be read, and where it is wrong.
type Survey = (Revision, Vec<Diagnostic>);

/// What was found, and in how many files.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    /// How many more `[check]` in watchme.toml switches off.
    pub(super) off: usize,
    pub(super) warnings: Vec<String>,
    pub(super) files: usize,
}

impl Checked {
    /// The whole desired state.
    pub(super) async fn all(session: &Session<'_>, rev: Option<&str>) -> Result<Self, Failure> {
        let survey = survey(session, rev).await?;
        Ok(Self::of(&survey))
    }

    fn of((revision, wrong): &Survey) -> Self {
        let report = check::report(&Subject { revision, wrong });
        Self {
            findings: report.findings,
            off: report.off,
            warnings: revision.warnings.clone(),
            files: files(revision, Path::new("")),
        }
    }

    /// Some files. One of the desired state is checked together with all the others, of which nothing is reported; any
    /// other file is checked alone, and any other folder as a desired state of its own.
    pub(super) async fn some(
        session: &Session<'_>,
        rev: Option<&str>,
        paths: &[PathBuf],
    ) -> Result<Self, Failure> {
        let root = session.checkout().ok();
        let root = root.as_ref().map(Checkout::root);
        let mut inside = Vec::new();
        let mut alone = Vec::new();
        for path in paths {
            let absolute = place(path, rev.is_some())?;
            match root.and_then(|root| absolute.strip_prefix(root).ok()) {
                Some(relative) => inside.push((path, relative.to_owned())),
                None => alone.push(path),
            }
        }
        let mut all = Self::default();
        let survey = match inside.is_empty() {
            true => None,
            false => match survey(session, rev).await {
                // A file needs no desired state around it.
                Err(failure)
                    if failure.is_no_desired_state() && paths.iter().all(|path| path.is_file()) =>
                {
                    alone.extend(inside.drain(..).map(|(path, _)| path));
                    None
                }
                survey => Some(survey?),
            },
        };
        if let Some(survey) = survey {
            let (unread, inside): (Vec<_>, Vec<_>) = inside
                .into_iter()
                .partition(|(path, relative)| path.is_file() && !is_read(&survey, relative));
            alone.extend(unread.into_iter().map(|(path, _)| path));
            let inside: Vec<PathBuf> = inside.into_iter().map(|(_, relative)| relative).collect();
            if !inside.is_empty() {
                all = Self::of(&survey).only(&survey.0, &inside);
            }
        }
        for path in alone {
            let checkout = match path.is_dir() {
                true => session.checkout_of(path)?,
                false => Checkout::of_file(path).map_err(ReconcileError::from)?,
            };
            let survey = checkout.survey(&Which::Worktree);
            let one = Self::of(&survey.map_err(ReconcileError::from)?);
            all.findings.extend(one.findings);
            all.warnings.extend(one.warnings);
            all.off += one.off;
            all.files += one.files;
        }
        Ok(all)
    }

    /// What concerns these files and folders.
    fn only(mut self, revision: &Revision, paths: &[PathBuf]) -> Self {
        self.findings.retain(|finding| {
            let place = finding.place().map(Diagnostic::path);
            place.is_some_and(|place| paths.iter().any(|path| place.starts_with(path)))
        });
        self.off = 0;
        let counts = paths.iter().map(|path| (path, files(revision, path)));
        let counts: Vec<_> = counts.collect();
        for (path, _) in counts.iter().filter(|(_, count)| *count == 0) {
            let text = format!(
                "nothing in {} is read: it is no part of the desired state",
                path.display()
            );
            self.warnings.push(text);
        }
        self.files = counts.iter().map(|(_, count)| count).sum();
        self
    }
}

/// Reads the desired state. The process ends soon: freeing a million small pieces would only take time.
async fn survey(session: &Session<'_>, rev: Option<&str>) -> Result<ManuallyDrop<Survey>, Failure> {
    let mut survey = session.survey(rev)?;
    let warnings = session.ask_versions(&mut survey.0).await;
    survey.0.warnings.extend(warnings);
    Ok(ManuallyDrop::new(survey))
}

/// How many files a revision has at a path or below.
fn files(revision: &Revision, path: &Path) -> usize {
    let beside = revision.parsed.beside.keys();
    let beside = beside.filter(|path| !revision.inputs.contains_key(*path));
    let all = revision.inputs.keys().chain(beside);
    all.filter(|file| file.starts_with(path)).count()
}

/// Whether the desired state has a file, or could not read it.
fn is_read((revision, wrong): &Survey, path: &Path) -> bool {
    revision.inputs.contains_key(path)
        || revision.parsed.beside.contains_key(path)
        || wrong.iter().any(|wrong| wrong.path() == path)
}

/// Where a path is, with links in its folder followed. In a revision there may be one that is not here.
fn place(path: &Path, in_revision: bool) -> Result<PathBuf, Failure> {
    let failed = |source| Failure::Path {
        path: path.to_owned(),
        source,
    };
    if !in_revision {
        path.metadata().map_err(failed)?;
    }
    let absolute = std::path::absolute(path).map_err(failed)?;
    let folder = absolute
        .parent()
        .and_then(|folder| folder.canonicalize().ok());
    Ok(match (folder, absolute.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => absolute,
    })
}
