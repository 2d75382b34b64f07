//! Compares JSON with the schemas in `schema/`, as far as those use JSON Schema. A key that a schema does not have is wrong,
//! wherever it is: what is printed is documented.

use serde_json::Value;

/// The schema of `schema/NAME.json`.
pub(crate) fn schema(name: &str) -> Value {
    let path = format!("{}/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a schema");
    serde_json::from_str(&text).expect("a schema is JSON")
}

/// What a command printed with `--json`: one object of this format, as the schema says.
#[track_caller]
pub(crate) fn json(name: &str, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let wrong = violations(name, &schema(name), &value);
    assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
    assert_eq!(value["format_version"], 1, "{text}");
    value
}

/// Where a value is not as a schema wants it; `at` is the name of the value.
pub(crate) fn violations(at: &str, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(schema, schema, value, at, &mut found);
    found
}

/// Adds what is wrong with a value to what was found; `whole` is the schema with the definitions.
fn compare(schema: &Value, whole: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = whole
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("no {reference}"));
        return compare(target, whole, value, at, found);
    }
    for (word, all) in [("anyOf", false), ("oneOf", false), ("allOf", true)] {
        let Some(choices) = schema[word].as_array() else {
            continue;
        };
        let failed: Vec<Vec<String>> = choices
            .iter()
            .map(|choice| {
                let mut inner = Vec::new();
                compare(choice, whole, value, at, &mut inner);
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
                    compare(property, whole, inner, &format!("{at}.{key}"), found)
                }
                (None, additional @ Value::Object(_)) => {
                    compare(additional, whole, inner, &format!("{at}.{key}"), found)
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
            compare(
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
