//! Where things lie on a host. Only names: `host` is what touches them.

use std::path::{Component, Path, PathBuf};

/// The store and the generations.
pub const HOME: &str = "/etc/watchme-apply";
/// What is served now; links in /etc point below it. Always a real directory, because
/// `systemctl enable` resolves links.
pub const LIVE: &str = "/etc/watchme-apply/live";
/// The tree that the next switch puts in the place of [`LIVE`].
pub const NEXT: &str = "/etc/watchme-apply/next";
/// One folder for each applied revision that is kept.
pub const GENERATIONS: &str = "/etc/watchme-apply/generations";
/// Lock, journal, inventory, records and backups.
pub const STATE: &str = "/var/lib/watchme-apply";
/// What is known of backups, a file for each, and for its rehearsals.
pub const BACKUPS: &str = "/var/lib/watchme-apply/backup";
/// Where files are restored to in a rehearsal.
pub const SCRATCH: &str = "/var/lib/watchme-apply/scratch";
/// nginx's configuration (Debian's layout).
pub const NGINX: &str = "/etc/nginx";
/// The unit that runs nginx (Debian's package).
pub const NGINX_UNIT: &str = "nginx.service";
/// Where an administrator's units lie, systemd.unit(5).
pub const SYSTEMD: &str = "/etc/systemd/system";
/// Where secrets lie decrypted: in memory, and gone with the next boot.
pub const SECRETS: &str = "/run/watchme-apply/secrets";
/// The unit that decrypts them at boot.
pub const SECRETS_UNIT: &str = "watchme-apply-secrets.service";
/// The key of a host, sshd_config(5) "HostKey".
pub const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";
/// Where an administrator's Quadlets lie, podman-systemd.unit(5).
pub const QUADLETS: &str = "/etc/containers/systemd";
/// File name of the drop-in that makes a unit use stored files. It has to come after all others,
/// because it lists their environment files again; systemd.unit(5) reads them by name.
pub const BIND_DROPIN: &str = "zz-watchme-apply-files.conf";
/// Where this program is installed: the first one that is there counts.
pub const PROGRAMS: [&str; 2] = ["/usr/local/bin/watchme-apply", "/usr/bin/watchme-apply"];
/// The unit that undoes an interrupted run at boot.
pub const RECOVERY_UNIT: &str = "watchme-apply-recover.service";
/// The rules of the firewall, as the kernel gets them at boot.
pub const FIREWALL_RULES: &str = "/etc/watchme-apply/firewall.nft";
/// The unit that loads them.
pub const FIREWALL_UNIT: &str = "watchme-apply-firewall.service";
/// The units that this program writes for itself.
pub const OWN_UNITS: [&str; 3] = [RECOVERY_UNIT, SECRETS_UNIT, FIREWALL_UNIT];
/// Whether ufw is active, ufw(8).
pub const UFW: &str = "/etc/ufw/ufw.conf";
/// What ufw does with connections that no rule names.
pub const UFW_DEFAULT: &str = "/etc/default/ufw";
/// The rules that its user has added, of both kinds of addresses.
pub const UFW_RULES: [&str; 2] = ["/etc/ufw/user.rules", "/etc/ufw/user6.rules"];
/// Drop-ins until the next boot, systemd.unit(5).
pub const RUNTIME: &str = "/run/systemd/system";
/// File name of the drop-in with which a unit starts without its own pulls. It has to come after all others.
pub const NO_PULL_DROPIN: &str = "zz-watchme-apply-no-pull.conf";
/// File name of the drop-in with which compose leaves containers of a stack as they were adopted.
pub const AS_IT_RUNS_DROPIN: &str = "zz-watchme-apply-as-it-runs.conf";
/// File name of the drop-in that keeps a paused unit from starting.
pub const PAUSE_DROPIN: &str = "90-watchme-apply-pause.conf";

/// The organisation that self-signed certificates of this program name as their subject, so that
/// nobody else's passes for one.
pub const BOOTSTRAP_ORGANISATION: &str = "watchme-apply bootstrap";

/// Folders of a tree in the store.
pub mod store {
    /// Sites, by name.
    pub const SITES: &str = "sites-available";
    /// Units and folders of drop-ins, by name.
    pub const UNITS: &str = "systemd";
    /// Quadlets and folders of their drop-ins, by name.
    pub const QUADLETS: &str = "containers";
    /// Files for /etc, by path.
    pub const ETC: &str = "etc";
    /// Files that units name, by their path in the checkout.
    pub const FILES: &str = "files";
    /// Secrets, encrypted: only in generations.
    pub const SECRETS: &str = "secrets";
    /// What nginx reads until a switch and no longer.
    pub const LEAVING: &str = ".leaving";
}

/// The live counterpart of a path in the store.
pub fn live(in_store: impl AsRef<Path>) -> PathBuf {
    Path::new(LIVE).join(in_store)
}

/// The link of a site in `sites-available`.
pub fn site_available(name: &str) -> PathBuf {
    Path::new(NGINX).join("sites-available").join(name)
}

/// The link of a site in `sites-enabled`.
pub fn site_enabled(name: &str) -> PathBuf {
    Path::new(NGINX).join("sites-enabled").join(name)
}

/// The link of a unit.
pub fn unit(name: &str) -> PathBuf {
    Path::new(SYSTEMD).join(name)
}

/// The link of a Quadlet.
pub fn quadlet(name: &str) -> PathBuf {
    Path::new(QUADLETS).join(name)
}

/// The link of a drop-in.
pub fn dropin(unit: &str, name: &str) -> PathBuf {
    Path::new(SYSTEMD).join(format!("{unit}.d")).join(name)
}

/// Whether the entries of a folder enable units by their place, systemd.unit(5).
pub fn is_dependency_folder(path: &Path) -> bool {
    path.extension()
        .is_some_and(|kind| kind == "wants" || kind == "requires" || kind == "upholds")
}

/// Where a secret lies decrypted.
pub fn secret(name: &str) -> PathBuf {
    Path::new(SECRETS).join(name)
}

/// The secret that lies at a path decrypted.
pub fn secret_name(path: &Path) -> Option<&str> {
    let below = path.strip_prefix(SECRETS).ok()?;
    let name = below.to_str().filter(|name| !name.is_empty());
    name.filter(|name| !name.contains('/'))
}

/// What is laid over the compose files of a stack, in the place of the file of the store, until compose has read it.
pub fn laid_over(unit: &str) -> PathBuf {
    Path::new("/run").join(format!("watchme-apply-{unit}.mounts.json"))
}

/// A drop-in until the next boot.
pub fn runtime_dropin(unit: &str, name: &str) -> PathBuf {
    Path::new(RUNTIME).join(format!("{unit}.d")).join(name)
}

/// A file below /etc.
pub fn etc(relative: impl AsRef<Path>) -> PathBuf {
    Path::new("/etc").join(relative)
}

/// Where an entry of `absent` in watchme.toml is on the host: `sites-enabled/x`,
/// `sites-available/x`, `systemd/x`, and `etc/x`. `None` for anything else.
pub fn absent(entry: &Path) -> Option<PathBuf> {
    let mut parts = entry.components();
    let first = parts.next()?.as_os_str().to_str()?;
    let rest = parts.as_path();
    if rest.as_os_str().is_empty() {
        return None;
    }
    match first {
        "sites-enabled" | "sites-available" => Some(Path::new(NGINX).join(first).join(rest)),
        "systemd" => Some(Path::new(SYSTEMD).join(rest)),
        "etc" => Some(etc(rest)),
        _ => None,
    }
}

/// A path without `..`, by its words alone: what it names may be gone.
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
