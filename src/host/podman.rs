//! Images of root's Podman, which makes the containers of Quadlets: asked by its own command, since Quadlets need no socket;
//! podman-image-exists(1), podman-image-inspect(1).

use std::collections::BTreeSet;
use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::unistd::Uid;
use serde::Deserialize;
use tokio::process::Command;

use super::images::{as_user, runs_here};
use super::program::output;
use super::{Host, HostError};
use crate::model::{Engine, ImageFound, ImageState, Observed};

/// What `podman image exists` ends with where there is no such image.
const MISSING: i32 = 1;
/// What it says of a name that is none.
const INVALID: &str = "invalid reference";

/// How long it may take to answer.
const BOUND: Duration = Duration::from_secs(30);

/// An entry of what `podman image inspect` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    architecture: String,
}

impl Host {
    /// Fills in which of these images root's Podman has. Nothing for other users, who would ask a Podman of their own, and where
    /// there is none.
    pub(crate) async fn observe_podman_images(
        &self,
        observed: &mut Observed,
        names: BTreeSet<String>,
    ) -> Result<(), HostError> {
        observed.podman.clear();
        if !Uid::effective().is_root() {
            return Ok(());
        }
        for name in names {
            let found = match self.podman_image(&name).await {
                Err(HostError::Program { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    return Ok(());
                }
                found => found?,
            };
            observed.podman.insert(name, found);
        }
        Ok(())
    }

    /// An image of root's Podman by its name, as a container would find it.
    pub(crate) async fn podman_image(&self, name: &str) -> Result<ImageFound, HostError> {
        let exists = ask(&["image", "exists", "--", name]).await?;
        match exists.status.code() {
            Some(0) => {}
            Some(MISSING) => return Ok(ImageFound::Missing),
            _ if said(&exists).contains(INVALID) => return Ok(ImageFound::Invalid),
            _ => return Err(failed(name, &said(&exists))),
        }
        let inspected = ask(&["image", "inspect", "--", name]).await?;
        let found: Vec<Inspected> = match inspected.status.success() {
            true => serde_json::from_slice(&inspected.stdout)
                .map_err(|error| failed(name, &error.to_string()))?,
            false => return Err(failed(name, &said(&inspected))),
        };
        let state = |image: Inspected| ImageState {
            id: format!("sha256:{}", image.id),
            runs_here: runs_here(&image.architecture),
            architecture: image.architecture,
        };
        let found = found.into_iter().next().map(state);
        Ok(found.map_or(ImageFound::Missing, ImageFound::There))
    }
}

/// Root's Podman itself, without a socket.
pub(super) fn podman() -> Command {
    let mut command = as_user(None, Engine::Podman.command());
    command
        .env_remove("CONTAINER_HOST")
        .env_remove("CONTAINER_CONNECTION")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn ask(arguments: &[&str]) -> Result<Output, HostError> {
    let program = format!("podman {}", arguments.join(" "));
    output(podman().args(arguments), program, BOUND).await
}

/// The last line of what a program said.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    last.map_or_else(|| output.status.to_string(), str::to_owned)
}

fn failed(name: &str, why: &str) -> HostError {
    HostError::Program {
        program: format!("podman image inspect {name}"),
        source: io::Error::other(why.to_owned()),
    }
}
