//! Sockets with two default servers.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::servers::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(nginx_duplicate_default_server, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.servers(), Problem::DuplicateDefault);
}
