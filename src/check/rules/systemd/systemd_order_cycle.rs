//! Units that wait for each other, systemd.unit(5).

use std::collections::BTreeSet;

use crate::check::rules::systemd::prelude::*;
use crate::check::systemd::order::Order;

pub(crate) static RULE: Rule = rule!(systemd_order_cycle, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let order = context.order();
    let mut told: BTreeSet<usize> = BTreeSet::new();
    let knotted = order.knotted();
    for id in &knotted {
        for edge in order.edges(*id) {
            let Some(mention) = &edge.mention else {
                continue;
            };
            if told.contains(id) || !knotted.contains(&edge.to) {
                continue;
            }
            let Some(way) = order.way(edge.to, *id) else {
                continue;
            };
            findings.push(cycle(order, mention, &way));
            told.extend(way);
        }
    }
}

fn cycle(order: &Order, mention: &Mention, way: &[usize]) -> Finding {
    let name = |id: &usize| order.name(*id);
    let own = way.last().map_or("", name);
    let place = |message: String, expected: &str| {
        mention
            .value
            .complain_about(mention.part.clone(), message, expected)
    };
    let at = |place: Diagnostic, help: String| RULE.at(place.helped(help));
    if way.len() == 1 {
        let message = format!("{own} starts after itself: systemd ignores this");
        return at(place(message, ""), "remove it".to_owned()).weighing(Severity::Warning);
    }
    let steps: Vec<&str> = way.iter().map(name).collect();
    let message = format!(
        "{own} starts after {}: systemd skips one of them",
        steps.join(", which starts after ")
    );
    let help = format!(
        "remove {} here, or another step of this circle",
        steps.first().unwrap_or(&own)
    );
    at(place(message, "closes a circle"), help)
}

#[cfg(test)]
mod tests {
    use crate::check::systemd::tests::{found, service};

    #[test]
    fn circles() {
        let unit = |unit: &str| format!("[Unit]\n{unit}\n{}", service("ExecStart=/bin/a"));
        let of = |units: &[(&str, &str)]| {
            let files: Vec<(String, String)> = units
                .iter()
                .map(|(name, text)| (format!("systemd/{name}"), text.to_string()))
                .collect();
            let files: Vec<(&str, &str)> = files
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str()))
                .collect();
            found(&files)
        };
        let (after_b, before_a, after_all) = (
            unit("After=b.service"),
            unit("Before=c.service\nAfter=a.service"),
            unit("After=multi-user.target"),
        );
        assert_eq!(
            of(&[
                ("a.service", &after_b),
                ("b.service", &unit("After=c.service")),
                ("c.service", &unit("After=a.service"))
            ])
            .len(),
            1
        );
        assert_eq!(
            of(&[
                ("a.service", &unit("After=c.service")),
                ("b.service", &before_a),
                ("c.service", &unit("Description=c"))
            ]),
            ["order-cycle c.service"]
        );
        assert_eq!(
            of(&[("a.service", &after_b), ("b.service", &after_all)]).len(),
            1,
            "multi-user.target wants both"
        );
        assert_eq!(of(&[("a.service", &after_all)]), [""; 0]);
        assert_eq!(
            of(&[("a.service", &unit("After=a.service"))]),
            ["order-cycle a.service"]
        );
        let socket = "[Unit]\nAfter=docker.service\n[Socket]\nListenStream=/run/a\n[Install]\nWantedBy=sockets.target\n";
        assert_eq!(
            of(&[("a.socket", socket), ("a.service", &unit("Description=a"))]),
            ["order-cycle docker.service"]
        );
        // None of these is one.
        let timer = "[Unit]\nAfter=docker.service\n[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
        assert_eq!(
            of(&[
                ("a.timer", timer),
                ("a.service", &unit("After=a.timer docker.service"))
            ]),
            [""; 0]
        );
        assert_eq!(
            of(&[
                ("a.service", &unit("Requires=b.service\nAfter=b.service")),
                ("b.service", &unit("Requires=a.service"))
            ]),
            [""; 0]
        );
        assert_eq!(
            of(&[
                (
                    "a.target",
                    "[Unit]\nWants=b.service\n[Install]\nWantedBy=multi-user.target\n"
                ),
                ("b.service", &unit("After=a.target\nPartOf=a.target"))
            ]),
            [""; 0]
        );
    }
}
