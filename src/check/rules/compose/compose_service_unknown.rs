//! Services that others name, and that their project does not have.

use crate::check::rules::compose::prelude::*;
use crate::source::error::nearest;

pub(crate) static RULE: Rule = rule!(compose_service_unknown, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, service, definition) in view.services() {
        if !stack.whole {
            continue;
        }
        for (key, name) in definition.named_services() {
            if name.is_empty() || stack.compose.services.contains_key(&name) {
                continue;
            }
            let known = stack.compose.services.keys().map(String::as_str);
            let help = match nearest(&name, known.filter(|known| *known != service)) {
                Some(near) => format!("did you mean {near}?"),
                None => format!(
                    "remove it, or add a service {name}; to start it after another project, write After= in the unit"
                ),
            };
            let value = match key {
                "network_mode" | "ipc" | "pid" => format!("service:{name}"),
                _ => name.clone(),
            };
            let place = say(
                view.at(stack, service, &[key, &name]),
                format!(
                    "service {service} has {key}: {value}, and there is no such service in this project"
                ),
                "compose refuses the file",
                help,
            );
            findings.push(RULE.at(place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::found_in_services;

    #[test]
    fn a_service_whose_namespace_is_shared() {
        for key in ["network_mode", "ipc", "pid"] {
            let found = |name: &str| {
                let app = format!("  app: {{image: a:1, {key}: 'service:{name}'}}\n");
                found_in_services(&RULE, &format!("{app}  other: {{image: a:1}}\n"))
            };
            assert_eq!(found("other"), [""; 0], "{key}");
            let [message] = &found("none")[..] else {
                panic!("{key}");
            };
            let expected = format!("service app has {key}: service:none, and there is no such");
            assert!(message.contains(&expected), "{message}");
        }
        assert_eq!(
            found_in_services(&RULE, "  app: {image: a:1, ipc: host, pid: host}\n"),
            [""; 0]
        );
    }
}
