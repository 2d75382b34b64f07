//! Plain data: what is wanted, what is there, what would change. No I/O.

pub mod attempts;
pub mod certificate;
pub mod checker;
pub mod desired;
pub mod exit;
pub mod finding;
pub mod gate;
pub mod id;
pub mod layout;
pub mod observed;
pub mod preflight;
pub mod recorded;
pub mod report;
pub mod repository;
mod seconds;
pub mod site;
pub mod stack;
mod tree;
pub mod watch;

pub use attempts::{Attempts, BackOff, Blame, Hold, Quarantine};
pub use certificate::{CertificateState, WatchedCertificate};
pub use checker::{Checker, EtcCheck};
pub use compose_file::{Bind, Publish, VolumeMount};
pub use desired::{
    Budget, Desired, EtcAction, EtcFile, File, Member, MemberName, Network, OnChange, Origin,
    Subnet, Unit, UnitType, Volume,
};
pub use finding::{Complaint, Finding, RuleId, Severity};
pub use gate::{Answer, Backend, Gate, Probe};
pub use id::{Hash, Kind, ResourceId, Selector};
pub use nginx_conf::{Certificate, Listen, Url, Zone};
pub use observed::{
    Attachment, BindSource, Container, DockerState, Entry, Health, ImageFound, ImageState,
    NetworkState, NginxState, Observed, SystemdState, UnitState,
};
pub use preflight::{Listener, Need, Preflight};
pub use recorded::{
    Inventory, Loaded, LoadedDaemon, LoadedUnit, Outcome, Pause, Recorded, RunKind, RunRecord,
};
pub use report::{DriftItem, DriftKind};
pub use repository::Repository;
pub use site::Site;
pub use source_text::Diagnostic;
pub use stack::{DockerRun, Image, Pull, Stack};
pub use systemd_unit::Install;
pub use watch::Watch;
