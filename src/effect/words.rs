//! The words for effects: one table for plans, progress, summaries, JSON and history.

use super::{Change, Effect};
use crate::model::layout;

/// The first letter of a line of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Something new comes.
    Add,
    /// Something changes.
    Change,
    /// Something goes.
    Remove,
    /// Something running is reloaded or restarted.
    Reload,
    /// Something is waited for or fetched.
    Wait,
}

impl Sign {
    /// The character.
    pub fn as_str(self) -> &'static str {
        match self {
            Sign::Add => "+",
            Sign::Change => "~",
            Sign::Remove => "-",
            Sign::Reload => "!",
            Sign::Wait => ".",
        }
    }
}

/// The words for one effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The sign before its line.
    pub sign: Sign,
    /// What is done, as JSON has it: `restart`, `create-network`.
    pub verb: &'static str,
    /// What it is done to, as JSON has it: a path, a unit, a network.
    pub subject: String,
    /// What a line of a plan says behind the resource.
    pub text: String,
    /// As what a summary counts it; `None`: among all changes only.
    pub counts_as: Option<Counted>,
}

/// What a summary counts, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Counted {
    File,
    Link,
    Removal,
    Network,
    Volume,
    Member,
    Start,
    Restart,
    Stop,
    Soak,
    Drain,
    Reload,
}

impl Counted {
    /// All, in the order of a summary.
    pub const ALL: [Self; 12] = [
        Self::File,
        Self::Link,
        Self::Removal,
        Self::Network,
        Self::Volume,
        Self::Member,
        Self::Start,
        Self::Restart,
        Self::Stop,
        Self::Soak,
        Self::Drain,
        Self::Reload,
    ];

    /// The word for one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Link => "link",
            Self::Removal => "removal",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Member => "member",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Soak => "soak",
            Self::Drain => "drain",
            Self::Reload => "reload",
        }
    }
}

const NGINX: &str = "nginx.service";

impl Change {
    /// The words for it.
    pub fn words(&self) -> Words {
        let (sign, verb, counts_as) = kind(&self.effect);
        Words {
            sign,
            verb,
            subject: subject(&self.effect),
            text: self.text(),
            counts_as,
        }
    }

    fn text(&self) -> String {
        match &self.effect {
            Effect::CreateNetwork { spec, .. } => {
                let subnets = spec.subnets.iter();
                let subnets: Vec<String> = subnets.map(|one| one.subnet.to_string()).collect();
                let text = format!("create the network {}", subnets.join(", "));
                text.trim_end().to_owned()
            }
            Effect::RemoveNetwork { .. } => "remove the network".to_owned(),
            Effect::CreateVolume { .. } => "create the volume".to_owned(),
            Effect::WriteCertificate(pair) => format!("write {}", pair.certificate.display()),
            Effect::Store { path, file, .. } => {
                let verb = if file.is_some() { "write" } else { "remove" };
                format!("{verb} {}", layout::live(path).display())
            }
            Effect::Link { path, target, .. } => {
                format!("link {} → {}", path.display(), target.display())
            }
            Effect::Copy {
                path, mode, owner, ..
            } => format!("write {} ({mode:04o} {owner})", path.display()),
            Effect::Remove { path, .. } => format!("remove {}", path.display()),
            Effect::ClearMountPoint { path, .. } => {
                format!("remove the mount point {}", path.display())
            }
            Effect::DaemonReload => "daemon-reload, interrupts nothing".to_owned(),
            Effect::Start(_) => "start".to_owned(),
            Effect::Restart(step) => format!("restart, interrupts {}", self.interrupted(&step.unit)),
            Effect::ReloadUnit(_) => "reload, interrupts nothing".to_owned(),
            Effect::Stop(step) => format!("stop, interrupts {}", self.interrupted(&step.unit)),
            Effect::Pull(pull) => format!("pull {}", pull.image.name),
            Effect::Release(release) => match release.keep {
                true => format!("rename the container {} out of the way", release.container),
                false => format!("remove the container {}", release.container),
            },
            Effect::Soak(time) => format!("wait until the gates have passed for {} s", time.as_secs_f64()),
            Effect::Drain(_) => "drain".to_owned(),
            Effect::Connect(connect) => {
                let address = connect.address.map(|address| format!(" as {address}"));
                let (container, network) = (&connect.container, &connect.network);
                let address = address.unwrap_or_default();
                format!("connect {container} to {network}{address}")
            }
            Effect::ReloadNginx => "reload nginx, interrupts nothing".to_owned(),
            Effect::RestartNginx => "restart nginx, interrupts every site for a moment and cuts requests off that last longer than 5 s".to_owned(),
            Effect::StartNginx => "start nginx".to_owned(),
        }
    }

