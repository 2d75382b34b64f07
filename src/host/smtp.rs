//! A mail, handed to a server by SMTP (RFC 5321): the library speaks it, and trusts the issuers that this host trusts.

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::notify::BOUND;
use crate::model::Smtp;

/// The server did not take a mail.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SmtpError {
    #[error("{0:?} is not a mail address")]
    Address(String),
    #[error("{server}: {}", chain(.why))]
    Refused {
        /// Its name and port.
        server: String,
        /// What it said, or why nothing came.
        why: lettre::transport::smtp::Error,
    },
}

/// Hands a mail to a server; what it answered.
pub(super) async fn send(
    smtp: &Smtp,
    password: Option<String>,
    to: &[String],
    mail: &str,
) -> Result<String, SmtpError> {
    let address = |text: &String| {
        let address = text.parse();
        address.map_err(|_| SmtpError::Address(text.clone()))
    };
    let to = to.iter().map(address).collect::<Result<_, _>>()?;
    let envelope = Envelope::new(Some(address(&smtp.from)?), to);
    let envelope = envelope.map_err(|_| SmtpError::Address(smtp.from.clone()))?;
    let refused = |why| SmtpError::Refused {
        server: format!("{}:{}", smtp.host, smtp.port),
        why,
    };
    let trust = || TlsParameters::new_rustls(smtp.host.clone()).map_err(refused);
    let tls = match (smtp.implicit_tls, is_loopback(&smtp.host)) {
        (true, _) => Tls::Wrapper(trust()?),
        (false, false) => Tls::Required(trust()?),
        (false, true) => Tls::None,
    };
    let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(BOUND));
    if let Some(password) = password {
        let user = smtp.user.clone().unwrap_or_else(|| smtp.from.clone());
        server = server.credentials(Credentials::new(user, password));
    }
    // Lines of a mail end with CR LF: RFC 5322, section 2.1.
    let mail = mail.replace('\n', "\r\n");
    let sent = server.build().send_raw(&envelope, mail.as_bytes()).await;
    let answer = sent.map_err(refused)?;
    Ok(format!("{} answered {}", smtp.host, answer.code()))
}

/// Whether what is said to a server stays on this host.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An error with its causes, which the library leaves out of some texts.
fn chain(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(why) = cause {
        let why_text = why.to_string();
        if !text.contains(&why_text) {
            text = format!("{text}: {why_text}");
        }
        cause = why.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_is_spoken_to_in_plain_text() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.com", "mail.example.com", "192.0.2.1"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
