//! Ports that containers take once they start: an engine's list has only those of containers that run.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::convert::published_at;
use super::{Docker, PIPELINE};
use crate::host::{Host, HostError};
use crate::model::StoppedPort;

impl Docker {
    /// The ports of containers that do not run.
    pub(crate) async fn stopped_ports(&self) -> Result<Vec<StoppedPort>, HostError> {
        let listed = self.containers(&|_| false).await?;
        let stopped = listed.into_iter().filter(|one| !one.is_running());
        let mut found: Vec<StoppedPort> = stream::iter(stopped)
            .map(|container| async move {
                let doing = || format!("inspect container {}", container.id);
                let ask = || self.engine.inspect_container(&container.id, None);
                let record = match self.line.look(doing, ask).await {
                    Ok(record) => record,
                    Err(error) if error.is_gone() || error.is_going() => return Ok(Vec::new()),
                    Err(error) => return Err(error),
                };
                let config = record.host_config.unwrap_or_default();
                let bindings = config.port_bindings.unwrap_or_default().into_iter();
                let ports = bindings.flat_map(|(port, bindings)| published_at(&port, bindings));
                let of = |(port, _)| StoppedPort {
                    container: container.name.clone(),
                    port,
                };
                Ok(ports.map(of).collect::<Vec<_>>())
            })
            .buffered(PIPELINE)
            .try_concat()
            .await?;
        found.sort();
        found.dedup();
        Ok(found)
    }
}

impl Host {
    /// The ports of containers that do not run; none where no engine answers this user.
    pub(crate) async fn stopped_ports(&self) -> Vec<StoppedPort> {
        if !self.is_live() || !self.root().is_there(&self.engine_socket()) {
            return Vec::new();
        }
        match self.docker().await {
            Ok(docker) => docker.stopped_ports().await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }
}
