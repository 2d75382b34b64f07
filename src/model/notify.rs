//! Who gets notified of what happened.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Project;

/// Somebody to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notifier {
    /// How.
    pub channel: Channel,
    /// The file that has the secret for it.
    pub secret: Option<PathBuf>,
    /// Of which events; empty: of all, but of applies that no person ran.
    pub on: BTreeSet<Event>,
}

/// How somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A request to a server.
    Webhook {
        /// Its URL; `{secret}` in it stands for the secret.
        url: String,
        /// What the server understands.
        format: Format,
    },
    /// A mail.
    Mail {
        /// Addresses.
        to: Vec<String>,
        /// The server that takes it; `None`: sendmail(8) of the host sends it.
        #[serde(default)]
        smtp: Option<Smtp>,
    },
    /// The status of the commit that was applied, or failed.
    CommitStatus(Project),
    /// A program with its arguments, which gets the message as JSON.
    Command(Vec<String>),
}

/// A server that takes mails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether TLS comes first (RFC 8314, section 3.3); else by STARTTLS, and on this host itself without.
    pub implicit_tls: bool,
    /// Who the mail is from.
    pub from: String,
    /// Who logs in where there is a secret; `None`: `from`.
    pub user: Option<String>,
}

impl Smtp {
    /// The server behind `smtps://HOST[:PORT]` or `smtp://HOST[:PORT]`. Ports without a number: RFC 8314, section 7.3, and
    /// RFC 6409, section 3.1.
    pub fn read(url: &str, from: &str, user: Option<&str>) -> Option<Self> {
        let url: http::Uri = url.parse().ok()?;
        let implicit_tls = match url.scheme_str()? {
            "smtps" => true,
            "smtp" => false,
            _ => return None,
        };
        let authority = url.authority()?;
        let alone = url.path_and_query().is_none_or(|path| path.as_str() == "/");
        if authority.as_str().contains('@') || !alone || authority.host().is_empty() {
            return None;
        }
        Some(Self {
            host: authority.host().to_owned(),
            port: match authority.as_str().strip_prefix(authority.host())? {
                "" if implicit_tls => 465,
                "" => 587,
                port => port.strip_prefix(':')?.parse().ok()?,
            },
            implicit_tls,
            from: from.to_owned(),
            user: user.map(str::to_owned),
        })
    }
}

/// What a server understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The message as JSON.
    #[default]
    Json,
    /// What incoming webhooks of Slack take, and those of Mattermost and Rocket.Chat.
    Slack,
    /// What ntfy takes.
    Ntfy,
}

/// What somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A run did what it was to do.
    Applied,
    /// A run failed and changed nothing, or left something.
    Failed,
    /// A run failed, and the host is as before.
    RolledBack,
    /// A revision failed because of its content, and unattended runs skip it.
    Quarantined,
    /// The host is not as it was applied.
    Drift,
    /// A certificate ends soon.
    Certificate,
    /// A backup or its rehearsal failed, or is overdue.
    Backup,
}

impl Event {
    /// Every event.
    pub const ALL: [Event; 7] = [
        Event::Applied,
        Event::Failed,
        Event::RolledBack,
        Event::Quarantined,
        Event::Drift,
        Event::Certificate,
        Event::Backup,
    ];

    /// Whether it may be one of a commit.
    pub fn is_of_commit(self) -> bool {
        matches!(
            self,
            Event::Applied | Event::Failed | Event::RolledBack | Event::Quarantined
        )
    }

    /// The word for it in watchme.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Applied => "applied",
            Event::Failed => "failed",
            Event::RolledBack => "rolled-back",
            Event::Quarantined => "quarantined",
            Event::Drift => "drift",
            Event::Certificate => "certificate",
            Event::Backup => "backup",
        }
    }

    /// The event of that word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }
}

/// What somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What it is about; `None`: a test.
    pub event: Option<Event>,
    /// Whether that is over.
    pub healed: bool,
    /// The host.
    pub host: String,
    /// One line.
    pub title: String,
    /// The rest.
    pub text: String,
    /// The commit that it is about, if any.
    pub commit: Option<String>,
    /// When it was found.
    pub time: Timestamp,
}
