//! The network as a diagram of Mermaid, mermaid.js.org "Flowcharts".

use std::collections::{BTreeMap, BTreeSet};

use super::tables::{containers, endpoints, name_of};
use crate::cli::masks::mask;
use crate::source::Revision;
use crate::source::nginx::Url;

/// nginx, what it asks, and who is on which network.
pub(super) fn network(revision: &Revision) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    let containers = containers(revision);
    let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for endpoint in endpoints(revision) {
        let url = endpoint.url.parse::<Url>();
        let path = url.map_or(endpoint.url.clone(), |url| url.path().to_owned());
        for name in endpoint.behind.iter().filter_map(name_of) {
            paths.entry(name).or_default().insert(path.clone());
        }
    }
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    for (number, container) in containers.iter().enumerate() {
        ids.insert(&container.name, format!("c{number}"));
    }
    if !paths.is_empty() {
        lines.push("    client((clients)) --> nginx".to_owned());
    }
    for (number, name) in revision.desired.networks.keys().enumerate() {
        lines.push(format!("    subgraph n{number}[\"{}\"]", label(name)));
        for container in &containers {
            // A node is in one of them: a container on several is in the first, and linked to the others.
            if container.networks.keys().next() == Some(name) {
                let node = node(&ids, &container.name, container.networks.get(name));
                lines.push(format!("        {node}"));
            }
        }
        lines.push("    end".to_owned());
        for container in &containers {
            if container.networks.keys().skip(1).any(|other| other == name)
                && let Some(id) = ids.get(container.name.as_str())
            {
                lines.push(format!("    {id} -.- n{number}"));
            }
        }
    }
    for container in containers.iter().filter(|one| one.networks.is_empty()) {
        lines.push(format!("    {}", node(&ids, &container.name, None)));
    }
    for (name, paths) in &paths {
        if let Some(id) = ids.get(name.as_str()) {
            let paths: Vec<String> = paths.iter().map(|path| label(path)).collect();
            lines.push(format!("    nginx -->|\"{}\"| {id}", paths.join("<br>")));
        }
    }
    format!("```mermaid\n{}\n```\n", lines.join("\n"))
}

fn node(ids: &BTreeMap<&str, String>, name: &str, address: Option<&Option<String>>) -> String {
    let id = ids.get(name).map_or("c", String::as_str);
    match address.and_then(Option::as_ref) {
        Some(address) => format!("{id}[\"{}<br>{}\"]", label(name), label(address)),
        None => format!("{id}[\"{}\"]", label(name)),
    }
}

/// Text in quotes: what means something there is written by its number.
fn label(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for c in mask(text).chars() {
        match c {
            '"' | '<' | '>' | '&' | '#' | ';' | '`' | '\\' => {
                label.push_str(&format!("#{};", u32::from(c)))
            }
            c if c.is_control() => label.push(' '),
            c => label.push(c),
        }
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_ends_nothing() {
        assert_eq!(label("a\"]\nb#;<br>"), "a#34;] b#35;#59;#60;br#62;");
    }
}
