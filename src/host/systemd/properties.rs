//! Properties of the manager and of units, as D-Bus answers them; org.freedesktop.systemd1(5).

use jiff::Timestamp;
use zbus::{DeserializeDict, Type};

use crate::model::{UnitState, hex};

/// When the manager started, and when it last read its units. Microseconds since the epoch.
pub(super) struct ManagerProperties {
    pub userspace_timestamp: u64,
    units_load_timestamp: u64,
}

impl ManagerProperties {
    pub(super) fn new(values: &[u64]) -> Self {
        let value = |n: usize| values.get(n).copied().unwrap_or_default();
        Self {
            userspace_timestamp: value(0),
            units_load_timestamp: value(1),
        }
    }

    /// When all unit files that were loaded then were surely read. `UnitsLoadTimestamp` is 0
    /// until the first daemon-reload or daemon-reexec, whoever asked for it.
    pub(super) fn units_read(&self) -> Option<Timestamp> {
        moment(self.units_load_timestamp.max(self.userspace_timestamp))
    }
}

/// What is read of org.freedesktop.systemd1.Unit.
#[derive(DeserializeDict, Type, Default)]
#[zbus(signature = "a{sv}", rename_all = "PascalCase")]
pub(super) struct UnitProperties {
    load_state: Option<String>,
    active_state: Option<String>,
    sub_state: Option<String>,
    fragment_path: Option<String>,
    drop_in_paths: Option<Vec<String>>,
    need_daemon_reload: Option<bool>,
    #[zbus(rename = "InvocationID")]
    invocation_id: Option<Vec<u8>>,
    active_enter_timestamp: Option<u64>,
    state_change_timestamp: Option<u64>,
    can_reload: Option<bool>,
}

impl UnitProperties {
    pub(super) fn fill(self, state: &mut UnitState) {
        let keep = |new: Option<String>, old: &mut String| {
            if let Some(new) = new {
                *old = new;
            }
        };
        keep(self.load_state, &mut state.load);
        keep(self.active_state, &mut state.active);
        keep(self.sub_state, &mut state.sub);
        state.fragment = self.fragment_path.unwrap_or_default().into();
        let dropins = self.drop_in_paths.unwrap_or_default();
        state.dropins = dropins.into_iter().map(Into::into).collect();
        state.need_reload = self.need_daemon_reload.unwrap_or_default();
        state.invocation = hex(&self.invocation_id.unwrap_or_default());
        state.started = self.active_enter_timestamp.and_then(moment);
        state.changed = self.state_change_timestamp.and_then(moment);
        state.can_reload = self.can_reload.unwrap_or_default();
    }
}

/// What a unit pulls along, and what it needs.
#[derive(DeserializeDict, Type, Default)]
#[zbus(signature = "a{sv}", rename_all = "PascalCase")]
pub(super) struct Dependencies {
    required_by: Option<Vec<String>>,
    requisite_of: Option<Vec<String>>,
    bound_by: Option<Vec<String>>,
    consists_of: Option<Vec<String>>,
    propagates_stop_to: Option<Vec<String>>,
    requires: Option<Vec<String>>,
    requisite: Option<Vec<String>>,
    binds_to: Option<Vec<String>>,
}

impl Dependencies {
    /// Units that stop when it stops.
    pub(super) fn stopped_with_it(self) -> impl Iterator<Item = String> {
        [
            self.required_by,
            self.requisite_of,
            self.bound_by,
            self.consists_of,
            self.propagates_stop_to,
        ]
        .into_iter()
        .flatten()
        .flatten()
    }

    /// Units without which it does not start.
    pub(super) fn needed(self) -> impl Iterator<Item = String> {
        [self.requires, self.requisite, self.binds_to]
            .into_iter()
            .flatten()
            .flatten()
    }
}

/// A time stamp of systemd: microseconds since the epoch, 0 for never.
fn moment(microseconds: u64) -> Option<Timestamp> {
    let microseconds = i64::try_from(microseconds).ok().filter(|n| *n > 0)?;
    Timestamp::from_microsecond(microseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_no_time() {
        assert_eq!(moment(0), None);
        assert_eq!(moment(u64::MAX), None);
        assert_eq!(moment(1_000_000).map(|time| time.as_second()), Some(1));
    }

    #[test]
    fn a_reload_counts_as_reading() {
        let booted = ManagerProperties::new(&[5_000_000, 0]);
        let reloaded = ManagerProperties::new(&[5_000_000, 9_000_000]);
        assert_eq!(booted.units_read().map(|time| time.as_second()), Some(5));
        assert_eq!(reloaded.units_read().map(|time| time.as_second()), Some(9));
    }

    #[test]
    fn invocation_in_hexadecimal() {
        assert_eq!(hex(&[0, 0xab]), "00ab");
    }
}
