//! systemd over D-Bus; org.freedesktop.systemd1(5).

mod causes;
mod exec;
mod jobs;
pub(crate) mod journal;
mod own_unit;
mod properties;
mod timer;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use zbus::{Connection, DynamicType, OwnedObjectPath, OwnedVariant, Type, as_variant};

pub(crate) use self::causes::Causes;
use self::properties::{Dependencies, ManagerProperties, UnitProperties};
use super::error::{BusError, HostError};
use crate::model::{SystemdState, UnitState};

const SERVICE: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE_UNIT: &str = "org.freedesktop.systemd1.Service";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// `CLD_KILLED` and `CLD_DUMPED` of waitid(2).
const KILLED: i32 = 2;
const DUMPED: i32 = 3;
const CONNECT: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(10);
/// What systemctl(1) grants a daemon-reload is 180 s; a manager that needs half of it is ill.
const RELOAD: Duration = Duration::from_secs(90);
/// Calls under way at once. The bus refuses a connection's 129th, dbus-daemon(1)
/// `max_replies_per_connection`.
const PIPELINE: usize = 64;

/// A connection to the system manager.
pub(crate) struct Systemd {
    bus: Connection,
    subscribed: OnceCell<()>,
}

/// A row of `ListUnitsByNames`: name, description, load, active, sub, following, path, job id,
/// job type, job path.
type Row = (
    String,
    String,
    String,
    String,
    String,
    String,
    OwnedObjectPath,
    u32,
    String,
    OwnedObjectPath,
);

impl Systemd {
    /// Connects to the system bus; sd_booted(3) says how a machine without systemd is recognized.
    pub(crate) async fn connect() -> Result<Self, HostError> {
        if !Path::new("/run/systemd/system").is_dir() {
            return Err(HostError::SystemdAbsent {
                why: "this machine was not booted with it".to_owned(),
                source: None,
            });
        }
        match tokio::time::timeout(CONNECT, Connection::system()).await {
            Ok(Ok(bus)) => Ok(Self {
                bus,
                subscribed: OnceCell::new(),
            }),
            Ok(Err(source)) => Err(HostError::SystemdAbsent {
                why: "the system bus cannot be reached".to_owned(),
                source: Some(BusError(source)),
            }),
            Err(_) => Err(HostError::SystemdAbsent {
                why: format!("the system bus does not answer within {CONNECT:?}"),
                source: None,
            }),
        }
    }

