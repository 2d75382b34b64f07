//! `secret list`: which secrets there are, for whom they are encrypted, and who uses them. No key is read.

use sealed_file::{Form, Recipient, Stanza};
use serde::Serialize;

use super::checkout::Checkout;
use crate::cli::Failure;
use crate::cli::json::{self, FORMAT_VERSION};
use crate::cli::output::Output;
use crate::cli::render::{columns, count};
use crate::cli::session::Session;
use crate::model::{Desired, Secret, SecretForm, layout};

/// `secret list --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Listed {
    format_version: u32,
    /// By name.
    secrets: Vec<One>,
}

json::document!(Listed = "secrets");

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct One {
    name: String,
    /// Relative to the checkout.
    file: String,
    /// Where it is decrypted on the host.
    path: String,
    /// `age`, `sops-variables` or `sops-yaml`.
    form: SecretForm,
    mode: String,
    owner: String,
    /// Public keys that it is encrypted for, as far as the file shows.
    recipients: Vec<String>,
    /// Recipients in watchme.toml that it is not encrypted for.
    lacks: Vec<String>,
    /// Units that use it, themselves or their containers.
    used_by: Vec<String>,
}

/// The secrets of the work tree.
pub(super) fn list(session: &Session<'_>) -> Result<Listed, Failure> {
    let checkout = Checkout::open(session)?;
    let policy = &checkout.revision.parsed.policy.secrets.recipients;
    let recipients: Vec<Recipient> = policy.iter().map(|key| (***key).clone()).collect();
    let desired = &checkout.revision.desired;
    let secrets = desired.secrets.iter();
    let secrets = secrets.map(|(name, secret)| one(desired, name, secret, &recipients));
    Ok(Listed {
        format_version: FORMAT_VERSION,
        secrets: secrets.collect(),
    })
}

fn one(desired: &Desired, name: &str, secret: &Secret, recipients: &[Recipient]) -> One {
    let about = Form::from(secret.form).look(&secret.file.content);
    let stanzas = about.map(|about| about.stanzas).unwrap_or_default();
    let (known, lacks): (Vec<&Recipient>, Vec<&Recipient>) =
        (recipients.iter()).partition(|one| one.is_among(&stanzas, recipients));
    let texts = |all: &[&Recipient]| all.iter().map(|one| one.to_string()).collect::<Vec<_>>();
    let mut of_file = texts(&known);
    let is_known = |text: &String| known.iter().any(|one| one.as_str() == text);
    of_file.extend(stanzas.iter().filter_map(|stanza| match stanza {
        Stanza::Named(text) if !is_known(text) => Some(text.clone()),
        Stanza::Ssh(tag) if !known.iter().any(|one| one.stanza() == *stanza) => {
            Some(format!("a key of ssh-ed25519 with the tag {tag}"))
        }
        Stanza::Other(kind) => Some(format!("a recipient of the type {kind}")),
        _ => None,
    }));
    let ages = |one: &&Stanza| **one == Stanza::Age;
    let shown = known.iter().filter(|one| one.stanza() == Stanza::Age);
    let shown = shown.count();
    let others = stanzas.iter().filter(ages).count().saturating_sub(shown);
    if others > 0 {
        of_file.push(count(others, "other age key"));
    }
    let users = desired.units.iter();
    let users = users.filter(|(_, unit)| unit.secrets.contains(name));
    One {
        name: name.to_owned(),
        file: secret.file.source.to_string_lossy().into_owned(),
        path: layout::secret(name).to_string_lossy().into_owned(),
        form: secret.form,
        mode: format!("{:04o}", secret.mode),
        owner: secret.owner.clone(),
        recipients: of_file,
        lacks: texts(&lacks),
        used_by: users.map(|(unit, _)| unit.clone()).collect(),
    }
}

/// A key as it is told from others at a glance.
fn short(key: &str) -> String {
    match key.strip_prefix("ssh-ed25519 ") {
        Some(key) => format!(
            "ssh-ed25519 …{}",
            key.get(key.len().saturating_sub(8)..).unwrap_or(key)
        ),
        None if key.starts_with("age1") => format!("{}…", key.get(..12).unwrap_or(key)),
        None => key.to_owned(),
    }
}

impl Listed {
    pub(super) fn print(&self, output: &mut Output) {
        let rows = self.secrets.iter().map(|one| {
            let mut whom: Vec<String> = one.recipients.iter().map(|key| short(key)).collect();
            whom.extend(
                one.lacks
                    .iter()
                    .map(|key| format!("not for {}", short(key))),
            );
            let users = match one.used_by.is_empty() {
                true => "nobody uses it".to_owned(),
                false => format!("used by {}", one.used_by.join(", ")),
            };
            [one.name.clone(), one.file.clone(), whom.join(", "), users]
        });
        let rows: Vec<[String; 4]> = rows.collect();
        for line in columns(&rows) {
            output.line(&line);
        }
        output.line(&count(rows.len(), "secret"));
    }
}
