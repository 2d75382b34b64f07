//! What is checked: a desired state, some of its files, or files alone.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use crate::check::{self, Advice, Subject};
use crate::cli::Failure;
use crate::cli::session::Session;
use crate::model::{Diagnostic, Finding};
use crate::source::{Checkout, Revision, SourceError, Which};

/// A revision as far as it can be read, and where it is wrong.
type Surveyed = (Revision, Vec<Diagnostic>);

/// What is checked.
struct Survey {
    /// The desired state: of the host that was named, or of all.
    main: Surveyed,
    /// The same of each host that has files of its own.
    hosts: Vec<(String, Surveyed)>,
    /// Configuration elsewhere in the checkout, each part by itself.
    loose: Vec<Surveyed>,
}

/// What was found, and in how many files.
#[derive(Default)]
pub(in crate::cli::commands) struct Checked {
    pub(super) findings: Vec<Finding>,
    /// How many more `[check]` in watchme.toml switches off.
    pub(super) off: usize,
    pub(super) warnings: Vec<String>,
    pub(super) files: usize,
    /// What of it is one finding.
    pub(super) advice: Advice,
}

impl Checked {
    /// The whole desired state.
    pub(super) async fn all(session: &Session<'_>, rev: Option<&str>) -> Result<Self, Failure> {
        let survey = survey(session, rev).await?;
        Ok(Self::of(&survey))
    }

    /// What is found in the work tree of a checkout.
    pub(in crate::cli::commands) async fn of_work_tree(
        session: &Session<'_>,
        checkout: &Checkout,
    ) -> Result<Vec<Finding>, Failure> {
        let survey = survey_of(session, checkout, &Which::Worktree).await?;
        Ok(Self::of(&survey).findings)
    }

    fn of(survey: &Survey) -> Self {
        let (revision, wrong) = &survey.main;
        let check::Report {
            mut findings,
            mut off,
        } = check::report(&Subject { revision, wrong });
        for (loose, wrong) in &survey.loose {
            let subject = Subject {
                revision: loose,
                wrong,
            };
            let report = check::loose(&subject, revision);
            // Two parts may have a file together.
            findings.extend(new(&findings, report.findings, PartialEq::eq));
            off += report.off;
        }
        for (host, (revision, wrong)) in &survey.hosts {
            let report = check::report(&Subject { revision, wrong });
            // What all hosts have is said once.
            let new = new(&findings, report.findings, Finding::is_same);
            findings.extend(new.into_iter().map(|finding| finding.of_host(host)));
        }
        check::sort(&mut findings);
        let mut warnings = revision.warnings.clone();
        if revision.parsed.is_policy_unread {
            let text = "watchme.toml cannot be read: only syntax is checked until it is fixed";
            warnings.push(text.to_owned());
        }
        Self {
            findings,
            off,
            warnings,
            files: survey.files(Path::new("")),
            advice: Advice::of(revision),
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
                .partition(|(path, relative)| path.is_file() && !survey.has(relative));
            alone.extend(unread.into_iter().map(|(path, _)| path));
            let inside: Vec<PathBuf> = inside.into_iter().map(|(_, relative)| relative).collect();
            if !inside.is_empty() {
                all = Self::of(&survey).only(&survey, &inside);
            }
        }
        for path in alone {
            let checkout = match path.is_dir() {
                true => session.checkout_of(path)?,
                false => Checkout::of_file(path)?,
            };
            let which = Which::Worktree;
            let main = checkout.survey(&which)?;
            let one = Self::of(&Survey::of(&checkout, &which, main)?);
            all.findings.extend(one.findings);
            all.warnings.extend(one.warnings);
            all.off += one.off;
            all.files += one.files;
        }
        Ok(all)
    }

