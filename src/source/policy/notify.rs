//! `[notify.NAME]`: whom to tell what happened.

use std::path::PathBuf;

use serde::Deserialize;

use super::Policy;
use super::spanned::Spanned;
use super::values::{EventName, Program};
use crate::model::{Channel, Diagnostic, Forge, Format, Notifier, Project, Smtp, Url, layout};

/// `[notify.NAME]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotifyPolicy {
    /// A URL that gets a POST request. `{secret}` in it is replaced by the secret in `secret_file`; without `{secret}`, the secret is sent as
    /// `Authorization: Bearer`.
    #[cfg_attr(test, schemars(example = &"https://ntfy.example.com/server"))]
    pub webhook: Option<Spanned<String>>,
    /// What the server behind the URL understands.
    ///
    /// Default: `"json"`
    #[cfg_attr(test, schemars(example = &"slack"))]
    pub format: Option<Spanned<Format>>,
    /// Addresses that get a mail, by `/usr/sbin/sendmail` of the server, or through `smtp`.
    ///
    /// Default: none
    #[cfg_attr(test, schemars(example = ["ops@example.com"]))]
    pub mail: Option<Spanned<Vec<String>>>,
    /// The server that takes the mail: `smtps://` begins with TLS (port 465), `smtp://` continues with it (STARTTLS, port 587),
    /// but speaks plain text to this host itself.
    #[cfg_attr(test, schemars(example = &"smtps://mail.example.com"))]
    pub smtp: Option<Spanned<String>>,
    /// Sender of the mail through `smtp`.
    #[cfg_attr(test, schemars(example = &"server@example.com"))]
    pub from: Option<Spanned<String>>,
    /// User who logs in at `smtp`, with the password in `secret_file`.
    ///
    /// Default: `from`
    #[cfg_attr(test, schemars(example = &"apikey"))]
    pub user: Option<Spanned<String>>,
    /// The page of a repository: the commits that were applied, or failed, get a status there. `secret_file` contains a token that may set it.
    #[cfg_attr(test, schemars(example = &"https://github.com/acme/server-config"))]
    pub commit_status: Option<Spanned<String>>,
    /// Software of the forge of `commit_status`.
    ///
    /// Default: that of github.com, gitlab.com, codeberg.org and gitea.com
    #[cfg_attr(test, schemars(example = &"gitea"))]
    pub forge: Option<Spanned<Forge>>,
    /// A program that gets the message as JSON on its standard input.
    #[cfg_attr(test, schemars(example = ["/usr/local/bin/page", "ops"]))]
    pub command: Option<Program>,
    /// The file with the secret of the webhook, the password for `smtp`, or the token for `commit_status`: an absolute path on the server, or the name of a file in `secrets/`.
    #[cfg_attr(test, schemars(example = &"/root/ntfy-token"))]
    pub secret_file: Option<Spanned<String>>,
    /// Events to report: `applied`, `failed`, `rolled-back`, `quarantined`, `drift`, `certificate`, `backup`.
    ///
    /// Default: all, but `applied` only of unattended runs
    #[cfg_attr(test, schemars(example = ["failed", "rolled-back"]))]
    pub on: Vec<EventName>,
}

impl NotifyPolicy {
    fn forge(&self) -> Option<Forge> {
        self.forge.as_deref().copied()
    }

    fn smtp(&self) -> Option<Smtp> {
        let user = self.user.as_ref().map(|user| user.as_str());
        Smtp::read(self.smtp.as_ref()?, self.from.as_ref()?, user)
    }
}

impl Policy {
    /// The first error in tables about notifications.
    pub(super) fn validate_notifiers(&self) -> Result<(), Diagnostic> {
        for (name, policy) in &self.notify {
            let ways = [
                policy.webhook.is_some(),
                policy.mail.as_ref().is_some_and(|to| !to.is_empty()),
                policy.command.is_some(),
                policy.commit_status.is_some(),
            ];
            if ways.iter().filter(|is| **is).count() != 1 {
                let named = name.as_str();
                let message = format!("[notify.{named}] does not say how, or says it twice");
                let expected = "expected exactly one of webhook, mail, commit_status and command";
                return Err(self.file.complain(name.span(), message, expected, None));
            }
            if let Some(url) = &policy.webhook
                && url.replace("{secret}", "x").parse::<Url>().is_err()
            {
                // What is wrong with it may be a secret that does not belong here.
                let expected = "expected a URL that begins with http:// or https://";
                let message = "this is not a URL";
                return Err(self.file.complain(url.span(), message, expected, None));
            }
            self.validate_useless(policy)?;
            self.validate_mail(policy)?;
            self.validate_status(policy)?;
            if let Some(secret) = &policy.secret_file {
                self.validate_secret(policy, secret)?;
            }
        }
        Ok(())
    }

