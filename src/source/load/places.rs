//! Where a checkout is, here and on the host that it is read for.

use std::path::{Path, PathBuf};

use super::HostName;
use crate::model::{ComposeCommand, Copies};
use crate::source::alone::Alone;
use crate::source::owner::{self, Asker, Part};

/// Where things lie.
#[derive(Clone, Default)]
pub(crate) struct Places {
    /// The desired state's folder, relative to the checkout.
    pub folder: PathBuf,
    /// The checkout as it is here.
    pub root: PathBuf,
    /// The host whose files are over those of all hosts.
    pub host: Option<HostName>,
    /// The one file that is read.
    pub alone: Option<Alone>,
    /// Where the host has it, if watchme.toml does not say so.
    pub known_at: Option<PathBuf>,
    /// How compose is called there.
    pub compose: ComposeCommand,
    /// Where this program is there.
    pub program: PathBuf,
    /// The copies that it has of stacks that update start-first.
    pub copies: Copies,
    /// Who asks for what is beside the files of git on this host; `None`: nothing is read but what is here.
    pub read_there: Option<Asker>,
}

impl Places {
    /// The desired state's folder as it is here.
    pub(in crate::source) fn desired_state(&self) -> PathBuf {
        // Joining an empty path would add a slash.
        match self.folder.as_os_str().is_empty() {
            true => self.root.clone(),
            false => self.root.join(&self.folder),
        }
    }

    /// Whether what is beside the files of git is read at `checkout`, which is not here: a folder of somebody who may
    /// own a checkout.
    pub(super) fn is_read_at(&self, checkout: &Path) -> bool {
        let Some(asker) = self.read_there.as_ref().filter(|_| checkout != self.root) else {
            return false;
        };
        checkout.is_dir()
            && Part::look(checkout).is_ok_and(|part| owner::check(asker, &[part]).is_ok())
    }
}
