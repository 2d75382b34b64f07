//! Port 443 without TLS.

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::check::nginx::servers::Problem;

/// The rule.
pub(crate) static RULE: Rule = rule!(nginx_443_without_ssl, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.servers(), Problem::Plain443);
}
