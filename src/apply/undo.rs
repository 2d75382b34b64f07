//! One step of a run, undone.

use std::path::Path;
use std::time::Duration;

use super::StepError;
use super::docker::{made, make_again, rejoin, rename, unmake};
use super::files::make_parent;
use super::roll_back::Patience;
use super::switch::{MARK, exchange};
use crate::host::Host;
use crate::model::{Entry, layout};
use crate::root::RootError;
use crate::state::{Saved, State, Undo};

/// Bound of nginx's reload.
const NGINX: Duration = Duration::from_secs(20);

/// What an undo does, for people.
pub fn describe(undo: &Undo) -> String {
    match undo {
        Undo::RemoveNetwork(name) => format!("remove the network {name}"),
        Undo::CreateNetwork { name, .. } => format!("recreate the network {name}"),
        Undo::Restore {
            path,
            saved: Saved::Missing,
        } => format!("remove {}", path.display()),
        Undo::Restore { path, .. } => format!("restore {}", path.display()),
        Undo::RemoveFolder(path) => format!("remove {}", path.display()),
        Undo::ForgetGeneration(number) => format!("remove generation {number}"),
        Undo::Exchange { .. } => "switch the store back".to_owned(),
        Undo::DaemonReload => "reload systemd with the old units".to_owned(),
        Undo::ReloadNginx => "reload nginx with the old sites".to_owned(),
        Undo::RestartNginx => "restart nginx with the old sites".to_owned(),
        Undo::Stop(unit) => format!("stop {unit}"),
        Undo::RemoveContainers { project, .. } => {
            format!("remove new containers of the compose project {project}")
        }
        Undo::Rename { name, .. } => format!("rename {name} back"),
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
        Undo::RemoveNetwork(name) => unmake(host, name).await,
        Undo::CreateNetwork { name, spec } => make_again(host, name, spec).await,
        Undo::Restore { path, saved } => restore(host, path, saved),
        Undo::Exchange { run } => exchange_back(host, run),
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
        Undo::Stop(unit) => {
            let systemd = host.systemd().await?;
            let job = async |bound| systemd.stop(unit, bound).await;
            patience.wait(host, job).await?;
            Ok(systemd.reset_failed(unit).await?)
        }
        Undo::RemoveContainers {
            project,
            known,
            services,
        } => {
            let docker = host.docker().await?;
            for container in made(host, project, known, services).await? {
                docker.remove_container(&container).await?;
            }
            Ok(())
        }
        Undo::Rename { container, name } => rename(host, container, name).await,
        Undo::Start(unit) => {
            let systemd = host.systemd().await?;
            systemd.reset_failed(unit).await?;
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
            systemd.reset_failed(unit).await?;
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
            address,
        } => {
            let docker = host.docker().await?;
            match docker
                .connect_container(network, container, aliases, *address)
                .await
            {
                Err(error) if !error.is_already_connected() && !error.is_gone() => {
                    Err(error.into())
                }
                _ => Ok(()),
            }
        }
        Undo::Rejoin {
            network,
            container,
            aliases,
            address,
        } => rejoin(host, network, container, aliases, *address).await,
        Undo::Disconnect { network, container } => {
            let docker = host.docker().await?;
            match docker.disconnect_container(network, container, true).await {
                Err(error) if !error.is_gone() && !error.is_not_connected() => Err(error.into()),
                _ => Ok(()),
            }
        }
    }
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
            make_parent(root, path)?;
            Ok(root.link(path, target)?)
        }
        Saved::File { copy, mode, owner } => {
            make_parent(root, path)?;
            let lost = || RootError {
                doing: "find the kept copy",
                path: root.join(copy),
                source: std::io::ErrorKind::NotFound.into(),
            };
            let owner_now = (host.is_live()).then_some(*owner);
            // What was not changed yet needs no room on a full disk.
            if let Entry::File {
                content,
                mode: mode_now,
                owner,
                ..
            } = root.entry(path)?
                && mode_now == *mode
                && owner_now.is_none_or(|wanted| wanted == owner)
                && root.read(copy)?.is_some_and(|kept| *kept == *content)
            {
                return Ok(());
            }
            let content = root.read(copy)?.ok_or_else(lost)?;
            let owner = (host.is_live()).then_some(*owner);
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
