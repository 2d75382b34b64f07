//! A host as it would be after a plan: what is validated before anything live changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Effect;
use crate::model::{EtcCheck, File};

/// What has to be put where, and who is to validate it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Candidate {
    /// The effects of a plan that change files, in its order.
    pub effects: Vec<Effect>,
    /// Files of the checkout by the absolute paths at which they lie afterwards: in the store, and
    /// where they are copied to.
    pub sources: BTreeMap<PathBuf, File>,
    /// Files that the validated units name, by the checkout paths over which they are bound.
    pub bound: BTreeMap<PathBuf, File>,
    /// Whether nginx validates its configuration.
    pub nginx: bool,
    /// Units that systemd validates; of a template its instances, or itself where there is none.
    pub units: BTreeSet<String>,
    /// Whether Podman's generator makes units of what changes.
    pub quadlets: bool,
    /// Changed files of /etc that somebody can validate.
    pub etc: Vec<EtcCheck>,
    /// Whether the plan makes networks: addresses of the host that are not there yet.
    pub makes_networks: bool,
}
