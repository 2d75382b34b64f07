//! What is wrong with a certificate, in words.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::CertificateError;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::EndEntityCert;

use crate::model::layout;

/// `commonName` and `organizationName`, RFC 5280 appendix A.1, as DER.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
const ORGANISATION: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x0a];

/// Why the certificate of a server is not good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Untrusted {
    /// It was good until then, if it ever was.
    Expired(Option<String>),
    /// It will be good from then on.
    NotYetValid(Option<String>),
    /// It is for others.
    WrongName {
        wanted: String,
        /// Whom it is for.
        names: Vec<String>,
    },
    SelfSigned,
    /// Nobody who is trusted has issued it.
    UnknownIssuer {
        /// Who has.
        issuer: Option<String>,
    },
    /// Something rarer.
    Other(String),
}

impl Untrusted {
    /// Says what `error` means for `certificate`, which should be good for `host`.
    pub(super) fn new(
        error: &CertificateError,
        certificate: &CertificateDer<'_>,
        host: &str,
    ) -> Self {
        let parsed = EndEntityCert::try_from(certificate).ok();
        match (error, &parsed) {
            (CertificateError::ExpiredContext { not_after, .. }, _) => {
                Untrusted::Expired(Some(date(*not_after)))
            }
            (CertificateError::Expired, _) => Untrusted::Expired(None),
            (CertificateError::NotValidYetContext { not_before, .. }, _) => {
                Untrusted::NotYetValid(Some(date(*not_before)))
            }
            (CertificateError::NotValidYet, _) => Untrusted::NotYetValid(None),
            (CertificateError::NotValidForNameContext { .. }, Some(parsed)) => {
                Untrusted::WrongName {
                    wanted: host.to_owned(),
                    names: parsed.valid_dns_names().map(str::to_owned).collect(),
                }
            }
            // One that is its own issuer may also fail for being an issuer's.
            (_, Some(parsed)) if parsed.issuer() == parsed.subject() => Untrusted::SelfSigned,
            (CertificateError::UnknownIssuer, Some(parsed)) => Untrusted::UnknownIssuer {
                issuer: attribute(parsed.issuer(), &COMMON_NAME),
            },
            _ => Untrusted::Other(error.to_string()),
        }
    }

    /// Whether it is about when the certificate is good, which is looked at before all else.
    pub(super) fn is_about_time(&self) -> bool {
        matches!(self, Untrusted::Expired(_) | Untrusted::NotYetValid(_))
    }

    pub(crate) fn hint(&self, host: &str) -> String {
        match self {
            Untrusted::Expired(_) => {
                "certbot renew && systemctl reload nginx; certbot certificates shows what there is"
                    .to_owned()
            }
            Untrusted::NotYetValid(_) => "is the clock right? timedatectl".to_owned(),
            Untrusted::WrongName { .. } => format!(
                "certbot certificates shows which there are; does a server of nginx have server_name {host}, and the certificate for it?"
            ),
            Untrusted::SelfSigned => format!(
                "get a certificate for {host}, e.g. with certbot; or let the gate accept any certificate: verify = false"
            ),
            Untrusted::UnknownIssuer { .. } => {
                "does ssl_certificate name the whole chain (fullchain.pem)? A CA of your own: put it into /usr/local/share/ca-certificates/*.crt, then update-ca-certificates; or verify = false in the gate"
                    .to_owned()
            }
            Untrusted::Other(_) => format!(
                "openssl s_client -connect 127.0.0.1:443 -servername {host} </dev/null | openssl x509 -noout -text"
            ),
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Untrusted::Expired(Some(when)) => write!(f, "its certificate expired on {when}"),
            Untrusted::Expired(None) => f.write_str("its certificate has expired"),
            Untrusted::NotYetValid(Some(when)) => {
                write!(f, "its certificate is not valid before {when}")
            }
            Untrusted::NotYetValid(None) => f.write_str("its certificate is not valid yet"),
            Untrusted::WrongName { wanted, names } if names.is_empty() => {
                write!(f, "its certificate names no host, so not {wanted}")
            }
            Untrusted::WrongName { wanted, names } => {
                write!(
                    f,
                    "its certificate is for {}, not for {wanted}",
                    names.join(", ")
                )
            }
            Untrusted::SelfSigned => f.write_str("its certificate is self-signed"),
            Untrusted::UnknownIssuer { issuer: Some(name) } => {
                write!(
                    f,
                    "its certificate was issued by {name}, which this host does not trust"
                )
            }
            Untrusted::UnknownIssuer { issuer: None } => {
                f.write_str("its certificate was issued by an issuer that this host does not trust")
            }
            Untrusted::Other(text) => write!(f, "its certificate is not valid: {text}"),
        }
    }
}

