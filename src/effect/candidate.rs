//! A host as it would be after a plan: what is judged before anything live changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Effect;
use crate::model::{EtcCheck, File};

/// What has to be put where, and who is to judge it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate {
    /// The effects of a plan that change files, in its order.
    pub effects: Vec<Effect>,
    /// Files of the checkout by the absolute paths at which they lie afterwards: in the store, and
    /// where they are copied to.
    pub sources: BTreeMap<PathBuf, File>,
    /// Files that the judged units name, by the checkout paths over which they are bound.
    pub bound: BTreeMap<PathBuf, File>,
    /// Whether nginx judges its configuration.
    pub nginx: bool,
    /// Units that systemd judges; of a template its instances, or itself where there is none.
    pub units: BTreeSet<String>,
    /// Changed files of /etc that somebody can judge.
    pub etc: Vec<EtcCheck>,
    /// Whether the plan makes networks: addresses of the host that are not there yet.
    pub makes_networks: bool,
}
