//! Services that nothing restarts.

use crate::check::compose::is_job;
use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_no_restart, Warning, run)
    .grouped(
        "services stay down after they exit: nothing restarts them",
        None,
    )
    .advice();

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, name, service) in view.started() {
        findings.extend(restart(view, stack, name, service));
    }
}

fn restart(view: &View, stack: &ParsedStack, name: &str, service: &Service) -> Option<Finding> {
    let policy = service.restart();
    // Docker starts no container with it when the daemon starts, docs.docker.com "Start containers automatically".
    let not_at_boot = |policy: &String| policy.starts_with("on-failure") && alone(view, stack);
    if is_job(view, stack, name, service) || policy.as_ref().is_some_and(|own| !not_at_boot(own)) {
        return None;
    }
    let (message, help) = match &stack.unit {
        Some(_) if alone(view, stack) => (
            match policy {
                Some(_) => format!(
                    "nothing starts service {name} at boot: no unit does, and restart: on-failure does not"
                ),
                None => format!("nothing restarts service {name}, at boot or after it exits"),
            },
            "write restart: unless-stopped here: its stack has unit = false",
        ),
        Some(unit) if !stack.attached && stays(view, stack) => (
            format!(
                "nothing restarts service {name}: {unit} starts it with up -d and does not watch it"
            ),
            match stack.own {
                true => "write restart: unless-stopped here",
                false => "write restart: on-failure here, or let the unit run up without -d",
            },
        ),
        // A unit that could not be read may run it.
        None if view.subject.is_whole() => (
            format!(
                "nothing restarts service {name}: it has no restart policy, and no unit runs it"
            ),
            "write restart: unless-stopped here, or add a unit that runs it",
        ),
        _ => return None,
    };
    let place = view.at(stack, name, &["restart"]);
    Some(RULE.at(say(place, message, "", help)))
}

/// Whether restart policies alone start the containers of a project at boot.
fn alone(view: &View, stack: &ParsedStack) -> bool {
    view.unit_of(stack).is_some_and(|unit| unit.alone)
}

/// Whether the unit of a project brings it up, and runs: one that only pulls or stops it does not.
fn stays(view: &View, stack: &ParsedStack) -> bool {
    stack.up && view.unit_of(stack).is_some_and(|unit| unit.start)
}

#[cfg(test)]
mod tests {
    use crate::check::tests::checked;

    /// What is said about the restart policy of a stack's service, with and without a unit.
    #[test]
    fn without_a_unit_the_policy_has_to_hold_at_boot() {
        let found = |unit: bool, restart: &str| -> Vec<String> {
            let files = [
                ("watchme.toml", format!("[stack.shop]\nunit = {unit}\n")),
                (
                    "compose/shop/compose.yaml",
                    format!("services: {{app: {{image: 'x:1', {restart}}}}}\n"),
                ),
            ];
            let files = files.map(|(path, text)| (path.to_owned(), text));
            let found = checked(&files);
            let rules = ["compose-no-restart", "compose-restart-beside-unit"];
            let own = found.iter().filter(|one| rules.contains(&one.rule.name));
            own.map(|one| one.message().to_owned()).collect()
        };
        assert_eq!(
            found(false, ""),
            ["nothing restarts service app, at boot or after it exits"]
        );
        assert_eq!(
            found(false, "restart: 'on-failure:3'"),
            ["nothing starts service app at boot: no unit does, and restart: on-failure does not"]
        );
        assert_eq!(
            found(true, "restart: always"),
            ["service app has restart: always, and stack-shop.service runs it"]
        );
        for (unit, harmless) in [
            (false, "restart: always"),
            (false, "restart: unless-stopped"),
            (false, "restart: 'no'"),
            (true, "restart: on-failure"),
        ] {
            assert_eq!(found(unit, harmless), [""; 0], "{unit} {harmless}");
        }
    }
}