    /// The manager, and the state of the named units. A unit that exists nowhere is there with
    /// `load` "not-found". `dependents` stays empty.
    pub(crate) async fn observe(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<SystemdState, HostError> {
        let (manager, units) = tokio::try_join!(self.manager(), self.units(names))?;
        Ok(SystemdState {
            identity: format!("{}/{}", boot_id()?, manager.userspace_timestamp),
            started: manager.units_read(),
            units,
            own_unit: own_unit::own_unit(),
        })
    }

    /// One unit, fresh.
    pub(crate) async fn unit(&self, name: &str) -> Result<UnitState, HostError> {
        let names = BTreeSet::from([name.to_owned()]);
        Ok(self.units(&names).await?.remove(name).unwrap_or_default())
    }

    /// Active units that a stop or restart of `unit` takes along, transitively: the reverse of
    /// `Requires=`, `Requisite=`, `BindsTo=`, `PartOf=`, and `PropagatesStopTo=`;
    /// systemd.unit(5), and `UNIT_ATOM_PROPAGATE_STOP` in systemd's unit-dependency-atom.c.
    pub(crate) async fn dependents(&self, unit: &str) -> Result<BTreeSet<String>, HostError> {
        let mut seen = BTreeSet::from([unit.to_owned()]);
        let mut next = seen.clone();
        let mut active = BTreeSet::new();
        while !next.is_empty() {
            let rows = self.list(&next).await?;
            // Inactive ones are passed through: a stop job propagates over them as well.
            active.extend(
                rows.iter()
                    .filter(|row| is_up(&row.3))
                    .map(|row| row.0.clone()),
            );
            let found: Vec<Dependencies> = stream::iter(&rows)
                .map(|row| self.get_all(&row.6, UNIT, &row.0))
                .buffer_unordered(PIPELINE)
                .try_collect()
                .await?;
            let found = found.into_iter().flat_map(Dependencies::stopped_with_it);
            next = found.filter(|name| !seen.contains(name)).collect();
            seen.extend(next.iter().cloned());
        }
        active.remove(unit);
        Ok(active)
    }

    /// Makes the manager read all unit files again (daemon-reload).
    pub(crate) async fn reload(&self) -> Result<(), HostError> {
        let before = self.manager().await?;
        let doing = || "reload the manager (daemon-reload)".to_owned();
        let call = self.call::<_, ()>(PATH, MANAGER, "Reload", ());
        match bounded(RELOAD, doing, call).await? {
            Ok(()) => Ok(()),
            // The manager leaves the bus while it reloads where the bus itself is being changed.
            // The reply is lost then, and only its own record tells whether it did.
            Err(source) if is_lost_reply(&source) => {
                if self.manager().await?.units_read() > before.units_read() {
                    return Ok(());
                }
                Err(failed(doing(), source))
            }
            Err(source) => Err(failed(doing(), source)),
        }
    }

    /// Its version, as the package calls it, such as `252.39-1~deb12u1`.
    pub(crate) async fn version(&self) -> Result<String, HostError> {
        let path = OwnedObjectPath::try_from(PATH)
            .map_err(|source| failed("name the manager".to_owned(), source))?;
        self.get(&path, MANAGER, "Version", "the manager").await
    }

    async fn manager(&self) -> Result<ManagerProperties, HostError> {
        let path = OwnedObjectPath::try_from(PATH)
            .map_err(|source| failed("name the manager".to_owned(), source))?;
        let doing = "the manager";
        let names = ["UserspaceTimestamp", "UnitsLoadTimestamp"];
        let values: Vec<u64> = stream::iter(names)
            .map(|name| self.get::<u64>(&path, MANAGER, name, doing))
            .buffered(PIPELINE)
            .try_collect()
            .await?;
        Ok(ManagerProperties::new(&values))
    }

    async fn list(&self, names: &BTreeSet<String>) -> Result<Vec<Row>, HostError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let call = self.call(PATH, MANAGER, "ListUnitsByNames", (names,));
        asked(|| "list units".to_owned(), call).await
    }

