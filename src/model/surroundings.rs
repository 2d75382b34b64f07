//! What only a host knows of what a plan would start there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::diagnostic::Diagnostic;

/// A path outside the store without which a unit does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The unit.
    pub unit: String,
    /// The path on the host.
    pub path: PathBuf,
    /// Paths any of which would do as well.
    pub instead: Vec<PathBuf>,
    /// What it is to the unit: `working directory`, `environment file`, `compose file`.
    pub what: &'static str,
    /// Where the unit names it; without a message.
    pub place: Diagnostic,
}

/// How much room a host has, and what is taken there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Needed paths at which nothing stands.
    pub missing: BTreeSet<PathBuf>,
    /// Who listens for TCP connections: port, and the program's name where it is known.
    pub listeners: BTreeSet<(u16, Option<String>)>,
    /// Bytes of memory that programs can have without swapping; proc_meminfo(5), `MemAvailable`.
    pub memory: Option<u64>,
    /// Bytes of swap that are free.
    pub swap: Option<u64>,
    /// Bytes that are free where Docker keeps images and containers.
    pub disk: Option<u64>,
}
