//! Time for answers, against what watchme.toml says that a service needs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::context::Context;
use crate::check::engine::{Findings, Rule};
use crate::check::nginx::target::{Groups, behind};
use crate::check::nginx::view::{Block, View};
use crate::model::Severity;
use crate::source::Revision;
use crate::source::nginx::time;

/// The rule.
pub static RULE: Rule = Rule::new(
    "nginx-timeout-too-short",
    Severity::Error,
    include_str!("nginx_timeout_too_short.md"),
    run,
);

/// How long nginx waits where nothing is said,
/// <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>.
const DEFAULT: Duration = Duration::from_secs(60);

/// Ports whose unit says how long a request may take: the unit, and the time.
type Needs<'a> = BTreeMap<u16, (&'a str, Duration)>;

/// Looks for it.
fn run(context: &Context, findings: &mut Findings) {
    let view = context.nginx();
    let needs = needs(context.revision());
    if needs.is_empty() {
        return;
    }
    for block in context.blocks() {
        check(view, block, (context.groups(), &needs), findings);
    }
}

/// What the units of a desired state need.
fn needs(revision: &Revision) -> Needs<'_> {
    let mut needs = Needs::new();
    for (name, section) in &revision.parsed.policy.units {
        let unit = revision.desired.units.get(name);
        let (Some(time), Some(unit)) = (section.value.response_time, unit) else {
            continue;
        };
        for port in unit.stacks.iter().flat_map(|stack| &stack.ports) {
            let known = needs.entry(*port).or_insert((name.as_str(), time));
            if known.1 < time {
                *known = (name, time);
            }
        }
    }
    needs
}

/// Complains where a block gives an upstream less time than it needs.
fn check(
    view: &View<'_>,
    block: &Block<'_>,
    (groups, needs): (&Groups<'_>, &Needs<'_>),
    findings: &mut Findings,
) {
    for &(protocol, pass) in &block.passes {
        let ports = behind(groups, pass).into_iter();
        let ports = ports.filter(|(target, _)| target.is_loopback());
        let need = ports
            .filter_map(|(target, _)| needs.get(&target.real_port()))
            .max_by_key(|need| need.1);
        let Some((unit, need)) = need else {
            continue;
        };
        for (kind, severity) in [("read", Severity::Error), ("send", Severity::Warning)] {
            let name = format!("{protocol}_{kind}_timeout");
            let said = block.setting(&name);
            let unknown = block.chain().any(|block| block.includes_unknown);
            // Sending is over long before the answer comes: only what somebody wrote counts there.
            let (node, given) = match said {
                Some(node) => match time(node.first()) {
                    Some(given) => (node, given),
                    None => continue,
                },
                None if kind == "read" && !unknown => (pass, DEFAULT),
                None => continue,
            };
            if given >= *need {
                continue;
            }
            let (given, need) = (given.as_secs_f64(), need.as_secs_f64());
            let whence = if said.is_some() {
                ""
            } else {
                " (nginx's default)"
            };
            let message = format!(
                "{name} is {given} s{whence}, and a request to {unit} may take {need} s according to watchme.toml"
            );
            let help = format!("write {name} {}s; in this {}", need.ceil(), block.kind());
            let found = view.find(&RULE, node, message, "", help);
            findings.push(found.weighing(severity));
        }
    }
}
