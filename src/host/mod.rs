//! The only code that touches a host: files below a root, systemd, nginx, the Docker engine.

mod binds;
mod blame;
mod build;
pub(crate) mod candidate;
mod certificates;
mod compose_hashes;
mod credentials;
pub(crate) mod diagnosis;
pub(crate) mod docker;
pub(crate) mod error;
mod firewall;
mod forge;
mod hint;
mod images;
pub(crate) mod loaders;
pub(crate) mod log_file;
pub(crate) mod nginx;
pub(crate) mod notify;
pub(crate) mod observe;
mod owned;
mod packages;
mod podman;
mod preflight;
pub(crate) mod probe;
mod program;
pub(crate) mod registry;
pub(crate) mod secrets;
pub(crate) mod self_signed;
mod serving;
mod smtp;
pub(crate) mod sockets;
pub(crate) mod ssh;
pub(crate) mod streams;
pub(crate) mod systemd;
mod ufw;
mod user_engines;
mod versions;

pub(crate) use blame::blame_by_lines;
pub(crate) use compose_hashes::ComposeProject;
pub(crate) use error::HostError;
pub(crate) use owned::{Origin, Owned};

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::RootCertStore;
use tokio::sync::OnceCell;

use crate::model::layout;
use crate::root::Root;
use docker::Docker;
use nginx::Nginx;
use systemd::Systemd;

/// A host: the live one, or an offline root that has files and nothing that runs.
pub(crate) struct Host {
    root: Root,
    live: bool,
    nginx: Nginx,
    systemd: OnceCell<Systemd>,
    /// The socket of the engine, where the desired state names one.
    engine: Mutex<Option<PathBuf>>,
    docker: tokio::sync::Mutex<Option<Arc<Docker>>>,
    issuers: OnceLock<Arc<RootCertStore>>,
    /// Where this program is, looked for once.
    program: OnceLock<PathBuf>,
    /// Whether apt has loaded its lists of packages in this run.
    updated_lists: AtomicBool,
}

impl Host {
    /// The live host.
    ///
    /// # Errors
    /// When its files cannot be opened as [`Root`] opens them.
    pub(crate) fn live() -> Result<Self, HostError> {
        Ok(Self::new(Root::open("/")?, true))
    }

    /// A directory that will be, or is, some host's `/`.
    pub(crate) fn offline(root: Root) -> Self {
        Self::new(root, false)
    }

    fn new(root: Root, live: bool) -> Self {
        Self {
            root,
            live,
            nginx: Nginx::default(),
            systemd: OnceCell::new(),
            engine: Mutex::default(),
            docker: tokio::sync::Mutex::default(),
            issuers: OnceLock::new(),
            program: OnceLock::new(),
            updated_lists: AtomicBool::new(false),
        }
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// Whether it runs.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// This program as a unit of the host can name it: where it is installed, else what runs now. On an offline root it may
    /// be installed later, to the first place.
    pub(crate) fn program(&self) -> PathBuf {
        let look = || {
            let mut places = layout::PROGRAMS.iter().map(PathBuf::from);
            let first = places.clone().next();
            let found = places.find(|path| match self.live {
                true => path.is_file(),
                false => self.root.is_there(path),
            });
            let running = || std::env::current_exe().ok().filter(|_| self.live);
            found.or_else(running).or(first).unwrap_or_default()
        };
        self.program.get_or_init(look).clone()
    }

    pub(crate) fn nginx(&self) -> &Nginx {
        &self.nginx
    }

    /// Its system manager; connected to on first use.
    pub(crate) async fn systemd(&self) -> Result<&Systemd, HostError> {
        self.systemd.get_or_try_init(Systemd::connect).await
    }

    /// Whether an engine that this run has used does not answer right now, and why.
    pub(crate) async fn engine_is_mute(&self) -> Option<HostError> {
        let used = self.docker.lock().await.clone();
        used?.answers().await.err()
    }

    /// From here on the engine behind this socket is asked; `None`: the one of this host.
    pub(crate) fn use_engine(&self, socket: Option<&Path>) {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        *engine = socket.map(Path::to_owned);
    }

    /// Whether watchme.toml names the engine.
    pub(crate) fn has_named_engine(&self) -> bool {
        let named = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        named.is_some()
    }

    /// The socket of the engine that is asked.
    pub(crate) fn engine_socket(&self) -> PathBuf {
        let named = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        named.clone().unwrap_or_else(docker::usual_socket)
    }

    /// Its container engine; connected to on first use.
    pub(crate) async fn docker(&self) -> Result<Arc<Docker>, HostError> {
        let socket = self.engine_socket();
        let mut known = self.docker.lock().await;
        if let Some(docker) = known.as_ref().filter(|docker| docker.socket() == socket) {
            return Ok(docker.clone());
        }
        let docker = Arc::new(Docker::connect(&socket).await?);
        *known = Some(docker.clone());
        Ok(docker)
    }
}
