//! Secrets and configs that no file of the project declares.

use serde_yaml::Value;

use crate::check::rules::compose::prelude::*;
use crate::source::compose::types::text;
use crate::source::error::nearest;

pub(crate) static RULE: Rule = rule!(compose_secret_undeclared, Error, run);

fn run(context: &Context, findings: &mut Findings) {
    let view = context.projects();
    for (stack, name, service) in view.services().filter(|(stack, ..)| stack.whole) {
        for kind in ["secrets", "configs"] {
            secrets((view, stack, name), service, kind, findings);
        }
    }
}

/// Secrets or configs that no file of the project declares.
fn secrets(
    (view, stack, name): (&View, &ParsedStack, &str),
    service: &Service,
    kind: &str,
    findings: &mut Findings,
) {
    let list = service.rest.get(kind).and_then(Value::as_sequence);
    let declared = stack.compose.rest.get(kind).and_then(Value::as_mapping);
    let declared = declared.into_iter().flatten();
    let declared: Vec<String> = declared.filter_map(|(key, _)| text(key)).collect();
    let one = kind.trim_end_matches('s');
    for item in list.into_iter().flatten() {
        let named = match item {
            Value::Mapping(_) => item.get("source").and_then(text),
            other => text(other),
        };
        let Some(named) = named.filter(|named| !named.is_empty() && !declared.contains(named))
        else {
            continue;
        };
        let help = match nearest(&named, declared.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("add {kind}: {named}: {{file: ./FILE}} at the end of the file"),
        };
        let message =
            format!("service {name} has the {one} {named}, which its file does not declare");
        let place = view.at_item(stack, name, kind, item);
        let place = say(place, message, "compose refuses the file", help);
        findings.push(RULE.at(place));
    }
}
