//! The only code that touches a host: files below a root, systemd, nginx, the Docker engine.

mod binds;
mod blame;
pub mod candidate;
mod certificates;
pub mod docker;
pub mod error;
mod hint;
mod images;
pub mod nginx;
pub mod observe;
pub mod openssl;
mod preflight;
pub mod probe;
mod serving;
pub mod sockets;
pub mod systemd;

pub use blame::blame_by_lines;
pub use error::HostError;

use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use tokio::sync::OnceCell;

use crate::root::Root;
use docker::Docker;
use nginx::Nginx;
use systemd::Systemd;

/// A host: the live one, or an offline root that has files and nothing that runs.
pub struct Host {
    root: Root,
    live: bool,
    nginx: Nginx,
    systemd: OnceCell<Systemd>,
    docker: OnceCell<Docker>,
    issuers: OnceLock<Arc<RootCertStore>>,
}

impl Host {
    /// The live host.
    pub fn live() -> Self {
        Self::new(Root::new("/"), true)
    }

    /// A directory that will be, or is, some host's `/`.
    pub fn offline(root: Root) -> Self {
        Self::new(root, false)
    }

    fn new(root: Root, live: bool) -> Self {
        Self {
            root,
            live,
            nginx: Nginx::default(),
            systemd: OnceCell::new(),
            docker: OnceCell::new(),
            issuers: OnceLock::new(),
        }
    }

    /// Its files.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Whether it runs.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Its nginx.
    pub fn nginx(&self) -> &Nginx {
        &self.nginx
    }

    /// Its system manager; connected to on first use.
    ///
    /// # Errors
    /// When there is none.
    pub async fn systemd(&self) -> Result<&Systemd, HostError> {
        self.systemd.get_or_try_init(Systemd::connect).await
    }

    /// Whether an engine that this run has used does not answer right now, and why.
    pub async fn engine_is_mute(&self) -> Option<HostError> {
        self.docker.get()?.answers().await.err()
    }

    /// Its Docker engine; connected to on first use.
    ///
    /// # Errors
    /// When none answers.
    pub async fn docker(&self) -> Result<&Docker, HostError> {
        self.docker.get_or_try_init(Docker::connect).await
    }
}
