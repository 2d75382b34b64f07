//! One step of a run, undone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use super::docker::{disconnect, make_again, unless_gone, unmake};
use super::firewall;
use super::made::{made, made_networks, rename};
use super::rejoin::rejoin;
use super::roll_back::Patience;
use super::switch::{MARK, exchange};
use super::take_down::remove_others;
use super::{LOOK_AGAIN, StepError, secrets};
use crate::host::{Host, loaders};
use crate::model::image::short;
use crate::model::{Entry, layout, list, parameter_name};
use crate::root::RootError;
use crate::state::{Saved, State, Undo};

/// Bound of nginx's reload.
const NGINX: Duration = Duration::from_secs(20);

/// How long nginx waits for an upstream when nothing else is said;
/// <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>.
const LAST_REQUESTS: Duration = Duration::from_secs(60);
/// What an undo does, for people.
pub(crate) fn describe(undo: &Undo) -> String {
    match undo {
        Undo::OfBackup => "end a backup or a restore".to_owned(),
        Undo::Engine(socket) => format!("ask the engine at {}", socket.display()),
        Undo::Leave { unit, services } => {
            format!("leave {} of {unit} as they are", list(services))
        }
        Undo::RemoveNetwork(name) => format!("remove the network {name}"),
        Undo::CreateNetwork { name, .. } => format!("recreate the network {name}"),
        Undo::Restore {
            path,
            saved: Saved::Missing,
        } => format!("remove {}", path.display()),
        Undo::Restore { path, .. } => format!("restore {}", path.display()),
        Undo::Secrets { .. } => "decrypt the previous secrets".to_owned(),
        Undo::RemoveFolder(path) => format!("remove {}", path.display()),
        Undo::ForgetGeneration(number) => format!("remove generation {number}"),
        Undo::Exchange { .. } => "restore the previous files".to_owned(),
        Undo::DaemonReload => "reload systemd with the old units".to_owned(),
        Undo::ReloadNginx => "reload nginx with the old sites".to_owned(),
        Undo::RestartNginx => "restart nginx with the old sites".to_owned(),
        Undo::Stop(unit) => format!("stop {unit}"),
        Undo::Forget(unit) => format!("stop {unit}, and keep its containers running"),
        Undo::RemoveContainers { project, .. } => {
            format!("remove new containers of the compose project {project}")
        }
        Undo::RemoveNetworks { project, .. } => {
            format!("remove new networks of the compose project {project}")
        }
        Undo::RemoveOthers { networks, .. } => {
            let names = list(networks.keys());
            format!("remove the network {names} that was recreated")
        }
        Undo::Rename { name, .. } => format!("rename {name} back"),
        Undo::Tag { name, image, .. } => format!("tag {name} as {} again", short(image)),
        Undo::RemovePackages(names) => format!("uninstall {}", list(names)),
        Undo::InstallPackages(versions) => {
            let versions = versions.iter();
            let versions = versions.map(|(name, version)| format!("{name} {version}"));
            format!("install {} again", list(versions))
        }
        Undo::SetParameters(values) => {
            let names = list(values.keys().map(|name| parameter_name(name)));
            format!("set {names} as before")
        }
        Undo::Ufw {
            rule, add: true, ..
        } => format!("ufw {rule}"),
        Undo::Ufw { rule, .. } => format!("ufw delete {rule}"),
        Undo::Firewall { table: None } => "remove the rules of the firewall".to_owned(),
        Undo::Firewall { .. } => "load the rules that the firewall had".to_owned(),
        Undo::Start(unit) => format!("start {unit}"),
        Undo::ReloadUnit(unit) => format!("reload {unit} with its old files"),
        Undo::Restart(unit) => format!("restart {unit} with its old files"),
        Undo::Connect {
            network, container, ..
        }
        | Undo::Rejoin {
            network, container, ..
        } => format!("attach {container} to {network}"),
        Undo::Disconnect { network, container } => {
            format!("detach {container} from {network}")
        }
    }
}

