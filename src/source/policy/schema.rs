//! The keys of watchme.toml. A key that is not here is an error: a misspelled one would silently leave its default in force.
//!
//! The comments of the keys are also what `docs/configuration.md` and the JSON schema say about them. A default that is
//! not a value is a paragraph of its own, `Default: …`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ConfigFile;
use super::backup::BackupPolicy;
use super::check::CheckPolicy;
use super::firewall::FirewallPolicy;
use super::notify::NotifyPolicy;
use super::packages::PackagesPolicy;
use super::secrets::{SecretPolicy, Secrets};
use super::server::{Budget, Engine, Host, Ports, StackPolicy};
use super::spanned::Spanned;
use super::values::{
    Absent, Address, Checkout, Command, Duration, GateUrl, Input, Mode, Name, Owner, RouteUrl,
    Socket, Status, UnitName,
};
use crate::model::OnChange;

/// Tables by the name of what they are about.
pub(super) type Named<T> = BTreeMap<Spanned<String>, T>;

/// What watchme.toml says. Without the file: the defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "watchme.toml"))]
pub struct Policy {
    /// The file, for errors.
    #[serde(skip)]
    pub file: ConfigFile,
    /// Where the checkout is on the server: the paths in units are below it.
    ///
    /// Default: where the checkout is now
    #[cfg_attr(test, schemars(example = &"/home/ubuntu/server-config"))]
    pub checkout: Option<Checkout>,
    /// What must not exist.
    #[cfg_attr(test, schemars(example = ["sites-enabled/default"]))]
    pub absent: Vec<Absent>,
    /// Writes a self-signed certificate where a site names one that does not exist; never replaces a file.
    #[cfg_attr(test, schemars(example = true))]
    pub bootstrap_certificates: bool,
    /// Longest wait for the last requests to a unit that is removed.
    ///
    /// Default: the longest `proxy_read_timeout` of the sites so far
    #[cfg_attr(test, schemars(example = &"60s"))]
    pub drain_timeout: Option<Duration>,
    /// A removed unit keeps running beside its replacement until the gates have passed for this long.
    #[cfg_attr(test, schemars(example = &"10m"))]
    pub soak: Duration,
    /// Where the other inputs are.
    pub folders: Folders,
    /// The programs of the server.
    pub host: Host,
    /// The container engine of the server.
    pub engine: Engine,
    /// What the server has.
    pub budget: Budget,
    /// Ports that services may publish.
    pub ports: Ports,
    /// Packages of the distribution that the server needs: see [packages](packages.md).
    pub packages: PackagesPolicy,
    /// Who may reach which port of the server, kept in a table of nftables: see [the firewall](firewall.md). Without this
    /// table nothing is filtered.
    pub firewall: Option<FirewallPolicy>,
    /// Sets the level of a rule or a family of rules (backup, checkout, compose, etc, firewall, host, nginx, port, route, secret, systemd):
    ///
    /// ```toml
    /// [check]
    /// compose-no-health-check = { level = "off", reason = "the old services have none", paths = ["compose/legacy/**"] }
    /// ```
    ///
    /// A rule's setting overrides its family's. Some rules have a fixed level, such as `syntax` and `nginx-test`: they
    /// say what an apply refuses anyway.
    #[cfg_attr(test, schemars(title = "[check.\"RULE or FAMILY\"]"))]
    pub check: Named<CheckPolicy>,
    /// nginx sites.
    #[serde(rename = "site")]
    #[cfg_attr(test, schemars(title = "[site.\"NAME\"]"))]
    pub sites: Named<SitePolicy>,
    /// systemd units.
    #[serde(rename = "unit")]
    #[cfg_attr(test, schemars(title = "[unit.\"NAME.service\"]"))]
    pub units: Named<UnitPolicy>,
    /// Compose projects in `compose/NAME/` that no unit runs: see [stacks](stacks.md).
    #[serde(rename = "stack")]
    #[cfg_attr(test, schemars(title = "[stack.NAME]"))]
    pub stacks: Named<StackPolicy>,
    /// Docker networks.
    #[serde(rename = "network")]
    #[cfg_attr(test, schemars(title = "[network.NAME]"))]
    pub networks: Named<NetworkPolicy>,
    /// Files for /etc. PATH is relative to `etc/`.
    #[cfg_attr(test, schemars(title = "[etc.\"PATH\"]"))]
    pub etc: Named<EtcPolicy>,
    /// How the files in `secrets/` are encrypted: see [secrets](secrets.md).
    pub secrets: Secrets,
    /// A file in `secrets/`, by the name that it has when it is decrypted.
    #[cfg_attr(test, schemars(title = "[secret.\"NAME\"]"))]
    pub secret: Named<SecretPolicy>,
    /// What is backed up, and how its restore is rehearsed: see [backups](backups.md).
    #[serde(rename = "backup")]
    #[cfg_attr(test, schemars(title = "[backup.NAME]"))]
    pub backups: Named<BackupPolicy>,
    /// Who gets notified of what happened: see [notifications](notifications.md).
    #[cfg_attr(test, schemars(title = "[notify.NAME]"))]
    pub notify: Named<NotifyPolicy>,
    /// Which upstream URLs public URLs must reach.
    #[serde(rename = "route")]
    pub routes: Vec<RoutePolicy>,
    /// What must answer for an apply to be kept: exactly one of `url`, `tcp`, `container` and `unit`. See
    /// [health gates](gates.md).
    #[serde(rename = "gate")]
    pub gates: Vec<Spanned<GatePolicy>>,
}

