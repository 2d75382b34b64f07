//! Self-signed certificates, for a site whose certificate nobody has issued yet, and for validation in place of the host's keys.

use std::time::{Duration, SystemTime};

use base64::prelude::{BASE64_STANDARD, Engine};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};

use super::error::HostError;
use crate::model::layout;

/// How long one is valid: long enough to get a real one.
const VALID: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A key and its certificate, as PEM.
#[derive(Clone, Debug)]
pub(crate) struct SelfSigned {
    /// The private key.
    pub key: String,
    pub certificate: String,
}

/// Makes a key and a certificate for `names`, or for localhost.
///
/// # Errors
/// When a name cannot be in a certificate.
pub(crate) fn self_signed(names: &[String]) -> Result<SelfSigned, HostError> {
    let name = names.first().map_or("localhost", String::as_str);
    let make = || -> Result<SelfSigned, rcgen::Error> {
        let names = match names {
            [] => vec![name.to_owned()],
            names => names.to_vec(),
        };
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        let subject = &mut params.distinguished_name;
        subject.push(DnType::OrganizationName, layout::BOOTSTRAP_ORGANISATION);
        // RFC 5280, ub-common-name; who checks a certificate reads the other names.
        if name.len() <= 64 {
            subject.push(DnType::CommonName, name);
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        params.not_before = date_time_ymd(1970, 1, 1) + now.unwrap_or_default();
        params.not_after = params.not_before + VALID;
        let key = KeyPair::generate()?;
        Ok(SelfSigned {
            certificate: pem("CERTIFICATE", params.self_signed(&key)?.der()),
            key: pem("PRIVATE KEY", &key.serialize_der()),
        })
    };
    make().map_err(|source| HostError::Certificate {
        name: name.to_owned(),
        source,
    })
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::sign::CertifiedKey;

    use super::*;

    #[test]
    fn a_pair_that_fits_for_each_name() {
        let long = format!("{}.example.com", "a".repeat(60));
        let names = ["api.example.com", "*.example.org", &long].map(str::to_owned);
        let pair = self_signed(&names).unwrap();
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let parsed = webpki::EndEntityCert::try_from(&certificate).unwrap();
        for name in ["api.example.com", "www.example.org", &long] {
            let name = ServerName::try_from(name).unwrap();
            parsed.verify_is_valid_for_subject_name(&name).unwrap();
        }
        let pair = CertifiedKey::new(vec![certificate.clone()], key);
        pair.keys_match().unwrap();
    }

    #[test]
    fn a_name_that_cannot_be_in_a_certificate() {
        let error = self_signed(&["bücher.example.com".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("bücher.example.com"), "{error}");
    }
}
