//! What `routes` and `ports` say of configuration outside the inputs, and that an apply does not apply.

use std::path::PathBuf;

use crate::check::Subject;
use crate::model::Diagnostic;
use crate::source::Revision;

/// Files that belong together, such as an nginx.conf with what it includes, or the units of a folder.
pub(super) struct Elsewhere {
    /// Their paths in the checkout, the one that includes the others first.
    pub paths: Vec<PathBuf>,
    /// What they say.
    pub revision: Revision,
    /// What of them could not be read.
    pub wrong: Vec<Diagnostic>,
}

impl Elsewhere {
    /// What a check looks at.
    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            revision: &self.revision,
            wrong: &self.wrong,
        }
    }

    pub(super) fn files(&self) -> Vec<String> {
        let shown = |path: &PathBuf| path.to_string_lossy().into_owned();
        self.paths.iter().map(shown).collect()
    }

    /// What is above what they say.
    pub(super) fn title(&self) -> String {
        format!("not applied: {}", self.named())
    }

    /// One or two are named, of others the first.
    pub(super) fn named(&self) -> String {
        let files = self.files();
        match files.as_slice() {
            [first, _, _, ..] => format!("{first} and {} other files", files.len() - 1),
            files => files.join(" and "),
        }
    }
}