/// `[folders]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Folders {
    /// Folder of the sites.
    #[cfg_attr(test, schemars(example = &"nginx"))]
    pub sites: Spanned<Input>,
    /// Folder of the units.
    #[cfg_attr(test, schemars(example = &"units"))]
    pub units: Spanned<Input>,
    /// Folder of the files for /etc.
    #[cfg_attr(test, schemars(example = &"root/etc"))]
    pub etc: Spanned<Input>,
    /// The compose file that defines networks and volumes.
    #[cfg_attr(test, schemars(example = &"compose/infra.yml"))]
    pub infra: Spanned<Input>,
}

impl Default for Folders {
    fn default() -> Self {
        Self {
            sites: Spanned::unwritten(Input::new("sites-available")),
            units: Spanned::unwritten(Input::new("systemd")),
            etc: Spanned::unwritten(Input::new("etc")),
            infra: Spanned::unwritten(Input::new("docker-compose.infra.yml")),
        }
    }
}

/// `[site."NAME"]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SitePolicy {
    /// `false`: linked into `sites-available` only.
    #[cfg_attr(test, schemars(example = false))]
    pub enabled: bool,
}

impl Default for SitePolicy {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `[unit."NAME.service"]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnitPolicy {
    /// Whether an apply starts it.
    ///
    /// Default: `true` if it has `[Install]`
    #[cfg_attr(test, schemars(example = false))]
    pub start: Option<bool>,
    /// What happens when its files change.
    ///
    /// Default: `"restart"`; `"reload"` for the unit of a stack
    #[cfg_attr(test, schemars(example = &"reload"))]
    pub on_change: Option<OnChange>,
    /// Longest time for a start, with the images that it pulls.
    #[cfg_attr(test, schemars(example = &"2m"))]
    pub start_timeout: Duration,
    /// How long it has to stay up without a restart to count as started.
    #[cfg_attr(test, schemars(example = &"10s"))]
    pub settle: Duration,
    /// How long a request to it may take: `check` reports time-outs of nginx below it.
    #[cfg_attr(test, schemars(example = &"300s"))]
    pub response_time: Option<Duration>,
    /// `false`: it may fail without a rollback; the run ends as "applied, degraded", exit status 5.
    #[cfg_attr(test, schemars(example = false))]
    pub required: bool,
}

impl Default for UnitPolicy {
    fn default() -> Self {
        Self {
            start: None,
            on_change: None,
            // Pulling an image takes minutes on the servers this is for.
            start_timeout: Duration::seconds(15 * 60),
            // A `Type=simple` unit counts as started as soon as it forked, and one whose image is missing dies a second
            // later.
            settle: Duration::seconds(3),
            response_time: None,
            required: true,
        }
    }
}

/// `[network.NAME]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NetworkPolicy {
    /// The unit that brings the network up.
    #[cfg_attr(test, schemars(title = "unit name", example = &"infrastructure.service"))]
    pub owner: Option<Spanned<String>>,
    /// A container on the network, with what its compose file does not say. Compose services on the network are members
    /// without being listed.
    #[serde(rename = "member")]
    pub members: Vec<Spanned<MemberPolicy>>,
}

/// `[[network.NAME.member]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MemberPolicy {
    /// The container's name; or `project` and `service`.
    #[cfg_attr(test, schemars(example = &"api"))]
    pub container: Option<Name>,
    /// Compose project, together with `service`.
    #[cfg_attr(test, schemars(example = &"api"))]
    pub project: Option<Name>,
    /// Compose service, together with `project`.
    #[cfg_attr(test, schemars(example = &"web"))]
    pub service: Option<Name>,
    /// Expected address: a deviation is reported.
    ///
    /// Default: any
    #[cfg_attr(test, schemars(example = &"172.27.0.2"))]
    pub address: Option<Spanned<Address>>,
    /// Enforces `address`.
    #[cfg_attr(test, schemars(example = true))]
    pub pin: bool,
    /// Further names on this network.
    #[cfg_attr(test, schemars(example = ["scheduler"]))]
    pub aliases: Vec<Name>,
}

