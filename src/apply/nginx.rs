//! nginx: what it loads, and the last requests to what leaves.

use std::time::{Duration, Instant};

use super::{Run, StepError};
use crate::effect::Drain;
use crate::state::Undo;

/// Bound of a reload: the workers are there in less than a second.
const NGINX: Duration = Duration::from_secs(20);

impl Run<'_> {
    /// Waits for the last requests that nginx's old workers have begun to a unit that leaves.
    pub(super) async fn drain(&mut self, drain: &Drain) -> Result<(), StepError> {
        let until = Instant::now() + drain.timeout;
        loop {
            let busy = self.host.nginx().leaving(&drain.ports)?;
            if busy == 0 {
                return Ok(());
            }
            if Instant::now() > until {
                let (unit, seconds) = (&drain.unit, drain.timeout.as_secs());
                self.progress.say(&format!(
                    "{unit} still has requests after {seconds} s (drain_timeout): {busy} are cut off"
                ));
                return Ok(());
            }
            self.moment().await?;
        }
    }

    pub(super) async fn reload_nginx(&mut self) -> Result<(), StepError> {
        let nginx = self.host.nginx();
        nginx.test().await?;
        self.journal.record(Undo::ReloadNginx)?;
        let before = nginx.observe()?;
        nginx
            .reload(self.host.systemd().await?, &before, NGINX)
            .await?;
        Ok(())
    }

    /// What was tested is started: what `nginx -t` cannot see, such as a port that another process
    /// holds, ends in the rollback, which restarts it with the old sites.
    pub(super) async fn restart_nginx(&mut self) -> Result<(), StepError> {
        let nginx = self.host.nginx();
        nginx.test().await?;
        self.journal.record(Undo::RestartNginx)?;
        nginx.restart(self.host.systemd().await?, NGINX).await?;
        Ok(())
    }

    pub(super) async fn start_nginx(&mut self) -> Result<(), StepError> {
        let nginx = self.host.nginx();
        nginx.test().await?;
        self.journal.record(Undo::Stop(nginx.unit.clone()))?;
        nginx.start(self.host.systemd().await?, NGINX).await?;
        Ok(())
    }
}
