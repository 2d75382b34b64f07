//! Passwords in compose files.

use std::collections::BTreeSet;

use source_text::word_list;

use crate::check::compose::secrets::{is_literal, is_secret, password_in_url};
use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_password_in_plain_text, Error, run).grouped(
    "passwords are written here in plain text",
    Some("write ${NAME} here and the value into .env, outside git; then change the passwords, because git keeps the old ones"),
);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    // What an anchor brings into several services is written once.
    let mut seen = BTreeSet::new();
    for (stack, service, definition) in view.services() {
        for (key, value) in definition.environment() {
            let Some(value) = value else { continue };
            let named = is_secret(&key, &value);
            if !named && password_in_url(&value).is_none() {
                continue;
            }
            let place = view.at(stack, service, &["environment", &key]);
            let raw = view.raw(&place);
            let written = raw.strip_prefix(&format!("{key}=")).unwrap_or(raw);
            let is_new = seen.insert((place.path().to_owned(), place.span.start));
            if !is_new || !is_literal(written) || (!named && password_in_url(written).is_none()) {
                continue;
            }
            let message = match named {
                true => format!("{key} of service {service} is written here in plain text"),
                false => {
                    format!("{key} of service {service} has a password in its URL in plain text")
                }
            };
            let variable = if named {
                key.clone()
            } else {
                "DB_PASSWORD".to_owned()
            };
            let help = format!(
                "write ${{{variable}}} here and the value into .env, outside git; then change the password, because git keeps the old one"
            );
            let own = definition.environment();
            let is_known = is_default(named, &value, service, &own);
            let finding = RULE.at(say(place, message, "", help));
            findings.push(finding.weighing_where(is_known, Severity::Warning));
        }
    }
}

/// Values that are no secret of anybody.
const DEFAULTS: [&str; 18] = word_list(
    "1234 12345 123456 12345678 admin change-me change_me changeit changeme example pass passwd \
    password postgres root secret test user",
);

/// Whether a password is one that everybody tries first: a usual word, or the name of the service, a user or a database.
fn is_default(
    is_named: bool,
    value: &str,
    service: &str,
    environment: &[(String, Option<String>)],
) -> bool {
    let in_url = password_in_url(value).filter(|_| !is_named);
    let (user, password) = match in_url {
        Some(span) => {
            let before = value.get(..span.start).unwrap_or_default();
            let user = before.trim_end_matches(':').rsplit('/').next();
            (user, value.get(span).unwrap_or_default())
        }
        None => (None, value),
    };
    let open = environment
        .iter()
        .filter(|(key, value)| !is_secret(key, value.as_deref().unwrap_or_default()));
    let open = open.filter_map(|(_, value)| value.as_deref());
    let mut known = DEFAULTS
        .into_iter()
        .chain([service])
        .chain(user)
        .chain(open);
    known.any(|known| known.eq_ignore_ascii_case(password))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::check::tests::levels;

    #[test]
    fn what_everybody_tries_first_is_no_secret() {
        for (environment, expected) in [
            ("{POSTGRES_PASSWORD: hunter2}", "error"),
            ("{POSTGRES_PASSWORD: postgres}", "warning"),
            ("{MYSQL_PASSWORD: ChangeMe}", "warning"),
            ("{MYSQL_USER: shop, MYSQL_PASSWORD: shop}", "warning"),
            ("{DB_PASSWORD: db}", "warning"),
            // The same secret twice is one.
            ("{DB_PASSWORD: x7zpq, ROOT_PASSWORD: x7zpq}", "error"),
            ("{A: 'postgres://shop:shop@db/x'}", "warning"),
            ("{A: 'postgres://shop:x7zpq@db/x'}", "error"),
        ] {
            let text = format!("services: {{db: {{image: 'x:1', environment: {environment}}}}}\n");
            let found = levels(&RULE, &[("compose.yaml", &text)]);
            assert!(!found.is_empty(), "{environment}");
            assert!(
                found.iter().all(|level| *level == expected),
                "{environment}: {found:?}"
            );
        }
    }

    #[test]
    fn what_an_anchor_brings_is_one() {
        let text = "x-a: &a\n  DB_PASSWORD: x7zpq\nservices:\n  one: {image: 'x:1', environment: *a}\n  two: {image: 'x:1', environment: {<<: *a, B: c}}\n";
        assert_eq!(levels(&RULE, &[("compose.yaml", text)]), ["error"]);
    }
}
