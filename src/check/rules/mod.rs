//! The rules: a folder for each family, and in it a file and a page for each rule.

pub(super) mod backup;
pub(super) mod checkout;
pub(super) mod compose;
pub(super) mod etc;
pub(super) mod firewall;
pub(super) mod host;
pub(super) mod nginx;
pub(super) mod port;
pub(super) mod route;
pub(super) mod secret;
pub(super) mod systemd;

use super::engine::Family;

/// What most rules use.
pub(crate) mod prelude {
    pub(crate) use crate::check::context::Context;
    pub(crate) use crate::check::engine::{Findings, Rule, rule};
    pub(crate) use crate::model::{Diagnostic, Finding, Severity};
}

/// All families.
pub(super) static FAMILIES: &[&Family] = &[
    &backup::FAMILY,
    &checkout::FAMILY,
    &compose::FAMILY,
    &etc::FAMILY,
    &firewall::FAMILY,
    &host::FAMILY,
    &nginx::FAMILY,
    &port::FAMILY,
    &route::FAMILY,
    &secret::FAMILY,
    &systemd::FAMILY,
];
