//! The harness of the host tests: real hosts (systemd, nginx, a Docker engine) in containers, and judges
//! that do not use the tool. See CONTRIBUTING.md for what such a test needs from the machine.

mod checkout;
mod exec;
mod host;
mod judges;
pub mod network;
pub mod schema;
mod served;
mod services;
mod small;
mod strace;

pub use checkout::CHECKOUT;
pub use exec::Output;
pub use host::Host;
pub use served::{Judge, Served};
pub use services::Service;
pub use small::{Runs, desired, service, site, sleeper};
