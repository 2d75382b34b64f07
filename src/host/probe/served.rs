//! Which certificate a server of this host serves, and until when one is good.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use super::tls::Trust;
use super::{connect, crypto, tls};

/// The year 9999, after which no certificate is good.
const NEVER: Duration = Duration::from_secs(253_402_300_799);

/// The server's own certificate in a PEM file: the first one.
fn first(pem: &[u8]) -> Option<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).next()?.ok()
}

/// Until when the first certificate of a PEM file is good. `None`: it cannot be read.
pub(in crate::host) fn not_after(pem: &[u8]) -> Option<Timestamp> {
    let certificate = first(pem)?;
    let parsed = EndEntityCert::try_from(&certificate).ok()?;
    let algorithms = crypto::provider().signature_verification_algorithms;
    // The library tells the date only to one who comes too late, before it looks at anything else.
    let late = UnixTime::since_unix_epoch(NEVER);
    let verified = parsed.verify_for_usage(
        algorithms.all,
        &[],
        &[],
        late,
        KeyUsage::server_auth(),
        None,
        None,
    );
    match verified.err()? {
        webpki::Error::CertExpired { not_after, .. } => {
            let seconds = i64::try_from(not_after.as_secs()).ok()?;
            Timestamp::from_second(seconds).ok()
        }
        _ => None,
    }
}

/// Whether the certificate that is served for `name` is the first one of one of these PEM files. `None`: nobody
/// speaks TLS there.
pub(in crate::host) async fn served(
    address: SocketAddr,
    name: &str,
    files: &[&[u8]],
) -> Option<bool> {
    let stream = connect(address).await.ok()?;
    let answer = tls::connect(stream, address, name, Trust::Anything).await;
    let (stream, _) = answer.ok()?;
    let (_, session) = stream.get_ref();
    let served = session.peer_certificates()?.first()?;
    Some(files.iter().any(|pem| first(pem).as_ref() == Some(served)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_has_no_end() {
        assert_eq!(not_after(b""), None);
        assert_eq!(
            not_after(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            None
        );
        assert_eq!(not_after(b"-----BEGIN CERTIFICATE-----\n"), None);
    }

    #[test]
    fn the_end_of_a_certificate() {
        let pair = crate::host::self_signed::self_signed(&[]).unwrap();
        let end = not_after(pair.certificate.as_bytes()).unwrap();
        let left = end.duration_since(Timestamp::now()).as_secs();
        assert!((90 * 86_400 - 60..=90 * 86_400).contains(&left), "{left}");
    }
}
