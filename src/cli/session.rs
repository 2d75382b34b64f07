//! What a command runs with: the arguments of all commands, the host, the folder of the desired state.

use std::cell::OnceCell;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::elsewhere::Elsewhere;
use super::masks::safe;
use super::options::{Common, Input};
use super::output::{Output, styled};
use super::progress::Lines;
use super::render::WARN;
use super::{Failure, find, privilege};
use crate::host::{Host, HostError};
use crate::model::{Desired, Diagnostic, layout};
use crate::plan::Gates;
use crate::reconcile::{Confirm, ReconcileError, Request, ask_versions};
use crate::root::Root;
use crate::source::{Checkout, HostName, Revision, Which};
use crate::state::State;

/// One run of a command.
pub(super) struct Session<'a> {
    common: &'a Common,
    /// The directory that `--root` names.
    root: Option<PathBuf>,
    host: OnceCell<Host>,
    /// Whether a signal asked the run to stop.
    interrupted: Arc<AtomicBool>,
}

impl<'a> Session<'a> {
    /// Fails if `--root` is not a directory.
    pub(super) fn new(common: &'a Common) -> Result<Self, Failure> {
        let root = common.root.as_ref().map(|root| {
            let folder = root.canonicalize().ok().filter(|root| root.is_dir());
            folder.ok_or_else(|| Failure::Root(root.display().to_string()))
        });
        Ok(Self {
            common,
            root: root.transpose()?,
            host: OnceCell::new(),
            interrupted: Arc::default(),
        })
    }

    /// What a signal sets.
    pub(super) fn interrupted(&self) -> Arc<AtomicBool> {
        self.interrupted.clone()
    }

