//! Compose files below `compose/` that are no part of a stack.

use crate::check::engine::refused;
use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_not_run, Warning, refused);

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::found;

    #[test]
    fn compose_files_below_compose_that_are_no_stack() {
        let text = "services:\n  a:\n    image: a:1\n";
        let files = [
            ("compose/compose.yaml", text),
            ("compose/a/docker-compose.yml", text),
            ("compose/a/app/compose.yaml", text),
            ("compose/a/values.yaml", "replicas: 1\n"),
            ("compose/b/deep/compose.yaml", text),
            ("compose/c/production.yml", text),
            ("compose/d/compose.yaml", text),
            ("compose/d/docker-compose.yml", text),
            ("compose/e/production.yml", text),
            ("compose/f/server.yml", text),
            ("compose/g/other.yml", text),
            (
                "systemd/f.service",
                "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/compose/f/server.yml up\n",
            ),
            (
                "watchme.toml",
                "checkout = \"/srv/c\"\n[stack.e]\nfiles = [\"production.yml\"]\n[stack.g]\nstart = false\n",
            ),
        ];
        assert_eq!(
            found(&RULE, &files),
            [
                "compose/b/deep/compose.yaml:1:1: an apply runs the folders of compose/, and not those below them",
                "compose/c/production.yml:1:1: an apply does not run it: compose looks for compose.yaml or docker-compose.yml",
                "compose/compose.yaml:1:1: an apply runs the folders of compose/, and not this file",
                "compose/d/docker-compose.yml:1:1: compose reads compose/d/compose.yaml and not this file beside it",
            ]
        );
    }
}
