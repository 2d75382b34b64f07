//! Passwords in compose files.

use crate::check::compose::secrets::{is_literal, is_secret, password_in_url};
use crate::check::compose::view::{View, say};
use crate::check::context::Context;
use crate::check::engine::{Findings, Rule, rule};
use crate::model::Finding;

/// The rule.
pub(crate) static RULE: Rule = rule!(compose_password_in_plain_text, Error, run).grouped(
    "passwords are written here in plain text",
    Some("write ${NAME} here and the value into .env, outside git; then change the passwords, for git keeps the old ones"),
);

fn run(context: &Context, findings: &mut Findings) {
    findings.extend(plain(context.projects()));
}

fn plain(view: &View) -> Vec<Finding> {
    let mut findings = Vec::new();
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
            if !is_literal(written) || (!named && password_in_url(written).is_none()) {
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
                "write ${{{variable}}} here and the value into .env, outside git; then change the password, for git keeps the old one"
            );
            findings.push(RULE.at(say(place, message, "", help)));
        }
    }
    findings
}
