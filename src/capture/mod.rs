//! Edits that somebody made on the host become changes of the checkout. The host is only looked at: `drift` says what differs,
//! and what of that is the text of a file, a drop-in or a membership is written where git has it.

mod edits;
mod error;
mod members;
mod named;
mod new;
mod refused;
mod settings;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(crate) use error::CaptureError;
pub(crate) use refused::refused;
pub(crate) use write::write;

use crate::host::Host;
use crate::import::Mask;
use crate::model::{DriftKind, ResourceId};
use crate::reconcile::{self, ReconcileError, Request, Seen};
use crate::root::Root;
use crate::root::work_tree::demand_plain_folders;
use crate::source::Revision;
use crate::state::{CapturedFiles, State};

/// What is asked of a capture.
pub(crate) struct Asked<'a> {
    /// Resources and paths; empty: everything that differs.
    pub named: &'a [String],
    /// Hides what looks like a secret in a line.
    pub mask: Mask<'a>,
}

/// A change of a file of the checkout.
#[derive(Debug)]
pub(crate) struct Edit {
    pub id: ResourceId,
    /// Where the host has it.
    pub from: String,
    /// What the checkout has; `None`: the file is new.
    pub old: Option<Vec<u8>>,
    /// What it gets.
    pub new: Vec<u8>,
    pub mode: u32,
    /// Whether the checkout had changed, too, and both changes were merged.
    pub merged: bool,
}

// Its schema is a part of that of `capture --json`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Left {
    pub what: String,
    pub why: String,
    /// The command that helps.
    pub help: String,
}

/// What a capture writes, and what it does not.
#[derive(Debug)]
pub(crate) struct Captured {
    pub checkout: PathBuf,
    /// Changes by the path in the checkout.
    pub edits: BTreeMap<PathBuf, Edit>,
    /// Files of the checkout that have the edit of the host already.
    pub already: BTreeSet<PathBuf>,
    /// What is not captured.
    pub left: Vec<Left>,
    /// Worth knowing.
    pub warnings: Vec<String>,
    /// Files as the host has them, by the path in the checkout.
    on_host: BTreeMap<PathBuf, Vec<u8>>,
    /// What earlier captures took, of the generation that is applied.
    before: CapturedFiles,
}

impl Captured {
    fn leave(&mut self, what: impl Into<String>, why: impl Into<String>, help: impl Into<String>) {
        let left = Left {
            what: what.into(),
            why: why.into(),
            help: help.into(),
        };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }

    /// Whether there is nothing to say but that all is well.
    pub(crate) fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.left.is_empty() && self.already.is_empty()
    }
}

/// What a capture works with.
struct Look<'a> {
    host: &'a Host,
    request: &'a Request,
    seen: &'a Seen,
    /// The work tree of the checkout.
    tree: Root,
    revision: Revision,
    /// Commit and number of the generation that was applied.
    commit: Option<String>,
    generation: String,
    mask: Mask<'a>,
    /// What earlier captures took.
    before: CapturedFiles,
}

impl Look<'_> {
    /// A path of the checkout, for messages and commands.
    fn shown(&self, path: &Path) -> String {
        edits::quoted(&self.tree.directory().join(path))
    }
}

/// Compares the host with what was applied, and says what of it can become a change of the checkout. Writes nothing.
///
/// # Errors
/// When nothing was applied, when the host or the checkout cannot be read, when nothing is called as asked, and when a link is
/// on the way to a file of the checkout.
pub(crate) async fn look(
    host: &Host,
    request: &Request,
    asked: &Asked<'_>,
) -> Result<Captured, CaptureError> {
    let mut found = reconcile::drift(host, request).await?;
    let (Some(record), Some(seen)) = (found.applied.take(), found.seen.take()) else {
        return Err(ReconcileError::NothingApplied.into());
    };
    let (revision, checkout) = reconcile::work_tree(host, request)?;
    let generation = record.number.map_or_else(
        || "the last apply".to_owned(),
        |number| format!("generation {number}"),
    );
    let mut warnings = found.warnings;
    let before = State::new(host.root().clone()).captured(record.number);
    let before = before.unwrap_or_else(|damaged| {
        let hint = damaged.hint().unwrap_or_default();
        warnings.push(format!("{damaged}: {hint}"));
        CapturedFiles {
            generation: record.number,
            ..CapturedFiles::default()
        }
    });
    let look = Look {
        host,
        request,
        seen: &seen,
        tree: Root::open(&checkout)?,
        revision,
        commit: record.origin.commit,
        generation,
        mask: asked.mask,
        before: before.clone(),
    };
    let mut names = named::Names::new(asked.named);
    let mut captured = Captured {
        checkout,
        edits: BTreeMap::new(),
        already: BTreeSet::new(),
        left: Vec::new(),
        warnings,
        on_host: BTreeMap::new(),
        before,
    };
    let mut seen_to = edits::take(&look, &found.plan, &mut names, &mut captured)?;
    members::take(&look, &mut names, &mut captured)?;
    for item in &found.items {
        let wanted = item.kind == DriftKind::Drifted && !seen_to.contains(&item.resource);
        if wanted && names.has(&item.resource, &[]) {
            seen_to.insert(item.resource.clone());
            let help = format!("watchme-apply drift --fix --only {}", item.resource);
            let why = format!("{}: no edit of a file", item.what);
            captured.leave(item.resource.to_string(), why, help);
        }
    }
    for name in names.rest() {
        new::take(&look, name, &mut captured)?;
    }
    demand_plain_folders(&look.tree, captured.edits.keys())?;
    Ok(captured)
}