/// `[etc."PATH"]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EtcPolicy {
    /// Permission bits of the file.
    ///
    /// Default: as in git: `"0644"` or `"0755"`
    #[cfg_attr(test, schemars(example = &"0600"))]
    pub mode: Option<Mode>,
    /// Owner of the file.
    ///
    /// Default: `"root:root"`
    #[cfg_attr(test, schemars(example = &"root:adm"))]
    pub owner: Option<Owner>,
    /// How the file is installed.
    ///
    /// Default: `"copy"`; `"link"` below `etc/nginx` without `mode` and `owner`
    #[cfg_attr(test, schemars(example = &"copy"))]
    pub install: Option<Install>,
    /// Unit to restart after a change.
    #[cfg_attr(test, schemars(example = &"docker.service"))]
    pub restart: Option<UnitName>,
    /// Unit to reload after a change; not together with `restart`.
    #[cfg_attr(test, schemars(example = &"ssh.service"))]
    pub reload: Option<Spanned<UnitName>>,
    /// Command that must accept the file before it is installed.
    ///
    /// Default: the file's known checker, if any
    #[cfg_attr(test, schemars(example = ["visudo", "-cf", "{}"]))]
    pub validate: Option<Command>,
}

/// How a file is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Install {
    /// A copy of its own.
    Copy,
    /// A link into the store.
    Link,
}

/// `[[route]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RoutePolicy {
    /// A public URL.
    #[cfg_attr(test, schemars(example = &"https://api.example.com/x"))]
    pub url: Spanned<RouteUrl>,
    /// The upstream URL that it must reach: `check` tests it.
    #[cfg_attr(test, schemars(example = &"http://localhost:8001/x"))]
    pub upstream: Spanned<RouteUrl>,
}

/// `[[gate]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GatePolicy {
    /// Is requested from this host.
    #[cfg_attr(test, schemars(example = &"https://api.example.com/health"))]
    pub url: Option<Spanned<GateUrl>>,
    /// With `url`: the expected status.
    ///
    /// Default: `200`
    #[cfg_attr(test, schemars(example = 204))]
    pub status: Option<Status>,
    /// With `url`: whether the certificate is verified.
    ///
    /// Default: `true`
    #[cfg_attr(test, schemars(example = false))]
    pub verify: Option<bool>,
    /// A connection must open.
    #[cfg_attr(test, schemars(example = &"127.0.0.1:5432"))]
    pub tcp: Option<Spanned<Socket>>,
    /// Must run, and be healthy if it has a health check.
    #[cfg_attr(test, schemars(example = &"api"))]
    pub container: Option<Spanned<Name>>,
    /// Must be active.
    #[cfg_attr(test, schemars(example = &"api.service"))]
    pub unit: Option<Spanned<UnitName>>,
    /// For one try.
    #[cfg_attr(test, schemars(example = &"30s"))]
    pub timeout: Duration,
    /// Further tries, a second apart.
    #[cfg_attr(test, schemars(example = 10))]
    pub retries: u32,
}

impl Default for GatePolicy {
    fn default() -> Self {
        Self {
            url: None,
            status: None,
            verify: None,
            tcp: None,
            container: None,
            unit: None,
            // A service of this host answers in less.
            timeout: Duration::seconds(5),
            // What has just started may need another moment.
            retries: 3,
        }
    }
}
