//! Plain data: what is wanted, what is there, what would change. No I/O.

pub mod addresses;
pub mod attempts;
pub mod certificate;
pub mod checker;
pub mod copies;
pub mod desired;
pub mod engine;
pub mod exit;
pub mod finding;
mod firewall;
mod forge;
pub mod gate;
pub mod id;
pub mod image;
pub mod kinds;
pub mod layout;
mod list;
mod notify;
pub mod observed;
mod package;
pub mod parameters;
mod preflight;
pub mod recorded;
pub mod report;
pub mod repository;
mod resource;
pub(crate) mod seconds;
pub mod shell;
pub mod stack;
pub mod target;
pub mod waiting;
pub mod watch;

pub use addresses::Addresses;
pub use attempts::{Attempts, BackOff, Blame, Hold, Quarantine};
pub use certificate::{CertificateState, WatchedCertificate};
pub use checker::{Checker, EtcCheck};
pub use compose_file::{Bind, Publish, VolumeMount};
pub use copies::{Copies, StackCopy};
pub use desired::{Origin, absent_id};
pub use engine::{Engine, UserEngine};
pub use finding::{Complaint, Finding, RuleId, Severity};
pub use firewall::{FirewallState, SshSession, WatchedFirewall};
pub use forge::{Forge, Project};
pub use gate::{Answer, Backend, Gate, Probe};
pub use id::{Hash, ResourceId, Selector, hex};
pub use image::{RanImage, RanImages};
pub use kinds::*;
pub use list::{joined, list};
pub use nginx_conf::{Certificate, Listen, Url, Zone};
pub use notify::{Channel, Event, Format, Message, Notifier, Smtp};
pub use observed::{
    Adoption, Attachment, BindSource, Container, DockerState, Entry, Health, ImageFound,
    ImageRecord, ImageState, NetworkState, NginxState, Observed, SecretState, Shape, SystemdState,
    UnitState,
};
pub use package::{
    AptPlan, AptRefusal, PackageFound, PackageState, PackagesState, WatchedPackages,
};
pub use parameters::{PARAMETERS, ParameterLine, parameter_lines, parameter_name, plain};
pub use preflight::{Listener, Need, Preflight, StoppedPort};
pub use recorded::{
    BackupFailed, BackupMade, BackupRecord, Inventory, Loaded, LoadedDaemon, LoadedUnit, Outcome,
    Pause, Recorded, RehearsalRecord, RunKind, RunRecord,
};
pub use report::{AskedImage, DriftItem, DriftKind};
pub use repository::Repository;
pub use resource::Resource;
pub use source_text::{Diagnostic, Version, Versions};
pub use stack::{DockerRun, Idle, Image, MOUNTS_LABEL, PROJECT_LABEL, PodmanRun, Pull, Stack};
pub use systemd_unit::Install;
pub use target::{ComposeCommand, Lack, Program, Target};
pub use waiting::{Waiting, is_not_confirmed, not_confirmed};
pub use watch::Watch;
