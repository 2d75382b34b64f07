//! The keys of watchme.toml about the server: its programs, and what it has room for.

use serde::Deserialize;

use super::spanned::Spanned;
use super::values::{Compose, Cpus, Input, Name, PortRange, Project, Release, Size, SocketPath};

/// `[host]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Host {
    /// Its version of nginx: `check` reports what that version refuses. Without it, what any version from 1.18 on refuses
    /// is a warning.
    ///
    /// Default: on the server itself, the installed version
    #[cfg_attr(test, schemars(example = &"1.22"))]
    pub nginx: Option<Spanned<Release>>,
    /// Its version of systemd, likewise; the oldest that counts is 249.
    ///
    /// Default: on the server itself, the installed version
    #[cfg_attr(test, schemars(example = &"252"))]
    pub systemd: Option<Spanned<Release>>,
    /// Its version of compose, likewise: 1 is `docker-compose` 1.29, 2 is `docker compose`.
    ///
    /// Default: on the server itself, the installed version
    #[cfg_attr(test, schemars(example = 2))]
    pub compose: Option<Compose>,
    /// Its version of the Docker engine, likewise; the oldest that counts is 20.10.
    ///
    /// Default: on the server itself, the installed version
    #[cfg_attr(test, schemars(example = &"20.10"))]
    pub docker: Option<Spanned<Release>>,
}

/// `[engine]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Engine {
    /// The socket of the engine's Docker API: Docker's own, or Podman's. The engine's answer says which one it is. Units also need it: `Environment=DOCKER_HOST=unix:///run/podman/podman.sock`.
    ///
    /// Default: `DOCKER_HOST` if it is a socket, otherwise `/var/run/docker.sock`
    #[cfg_attr(test, schemars(example = &"/run/podman/podman.sock"))]
    pub socket: Option<SocketPath>,
}

/// `[budget]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Budget {
    /// Memory for services: two units that replace each other run side by side only if their containers' limits fit;
    /// `check` compares the sum of all limits with it.
    #[cfg_attr(test, schemars(example = &"1800M"))]
    pub memory: Option<Spanned<Size>>,
    /// Added to `memory` for the sum of all limits.
    #[cfg_attr(test, schemars(example = &"2G"))]
    pub swap: Option<Size>,
    /// Read, not used yet.
    #[cfg_attr(test, schemars(example = &"30G"))]
    pub disk: Option<Size>,
    /// Read, not used yet.
    #[cfg_attr(test, schemars(example = 2))]
    pub cpus: Option<Cpus>,
}

/// `[stack.NAME]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StackPolicy {
    /// `false`: nobody runs it, and its files are only checked.
    #[cfg_attr(test, schemars(example = false))]
    pub start: bool,
    /// `false`: compose and the restart policies of its services run it alone: systemd does not start it at boot or stop it at
    /// shutdown. See [stacks](stacks.md#without-a-unit).
    #[cfg_attr(test, schemars(example = false))]
    pub unit: Spanned<bool>,
    /// Its compose files, relative to its folder; each overrides those before it.
    ///
    /// Default: as compose finds them: `compose.yaml` or `docker-compose.yml`, and their override
    #[cfg_attr(test, schemars(example = ["compose.yaml", "compose.prod.yaml"]))]
    pub files: Vec<Spanned<Input>>,
    /// Name of its compose project.
    ///
    /// Default: `name` in its file, or the name of its folder
    #[cfg_attr(test, schemars(example = &"shop"))]
    pub project: Option<Project>,
    /// Profiles whose services also run.
    #[cfg_attr(test, schemars(example = ["worker"]))]
    pub profiles: Vec<Name>,
    /// What a change does: `in-place` recreates the changed containers; `start-first` starts a second copy, moves nginx to it, then stops the old one. See [stacks](stacks.md#update-without-an-outage).
    #[cfg_attr(test, schemars(example = &"start-first"))]
    pub update: Update,
    /// With `start-first`: the two ports of this host that its copies use in turns; its compose file publishes `${PORT}`.
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = [8101, 8102]))]
    pub ports: Spanned<Vec<u16>>,
    /// Stacks and units that start before it. Units that own its networks always start before it.
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = ["database", "vpn.service"]))]
    pub after: Vec<Spanned<String>>,
    /// Secrets with variables for its compose files, `${NAME}`: files of lines `NAME=VALUE` in `secrets/`. See
    /// [secrets](secrets.md#use-it).
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = ["app.env"]))]
    pub variables: Vec<Spanned<String>>,
}

impl Default for StackPolicy {
    fn default() -> Self {
        Self {
            start: true,
            unit: Spanned::unwritten(true),
            files: Vec::new(),
            project: None,
            profiles: Vec::new(),
            update: Update::default(),
            ports: Spanned::unwritten(Vec::new()),
            after: Vec::new(),
            variables: Vec::new(),
        }
    }
}

/// What a change of a stack does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
pub enum Update {
    /// Compose recreates the containers that changed.
    #[default]
    InPlace,
    /// A second copy starts before the first one stops.
    StartFirst,
}

impl StackPolicy {
    /// The ports of its two copies, if it has any.
    pub fn copies(&self) -> Option<[u16; 2]> {
        let ports = <[u16; 2]>::try_from(self.ports.as_slice()).ok()?;
        (self.update == Update::StartFirst).then_some(ports)
    }
}

/// `[ports]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ports {
    /// Ports for services: `check` reports others.
    ///
    /// Default: any port
    #[cfg_attr(test, schemars(example = ["8000", "8001-8099"]))]
    pub allowed: Vec<PortRange>,
}
