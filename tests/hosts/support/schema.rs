//! Checks JSON that the tool prints against the schemas in the repository, with the few keywords that they use.

use serde_json::Value;

/// What a command printed with `--json`; checked against `schema/NAME.json`.
#[track_caller]
pub(crate) fn json(name: &str, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let path = format!("{}/schema/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(&path).expect("a schema");
    let schema: Value = serde_json::from_str(&schema).expect("a schema is JSON");
    let wrong = violations(&schema, &schema, &value, name);
    assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
    assert_eq!(value["format_version"], 1, "{text}");
    value
}

/// Where `value` is not as a schema wants it: the keywords that the schemas here use.
fn violations(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        let target = root.pointer(pointer).expect("a reference leads somewhere");
        return violations(root, target, value, at);
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[keyword].as_array() {
            let fits = choices
                .iter()
                .any(|choice| violations(root, choice, value, at).is_empty());
            return Vec::from_iter((!fits).then(|| format!("{at}: none of {keyword}: {value}")));
        }
    }
    let mut wrong = Vec::new();
    if !is_of_type(&schema["type"], value) {
        wrong.push(format!("{at}: {value} is not {}", schema["type"]));
    }
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        wrong.push(format!("{at}: {value} is not {}", schema["const"]));
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        if value.get(key.as_str().unwrap_or_default()).is_none() {
            wrong.push(format!("{at}: {key} is missing"));
        }
    }
    for (key, part) in value.as_object().into_iter().flatten() {
        let known = [&schema["properties"][key], &schema["additionalProperties"]];
        match known.into_iter().find(|known| known.is_object()) {
            Some(known) => wrong.extend(violations(root, known, part, &format!("{at}.{key}"))),
            None => wrong.push(format!("{at}: {key} is not in the schema")),
        }
    }
    for part in value.as_array().into_iter().flatten() {
        wrong.extend(violations(root, &schema["items"], part, &format!("{at}[]")));
    }
    wrong
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    match types {
        Value::Null => true,
        Value::Array(several) => several.iter().any(is),
        one => is(one),
    }
}
