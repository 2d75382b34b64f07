//! Variables that have no value.

use crate::check::rules::compose::prelude::*;
use crate::source::compose::Variables;
use crate::source::variables::used;

pub(crate) static RULE: Rule = rule!(compose_variable_unset, Warning, run).grouped(
    "variables have no value",
    Some("set them in .env, and list them in .env.example; or write a default: ${NAME:-}"),
);

/// What every shell in which somebody runs compose has.
const OF_A_SHELL: [&str; 5] = ["HOME", "LOGNAME", "PATH", "PWD", "USER"];

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for stack in &view.stacks {
        let looked = match &stack.variables {
            Variables::File(path) => format!("in {}", path.display()),
            Variables::Example(path) => format!(
                "in {}, which is used because there is no .env here",
                path.display()
            ),
            Variables::Defaults => {
                "anywhere: there is no .env and no .env.example beside it".to_owned()
            }
            Variables::Unknown => continue,
        };
        for (file, names) in &stack.unset {
            for name in names {
                if stack.unit.is_none() && OF_A_SHELL.contains(&name.as_str()) {
                    continue;
                }
                let Some((span, required)) = view
                    .positions(file, |positions| used(positions, name))
                    .flatten()
                else {
                    continue;
                };
                let message = format!("the variable {name} has no value {looked}");
                let (expected, help) = match required {
                    true => (
                        match stack.variables {
                            Variables::File(_) => "compose refuses the file without it",
                            _ => {
                                "compose refuses the file without it; whether the server has it is not known here"
                            }
                        },
                        format!("set {name} in .env"),
                    ),
                    false => (
                        "compose puts an empty text there",
                        format!(
                            "set {name} in .env, or write a default: ${{{name}:-}} if empty is right"
                        ),
                    ),
                };
                let help = match &stack.variables {
                    Variables::File(_) => help,
                    _ => format!("{help}; list it in .env.example"),
                };
                let finding = RULE.at(say(view.bytes(file, span), message, expected, help));
                let certain = required && matches!(stack.variables, Variables::File(_));
                findings.push(finding.weighing_where(certain, Severity::Error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::compose::tests::{HERE, NONE, UNIT, found};

    #[test]
    fn variables_say_where_they_were_looked_for() {
        let compose = "services:\n  a:\n    image: x:1\n    environment: {A: $A, B: '${B:-b}', C: \"x ${C:?needed}\", D: '$$E'}\n";
        let unset = |files: &[(&str, &str)]| {
            let mut all = vec![("watchme.toml", ""), ("docker-compose.yml", compose)];
            all.extend(files);
            found(&all)
        };
        assert_eq!(
            unset(&[]),
            [
                "compose-variable-unset docker-compose.yml:4:22: the variable A has no value anywhere: there is no .env and no .env.example beside it",
                "compose-variable-unset docker-compose.yml:4:44: the variable C has no value anywhere: there is no .env and no .env.example beside it",
            ]
        );
        assert_eq!(
            unset(&[(".env.example", "A=\n")]),
            [
                "compose-variable-unset docker-compose.yml:4:44: the variable C has no value in .env.example, which is used because there is no .env here"
            ]
        );
        assert_eq!(unset(&[(".env.example", "A=1\nC=1\n")]), NONE);
        let unit = UNIT
            .replace("NAME", "a")
            .replace("[Service]\n", "[Service]\nEnvironment=A=1 C=2\n");
        assert_eq!(
            found(&[HERE, ("systemd/a.service", &unit), ("a.yml", compose)]),
            NONE
        );
    }
}