    fn interrupted(&self, unit: &str) -> String {
        if self.interrupts.is_empty() {
            return format!("only {unit}");
        }
        let others: Vec<&str> = self.interrupts.iter().map(String::as_str).collect();
        format!("{unit} and {}", others.join(", "))
    }
}

fn kind(effect: &Effect) -> (Sign, &'static str, Option<Counted>) {
    use Counted as Of;
    use Sign::{Add, Change, Reload, Remove, Wait};
    match effect {
        Effect::CreateNetwork { .. } => (Add, "create-network", Some(Of::Network)),
        Effect::RemoveNetwork { .. } => (Remove, "remove-network", Some(Of::Network)),
        Effect::CreateVolume { .. } => (Add, "create-volume", Some(Of::Volume)),
        Effect::WriteCertificate(_) => (Add, "write-certificate", Some(Of::File)),
        Effect::Store { file: Some(_), .. } | Effect::Copy { .. } => {
            (Change, "write", Some(Of::File))
        }
        Effect::Store { file: None, .. }
        | Effect::Remove { .. }
        | Effect::ClearMountPoint { .. } => (Remove, "remove", Some(Of::Removal)),
        Effect::Link { .. } => (Change, "link", Some(Of::Link)),
        Effect::DaemonReload => (Reload, "daemon-reload", Some(Of::Reload)),
        Effect::Start(_) | Effect::StartNginx => (Add, "start", Some(Of::Start)),
        Effect::Restart(_) | Effect::RestartNginx => (Reload, "restart", Some(Of::Restart)),
        Effect::ReloadUnit(_) | Effect::ReloadNginx => (Reload, "reload", Some(Of::Reload)),
        Effect::Stop(_) => (Remove, "stop", Some(Of::Stop)),
        Effect::Pull(_) => (Wait, "pull", None),
        Effect::Release(release) => match release.keep {
            true => (Change, "rename-container", None),
            false => (Remove, "remove-container", None),
        },
        Effect::Soak(_) => (Wait, "soak", Some(Of::Soak)),
        Effect::Drain(_) => (Wait, "drain", Some(Of::Drain)),
        Effect::Connect(_) => (Change, "connect", Some(Of::Member)),
    }
}

fn subject(effect: &Effect) -> String {
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    match effect {
        Effect::CreateNetwork { name, .. }
        | Effect::RemoveNetwork { name, .. }
        | Effect::CreateVolume { name, .. } => name.clone(),
        Effect::WriteCertificate(pair) => path(&pair.certificate),
        Effect::Store {
            path: stored,
            file: Some(_),
            ..
        } => path(&layout::live(stored)),
        Effect::Store { path: own, .. }
        | Effect::Remove { path: own, .. }
        | Effect::Link { path: own, .. }
        | Effect::Copy { path: own, .. }
        | Effect::ClearMountPoint { path: own, .. } => path(own),
        Effect::DaemonReload => "systemd".to_owned(),
        Effect::Start(step)
        | Effect::Restart(step)
        | Effect::ReloadUnit(step)
        | Effect::Stop(step) => step.unit.clone(),
        Effect::Pull(pull) => pull.image.name.clone(),
        Effect::Release(release) => release.container.clone(),
        Effect::Soak(time) => format!("{} s", time.as_secs_f64()),
        Effect::Drain(drain) => drain.unit.clone(),
        Effect::Connect(connect) => connect.container.clone(),
        Effect::ReloadNginx | Effect::RestartNginx | Effect::StartNginx => NGINX.to_owned(),
    }
}
