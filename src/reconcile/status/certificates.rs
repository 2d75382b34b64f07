//! Certificates of enabled sites.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Desired, Entry, Observed};

/// A certificate of an enabled site.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CertificateStatus {
    /// Its file.
    pub path: PathBuf,
    /// The sites that name it.
    pub sites: BTreeSet<String>,
    /// Until when it is good; nothing where it cannot be read.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub not_after: Option<Timestamp>,
    /// Whole days left, negative when it has expired.
    pub days_left: Option<i64>,
    /// Whether nginx serves an older one.
    pub stale: bool,
    /// Why it could not be read.
    pub unknown: Option<&'static str>,
}

/// The certificates of enabled sites, the one that ends first in front.
pub(in crate::reconcile) fn certificates(
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Vec<CertificateStatus> {
    let mut found: BTreeMap<&Path, CertificateStatus> = BTreeMap::new();
    for (name, site) in desired.sites.iter().filter(|(_, site)| site.enabled) {
        for pair in &site.certificates {
            let path = pair.certificate.as_path();
            let Some(state) = observed.certificates.get(path) else {
                continue;
            };
            let unknown = match (observed.content(path), state.not_after) {
                (_, Some(_)) => None,
                (None, _) if is_hidden(observed, path) => Some("only root may read it"),
                (None, _) => Some("it is not there"),
                (Some(_), None) => Some("it cannot be read"),
            };
            let one = found.entry(path).or_insert_with(|| CertificateStatus {
                path: path.to_owned(),
                sites: BTreeSet::new(),
                not_after: state.not_after,
                days_left: state.days_left(now),
                stale: state.stale_for.is_some(),
                unknown,
            });
            one.sites.insert(name.clone());
        }
    }
    let mut found: Vec<CertificateStatus> = found.into_values().collect();
    found.sort_by_key(|one| (one.not_after, one.path.clone()));
    found
}

fn is_hidden(observed: &Observed, path: &Path) -> bool {
    match observed.entry(path) {
        Entry::Unreadable => true,
        Entry::Link {
            leads_to: Some(to), ..
        } => *observed.entry(to) == Entry::Unreadable,
        _ => false,
    }
}
