//! The words for effects: one table for plans, progress, summaries, JSON and history.

use std::collections::BTreeSet;

use super::{Change, Effect, Prime, TakeDown};
use crate::model::image::short;
use crate::model::{FIREWALL_TABLE, joined, layout, list};

/// The first letter of a line of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Add,
    Change,
    Remove,
    /// Something running is reloaded or restarted.
    Reload,
    /// Something is waited for or fetched.
    Wait,
}

impl Sign {
    pub(crate) fn as_str(self) -> &'static str {
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
pub(crate) struct Words {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub(crate) enum Counted {
    Install,
    Backup,
    Pull,
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
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Backup => "backup",
            Self::Pull => "pull",
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
    pub(crate) fn words(&self) -> Words {
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
            Effect::UpdatePackageLists => "apt-get update: load the lists of packages".to_owned(),
            Effect::InstallPackages(install) => install.words(),
            Effect::RemovePackages(packages) => {
                format!("uninstall {}; its configuration stays", list(packages.keys()))
            }
            Effect::CreateNetwork { spec, .. } => {
                let subnets = list(spec.subnets.iter().map(|one| one.subnet));
                format!("create the network {subnets}").trim_end().to_owned()
            }
            Effect::RemoveNetwork { .. } => "remove the network".to_owned(),
            Effect::CreateVolume { .. } => "create the volume".to_owned(),
            Effect::WriteCertificate(pair) => format!("write {}", pair.certificate.display()),
            Effect::Switch(switch) => {
                // A site that leaves has two links.
                let leaving = switch.prime.iter().filter_map(|prime| match prime {
                    Prime::Leave { path, .. } => path.file_name(),
                    Prime::Link { .. } => None,
                });
                let count = switch.files.len() + leaving.collect::<BTreeSet<_>>().len();
                match count {
                    1 => "switch the store: 1 file".to_owned(),
                    _ => format!("switch the store: {count} files at once"),
                }
            }
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
            Effect::PutSecret { name, secret } => {
                let (path, mode, owner) = (layout::secret(name), secret.mode, &secret.owner);
                format!("decrypt to {} ({mode:04o} {owner})", path.display())
            }
            Effect::RemoveSecret(name) => format!("remove {}", layout::secret(name).display()),
            Effect::BackUp { backup, .. } if backup.is_cold() => {
                format!("back up {}, interrupts what uses it", backup.words())
            }
            Effect::BackUp { backup, .. } => format!("back up {}", backup.words()),
            Effect::DaemonReload => "daemon-reload, interrupts nothing".to_owned(),
            Effect::Start(step) => match &step.anew {
                Some(anew) if !anew.is_empty() => {
                    format!("start, interrupts only {}", list(anew))
                }
                _ => "start".to_owned(),
            },
            Effect::Restart(step) => format!("restart, interrupts {}", self.interrupted(&step.unit)),
            Effect::ReloadUnit(step) if !step.stacks.is_empty() => match &step.anew {
                None => "reload, interrupts only containers whose configuration changed".to_owned(),
                Some(anew) if anew.is_empty() => "reload, interrupts nothing".to_owned(),
                Some(anew) => format!("reload, interrupts only {}", list(anew)),
            },
            Effect::ReloadUnit(_) => "reload, interrupts nothing".to_owned(),
            Effect::Stop(step) => format!("stop, interrupts {}", self.interrupted(&step.unit)),
            Effect::Pull(pull) => format!("pull {}", pull.image.name),
            Effect::Build(build) => format!("build the images of {}", build.names()),
            Effect::Tag(tag) => {
                let known = tag.digest.as_ref().unwrap_or(&tag.image);
                format!("tag {} as {} again", tag.name, short(known))
            }
            Effect::HoldPulls(units) => format!("start {} without pulling", list(units)),
            Effect::Release(release) => match release.keep {
                true => format!("rename the container {} out of the way", release.container),
                false => format!("remove the container {}", release.container),
            },
            Effect::RemoveContainer { name, .. } => format!("remove the container {name}"),
            Effect::TakeDown(gone) => taken_down(gone),
            Effect::Soak(time) => format!("wait until the gates have passed for {} s", time.as_secs_f64()),
            Effect::Drain(_) => "drain".to_owned(),
            Effect::Connect(connect) => {
                let addresses = joined(connect.addresses.iter(), " and ");
                let (container, network) = (&connect.container, &connect.network);
                match addresses.is_empty() {
                    true => format!("connect {container} to {network}"),
                    false => format!("connect {container} to {network} as {addresses}"),
                }
            }
            Effect::Load(load) => load.words(),
            Effect::LoadFirewall(_) => "load the rules, interrupts no connection that is open".to_owned(),
            Effect::RemoveFirewall => "remove the rules: every port is open again".to_owned(),
            Effect::AllowInUfw(rule) => format!("ufw {rule}"),
            Effect::DeleteInUfw(rule) => format!("ufw delete {rule}"),
            Effect::ReloadNginx => "reload nginx, interrupts nothing".to_owned(),
            Effect::RestartNginx => "restart nginx, interrupts every site for a moment and cuts off requests that last longer than 5 s".to_owned(),
            Effect::StartNginx => "start nginx".to_owned(),
        }
    }

