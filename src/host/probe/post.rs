//! One POST over HTTP/1.1, to a server anywhere.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::tls::{self, Trust};
use super::{ProbeError, http};
use crate::host::Host;
use crate::model::Url;

/// What a server said.
pub(crate) struct Posted {
    pub status: u16,
    /// The first line of its answer, where it is short.
    pub said: Option<String>,
}

impl Host {
    /// Posts a body to `url`. Certificates are verified; a redirect is not followed.
    pub(in crate::host) async fn post(
        &self,
        url: &Url,
        headers: &[(&str, String)],
        body: String,
    ) -> Result<Posted, ProbeError> {
        let host = url.host();
        let resolved = tokio::net::lookup_host((host.as_str(), url.port())).await;
        let resolved = resolved.map_err(|why| ProbeError::Http(format!("{host}: {why}")))?;
        let mut failed = None;
        for address in resolved {
            match TcpStream::connect(address).await {
                // The first is what the host prefers; the others often only say that there is no IPv6.
                Err(why) => {
                    failed.get_or_insert(ProbeError::Connect { address, why });
                }
                Ok(stream) if url.is_https() => {
                    let trust = Trust::Checked {
                        issuers: self.issuers()?,
                        bootstrap: Vec::new(),
                    };
                    let (stream, _) = tls::connect(stream, address, &host, trust).await?;
                    return send(stream, url, headers, body).await;
                }
                Ok(stream) => return send(stream, url, headers, body).await,
            }
        }
        Err(failed.unwrap_or_else(|| ProbeError::Http(format!("{host} has no address"))))
    }
}

async fn send<S>(
    stream: S,
    url: &Url,
    headers: &[(&str, String)],
    body: String,
) -> Result<Posted, ProbeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = Request::post(url.target())
        .header(header::HOST, url.authority())
        .header(header::USER_AGENT, http::AGENT)
        .header(header::CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| ProbeError::Http(error.to_string()))?;
    http::exchange(stream, request, async |response| {
        let status = response.status().as_u16();
        let said = http::first_line(response.into_body()).await;
        Ok(Posted { status, said })
    })
    .await
}