    /// What would be read and have no effect.
    fn validate_useless(&self, policy: &NotifyPolicy) -> Result<(), Diagnostic> {
        if let Some(url) = &policy.webhook
            && url.contains("{secret}")
            && policy.secret_file.is_none()
        {
            let message = "{secret} in the URL has no value";
            let expected = "expected secret_file beside it, with the file that has the secret";
            return Err(self.file.complain(url.span(), message, expected, None));
        }
        if let (Some(format), None) = (&policy.format, &policy.webhook) {
            let message = "only a webhook has a format";
            let expected = "expected it beside webhook";
            return Err(self.file.complain(format.span(), message, expected, None));
        }
        if let (Some(forge), None) = (&policy.forge, &policy.commit_status) {
            let message = "only a commit status is set at a forge";
            let expected = "expected it beside commit_status";
            return Err(self.file.complain(forge.span(), message, expected, None));
        }
        let of_commits = policy.on.is_empty() || policy.on.iter().any(|event| event.is_of_commit());
        if let Some(page) = &policy.commit_status
            && !of_commits
        {
            let message = "no event in on is about a commit, so no commit would get a status";
            let expected = "expected applied, failed, rolled-back or quarantined among them";
            return Err(self.file.complain(page.span(), message, expected, None));
        }
        Ok(())
    }

    fn validate_mail(&self, policy: &NotifyPolicy) -> Result<(), Diagnostic> {
        let to = policy.mail.iter().flat_map(|to| {
            let span = to.span();
            to.iter().map(move |address| (address, span.clone()))
        });
        let from = policy.from.iter().map(|from| (&**from, from.span()));
        for (address, span) in to.chain(from) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "@.+-_=".contains(c);
            let parts = address.split('@').filter(|part| !part.is_empty()).count();
            if parts != 2 || !address.chars().all(plain) || address.starts_with('-') {
                let message = format!("{address:?} is not a mail address");
                return Err(self
                    .file
                    .complain(span, message, "expected NAME@DOMAIN", None));
            }
        }
        let Some(smtp) = &policy.smtp else {
            let alone = [&policy.from, &policy.user].into_iter().flatten().next();
            return match alone {
                Some(alone) => Err(self.file.complain(
                    alone.span(),
                    "only a mail through smtp has this",
                    "expected it beside smtp",
                    None,
                )),
                None => Ok(()),
            };
        };
        let span = smtp.span();
        if policy.mail.is_none() {
            let message = "only a mail goes through smtp";
            let expected = "expected it beside mail";
            return Err(self.file.complain(span, message, expected, None));
        }
        let Some(from) = &policy.from else {
            let message = "from is missing";
            let expected = "expected from beside smtp, such as from = \"server@example.com\"";
            return Err(self.file.complain(span, message, expected, None));
        };
        match Smtp::read(smtp, from, None) {
            Some(_) => Ok(()),
            None => {
                // What is wrong with it may be a password that does not belong here.
                let message = "this is not an SMTP server";
                let expected = "expected smtps://HOST or smtp://HOST, with :PORT where it is not the usual one; the user is user, the password is in secret_file";
                Err(self.file.complain(span, message, expected, None))
            }
        }
    }

    fn validate_status(&self, policy: &NotifyPolicy) -> Result<(), Diagnostic> {
        let Some(page) = &policy.commit_status else {
            return Ok(());
        };
        if let Err(expected) = Project::read(page, policy.forge()) {
            let message = "this is not a repository at a forge";
            return Err(self.file.complain(page.span(), message, expected, None));
        }
        match policy.secret_file {
            Some(_) => Ok(()),
            None => {
                let message = "secret_file is missing";
                let expected = "expected a file with a token that may set the status";
                Err(self.file.complain(page.span(), message, expected, None))
            }
        }
    }

    fn validate_secret(
        &self,
        policy: &NotifyPolicy,
        secret: &Spanned<String>,
    ) -> Result<(), Diagnostic> {
        let span = secret.span();
        if policy.webhook.is_none() && policy.smtp.is_none() && policy.commit_status.is_none() {
            let message = "only a webhook, an SMTP server or a forge has a secret here";
            let expected = "expected it beside webhook, smtp or commit_status";
            return Err(self.file.complain(span, message, expected, None));
        }
        let is_name = !secret.contains('/') && !secret.is_empty() && *secret.as_str() != *"..";
        if !is_name && (!secret.starts_with('/') || secret.contains("/../")) {
            let message = "this is not a file path";
            let expected = "expected an absolute path, or the name of a file in secrets/";
            return Err(self.file.complain(span, message, expected, None));
        }
        Ok(())
    }

    /// Whom to tell, by name.
    pub fn notifiers(&self) -> impl Iterator<Item = (String, Notifier)> {
        self.notify.iter().map(|(name, policy)| {
            let repository = policy.commit_status.as_ref();
            let repository = repository.and_then(|page| Project::read(page, policy.forge()).ok());
            let channel = match (&policy.webhook, &policy.command, repository) {
                (_, _, Some(repository)) => Channel::CommitStatus(repository),
                (Some(url), ..) => Channel::Webhook {
                    url: url.to_string(),
                    format: policy.format.as_deref().copied().unwrap_or_default(),
                },
                (None, Some(Program(words)), _) => Channel::Command(words.clone()),
                (None, None, None) => Channel::Mail {
                    to: policy.mail.as_deref().cloned().unwrap_or_default(),
                    smtp: policy.smtp(),
                },
            };
            let path = |name: &Spanned<String>| match name.starts_with('/') {
                true => PathBuf::from(name.as_str()),
                false => layout::secret(name),
            };
            let notifier = Notifier {
                channel,
                secret: policy.secret_file.as_ref().map(path),
                on: policy.on.iter().map(|event| **event).collect(),
            };
            (name.to_string(), notifier)
        })
    }
}
