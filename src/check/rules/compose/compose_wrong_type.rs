//! Values of a type that their key does not take.

use crate::check::compose::shapes::Problem;
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_wrong_type, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    findings.pick(context.shapes(), Problem::WrongType);
}

#[cfg(test)]
mod tests {
    use crate::check::compose::tests::one;
    use crate::check::tests::checked;

    #[test]
    fn a_file_that_says_nothing() {
        for text in ["", "# to do\n", "---\n"] {
            assert_eq!(
                one(text),
                ["compose-wrong-type a.yml:1:1: this file is empty, and a.service runs it"],
                "{text:?}"
            );
        }
    }

    #[test]
    fn times_have_their_unit() {
        let files = [
            ("watchme.toml".to_owned(), String::new()),
            (
                "docker-compose.yml".to_owned(),
                "services: {a: {image: 'x:1', healthcheck: {test: a, interval: 10}}}\n".to_owned(),
            ),
        ];
        let found = checked(&files);
        let wrong = found
            .iter()
            .find(|one| one.rule.name == "compose-wrong-type");
        assert_eq!(
            wrong.and_then(|one| one.help()),
            Some("write interval: 10s")
        );
    }
}
