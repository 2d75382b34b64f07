//! JSON that keeps to its schema.

use std::fs;

use serde_json::Value;

use crate::support::Output;

/// Checks a value against a schema of `schema/`, as far as those use JSON Schema; tells what is wrong.
pub(super) fn violations(
    schema: &Value,
    whole: &Value,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = whole
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("no {reference}"));
        return violations(target, whole, value, at, found);
    }
    for (word, all) in [("anyOf", false), ("oneOf", false), ("allOf", true)] {
        let Some(choices) = schema[word].as_array() else {
            continue;
        };
        let failed: Vec<Vec<String>> = choices
            .iter()
            .map(|choice| {
                let mut inner = Vec::new();
                violations(choice, whole, value, at, &mut inner);
                inner
            })
            .filter(|inner| !inner.is_empty())
            .collect();
        if (all && !failed.is_empty()) || failed.len() == choices.len() {
            found.extend(failed.concat());
        }
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(value, kind)) {
        found.push(format!("{at}: {value} is no {}", kinds.join(" or ")));
    }
    let allowed = schema["enum"]
        .as_array()
        .is_none_or(|allowed| allowed.contains(value));
    if !allowed || schema.get("const").is_some_and(|only| only != value) {
        found.push(format!("{at}: {value} is not allowed"));
    }
    if let Value::Object(fields) = value {
        for key in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(key) {
                found.push(format!("{at}: no {key}"));
            }
        }
        for (key, inner) in fields {
            match (
                schema["properties"].get(key),
                &schema["additionalProperties"],
            ) {
                (Some(property), _) => {
                    violations(property, whole, inner, &format!("{at}.{key}"), found)
                }
                (None, additional @ Value::Object(_)) => {
                    violations(additional, whole, inner, &format!("{at}.{key}"), found)
                }
                (None, _) if kinds.contains(&"object") => {
                    found.push(format!("{at}: {key} is not in the schema"))
                }
                _ => {}
            }
        }
    }
    for (number, inner) in value.as_array().into_iter().flatten().enumerate() {
        if schema.get("items").is_some() {
            violations(
                &schema["items"],
                whole,
                inner,
                &format!("{at}[{number}]"),
                found,
            );
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        _ => panic!("unknown type {kind}"),
    }
}

pub(super) fn schema(name: &str) -> Value {
    let path = format!("{}/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// One object on standard output, whole, of this format, as the schema says.
#[track_caller]
pub(crate) fn keeps_to(name: &str, run: Output) -> Value {
    let (schema, value) = (schema(name), run.json());
    let mut found = Vec::new();
    violations(&schema, &schema, &value, name, &mut found);
    assert!(found.is_empty(), "{found:#?}\n{}", run.shown());
    assert_eq!(value["format_version"], 1);
    value
}

/// A check that never fails would prove nothing.
#[test]
fn the_schema_check_finds_what_is_wrong() {
    let schema = schema("error");
    let check = |text: &str| {
        let mut found = Vec::new();
        violations(
            &schema,
            &schema,
            &serde_json::from_str(text).unwrap(),
            "error",
            &mut found,
        );
        found.len()
    };
    let good = r#"{"format_version": 1, "error": "x", "caused_by": ["y"], "hint": null, "findings": [], "exit_status": 1}"#;
    assert_eq!(check(good), 0);
    assert_eq!(check(&good.replace("\"hint\": null, ", "")), 0);
    assert_eq!(check(&good.replace("\"x\"", "7")), 1);
    assert_eq!(check(&good.replace("[\"y\"]", "[7]")), 1);
    assert_eq!(
        check(&good.replace("\"error\"", "\"eror\"")),
        2,
        "one is missing, one is too much"
    );
}
