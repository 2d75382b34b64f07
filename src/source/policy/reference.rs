//! The JSON schema of watchme.toml, and its reference in docs/configuration.md. Both come from the types.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::Policy;
use super::service::ServicePolicy;
use super::values::{
    Absent, Address, Checkout, Cidr, Command, Duration, EventName, GateUrl, Input, Interface,
    KeyPath, Mode, Owner, PackageName, Pattern, PortRange, Project, PublicKey, Release, SecretMode,
    Size, Socket, SocketPath, Source, UnitName,
};

const BEGIN: &str = "<!-- Written by `UPDATE_DOCS=1 cargo test --lib source::policy::reference`; do not edit. -->\n";
const END: &str = "<!-- The end of what is written. -->\n";

/// TOML has no null: a value that may be left out is no value that may be null.
#[derive(Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("default").is_some_and(Value::is_null) {
            schema.remove("default");
        }
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|one| one != "null");
            if let [one] = types.as_slice() {
                let one = one.clone();
                schema.insert("type".to_owned(), one);
            }
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|one| one["type"] != "null");
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    if schema.get(&key).is_none() {
                        schema.insert(key, value);
                    }
                }
            }
        }
        transform_subschemas(self, schema);
    }
}

/// The schema of a type. Draft 7 without references is what editors know best.
fn schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft07().with_transform(WithoutNull);
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>().into()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file is what the code makes of it; the variable writes it anew.
fn written(path: &str, text: &str, variable: &str) {
    if std::env::var_os(variable).is_some() {
        std::fs::write(repository(path), text).unwrap();
    }
    let there = std::fs::read_to_string(repository(path)).unwrap();
    assert!(
        there == text,
        "{path} is stale: {variable}=1 cargo test --lib source::policy::reference"
    );
}

#[test]
fn the_schema_is_written_down() {
    let text = serde_json::to_string_pretty(&schema::<Policy>()).unwrap() + "\n";
    written("schema/watchme.schema.json", &text, "UPDATE_SCHEMAS");
}

#[test]
fn the_schema_of_a_service_is_written_down() {
    let text = serde_json::to_string_pretty(&schema::<ServicePolicy>()).unwrap() + "\n";
    written(
        "schema/watchme-service.schema.json",
        &text,
        "UPDATE_SCHEMAS",
    );
}

#[test]
fn the_page_has_every_key() {
    let path = "docs/configuration.md";
    let page = std::fs::read_to_string(repository(path)).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the first marker");
    let (_, after) = rest.split_once(END).expect("the second marker");
    let text = format!("{before}{BEGIN}\n{}\n{END}{after}", reference());
    written(path, &text, "UPDATE_DOCS");
}

#[test]
fn every_key_has_a_meaning_and_an_example_that_is_read() {
    for table in Table::all() {
        let required = table.required();
        for (key, value) in table.keys() {
            let name = format!("{} {key}", table.heading);
            assert!(value["description"].is_string(), "{name} says nothing");
            let line =
                |key: &str| format!("{key} = {}\n", example(&table.schema["properties"][key]));
            let others = required.iter().filter(|other| **other != key);
            let lines: String = others.copied().chain([key.as_str()]).map(line).collect();
            let source = format!("{}\n{lines}", table.heading);
            let read = toml::from_str::<Policy>(&source);
            assert!(read.is_ok(), "{name}: {}\n{source}", read.unwrap_err());
        }
    }
}

/// A table of watchme.toml.
struct Table {
    /// As it is written: `[folders]`; empty for the top level.
    heading: String,
    /// What it is about.
    description: String,
    schema: Value,
}

impl Table {
    /// All tables, each after the one that it is in.
    fn all() -> Vec<Self> {
        let mut all = vec![Self {
            heading: String::new(),
            description: String::new(),
            schema: schema::<Policy>(),
        }];
        let mut next = 0;
        while let Some(table) = all.get(next) {
            let inner: Vec<Self> = table.inner().collect();
            next += 1;
            all.splice(next..next, inner);
        }
        all
    }

    /// The keys and tables in it, in the order of the code, which the JSON does not keep: an unknown key is an error that
    /// lists them.
    fn properties(&self) -> impl Iterator<Item = (&String, &Value)> {
        let source = format!("{}\nunknown = 1\n", self.heading);
        let error = super::parse(Path::new(super::FILE_NAME), &source).unwrap_err();
        let keys = error
            .expected
            .split(", ")
            .map(|key| key.rsplit(' ').next().unwrap().to_owned());
        let keys: Vec<String> = keys.collect();
        let properties = self.schema["properties"].as_object().unwrap();
        assert_eq!(
            keys.len(),
            properties.len(),
            "{}: {}",
            self.heading,
            error.expected
        );
        keys.into_iter()
            .map(|key| properties.get_key_value(&key).unwrap())
    }

