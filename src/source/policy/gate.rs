//! `[[gate]]` of watchme.toml.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use toml::Spanned;

use super::reader::Reader;
use super::schema;
use crate::model::{Backend, Diagnostic, Gate, Probe};

/// A service of this host answers in less.
const TIMEOUT: Duration = Duration::from_secs(5);
/// What has just started may need another moment.
const RETRIES: u32 = 3;
/// Statuses of HTTP, RFC 9110 section 15.
const STATUSES: std::ops::Range<u16> = 100..600;

impl Reader<'_> {
    pub(super) fn gate(&self, raw: &Spanned<schema::Gate>) -> Result<Gate, Diagnostic> {
        let gate = raw.get_ref();
        let fail =
            |message, expected| Err(self.place.complain(raw.span(), message, expected, None));
        let probe = match (&gate.url, &gate.tcp, &gate.container, &gate.unit) {
            (Some(url), None, None, None) => self.url_probe(url, raw)?,
            (None, Some(tcp), None, None) => Probe::Tcp(self.value(
                tcp,
                address,
                "ADDRESS:PORT or localhost:PORT, such as \"127.0.0.1:5432\"",
            )?),
            (None, None, Some(container), None) => {
                let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
                Probe::Container(self.value(container, some, "the name of a container")?)
            }
            (None, None, None, Some(unit)) => Probe::Unit(self.unit_name(unit)?),
            _ => {
                return fail(
                    "it is not clear what this gate asks",
                    "expected exactly one of url, tcp, container and unit",
                );
            }
        };
        if gate.status.is_some() && gate.url.is_none() {
            return fail("only a url answers with a status", "expected url");
        }
        if gate.verify.is_some() && !matches!(&probe, Probe::Url { url, .. } if url.is_https()) {
            return fail(
                "only an https url has a certificate",
                "expected verify with an https url",
            );
        }
        let timeout = self.duration(&gate.timeout)?.unwrap_or(TIMEOUT);
        if timeout.is_zero() {
            return fail(
                "nothing answers in no time",
                "expected a timeout such as \"5s\"",
            );
        }
        Ok(Gate {
            probe,
            timeout,
            retries: gate.retries.unwrap_or(RETRIES),
            behind: Backend::default(),
        })
    }

    fn url_probe(
        &self,
        url: &schema::Text,
        raw: &Spanned<schema::Gate>,
    ) -> Result<Probe, Diagnostic> {
        let gate = raw.get_ref();
        let expected = "a URL that begins with http:// or https://, and with a host";
        let url = self.value(url, |text| text.parse().ok(), expected)?;
        let status = gate.status.unwrap_or(200);
        if !STATUSES.contains(&status) {
            return Err(self.place.complain(
                raw.span(),
                format!("there is no status {status}"),
                "expected a status from 100 to 599",
                None,
            ));
        }
        Ok(Probe::Url {
            url,
            status,
            verify: gate.verify.unwrap_or(true),
        })
    }
}

/// `ADDRESS:PORT`. Names other than localhost would have to be resolved, and a gate asks nobody
/// who is not part of what it is about.
fn address(text: &str) -> Option<SocketAddr> {
    let address = match text.strip_prefix("localhost:") {
        Some(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)),
        None => text.parse().ok()?,
    };
    (address.port() > 0).then_some(address)
}
