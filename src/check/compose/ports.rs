//! Ports that services publish, across all projects.

use std::ops::RangeInclusive;

use serde_yaml::Value;

use super::view::View;
use crate::model::{Diagnostic, Transport};
use crate::source::ParsedStack;
use crate::source::compose::{Published, Service};

/// An entry of `ports:` of a service.
pub(crate) struct Entry<'a> {
    /// The project.
    pub stack: &'a ParsedStack,
    /// The service.
    pub service: &'a str,
    /// What is said about the service.
    pub definition: &'a Service,
    /// The ports.
    pub port: Published,
}

impl Entry<'_> {
    /// Where it is.
    pub(crate) fn place(&self, view: &View) -> Diagnostic {
        let item = self.item().cloned().unwrap_or_default();
        view.at_item(self.stack, self.service, "ports", &item)
    }

    /// The entry of `ports:`.
    pub(crate) fn item(&self) -> Option<&Value> {
        self.definition.ports.get(self.port.index)
    }

    /// Its protocol, as far as a firewall knows it.
    pub(crate) fn transport(&self) -> Option<Transport> {
        match self.port.protocol.as_str() {
            "tcp" => Some(Transport::Tcp),
            "udp" => Some(Transport::Udp),
            _ => None,
        }
    }

    /// Whose it is.
    pub(crate) fn who(&self) -> String {
        let file = self.stack.files.last();
        let file = file.map_or(String::new(), |file| file.display().to_string());
        format!("{} of {file}", self.service)
    }
}

fn of_service<'a>(
    (stack, service, definition): (&'a ParsedStack, &'a str, &'a Service),
) -> Vec<Entry<'a>> {
    // On the host's own network `ports:` is ignored.
    if definition.network_mode() == Some("host") {
        return Vec::new();
    }
    let entry = |port| Entry {
        stack,
        service,
        definition,
        port,
    };
    definition.published().into_iter().map(entry).collect()
}

/// Those of all services that start.
pub(crate) fn entries<'a>(view: &View<'a>) -> Vec<Entry<'a>> {
    view.started().flat_map(of_service).collect()
}

/// Ports as they are written.
pub(crate) fn shown(range: &RangeInclusive<u16>) -> String {
    match range.start() == range.end() {
        true => range.start().to_string(),
        false => format!("{}-{}", range.start(), range.end()),
    }
}
