//! Images that compose builds: by compose itself, as it builds them when their unit starts.

use std::process::Stdio;
use std::sync::atomic::AtomicBool;

use tokio::process::Command;

use super::images::follow;
use super::{Host, HostError};
use crate::effect::BuildImages;
use crate::model::ComposeCommand;

/// Where systemd looks for the programs of a unit; `exec_search_path` in systemd.exec(5).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

impl Host {
    /// Builds images of a stack, and tells how far it is.
    ///
    /// # Errors
    /// When compose fails or takes too long, and when a signal asks to stop.
    pub(crate) async fn build(
        &self,
        build: &BuildImages,
        interrupted: &AtomicBool,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), HostError> {
        let docker = self.docker().await?;
        let compose = self.compose_command();
        let mut command = match compose {
            ComposeCommand::Plugin => {
                let mut command = Command::new(docker.kind().command());
                command.arg("compose");
                command
            }
            ComposeCommand::Own => Command::new("docker-compose"),
        };
        // Variables of whoever runs this are not those of the unit: the compose file may name them.
        command
            .args(build.arguments())
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", "/root")
            .env(
                "DOCKER_HOST",
                format!("unix://{}", docker.socket().display()),
            )
            .envs(build.port.map(|port| ("PORT", port.to_string())))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let shown = format!("{compose} {}", build.arguments().join(" "));
        let program = |source| HostError::Program {
            program: shown.clone(),
            source,
        };
        let what = || format!("build the images of {} for {}", build.names(), build.unit);
        let child = command.spawn().map_err(program)?;
        let (ended, said) = follow(child, interrupted, tell, (build.timeout, &what)).await?;
        match ended.map_err(program)?.success() {
            true => Ok(()),
            false => Err(HostError::BuildFailed {
                command: shown,
                services: build.names(),
                unit: build.unit.clone(),
                said,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Blame;

    #[test]
    fn a_failed_build_says_why_and_how_to_see_all_of_it() {
        let error = HostError::BuildFailed {
            command: "docker compose --project-name shop build web".into(),
            services: "web".into(),
            unit: "stack-shop.service".into(),
            said: vec!["no such file: app.py".into()],
        };
        assert_eq!(
            error.to_string(),
            "could not build the images of web for stack-shop.service: no such file: app.py"
        );
        assert_eq!(
            error.hint().as_deref(),
            Some("to see all that the build prints: docker compose --project-name shop build web")
        );
        assert_eq!(error.blame(), Blame::Permanent);
    }
}
