//! Tells somebody: a request, a mail, or a program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::forge;
use super::probe::{Posted, ProbeError};
use super::smtp::{self, SmtpError};
use super::{Host, HostError, program};
use crate::model::{Channel, Event, Format, Message, Notifier, Project, Url};

/// The longest that one message may take: nobody waits for a run longer because a server hangs.
pub(crate) const BOUND: Duration = Duration::from_secs(10);
const SENDMAIL: &str = "/usr/sbin/sendmail";

/// A message that was not delivered. No text has the URL, which may have a secret in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    #[error("its secret {} {}", path.display(), source.as_ref().map_or("is not there", |_| "cannot be read"))]
    Secret {
        /// Where it should be.
        path: PathBuf,
        #[source]
        source: Option<crate::root::RootError>,
    },
    #[error("its secret {} is empty, or has characters that no URL, header or password may have", .0.display())]
    Unusable(PathBuf),
    #[error("there is no commit that could get a status: apply one first")]
    NoCommit,
    #[error(transparent)]
    NoAnswer(#[from] ProbeError),
    #[error("no answer within {} s", BOUND.as_secs())]
    Timeout,
    #[error("the server answered {status}{}", said.as_ref().map(|said| format!(" ({said})")).unwrap_or_default())]
    Status {
        status: u16,
        /// The first line of what it said.
        said: Option<String>,
    },
    #[error(transparent)]
    Mail(#[from] SmtpError),
    #[error(transparent)]
    Program(#[from] HostError),
    #[error("{program} failed ({status}){}", said.as_ref().map(|said| format!(": {said}")).unwrap_or_default())]
    Exit {
        program: String,
        /// How.
        status: std::process::ExitStatus,
        /// The first line of what it said.
        said: Option<String>,
    },
}

impl Host {
    /// Delivers a message, and returns what was answered.
    pub(crate) async fn deliver(
        &self,
        notifier: &Notifier,
        message: &Message,
    ) -> Result<String, DeliveryError> {
        match &notifier.channel {
            Channel::Webhook { url, format } => {
                let secret = self.secret_of(notifier)?;
                let posting = self.post_message(url, *format, secret, message);
                tokio::time::timeout(BOUND, posting)
                    .await
                    .map_err(|_| DeliveryError::Timeout)?
            }
            Channel::Mail {
                to,
                smtp: Some(server),
            } => {
                let password = match self.secret_of(notifier)? {
                    Some((path, secret))
                        if secret.is_empty() || secret.contains(char::is_control) =>
                    {
                        return Err(DeliveryError::Unusable(path));
                    }
                    secret => secret.map(|(_, secret)| secret),
                };
                let mail = mail(Some(&server.from), to, message);
                let sending = smtp::send(server, password, to, &mail);
                let sent = tokio::time::timeout(BOUND, sending).await;
                Ok(sent.map_err(|_| DeliveryError::Timeout)??)
            }
            Channel::Mail { to, smtp: None } => {
                let mut arguments = vec!["-i", "--"];
                arguments.extend(to.iter().map(String::as_str));
                run(Path::new(SENDMAIL), &arguments, &mail(None, to, message))
            }
            Channel::CommitStatus(project) => {
                let secret = self.secret_of(notifier)?;
                let setting = self.set_status(project, secret, message);
                tokio::time::timeout(BOUND, setting)
                    .await
                    .map_err(|_| DeliveryError::Timeout)?
            }
            Channel::Command(words) => {
                let mut words = words.iter().map(String::as_str);
                let program = words.next().unwrap_or_default();
                run(
                    Path::new(program),
                    &words.collect::<Vec<_>>(),
                    &json(message),
                )
            }
        }
    }

    /// The secret of a notifier, with the file that has it.
    fn secret_of(&self, notifier: &Notifier) -> Result<Option<(PathBuf, String)>, DeliveryError> {
        let Some(path) = &notifier.secret else {
            return Ok(None);
        };
        let unreadable = |source| DeliveryError::Secret {
            path: path.clone(),
            source,
        };
        let content = self
            .root()
            .read(path)
            .map_err(|error| unreadable(Some(error)))?;
        let content = content.ok_or_else(|| unreadable(None))?;
        let text = String::from_utf8(content).map_err(|_| DeliveryError::Unusable(path.clone()))?;
        Ok(Some((path.clone(), text.trim().to_owned())))
    }

    async fn post_message(
        &self,
        url: &str,
        format: Format,
        secret: Option<(PathBuf, String)>,
        message: &Message,
    ) -> Result<String, DeliveryError> {
        let mut headers = Vec::new();
        let mut target = url.to_owned();
        let mut path = PathBuf::new();
        if let Some((file, secret)) = secret {
            path = file;
            match url.contains("{secret}") {
                true => target = url.replace("{secret}", &secret),
                false => headers.push(("authorization", format!("Bearer {secret}"))),
            }
            let plain = |c: char| c.is_ascii_graphic();
            if secret.is_empty() || !secret.chars().all(plain) {
                return Err(DeliveryError::Unusable(path));
            }
        }
        let url: Url = target.parse().map_err(|_| DeliveryError::Unusable(path))?;
        let (kind, body) = body(format, message);
        headers.push(("content-type", kind.to_owned()));
        if format == Format::Ntfy {
            headers.push(("title", encoded(&message.title)));
            headers.push(("priority", priority(message).to_owned()));
        }
        taken(self.post(&url, &headers, body).await?)
    }

    async fn set_status(
        &self,
        project: &Project,
        secret: Option<(PathBuf, String)>,
        message: &Message,
    ) -> Result<String, DeliveryError> {
        let commit = message.commit.as_ref().ok_or(DeliveryError::NoCommit)?;
        let (path, token) = secret.unwrap_or_default();
        let unusable = || DeliveryError::Unusable(path.clone());
        if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(unusable());
        }
        let url: Url = project.statuses(commit).parse().map_err(|_| unusable())?;
        let headers = [
            forge::authorization(project.forge, &token),
            ("content-type", "application/json".to_owned()),
        ];
        let body = forge::status(project, message);
        taken(self.post(&url, &headers, body).await?)
    }
}

fn taken(posted: Posted) -> Result<String, DeliveryError> {
    match posted.status {
        200..300 => Ok(format!("the server answered {}", posted.status)),
        status => Err(DeliveryError::Status {
            status,
            said: posted.said,
        }),
    }
}

fn run(program: &Path, arguments: &[&str], input: &str) -> Result<String, DeliveryError> {
    let ran = program::run(program, arguments, input, BOUND)?;
    let said = ran.said.lines().chain(ran.printed.lines()).next();
    match ran.status.success() {
        true => Ok(format!("{} took it", program.display())),
        false => Err(DeliveryError::Exit {
            program: program.display().to_string(),
            status: ran.status,
            said: said.map(str::to_owned),
        }),
    }
}

/// What a webhook and a program get.
pub(super) fn json(message: &Message) -> String {
    serde_json::json!({
        "format_version": 1,
        "event": message.event.map_or("test", Event::as_str),
        "healed": message.healed,
        "host": message.host,
        "title": message.title,
        "text": message.text,
        "commit": message.commit,
        "time": message.time,
    })
    .to_string()
}

/// The type of a body, and the body.
fn body(format: Format, message: &Message) -> (&'static str, String) {
    match format {
        Format::Json => ("application/json", json(message)),
        Format::Slack => {
            // https://api.slack.com/reference/surfaces/formatting#escaping
            let text = format!("{}\n{}", message.title, message.text);
            let text = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            let body = serde_json::json!({ "text": text.trim_end() });
            ("application/json", body.to_string())
        }
        // An empty body is the word "triggered" for ntfy.
        Format::Ntfy if message.text.is_empty() => ("text/plain", message.title.clone()),
        Format::Ntfy => ("text/plain", message.text.clone()),
    }
}

/// <https://docs.ntfy.sh/publish/#message-priority>
fn priority(message: &Message) -> &'static str {
    match message.event {
        _ if message.healed => "default",
        Some(Event::Failed | Event::RolledBack | Event::Quarantined) => "high",
        _ => "default",
    }
}