    /// This host, or the offline root. It is opened for the first command that asks: `check` and `routes` run where no
    /// host can be opened.
    pub(super) fn host(&self) -> Result<&Host, Failure> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        let host = match &self.root {
            Some(root) => Root::open(root).map_err(HostError::from).map(Host::offline),
            None => Host::live(),
        };
        let host = host.map_err(ReconcileError::from)?;
        Ok(self.host.get_or_init(|| host))
    }

    /// Whether the host is this one, which runs.
    pub(super) fn is_live(&self) -> bool {
        self.root.is_none()
    }

    /// Another output, for what is shown while a run holds the first one.
    pub(super) fn output(&self) -> Output {
        Output::new(self.common.color)
    }

    /// A request about a desired state; what only `apply` has is off.
    pub(super) fn request(&self, folder: PathBuf, input: &Input) -> Request {
        Request {
            folder,
            which: input.which(),
            host: self.host_name(),
            only: input.only.clone(),
            allow_empty: input.allow_empty,
            take_over: input.take_over,
            lock_timeout: input.lock_timeout(),
            gates: Gates::Touched,
            by: privilege::user(),
            confirm: Confirm::Never,
            unattended: false,
            retry: false,
            asks: false,
            lenient: false,
            sealed: false,
            interrupted: self.interrupted.clone(),
        }
    }

    /// The host whose files are over those of all hosts: the one that `--host` names, or this machine. An offline root may be
    /// any host's.
    fn host_name(&self) -> Option<HostName> {
        let is_offline = self.root.is_some();
        self.named_host()
            .or_else(|| HostName::of_this_machine().filter(|_| !is_offline))
    }

    /// The one that `--host` names.
    pub(super) fn named_host(&self) -> Option<HostName> {
        self.common.host.clone().map(HostName::Named)
    }

    /// The same for a command that looks at files: without `--host`, this machine counts only where something was applied.
    fn host_of_files(&self) -> Option<HostName> {
        let is_applied = self.root.is_none() && self.managed_host().is_some();
        let named = self.common.host.is_some();
        self.host_name().filter(|_| named || is_applied)
    }

    /// The folder of the desired state.
    pub(super) fn desired_state(&self) -> Result<PathBuf, Failure> {
        Ok(find::desired_state(self.common.desired_state.as_deref())?)
    }

    /// The folder of the desired state if there is one, else the one that was applied: with those records
    /// a command works without a checkout, and only leaves out what is pending.
    pub(super) fn known_folder(&self) -> Result<PathBuf, Failure> {
        if let Ok(folder) = self.desired_state() {
            return Ok(folder);
        }
        let state = State::new(self.host()?.root().clone());
        let applied = state.recorded().ok().and_then(|recorded| recorded.applied);
        Ok(applied.map_or_else(
            || PathBuf::from("desired-state"),
            |(record, _)| record.origin.folder,
        ))
    }

    /// Opens the checkout for a command that reads its files and changes nothing. Whoever owns the folder may own the
    /// files in it: in CI the checkout often belongs to another user.
    pub(super) fn checkout(&self) -> Result<Checkout, Failure> {
        self.checkout_of(&self.desired_state()?)
    }

    /// The same for a folder that is named.
    pub(super) fn checkout_of(&self, folder: &Path) -> Result<Checkout, Failure> {
        let owner = std::fs::metadata(folder).map(|metadata| metadata.uid());
        let trusted: Vec<u32> = owner.into_iter().collect();
        Ok(Checkout::open(folder, &trusted)?)
    }

    /// Reads all files of a revision, or of the work tree, and where they are wrong.
    pub(super) fn survey(&self, rev: Option<&str>) -> Result<(Revision, Vec<Diagnostic>), Failure> {
        let which = rev.map_or(Which::Worktree, |rev| Which::Rev(rev.to_owned()));
        let checkout = self.checkout()?.for_host(self.host_of_files());
        // Of a stack with copies, the one that serves is the one to speak of, whatever comes next.
        let checkout = match self.applied() {
            Some(applied) => checkout.after(Some(&applied), |_| true),
            None => checkout,
        };
        Ok(checkout.survey(&which)?)
    }

    /// What was applied to the host that a desired state is for, if that can be read.
    fn applied(&self) -> Option<Desired> {
        let host = self.managed_host()?;
        let recorded = State::new(host.root().clone()).recorded().ok()?;
        recorded.applied.map(|(_, applied)| applied)
    }

    /// The same, for commands that go on without what is wrong: they say what they skip.
    pub(super) fn survey_the_rest(
        &self,
        rev: Option<&str>,
        output: &mut Output,
    ) -> Result<(Revision, Vec<Diagnostic>), Failure> {
        let (revision, wrong) = self.survey(rev)?;
        skipped(&wrong, output);
        Ok((revision, wrong))
    }

    /// What nginx and systemd would read in the checkout outside the inputs of such a revision, each part by itself.
    pub(super) fn survey_elsewhere(
        &self,
        rev: Option<&str>,
        revision: &Revision,
        output: &mut Output,
    ) -> Result<Vec<Elsewhere>, Failure> {
        let which = rev.map_or(Which::Worktree, |rev| Which::Rev(rev.to_owned()));
        let parts = self.checkout()?.survey_loose(&which, revision)?;
        let parts = revision.loose().zip(parts);
        let part = |(paths, (revision, wrong)): (&[PathBuf], (Revision, Vec<Diagnostic>))| {
            skipped(&wrong, output);
            Elsewhere {
                paths: paths.to_vec(),
                revision,
                wrong,
            }
        };
        Ok(parts.map(part).collect())
    }

    /// The host that a desired state is for: the one that `--root` names, or this one if a desired state was applied here.
    pub(super) fn managed_host(&self) -> Option<&Host> {
        let host = self.host().ok();
        host.filter(|host| self.root.is_some() || has_store(host))
    }

    /// Asks this host for the versions of its programs, if a desired state was applied here: any other machine only has
    /// a copy of the files. Returns what is to be said about them.
    pub(super) async fn ask_versions(&self, revision: &mut Revision) -> Vec<String> {
        match self.host().ok().filter(|host| has_store(host)) {
            Some(host) => ask_versions(host, revision).await,
            None => Vec::new(),
        }
    }

    /// Shows the steps of a run, but for one that prints JSON.
    pub(super) fn lines(&self, quiet: bool) -> Lines {
        Lines::new(self.output(), quiet)
    }
}

/// Whether something was applied to a host. The records of that are root's alone, the folder of the store is not.
fn has_store(host: &Host) -> bool {
    let store = Path::new(layout::LIVE).parent();
    store.is_some_and(|store| host.root().is_folder(store))
}

/// Says which places are wrong, and left out.
fn skipped(wrong: &[Diagnostic], output: &mut Output) {
    for place in wrong {
        let line = place.position().line;
        let path = place.path().display();
        let text = format!("{path}:{line} is skipped: {}", place.message);
        output.aside(&format!("{} {}", styled(WARN, "warning:"), safe(&text)));
    }
}