    async fn units(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, UnitState>, HostError> {
        // An empty list of names asks for every unit there is.
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        stream::iter(self.list(names).await?)
            .map(|row| self.unit_of_row(row))
            .buffer_unordered(PIPELINE)
            .try_collect()
            .await
    }

    async fn unit_of_row(&self, row: Row) -> Result<(String, UnitState), HostError> {
        let (name, _, load, active, sub, _, path, ..) = row;
        let mut state = UnitState {
            load,
            active,
            sub,
            ..UnitState::default()
        };
        if state.load != "not-found" || state.active != "inactive" {
            let unit: UnitProperties = self.get_all(&path, UNIT, &name).await?;
            unit.fill(&mut state);
            if name.ends_with(".service") {
                self.fill_service(&path, &name, &mut state).await?;
            }
        }
        Ok((name, state))
    }

    /// Single properties, because all those of a service cost the manager three times as much
    /// as all those of a unit: it reads control groups for them.
    async fn fill_service(
        &self,
        path: &OwnedObjectPath,
        name: &str,
        state: &mut UnitState,
    ) -> Result<(), HostError> {
        state.restarts = self.get(path, SERVICE_UNIT, "NRestarts", name).await?;
        // A start resets the result, and a service that is up has none yet: service.c.
        if state.is_active() {
            "success".clone_into(&mut state.result);
        } else {
            state.result = self.get(path, SERVICE_UNIT, "Result", name).await?;
            state.exit_status = self.get(path, SERVICE_UNIT, "ExecMainStatus", name).await?;
            let code: i32 = self.get(path, SERVICE_UNIT, "ExecMainCode", name).await?;
            state.signalled = matches!(code, KILLED | DUMPED);
        }
        if state.active == "failed" {
            let restart: String = self.get(path, SERVICE_UNIT, "Restart", name).await?;
            let (statuses, signals): (Vec<i32>, Vec<i32>) =
                (self.get(path, SERVICE_UNIT, "RestartPreventExitStatus", name)).await?;
            state.restarts_itself = matches!(&*restart, "always" | "on-failure")
                && statuses.is_empty()
                && signals.is_empty();
        }
        Ok(())
    }

    async fn get_all<T: DeserializeOwned + Type>(
        &self,
        path: &OwnedObjectPath,
        interface: &str,
        name: &str,
    ) -> Result<T, HostError> {
        let doing = || format!("read the properties of {name}");
        let call = self.call(path.as_str(), PROPERTIES, "GetAll", (interface,));
        asked(doing, call).await
    }

    async fn get<T>(
        &self,
        path: &OwnedObjectPath,
        interface: &str,
        property: &str,
        name: &str,
    ) -> Result<T, HostError>
    where
        T: TryFrom<OwnedVariant>,
        zbus::Error: From<T::Error>,
    {
        let doing = || format!("read {property} of {name}");
        let call = self.call(path.as_str(), PROPERTIES, "Get", (interface, property));
        let value: OwnedVariant = asked(doing, call).await?;
        T::try_from(value).map_err(|source| failed(doing(), source.into()))
    }

    /// A property that is a list of structures.
    async fn structures<T: DeserializeOwned + Type>(
        &self,
        path: &str,
        (interface, property): (&str, &str),
    ) -> Result<Vec<T>, zbus::Error> {
        let get = (interface, property);
        let reply = self
            .bus
            .call_method(Some(SERVICE), path, Some(PROPERTIES), "Get", &get)
            .await?;
        let body = reply.body();
        let found: as_variant::Deserialize<'_, Vec<T>> = body.deserialize()?;
        Ok(found.0)
    }

    async fn call<B, T>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: B,
    ) -> Result<T, zbus::Error>
    where
        B: Serialize + DynamicType,
        T: DeserializeOwned + Type,
    {
        let reply = self
            .bus
            .call_method(Some(SERVICE), path, Some(interface), method, &body)
            .await?;
        reply.body().deserialize()
    }
}

fn is_up(active: &str) -> bool {
    matches!(active, "active" | "reloading" | "activating")
}

fn is_lost_reply(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::FDO(error) if matches!(**error,
        zbus::fdo::Error::NoReply(_) | zbus::fdo::Error::Disconnected(_)))
}

fn failed(doing: String, source: zbus::Error) -> HostError {
    HostError::Systemd {
        doing,
        source: BusError(source),
    }
}

/// Waits for the manager's answer, as long as that may take.
async fn asked<T>(
    doing: impl Fn() -> String,
    answer: impl Future<Output = Result<T, zbus::Error>>,
) -> Result<T, HostError> {
    let answer = bounded(CALL, &doing, answer).await?;
    answer.map_err(|source| failed(doing(), source))
}

async fn bounded<T>(
    after: Duration,
    what: impl FnOnce() -> String,
    future: impl Future<Output = T>,
) -> Result<T, HostError> {
    let timeout = |_| HostError::Timeout {
        what: what(),
        after,
    };
    tokio::time::timeout(after, future).await.map_err(timeout)
}

/// The id of this boot, random(4).
pub(super) fn boot_id() -> Result<String, HostError> {
    let path = "/proc/sys/kernel/random/boot_id";
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(source) => Err(HostError::Proc {
            path: path.into(),
            source,
        }),
    }
}