pub(super) async fn undo_one(
    host: &Host,
    undo: &Undo,
    patience: &mut Patience,
) -> Result<(), StepError> {
    match undo {
        Undo::Engine(_) | Undo::OfBackup | Undo::Leave { .. } => Ok(()),
        Undo::RemoveNetwork(name) => unmake(host, name).await,
        Undo::CreateNetwork { name, spec } => make_again(host, name, spec).await,
        Undo::Restore { path, saved } => restore(host, path, saved),
        Undo::Exchange { run } => exchange_back(host, run),
        Undo::Secrets { generation } => secrets::put_back(host, *generation),
        Undo::RemoveFolder(path) => {
            host.root().remove_empty(path);
            Ok(())
        }
        Undo::ForgetGeneration(number) => {
            Ok(State::new(host.root().clone()).forget_generation(*number)?)
        }
        Undo::DaemonReload => Ok(host.systemd().await?.reload().await?),
        Undo::ReloadNginx => {
            let before = host.nginx().observe()?;
            let systemd = host.systemd().await?;
            // One that did not come up after a reboot reads the old sites when it starts.
            match before.master {
                Some(_) => host.nginx().reload(systemd, &before, NGINX).await?,
                None => host.nginx().start(systemd, NGINX).await?,
            };
            Ok(())
        }
        Undo::RestartNginx => {
            host.nginx().restart(host.systemd().await?, NGINX).await?;
            Ok(())
        }
        Undo::Stop(unit) | Undo::Forget(unit) => {
            let systemd = host.systemd().await?;
            // To stop one that failed ends nothing, and takes along what requires it and serves.
            if systemd.unit(unit).await?.active != "failed" {
                let job = async |bound| systemd.stop(unit, bound).await;
                patience.wait(host, job).await?;
            }
            Ok(systemd.reset_failed(unit).await?)
        }
        Undo::RemoveContainers {
            project,
            known,
            services,
            serves,
        } => {
            last_requests(host, serves).await?;
            let docker = host.docker().await?;
            for container in made(host, project, known, services).await? {
                docker.remove_container(&container).await?;
            }
            Ok(())
        }
        Undo::RemoveNetworks { project, known, .. } => {
            let docker = host.docker().await?;
            for network in made_networks(host, project, known).await? {
                // A container that was just removed, and died again and again, may still be on it for the engine.
                let until = patience.until_back();
                loop {
                    match docker.remove_network(&network).await {
                        Err(error) if error.is_in_use() && Instant::now() < until => {
                            tokio::time::sleep(LOOK_AGAIN).await;
                        }
                        Err(error) if !error.is_gone() => return Err(error.into()),
                        _ => break,
                    }
                }
            }
            Ok(())
        }
        Undo::RemoveOthers { project, networks } => remove_others(host, project, networks).await,
        Undo::Rename { container, name } => rename(host, container, name).await,
        Undo::Tag { name, image, .. } => Ok(host.docker().await?.tag_image(image, name).await?),
        Undo::RemovePackages(names) => Ok(host.remove_packages(names)?),
        Undo::InstallPackages(versions) => Ok(host.restore_packages(versions)?),
        Undo::SetParameters(values) => Ok(loaders::set_parameters(values)?),
        Undo::Ufw { rule, add, places } => Ok(firewall::put_back_in_ufw(host, rule, *add, places)?),
        Undo::Firewall { table } => Ok(firewall::put_back(host, table.as_deref())?),
        Undo::Start(unit) => {
            let systemd = host.systemd().await?;
            let job = async |bound| systemd.start(unit, bound).await;
            patience.wait(host, job).await
        }
        Undo::ReloadUnit(unit) => {
            let systemd = host.systemd().await?;
            let active = systemd.unit(unit).await?.is_active();
            let job = async |bound| match active {
                true => systemd.reload_unit(unit, bound).await,
                false => systemd.start(unit, bound).await,
            };
            patience.wait(host, job).await
        }
        Undo::Restart(unit) => {
            let systemd = host.systemd().await?;
            let job = async |bound| match systemd.restart(unit, bound).await {
                Err(error) if !error.is_not_found() => Err(error),
                _ => Ok(()),
            };
            patience.wait(host, job).await
        }
        Undo::Connect {
            network,
            container,
            aliases,
            addresses,
        } => {
            let docker = host.docker().await?;
            let attached = docker.connect_container(network, container, aliases, *addresses);
            match attached.await {
                Err(error) if error.is_already_connected() => Ok(()),
                attached => Ok(unless_gone(attached)?),
            }
        }
        Undo::Rejoin {
            network,
            container,
            replicas,
            aliases,
            addresses,
        } => {
            let container = (container.as_str(), replicas.as_ref());
            let until = patience.until_back();
            rejoin(host, network, container, aliases, *addresses, until).await
        }
        Undo::Disconnect { network, container } => {
            let docker = host.docker().await?;
            Ok(disconnect(&docker, network, container).await?)
        }
    }
}

/// Waits until nginx's old workers have the answers of a copy that goes, or have waited long enough.
async fn last_requests(host: &Host, ports: &BTreeSet<u16>) -> Result<(), StepError> {
    let until = Instant::now() + LAST_REQUESTS;
    while !ports.is_empty() && host.nginx().leaving(ports)? > 0 && Instant::now() < until {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

fn restore(host: &Host, path: &Path, saved: &Saved) -> Result<(), StepError> {
    let root = host.root();
    // A run that was killed in the middle of a write has left what it was about to rename.
    if let Some(folder) = path.parent()
        && root.may_write(path).is_ok()
    {
        root.remove_temporary(folder)?;
    }
    match saved {
        // Through another user's link nothing was written, either.
        Saved::Missing if root.may_write(path).is_err() => Ok(()),
        Saved::Missing => Ok(root.remove(path)?),
        Saved::Link(target) => {
            root.make_parent(path)?;
            Ok(root.link(path, target)?)
        }
        Saved::File { copy, mode, owner } => {
            root.make_parent(path)?;
            let lost = || RootError {
                doing: "find the kept copy",
                path: root.join(copy),
                source: std::io::ErrorKind::NotFound.into(),
            };
            let owner = (host.is_live()).then_some(*owner);
            // What was not changed yet needs no room on a full disk.
            if let Entry::File {
                content,
                mode: mode_now,
                owner: owner_now,
                ..
            } = root.entry(path)?
                && mode_now == *mode
                && owner.is_none_or(|wanted| wanted == owner_now)
                && root.read(copy)?.is_some_and(|kept| *kept == *content)
            {
                return Ok(());
            }
            let content = root.read(copy)?.ok_or_else(lost)?;
            Ok(root.write_owned(path, &content, *mode, owner)?)
        }
    }
}

/// Only when the live tree is the one of the run: undoing twice must not bring it back.
fn exchange_back(host: &Host, run: &str) -> Result<(), StepError> {
    let root = host.root();
    let mark = root.read(&layout::live(MARK))?;
    if mark.as_deref() == Some(run.as_bytes()) {
        exchange(root)?;
    }
    root.remove_folder(Path::new(layout::NEXT))?;
    root.remove_empty(Path::new(layout::LIVE));
    Ok(())
}
