//! Images that cannot be built: their folder or their Dockerfile is not in the checkout.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_build_missing, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for stack in &view.stacks {
        let started = stack.unbuildable.iter();
        for (name, (path, _)) in started.filter(|(name, _)| stack.started.contains(*name)) {
            let shown = path.display();
            let message =
                format!("service {name} is built from {shown}, which is not in the checkout");
            let expected = "compose builds nothing, and the apply fails";
            let help = format!("add {shown} to git, or fix the path");
            let place = view.at(stack, name, &["build"]);
            findings.push(RULE.at(say(place, message, expected, help)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::checked;

    #[test]
    fn folders_and_dockerfiles_that_are_not_there() {
        let found = |build: &str| {
            let compose = format!("services:\n  app:\n    build: {build}\n");
            let files = [
                ("watchme.toml", ""),
                ("compose/b/compose.yaml", &compose),
                ("compose/b/app/Dockerfile", "FROM scratch\n"),
                ("compose/b/app/Other", "FROM scratch\n"),
                ("compose/b/lower/dockerfile", "FROM scratch\n"),
            ];
            let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
            let found = checked(&files);
            let own = found
                .iter()
                .filter(|finding| finding.rule.name == RULE.name);
            own.map(|finding| finding.message().to_owned())
                .collect::<Vec<_>>()
        };
        for (build, path) in [
            ("nodir", "compose/b/nodir"),
            ("{context: ./nodir}", "compose/b/nodir"),
            (".", "compose/b/Dockerfile"),
            ("{context: app, dockerfile: None}", "compose/b/app/None"),
        ] {
            let message = format!("service app is built from {path}, which is not in the checkout");
            assert_eq!(found(build), [message], "{build}");
        }
        for fine in [
            "app",
            "lower",
            "{context: app, dockerfile: Other}",
            "{context: ., dockerfile: app/Other}",
            "{context: ., dockerfile_inline: 'FROM scratch'}",
            "https://github.com/example/app.git",
            "github.com/example/app",
            "/opt/app",
            "'${FOLDER}'",
        ] {
            assert_eq!(found(fine), [""; 0], "{fine}");
        }
    }
}
