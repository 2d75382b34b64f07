//! Services that nothing starts at boot.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_not_enabled, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let units = context.units();
    for unit in units.services() {
        findings.extend(never_started(unit, units, &ServiceType::of(unit)));
    }
    let own = units.all.iter().filter(|unit| unit.is_ours());
    // A unit that watchme.toml wants to run, and that nothing starts at boot.
    findings.extend(own.filter_map(|unit| {
        let policy = &units.revision.parsed.policy;
        let (name, wanted) = policy.units.get_key_value(unit.name.as_str())?;
        if wanted.start != Some(true) || unit.name.is_template() {
            return None;
        }
        if is_asked_for(unit, units) {
            return None;
        }
        let message = format!("{} should run, but nothing starts it at boot", unit.name);
        let expected = format!("[Install] is missing in {}", unit.name);
        let help = format!(
            "write [Install] and WantedBy=multi-user.target into {}",
            unit.name
        );
        let place = policy
            .file
            .complain(name.span(), message, expected, Some(help));
        Some(RULE.at(place))
    }));
}

/// Whether `[Install]`, another unit, a timer or a socket starts it.
fn is_asked_for(unit: &Unit, units: &Units) -> bool {
    let installs = ["WantedBy", "RequiredBy", "UpheldBy", "Alias"];
    let mut installs = installs.into_iter();
    let name = unit.name.as_str();
    installs.any(|key| !unit.settings.list("Install", key).is_empty())
        || units.is_pulled_in(name)
        || units.is_triggered(name)
}

/// A service that keeps containers up, and that nobody starts.
fn never_started(unit: &Unit, units: &Units, kind: &ServiceType) -> Option<Finding> {
    let revision = units.revision;
    let name = unit.name.as_str();
    let policy = revision.parsed.policy.units.get(name);
    let said = policy.is_some_and(|policy| policy.start.is_some());
    let desired = revision.desired.units.get(name)?;
    if desired.stacks.is_empty()
        || kind.is_oneshot()
        || said
        || unit.name.is_template()
        || is_asked_for(unit, units)
    {
        return None;
    }
    let source = unit.settings.sources().first()?;
    let mut headers = source.parsed.sections.iter();
    let section = headers.find(|section| section.name == "Service")?;
    let message = format!("nothing starts {name}, neither an apply nor a reboot");
    let place = source.complain(section.span.clone(), message, "[Install] is missing here");
    let help = format!(
        "write [Install] and WantedBy=multi-user.target below, or start = false for [unit.\"{name}\"] in watchme.toml"
    );
    Some(RULE.at(place.helped(&help)).weighing(Severity::Warning))
}

#[cfg(test)]
mod tests {
    use crate::check::systemd::tests::{found, service};

    #[test]
    fn units_that_are_not_enabled() {
        let policy = ("watchme.toml", "[unit.\"a.service\"]\nstart = true\n");
        let plain = ("systemd/a.service", "[Service]\nExecStart=/bin/a\n");
        assert_eq!(found(&[policy, plain]), ["not-enabled \"a.service\""]);
        let timer = "[Timer]\nOnBootSec=1\n[Install]\nWantedBy=timers.target\n";
        assert_eq!(found(&[policy, plain, ("systemd/a.timer", timer)]), [""; 0]);
        let wants =
            service("ExecStart=/bin/b").replace("[Service]", "[Unit]\nWants=a.service\n[Service]");
        assert_eq!(
            found(&[policy, plain, ("systemd/b.service", &wants)]),
            [""; 0]
        );
        let drop_in = "[Install]\nWantedBy=multi-user.target\n";
        assert_eq!(
            found(&[policy, plain, ("systemd/a.service.d/i.conf", drop_in)]),
            [""; 0]
        );
    }
}
