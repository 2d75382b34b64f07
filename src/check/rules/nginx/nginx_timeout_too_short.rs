//! Time for answers, against what watchme.toml says that a service needs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::check::nginx::target::{Groups, behind};
use crate::check::rules::nginx::prelude::*;
use crate::source::Revision;
use crate::source::nginx::time;

pub(crate) static RULE: Rule = rule!(nginx_timeout_too_short, Error, run);

/// How long nginx waits where nothing is said,
/// <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>.
const DEFAULT: Duration = Duration::from_secs(60);

/// Ports whose unit says how long a request may take: the unit, and the time.
type Needs<'a> = BTreeMap<u16, (&'a str, Duration)>;

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
    for (name, policy) in &revision.parsed.policy.units {
        let unit = revision.desired.units.get(name.as_str());
        let (Some(time), Some(unit)) = (policy.response_time.as_deref(), unit) else {
            continue;
        };
        for port in unit.stacks.iter().flat_map(|stack| &stack.ports) {
            let known = needs.entry(*port).or_insert((name.as_str(), *time));
            if known.1 < *time {
                *known = (name, *time);
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
            let found = view.find(&RULE, node, message, help);
            findings.push(found.weighing(severity));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::nginx::tests::said;
    use crate::check::nginx::tests::stacks::UNIT;

    #[test]
    fn time_that_a_service_needs() {
        let toml = "checkout = \"/srv/s\"\n[unit.\"api.service\"]\nresponse_time = \"5m\"\n";
        for (inside, expected) in [
            (
                "location / { proxy_pass http://localhost:8001; }",
                "E sites-available/a:1:23: proxy_read_timeout is 60 s (nginx's default), and a request to api.service may take 300 s according to watchme.toml",
            ),
            (
                "proxy_read_timeout 90; location / { proxy_pass http://localhost:8001; }",
                "E sites-available/a:1:10: proxy_read_timeout is 90 s, and",
            ),
            (
                "location / { proxy_pass http://localhost:8001; proxy_read_timeout 5m; proxy_send_timeout 30s; }",
                "W sites-available/a:1:80: proxy_send_timeout is 30 s",
            ),
            (
                "location / { grpc_pass grpc://localhost:8001; }",
                "grpc_read_timeout is 60 s",
            ),
            ("location / { proxy_pass http://g; }", "60 s"),
            (
                "proxy_read_timeout 5m; location / { proxy_pass http://localhost:8001; }",
                "",
            ),
            (
                "location / { proxy_pass http://localhost:8001; proxy_read_timeout 300; }",
                "",
            ),
            ("location / { proxy_pass http://localhost:8002; }", ""),
            (
                "location / { include proxy_params; proxy_pass http://localhost:8001; }",
                "",
            ),
            ("location / { proxy_pass http://$up; }", ""),
        ] {
            let site = format!("server {{ {inside} }}");
            let found = said(
                "nginx-timeout-too-short",
                &[
                    ("sites-available/a", &site),
                    ("sites-available/g", "upstream g { server localhost:8001; }"),
                    ("systemd/api.service", UNIT),
                    (
                        "compose/api/docker-compose.yml",
                        "services:\n  api:\n    ports: ['127.0.0.1:8001:80', '127.0.0.1:8003:80']\n",
                    ),
                    ("watchme.toml", toml),
                ],
            );
            let fits = match expected {
                "" => found.is_empty(),
                expected => found.len() == 1 && found[0].contains(expected),
            };
            assert!(fits, "{inside}: {found:?}");
        }
    }
}
