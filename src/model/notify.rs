//! Whom to tell what happened.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// A mail, which sendmail(8) of the host sends.
    Mail {
        /// Addresses.
        to: Vec<String>,
    },
    /// A program with its arguments, which gets the message as JSON.
    Command(Vec<String>),
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
