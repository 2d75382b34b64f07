//! The rules: a folder for each family, and in it a file and a page for each rule.

pub mod checkout;
pub mod compose;
pub mod etc;
pub mod host;
pub mod nginx;
pub mod port;
pub mod route;
pub mod systemd;

use super::engine::Family;

/// All families.
pub static FAMILIES: &[&Family] = &[
    &checkout::FAMILY,
    &compose::FAMILY,
    &etc::FAMILY,
    &host::FAMILY,
    &nginx::FAMILY,
    &port::FAMILY,
    &route::FAMILY,
    &systemd::FAMILY,
];
