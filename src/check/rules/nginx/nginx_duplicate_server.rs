//! Servers whose names others have on the same socket.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::servers::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(nginx_duplicate_server, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.servers(), Problem::DuplicateServer);
}
