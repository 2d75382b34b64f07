//! Metrics as text: OpenMetrics 1.0, and the text format of Prometheus, version 0.0.4.
//!
//! <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md> and
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>. The textfile collector of node_exporter parses the latter: it
//! knows no type `info`, takes `# EOF` for a comment, and refuses a file with timestamps.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::cli::masks::safe;

/// A value with its labels.
#[derive(Debug)]
pub(super) struct Sample {
    /// Names and values.
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

/// Values of one name.
#[derive(Debug)]
pub(super) struct Family {
    /// The name, with its unit at the end.
    pub name: String,
    /// What it says.
    pub help: &'static str,
    pub samples: Vec<Sample>,
}

/// The end of the name of a metric whose labels are what it says.
const INFO: &str = "_info";
const UNITS: [&str; 2] = ["seconds", "bytes"];

pub(super) fn openmetrics(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families {
        let (name, kind) = match family.name.strip_suffix(INFO) {
            Some(name) => (name, "info"),
            None => (family.name.as_str(), "gauge"),
        };
        line(&mut text, format_args!("# TYPE {name} {kind}"));
        let has_unit = |unit: &&&str| name.ends_with(&format!("_{unit}"));
        if let Some(unit) = UNITS.iter().find(has_unit) {
            line(&mut text, format_args!("# UNIT {name} {unit}"));
        }
        let help = escaped(family.help);
        line(&mut text, format_args!("# HELP {name} {help}"));
        samples(&mut text, family);
    }
    text.push_str("# EOF\n");
    text
}

/// The text format of Prometheus.
pub(super) fn prometheus(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families {
        let (name, help) = (&family.name, escaped(family.help));
        line(&mut text, format_args!("# HELP {name} {help}"));
        line(&mut text, format_args!("# TYPE {name} gauge"));
        samples(&mut text, family);
    }
    text
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "{words}");
}

fn samples(text: &mut String, family: &Family) {
    let mut written = BTreeSet::new();
    for sample in &family.samples {
        let label = |(name, value): &(&str, String)| {
            // Names of a host are text of others: they are shown in terminals and dashboards. A line end is escaped by the format, and is no danger to a terminal then.
            let lines: Vec<String> = value.split('\n').map(safe).collect();
            format!("{name}=\"{}\"", escaped(&lines.join("\n")))
        };
        let labels: Vec<String> = sample.labels.iter().map(label).collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let (name, value) = (&family.name, sample.value);
        // Labels that differ in a secret are alike once it is masked, and a reader refuses a file that says a thing twice.
        if !written.insert(labels.clone()) {
            continue;
        }
        line(text, format_args!("{name}{labels} {value}"));
    }
}

/// Both formats escape alike: a backslash, a quote and a line end.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
