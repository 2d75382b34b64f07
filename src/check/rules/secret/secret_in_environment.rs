//! Secrets that compose puts into the environment of containers.

use std::path::Path;

use crate::check::compose::view::say;
use crate::check::rules::prelude::*;
use crate::model::layout;

pub(crate) static RULE: Rule = rule!(secret_in_environment, Warning, run)
    .grouped("secrets are in the environment of services", None);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, name, service) in view.started() {
        let files = service.env_files();
        let mut names = files
            .iter()
            .filter_map(|file| layout::secret_name(Path::new(file)));
        if let Some(secret) = names.next() {
            findings.push(RULE.at(say(
                view.at(stack, name, &["env_file"]),
                format!("service {name} has the secret {secret} in its environment"),
                "Docker writes the environment of containers to its disk",
                "have the service read a file: secrets: with file:, or a mount",
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::found_in_services;

    #[test]
    fn only_secrets_and_only_as_environment() {
        let found = |value: &str| {
            let service = format!("  app:\n    image: app:1\n    {value}\n");
            found_in_services(&RULE, &service).len()
        };
        let path = "/run/watchme-apply/secrets/app.env";
        assert_eq!(found(&format!("env_file: {path}")), 1);
        assert_eq!(found(&format!("env_file: [a.env, {path}]")), 1);
        assert_eq!(found(&format!("volumes: ['{path}:/app.env:ro']")), 0);
        assert_eq!(found("env_file: a.env"), 0);
    }
}