    /// What concerns these files and folders.
    fn only(mut self, survey: &Survey, paths: &[PathBuf]) -> Self {
        self.findings.retain(|finding| {
            let place = finding.place().map(Diagnostic::path);
            place.is_some_and(|place| paths.iter().any(|path| place.starts_with(path)))
        });
        self.off = 0;
        let counts = paths.iter().map(|path| (path, survey.files(path)));
        let counts: Vec<_> = counts.collect();
        for (path, _) in counts.iter().filter(|(_, count)| *count == 0) {
            self.warnings.push(match path.as_os_str().is_empty() {
                true => "nothing here is read: there is no file of a desired state".to_owned(),
                false => format!(
                    "nothing in {} is read: it is not part of the desired state",
                    path.display()
                ),
            });
        }
        self.files = counts.iter().map(|(_, count)| count).sum();
        self
    }
}

/// The file and the byte where a finding is, and its rule.
type At<'f> = (Option<(&'f OsStr, usize)>, &'static str);

fn at(finding: &Finding) -> At<'_> {
    let place = finding.place();
    let at = place.map(|place| (place.path().as_os_str(), place.span.start));
    (at, finding.rule.name)
}

/// Those of `found` that are not known yet.
fn new(
    known: &[Finding],
    mut found: Vec<Finding>,
    is_same: fn(&Finding, &Finding) -> bool,
) -> Vec<Finding> {
    let mut by_place: HashMap<_, Vec<&Finding>> = HashMap::new();
    for finding in known {
        by_place.entry(at(finding)).or_default().push(finding);
    }
    found.retain(|finding| {
        let mut there = by_place.get(&at(finding)).into_iter().flatten();
        !there.any(|known| is_same(known, finding))
    });
    found
}

impl Survey {
    fn of(checkout: &Checkout, which: &Which, main: Surveyed) -> Result<Self, Failure> {
        let loose = checkout.survey_loose(which, &main.0)?;
        let hosts = main.0.parsed.hosts.iter();
        let hosts = hosts.filter(|_| main.0.parsed.host.is_none());
        let survey = |host: &String| {
            let survey = checkout.survey_of(host, which)?;
            Ok((host.clone(), survey))
        };
        let hosts: Result<_, SourceError> = hosts.map(survey).collect();
        let hosts = hosts?;
        Ok(Self { main, hosts, loose })
    }

    fn all(&self) -> impl Iterator<Item = &Surveyed> {
        let hosts = self.hosts.iter().map(|(_, surveyed)| surveyed);
        std::iter::once(&self.main).chain(hosts).chain(&self.loose)
    }

    /// How many files there are at a path or below.
    fn files(&self, path: &Path) -> usize {
        let of = |(revision, _): &'_ Surveyed| {
            let beside = revision.parsed.beside.keys();
            let all = revision.inputs.keys().chain(beside);
            all.filter(|file| file.starts_with(path))
                .cloned()
                .collect::<Vec<_>>()
        };
        let files: BTreeSet<PathBuf> = self.all().flat_map(of).collect();
        files.len()
    }

    /// Whether a file was read, or could not be.
    fn has(&self, path: &Path) -> bool {
        self.all().any(|(revision, wrong)| {
            revision.inputs.contains_key(path)
                || revision.parsed.beside.contains_key(path)
                || wrong.iter().any(|wrong| wrong.path() == path)
        })
    }
}

/// Reads the desired state. The process ends soon: freeing a million small pieces would only take time.
async fn survey(session: &Session<'_>, rev: Option<&str>) -> Result<ManuallyDrop<Survey>, Failure> {
    let which = rev.map_or(Which::Worktree, |rev| Which::Rev(rev.to_owned()));
    let checkout = session.checkout()?.for_host(session.named_host());
    survey_of(session, &checkout, &which).await
}

async fn survey_of(
    session: &Session<'_>,
    checkout: &Checkout,
    which: &Which,
) -> Result<ManuallyDrop<Survey>, Failure> {
    let mut main = checkout.survey(which)?;
    let warnings = session.ask_versions(&mut main.0).await;
    main.0.warnings.extend(warnings);
    let survey = Survey::of(checkout, which, main)?;
    Ok(ManuallyDrop::new(survey))
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
