//! 504: something listens, and does not answer in time.

use super::{Cause, What, last, logs_of};
use crate::reconcile::doctor::facts::Facts;
use crate::reconcile::doctor::way::{Reached, Way};

/// What of a way does not answer.
pub(super) fn of_way(facts: &Facts, way: &Way) -> Vec<Cause> {
    let at = way.location.as_deref().unwrap_or("nginx");
    let slow = way
        .stops
        .iter()
        .filter(|stop| matches!(stop.reached, Reached::Timeout(_)));
    let mut found = Vec::new();
    for stop in slow {
        let text = format!(
            "{} accepts connections but does not answer in time; {at} passes requests to it",
            stop.target
        );
        let mut cause = Cause::new(What::GatewayTimeout, way.url.to_string(), text);
        cause = cause.shown([format!("{} {}", stop.target, stop.reached.said())]);
        cause = cause.shown(match &way.nginx {
            Reached::Status(504, _) => {
                Some("nginx answers 504: its proxy_read_timeout has passed".to_owned())
            }
            nginx @ Reached::Timeout(_) => Some(format!(
                "nginx {}: its own proxy_read_timeout, 60 s unless it is set, was not waited for",
                nginx.said()
            )),
            _ => None,
        });
        let port = stop.target.local_port();
        let mut restarts = Vec::new();
        for unit in port.map(|port| facts.units_for(port)).unwrap_or_default() {
            for container in facts.containers_of(&unit) {
                if container.state == "paused" {
                    let engine = facts.engine().command();
                    let name = &container.name;
                    cause = cause
                        .shown([format!("container {name} is frozen ({engine} pause)")])
                        .fixed(format!("sudo {engine} unpause {name}"));
                }
                if let Some(log) = facts.logs.get(&container.id) {
                    cause = cause.shown(last(log.lines()));
                }
                cause = cause.fixed(logs_of(facts, container));
            }
            restarts.push(format!("sudo systemctl restart {unit}"));
        }
        if restarts.is_empty() {
            restarts.push(match port {
                Some(port) => {
                    format!("sudo ss -ltnp 'sport = :{port}' shows who listens; restart that")
                }
                None => format!("find out why {} does not answer", stop.target),
            });
        }
        for restart in restarts {
            cause = cause.fixed(restart);
        }
        found.push(cause.fixed(
            "if it needs that long: raise proxy_read_timeout of the location, in git; then: watchme-apply",
        ));
    }
    // Of another kind, that only nginx waits for.
    if found.is_empty() {
        let text = format!("nginx gets no answer in time, where {at} passes requests to");
        let cause = Cause::new(What::GatewayTimeout, way.url.to_string(), text);
        let servers = way
            .stops
            .iter()
            .map(|stop| format!("{} {}", stop.target, stop.reached.said()));
        found.push(
            cause
                .shown(servers)
                .fixed("sudo grep 'timed out' /var/log/nginx/error.log | tail"),
        );
    }
    found
}
