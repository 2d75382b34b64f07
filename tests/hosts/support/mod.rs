//! The harness of the host tests: real hosts (systemd, nginx, a Docker engine) in containers, and ways to look at
//! them without the tool. See CONTRIBUTING.md for what such a test needs from the machine.

mod checkout;
mod debian;
mod exec;
mod failure;
mod host;
mod images;
pub(crate) mod network;
mod observe;
mod real;
mod registry;
#[path = "../../shared/schema.rs"]
pub(crate) mod schema;
mod served;
mod services;
mod small;
mod strace;

pub(crate) use checkout::CHECKOUT;
pub(crate) use debian::Debian;
pub(crate) use exec::{Caller, Output};
pub(crate) use host::Host;
pub(crate) use real::{Program, Real};
pub(crate) use registry::REGISTRY_PASSWORD;
pub(crate) use served::{Baseline, Served};
pub(crate) use services::Service;
pub(crate) use small::{Runs, desired, service, site, sleeper};
