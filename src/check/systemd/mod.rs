//! systemd units: what systemd would pass over or refuse, and what would not run as it is meant.

pub(super) mod docker;
pub(super) mod index;
pub(super) mod keys;
pub(super) mod order;
pub(super) mod service;

use crate::source::unit::settings::Source;
use crate::source::unit::{Section, table};

/// A file that is no unit at all has as many wrong lines as lines: so many are enough.
pub(crate) const MOST: usize = 20;

/// The sections of a file that systemd reads.
pub(super) fn sections(source: &Source) -> impl Iterator<Item = &Section> + Clone {
    let sections = source.parsed.sections.iter();
    sections.filter(|section| !table::is_extension(&section.name))
}

#[cfg(test)]
pub(super) mod tests;
