//! What the rules about services share.

use super::index::Unit;
use crate::source::error::misspelt;
use crate::source::unit::settings::Value;
use crate::source::unit::table;

/// `Type=` as it counts.
pub(crate) struct ServiceType {
    value: Option<Value>,
    /// Its word.
    pub name: String,
    /// Whether the service stays when its commands have ended.
    pub remains: bool,
}

impl ServiceType {
    /// That of a service.
    pub(crate) fn of(unit: &Unit) -> Self {
        let value = unit.service("Type");
        // systemd.service(5): what is not said follows from what else is there.
        let implied = match unit.lines_of("ExecStart").next() {
            None => "oneshot",
            Some(_) if unit.service("BusName").is_some() => "dbus",
            Some(_) => "simple",
        };
        let name = value.as_ref().map_or(implied, |value| value.text.as_str());
        Self {
            name: name.to_owned(),
            remains: unit.settings.yes("Service", "RemainAfterExit"),
            value,
        }
    }

    /// Whether the service has done its work when its commands have ended.
    pub(crate) fn is_oneshot(&self) -> bool {
        self.name == "oneshot"
    }

    /// In the words of the file.
    pub(crate) fn written(&self) -> String {
        match &self.value {
            Some(value) => format!("Type={}", value.text),
            None => format!("Type={} (none is written)", self.name),
        }
    }
}

/// Whether a key is meant to be a command: that is reported at the key.
pub(crate) fn has_misspelt_command(unit: &Unit) -> bool {
    let sources = unit.settings.sources().iter();
    let sections = sources.flat_map(|source| &source.parsed.sections);
    let own = sections.filter(|section| section.name == "Service");
    let mut keys = own
        .flat_map(|section| &section.entries)
        .map(|entry| entry.key.as_str());
    keys.any(|key| !table::knows("Service", key) && misspelt(key, ["ExecStart"]).is_some())
}
