//! TLS to a server of this host, with its certificate checked as a client outside would.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::{Untrusted, is_bootstrap};
use super::{Passed, ProbeError, crypto};
use crate::host::Host;
use crate::root::Root;

/// Where Debian keeps the certificates of issuers, update-ca-certificates(8).
const ISSUERS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Whom to trust.
pub(super) enum Trust {
    /// These issuers, and these very certificates, which this program wrote.
    Checked {
        issuers: Arc<RootCertStore>,
        /// Self-signed certificates of the first day.
        bootstrap: Vec<CertificateDer<'static>>,
    },
    /// Everybody.
    Anything,
}

impl Host {
    /// The issuers that this host trusts: those of `$SSL_CERT_FILE`, or of Debian's usual file;
    /// read on first use.
    pub(super) fn issuers(&self) -> Result<Arc<RootCertStore>, ProbeError> {
        if let Some(known) = self.issuers.get() {
            return Ok(known.clone());
        }
        let path = issuers_path();
        let mut issuers = RootCertStore::empty();
        let (added, ignored) = issuers.add_parsable_certificates(certificates(self.root(), &path));
        tracing::debug!(path = %path.display(), added, ignored, "certificates of issuers");
        Ok(self.issuers.get_or_init(|| Arc::new(issuers)).clone())
    }
}

fn issuers_path() -> PathBuf {
    std::env::var_os("SSL_CERT_FILE").map_or_else(|| PathBuf::from(ISSUERS), PathBuf::from)
}

/// The certificates of a PEM file; none where it cannot be read, which then fails as a
/// certificate that nobody knows.
fn certificates(root: &Root, path: &Path) -> Vec<CertificateDer<'static>> {
    let content = root.read(path).ok().flatten().unwrap_or_default();
    CertificateDer::pem_slice_iter(&content).flatten().collect()
}

/// Of the certificates at `paths`, those that this program wrote.
pub(super) fn written_here(root: &Root, paths: &BTreeSet<PathBuf>) -> Vec<CertificateDer<'static>> {
    let first = |path: &PathBuf| certificates(root, path).into_iter().next();
    paths
        .iter()
        .filter_map(first)
        .filter(is_bootstrap)
        .collect()
}

/// Agrees on TLS over `stream`, with `host` as the server's name.
pub(super) async fn connect(
    stream: TcpStream,
    address: SocketAddr,
    host: &str,
    trust: Trust,
) -> Result<(TlsStream<TcpStream>, Passed), ProbeError> {
    let failed = |why: String| ProbeError::Tls { address, why };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
    let provider = Arc::new(crypto::provider());
    let verifier = Arc::new(Verifier::new(trust, &provider, host)?);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    match connector.connect(name, stream).await {
        Ok(stream) => Ok((stream, verifier.passed())),
        Err(error) => Err(match verifier.refused.get() {
            Some(why) => ProbeError::Certificate {
                host: host.to_owned(),
                why: why.clone(),
            },
            None => failed(error.to_string()),
        }),
    }
}

/// Checks as the library does, remembers why it refused, and lets the very certificates of the
/// first day pass.
#[derive(Debug)]
struct Verifier {
    host: String,
    /// `None`: everything passes.
    issuers: Option<Arc<WebPkiServerVerifier>>,
    bootstrap: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
    refused: OnceLock<Untrusted>,
    lenient: OnceLock<()>,
}

impl Verifier {
    fn new(trust: Trust, provider: &Arc<CryptoProvider>, host: &str) -> Result<Self, ProbeError> {
        let (issuers, bootstrap) = match trust {
            Trust::Checked { issuers, bootstrap } => (Some(issuers), bootstrap),
            Trust::Anything => (None, Vec::new()),
        };
        let check = |mut issuers: Arc<RootCertStore>| {
            // On a host without certificates of issuers, what this program wrote still passes.
            if issuers.is_empty() {
                Arc::make_mut(&mut issuers).add_parsable_certificates(bootstrap.clone());
            }
            WebPkiServerVerifier::builder_with_provider(issuers, provider.clone())
                .build()
                .map_err(|_| ProbeError::NoIssuers {
                    path: issuers_path(),
                })
        };
        Ok(Self {
            host: host.to_owned(),
            issuers: issuers.map(check).transpose()?,
            bootstrap,
            algorithms: provider.signature_verification_algorithms,
            refused: OnceLock::new(),
            lenient: OnceLock::new(),
        })
    }

    fn passed(&self) -> Passed {
        match self.lenient.get() {
            Some(()) => Passed::WithBootstrapCertificate,
            None => Passed::Well,
        }
    }

    /// Whether the certificate is one of the first day, and for this name.
    fn is_of_the_first_day(&self, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
        self.bootstrap.contains(certificate)
            && webpki::EndEntityCert::try_from(certificate)
                .is_ok_and(|parsed| parsed.verify_is_valid_for_subject_name(name).is_ok())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(issuers) = &self.issuers else {
            return Ok(ServerCertVerified::assertion());
        };
        let checked =
            issuers.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let refused = match &checked {
            Err(Error::InvalidCertificate(why)) => {
                Some(Untrusted::new(why, end_entity, &self.host))
            }
            _ => None,
        };
        let in_time = !refused.as_ref().is_some_and(Untrusted::is_about_time);
        if in_time && self.is_of_the_first_day(end_entity, server_name) {
            let _ = self.lenient.set(());
            return Ok(ServerCertVerified::assertion());
        }
        if let Some(why) = refused {
            let _ = self.refused.set(why);
        }
        checked
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