    /// The tables in this one.
    fn inner(&self) -> impl Iterator<Item = Self> {
        let outer = self.heading.trim_matches(['[', ']']);
        let path = move |key: &str| match outer {
            "" => key.to_owned(),
            outer => format!("{outer}.{key}"),
        };
        self.properties().filter_map(move |(key, value)| {
            let (heading, schema) = if value["properties"].is_object() {
                (format!("[{}]", path(key)), value)
            } else if value["items"]["properties"].is_object() {
                (format!("[[{}]]", path(key)), &value["items"])
            } else if value["additionalProperties"]["properties"].is_object() {
                let title = value["title"].as_str().expect("the name of the table");
                (title.to_owned(), &value["additionalProperties"])
            } else {
                return None;
            };
            Some(Self {
                heading,
                description: text(value, "description").to_owned(),
                schema: schema.clone(),
            })
        })
    }

    /// The keys that are no tables.
    fn keys(&self) -> impl Iterator<Item = (&String, &Value)> {
        let is_table = |value: &Value| {
            let inner = [value, &value["items"], &value["additionalProperties"]];
            inner.iter().any(|inner| inner["properties"].is_object())
        };
        self.properties().filter(move |(_, value)| !is_table(value))
    }

    fn required(&self) -> Vec<&str> {
        let required = self.schema["required"].as_array().into_iter().flatten();
        required.filter_map(Value::as_str).collect()
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// A value as TOML writes it.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(keys) => {
            let key = |(key, value): (&String, &Value)| format!("{key} = {}", toml(value));
            let keys: Vec<String> = keys.iter().map(key).collect();
            format!("{{ {} }}", keys.join(", ")).replace("{  }", "{}")
        }
        other => other.to_string(),
    }
}

fn example(value: &Value) -> String {
    toml(&value["examples"][0])
}

/// A paragraph in one line, without a full stop.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').replace('|', "\\|")
}

fn type_of(value: &Value) -> String {
    let variants = value["enum"].as_array().cloned().or_else(|| {
        let variants = value["oneOf"].as_array()?;
        Some(variants.iter().map(|one| one["const"].clone()).collect())
    });
    if let Some(variants) = variants {
        let variants: Vec<String> = variants
            .iter()
            .map(|one| format!("`{}`", toml(one)))
            .collect();
        return variants.join(", ");
    }
    match (text(value, "title"), text(value, "type")) {
        ("", "array") => format!("list of {}s", type_of(&value["items"])),
        ("", "object") => {
            let inner = type_of(&value["additionalProperties"]);
            format!("table of {}", inner.replacen("list of", "lists of", 1))
        }
        ("", "integer") => "number".to_owned(),
        ("", "string") => "text".to_owned(),
        ("", other) => other.to_owned(),
        (title, _) => title.to_owned(),
    }
}

fn row(table: &Table, key: &str, value: &Value) -> String {
    let (meaning, said) = match text(value, "description").split_once("\n\nDefault: ") {
        Some((meaning, default)) => (meaning, Some(cell(default))),
        None => (text(value, "description"), None),
    };
    let default = said.unwrap_or_else(|| match value.get("default") {
        Some(default) => format!("`{}`", toml(default)),
        None if table.required().contains(&key) => "required".to_owned(),
        None => "none".to_owned(),
    });
    let (kind, example) = (type_of(value), example(value));
    format!(
        "| `{key}` | {kind} | {default} | `{example}` | {} |\n",
        cell(meaning)
    )
}

/// The types of values, with how each is written.
fn types() -> String {
    let types = [
        schema::<Duration>(),
        schema::<Size>(),
        schema::<PortRange>(),
        schema::<Release>(),
        schema::<UnitName>(),
        schema::<Project>(),
        schema::<Address>(),
        schema::<Cidr>(),
        schema::<Source>(),
        schema::<Interface>(),
        schema::<PackageName>(),
        schema::<Socket>(),
        schema::<GateUrl>(),
        schema::<EventName>(),
        schema::<Mode>(),
        schema::<SecretMode>(),
        schema::<Owner>(),
        schema::<Command>(),
        schema::<Input>(),
        schema::<Pattern>(),
        schema::<Checkout>(),
        schema::<SocketPath>(),
        schema::<KeyPath>(),
        schema::<PublicKey>(),
        schema::<Absent>(),
    ];
    let rows = types.iter().map(|value| {
        let (title, written) = (text(value, "title"), cell(text(value, "description")));
        format!("| {title} | {written} |\n")
    });
    format!(
        "| value | written as |\n|---|---|\n{}",
        rows.collect::<String>()
    )
}

fn reference() -> String {
    let mut page = types();
    for table in Table::all() {
        let heading = match table.heading.as_str() {
            "" => "The top level".to_owned(),
            heading => format!("`{heading}`"),
        };
        write!(page, "\n### {heading}\n\n").unwrap();
        for paragraph in table
            .description
            .split("\n\n")
            .filter(|text| !text.is_empty())
        {
            let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_code = paragraph.starts_with("```");
            write!(page, "{}\n\n", if is_code { paragraph } else { &line }).unwrap();
        }
        let rows: String = table
            .keys()
            .map(|(key, value)| row(&table, key, value))
            .collect();
        page += "| key | type | default | example | meaning |\n|---|---|---|---|---|\n";
        page += &rows;
    }
    page
}