/// A header's value, RFC 2047.
fn encoded(text: &str) -> String {
    match text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        true => text.to_owned(),
        false => format!("=?UTF-8?B?{}?=", STANDARD.encode(text)),
    }
}

/// A mail, RFC 5322; its text is encoded, so that no line of it means anything to a server.
fn mail(from: Option<&str>, to: &[String], message: &Message) -> String {
    let text = STANDARD.encode(format!("{}\n", message.text));
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(76)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    let date = jiff::fmt::rfc2822::to_string(&message.time.to_zoned(jiff::tz::TimeZone::UTC));
    let date = date.map_or_else(|_| String::new(), |date| format!("Date: {date}\n"));
    // sendmail(8) adds both; a server need not.
    let from = from.map(|from| {
        let (_, domain) = from.split_once('@').unwrap_or_default();
        let number = message.time.as_nanosecond();
        format!(
            "From: {from}\nMessage-ID: <{number}.{}@{domain}>\n",
            std::process::id()
        )
    });
    format!(
        "{}To: {}\nSubject: {}\n{date}Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: base64\n\n{}\n",
        from.unwrap_or_default(),
        to.join(", "),
        encoded(&message.title),
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            event: Some(Event::RolledBack),
            healed: false,
            host: "web-1".into(),
            title: "web-1: rolled back".into(),
            text: "a < b & c\n.\nend".into(),
            commit: None,
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
        }
    }

    #[test]
    fn each_format_is_what_its_server_takes() {
        let (kind, slack) = body(Format::Slack, &message());
        assert_eq!(kind, "application/json");
        assert_eq!(
            slack,
            r#"{"text":"web-1: rolled back\na &lt; b &amp; c\n.\nend"}"#
        );
        let (kind, ntfy) = body(Format::Ntfy, &message());
        assert_eq!((kind, ntfy.as_str()), ("text/plain", "a < b & c\n.\nend"));
        assert_eq!(priority(&message()), "high");
        let (_, json) = body(Format::Json, &message());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["event"], "rolled-back");
        assert_eq!(json["healed"], false);
    }

    #[test]
    fn a_mail_has_headers_and_a_text_that_ends_nothing() {
        let to = ["ops@example.com".into()];
        let from = mail(Some("web@example.com"), &to, &message());
        let id = from.strip_prefix("From: web@example.com\nMessage-ID: <1767323045000000000.");
        assert!(
            id.is_some_and(|id| id.contains("@example.com>\nTo: ops")),
            "{from}"
        );
        let mail = mail(None, &to, &message());
        assert!(
            mail.contains("\nDate: Fri, 2 Jan 2026 03:04:05 +0000\n"),
            "{mail}"
        );
        let (headers, text) = mail.split_once("\n\n").unwrap();
        assert!(headers.starts_with("To: ops@example.com\nSubject: web-1: rolled back\n"));
        assert!(!text.lines().any(|line| line == "."), "{text}");
        assert_eq!(encoded("é"), "=?UTF-8?B?w6k=?=");
    }
}