/// Whether this program has written a certificate: the organisation that it names says so.
pub(super) fn is_bootstrap(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|parsed| {
        attribute(parsed.subject(), &ORGANISATION).as_deref()
            == Some(layout::BOOTSTRAP_ORGANISATION)
    })
}

/// The first value of an attribute in a name, RFC 5280 section 4.1.2.4: its type, then a string
/// with tag and length. Those that are longer than 127 bytes are not read.
fn attribute(name: &[u8], kind: &[u8; 5]) -> Option<String> {
    let at = name.windows(kind.len()).position(|window| window == kind)?;
    let rest = name.get(at + kind.len()..)?;
    let [_tag, length, value @ ..] = rest else {
        return None;
    };
    let length = usize::from(*length);
    let value = value.get(..length).filter(|_| length < 128)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// A day, in UTC.
fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match Timestamp::from_second(seconds) {
        Ok(time) => time
            .to_zoned(TimeZone::UTC)
            .strftime("%Y-%m-%d")
            .to_string(),
        Err(_) => format!("second {seconds} since 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_what_helps() {
        let day = || Some("2021-02-03".to_owned());
        for (why, text, hint) in [
            (
                Untrusted::Expired(day()),
                "its certificate expired on 2021-02-03",
                "certbot renew",
            ),
            (
                Untrusted::Expired(None),
                "its certificate has expired",
                "certbot renew",
            ),
            (
                Untrusted::NotYetValid(day()),
                "its certificate is not valid before 2021-02-03",
                "timedatectl",
            ),
            (
                Untrusted::WrongName {
                    wanted: "b".into(),
                    names: vec!["a".into(), "*.c".into()],
                },
                "its certificate is for a, *.c, not for b",
                "server_name a.test",
            ),
            (
                Untrusted::WrongName {
                    wanted: "b".into(),
                    names: Vec::new(),
                },
                "its certificate names no host, so not b",
                "certbot certificates",
            ),
            (
                Untrusted::SelfSigned,
                "its certificate is self-signed",
                "verify = false",
            ),
            (
                Untrusted::UnknownIssuer {
                    issuer: Some("My CA".into()),
                },
                "its certificate was issued by My CA, which this host does not trust",
                "update-ca-certificates",
            ),
            (
                Untrusted::Other("bad".into()),
                "its certificate is not valid: bad",
                "openssl s_client",
            ),
        ] {
            assert_eq!(why.to_string(), text);
            let said = why.hint("a.test");
            assert!(said.contains(hint), "{said}");
        }
    }

    #[test]
    fn attributes_of_names() {
        // O = ab, CN = c
        let name = [
            0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x02, b'a', b'b', 0x31,
            0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, b'c',
        ];
        assert_eq!(attribute(&name, &ORGANISATION).as_deref(), Some("ab"));
        assert_eq!(attribute(&name, &COMMON_NAME).as_deref(), Some("c"));
        assert_eq!(attribute(&name[..24], &COMMON_NAME), None, "cut off");
        assert_eq!(attribute(&[], &COMMON_NAME), None);
    }

    #[test]
    fn days_are_those_of_utc() {
        let of = |seconds| {
            date(UnixTime::since_unix_epoch(std::time::Duration::from_secs(
                seconds,
            )))
        };
        assert_eq!(of(1_612_310_400), "2021-02-03");
        assert_eq!(of(u64::MAX), format!("second {} since 1970", i64::MAX));
    }

    proptest::proptest! {
        #[test]
        fn names_never_panic(name in proptest::collection::vec(0u8..=255, 0..40), at in 0usize..40) {
            let mut name = name;
            let at = at.min(name.len());
            name.splice(at..at, COMMON_NAME);
            let _ = attribute(&name, &COMMON_NAME);
        }
    }
}
