//! Services with neither an image nor a build.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_no_image, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    let services = view.services().filter(|(stack, ..)| stack.whole);
    findings.extend(services.filter_map(|(stack, name, service)| {
        let keys = ["image", "build", "provider"];
        if keys.iter().any(|key| service.rest.contains_key(*key)) {
            return None;
        }
        let message = format!("service {name} has neither an image nor a build");
        let expected = "compose refuses the file";
        let help = "write image: NAME:TAG, or build: FOLDER";
        let place = say(view.at(stack, name, &[]), message, expected, help);
        Some(RULE.at(place))
    }));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::found_in_services;

    #[test]
    fn something_has_to_run() {
        let found = |service: &str| found_in_services(&RULE, &format!("  app: {service}\n"));
        assert_eq!(
            found("{restart: 'no'}"),
            ["a.yml:2:3: service app has neither an image nor a build"]
        );
        for harmless in ["{image: 'app:1'}", "{build: .}", "{build: {context: .}}"] {
            assert_eq!(found(harmless), [""; 0], "{harmless}");
        }
    }
}