    fn interrupted(&self, unit: &str) -> String {
        if self.interrupts.is_empty() {
            return format!("only {unit}");
        }
        format!("{unit} and {}", list(&self.interrupts))
    }
}

fn taken_down(gone: &TakeDown) -> String {
    let containers = format!("the containers of {}", list(&gone.services));
    let networks = format!("the network {}", list(&gone.networks));
    match (gone.services.is_empty(), gone.networks.is_empty()) {
        (false, true) => format!("remove {containers}"),
        (true, _) => format!("remove {networks}"),
        (false, false) => format!("remove {containers}, and {networks}"),
    }
}

fn kind(effect: &Effect) -> (Sign, &'static str, Option<Counted>) {
    use Counted as Of;
    use Sign::{Add, Change, Reload, Remove, Wait};
    match effect {
        Effect::UpdatePackageLists => (Wait, "update-package-lists", None),
        Effect::InstallPackages(_) => (Add, "install-packages", Some(Of::Install)),
        Effect::RemovePackages(_) => (Remove, "remove-packages", Some(Of::Removal)),
        Effect::CreateNetwork { .. } => (Add, "create-network", Some(Of::Network)),
        Effect::RemoveNetwork { .. } => (Remove, "remove-network", Some(Of::Network)),
        Effect::CreateVolume { .. } => (Add, "create-volume", Some(Of::Volume)),
        Effect::WriteCertificate(_) => (Add, "write-certificate", Some(Of::File)),
        Effect::Switch(_) => (Change, "switch", None),
        Effect::Store { file: Some(_), .. } | Effect::Copy { .. } => {
            (Change, "write", Some(Of::File))
        }
        Effect::Store { file: None, .. }
        | Effect::Remove { .. }
        | Effect::ClearMountPoint { .. } => (Remove, "remove", Some(Of::Removal)),
        Effect::Link { .. } => (Change, "link", Some(Of::Link)),
        Effect::PutSecret { .. } => (Change, "decrypt", Some(Of::File)),
        Effect::RemoveSecret(_) => (Remove, "remove", Some(Of::Removal)),
        Effect::BackUp { .. } => (Wait, "back-up", Some(Of::Backup)),
        Effect::DaemonReload => (Reload, "daemon-reload", Some(Of::Reload)),
        Effect::Start(_) if effect.recreates() => (Reload, "start", Some(Of::Start)),
        Effect::Start(_) | Effect::StartNginx => (Add, "start", Some(Of::Start)),
        Effect::Restart(_) | Effect::RestartNginx => (Reload, "restart", Some(Of::Restart)),
        Effect::ReloadUnit(_) | Effect::ReloadNginx => (Reload, "reload", Some(Of::Reload)),
        Effect::Stop(_) => (Remove, "stop", Some(Of::Stop)),
        Effect::Pull(_) => (Wait, "pull", Some(Of::Pull)),
        Effect::Build(_) => (Wait, "build", None),
        Effect::Tag(_) => (Change, "tag", None),
        Effect::HoldPulls(_) => (Wait, "hold-pulls", None),
        Effect::Release(release) => match release.keep {
            true => (Change, "rename-container", None),
            false => (Remove, "remove-container", None),
        },
        Effect::RemoveContainer { .. } => (Remove, "remove-container", Some(Of::Removal)),
        Effect::TakeDown(_) => (Remove, "take-down", Some(Of::Removal)),
        Effect::Soak(_) => (Wait, "soak", Some(Of::Soak)),
        Effect::Drain(_) => (Wait, "drain", Some(Of::Drain)),
        Effect::Connect(_) => (Change, "connect", Some(Of::Member)),
        Effect::Load(_) => (Reload, "load", Some(Of::Reload)),
        Effect::LoadFirewall(_) => (Reload, "load-firewall", Some(Of::Reload)),
        Effect::RemoveFirewall => (Remove, "remove-firewall", Some(Of::Removal)),
        Effect::AllowInUfw(_) => (Add, "allow-in-ufw", None),
        Effect::DeleteInUfw(_) => (Remove, "delete-in-ufw", Some(Of::Removal)),
    }
}

fn subject(effect: &Effect) -> String {
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    match effect {
        Effect::UpdatePackageLists => "apt".to_owned(),
        Effect::InstallPackages(install) => install.asked().join(" "),
        Effect::RemovePackages(packages) => joined(packages.keys(), " "),
        Effect::CreateNetwork { name, .. }
        | Effect::BackUp { name, .. }
        | Effect::RemoveNetwork { name, .. }
        | Effect::CreateVolume { name, .. }
        | Effect::RemoveContainer { name, .. } => name.clone(),
        Effect::WriteCertificate(pair) => path(&pair.certificate),
        Effect::Switch(_) => layout::LIVE.to_owned(),
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
        Effect::PutSecret { name, .. } | Effect::RemoveSecret(name) => path(&layout::secret(name)),
        Effect::DaemonReload => "systemd".to_owned(),
        Effect::Start(step)
        | Effect::Restart(step)
        | Effect::ReloadUnit(step)
        | Effect::Stop(step) => step.unit.clone(),
        Effect::Pull(pull) => pull.image.name.clone(),
        Effect::Build(build) => build.project.clone(),
        Effect::Tag(tag) => tag.name.clone(),
        Effect::HoldPulls(_) => "systemd".to_owned(),
        Effect::Release(release) => release.container.clone(),
        Effect::TakeDown(gone) => gone.project.clone(),
        Effect::Soak(time) => format!("{} s", time.as_secs_f64()),
        Effect::Drain(drain) => drain.unit.clone(),
        Effect::Connect(connect) => connect.container.clone(),
        Effect::Load(load) => load.loader.program().to_owned(),
        Effect::LoadFirewall(_) | Effect::RemoveFirewall => {
            format!("inet {FIREWALL_TABLE}")
        }
        Effect::AllowInUfw(rule) | Effect::DeleteInUfw(rule) => rule.to_string(),
        Effect::ReloadNginx | Effect::RestartNginx | Effect::StartNginx => NGINX.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::PullImage;

    #[test]
    fn a_summary_counts_pulls() {
        let (sign, verb, counted) = kind(&Effect::Pull(PullImage::default()));
        assert_eq!((sign, verb), (Sign::Wait, "pull"));
        assert_eq!(counted.map(Counted::as_str), Some("pull"));
    }
}
