//! URLs of requests.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An `http` or `https` URL with a host, as somebody outside would ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Url(http::Uri);

impl Url {
    /// Whether it is `https`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == Some(&http::uri::Scheme::HTTPS)
    }

    /// The host, in lower case; an IPv6 address without its brackets.
    pub fn host(&self) -> String {
        let host = self.0.host().unwrap_or_default();
        host.trim_matches(['[', ']']).to_lowercase()
    }

    /// The port: 443 and 80 when it names none.
    pub fn port(&self) -> u16 {
        let usual = if self.is_https() { 443 } else { 80 };
        self.0.port_u16().unwrap_or(usual)
    }

    /// The value of the Host header: the host, with the port if it is named.
    pub fn authority(&self) -> &str {
        self.0
            .authority()
            .map_or("", |authority| authority.as_str())
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Path and query: what a request asks for.
    pub fn target(&self) -> &str {
        self.0
            .path_and_query()
            .map_or("/", |target| target.as_str())
    }
}

/// Where a URL says who is asked.
fn host_of(url: &str) -> &str {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    behind.split(['/', '?', '#']).next().unwrap_or_default()
}

/// A URL as a browser sends it: what is beyond ASCII behind the host in percent-encoding, RFC 3987 section 3.1.
fn as_sent(url: &str) -> Cow<'_, str> {
    // A host has its own form.
    if url.is_ascii() || !host_of(url).is_ascii() {
        return Cow::Borrowed(url);
    }
    let mut sent = String::with_capacity(url.len());
    for byte in url.bytes() {
        match byte.is_ascii() {
            true => sent.push(char::from(byte)),
            false => sent.push_str(&format!("%{byte:02X}")),
        }
    }
    Cow::Owned(sent)
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no = || {
            let whole = text.contains("://") || text.starts_with(['/', '-']) || text.is_empty();
            let hint = match whole {
                true if !host_of(text).is_ascii() => {
                    ": write the host in its form that begins with xn--"
                }
                true => "",
                false => &format!(": write https://{text}"),
            };
            format!("{text:?} is no http or https URL with a host{hint}")
        };
        let uri: http::Uri = as_sent(text).parse().map_err(|_| no())?;
        let authority = uri.authority().ok_or_else(no)?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        // One that is too large counts as none.
        let after_host = authority.as_str().strip_prefix(authority.host());
        let port = after_host.is_some_and(|port| port.is_empty() || authority.port_u16() > Some(0));
        match known && port && !authority.host().is_empty() {
            true => Ok(Self(uri)),
            false => Err(no()),
        }
    }
}

impl TryFrom<String> for Url {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Url> for String {
    fn from(url: Url) -> Self {
        url.0.to_string()
    }
}

/// For people and logs: what a query's parameters are set to may be a secret.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        write!(f, "{scheme}://{}{}", self.authority(), self.path())?;
        let mut before = '?';
        for parameter in self
            .0
            .query()
            .into_iter()
            .flat_map(|query| query.split('&'))
        {
            match parameter.split_once('=') {
                Some((name, _)) => write!(f, "{before}{name}=***")?,
                None => write!(f, "{before}{parameter}")?,
            }
            before = '&';
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<String> {
        let url: Url = text.parse().ok()?;
        Some(format!(
            "{} {} {} {} {} {}",
            url.is_https(),
            url.host(),
            url.port(),
            url.authority(),
            url.path(),
            url.target()
        ))
    }

    #[test]
    fn parts_of_urls() {
        for (text, expected) in [
            (
                "https://API.example.org/a/health?x=1",
                Some("true api.example.org 443 API.example.org /a/health /a/health?x=1"),
            ),
            (
                "http://localhost:8015",
                Some("false localhost 8015 localhost:8015 / /"),
            ),
            ("https://[::1]:8443/", Some("true ::1 8443 [::1]:8443 / /")),
            (
                "http://127.0.0.1/",
                Some("false 127.0.0.1 80 127.0.0.1 / /"),
            ),
            ("https:///x", None),
            ("https://user@host/", None),
            ("https://host:99999/", None),
            ("https://host:0/", None),
            ("https://host:/", None),
            ("ftp://host/", None),
            ("/path", None),
            ("https://ホスト/", None),
            ("https://host/a b", None),
            (
                "https://host/日?x=é",
                Some("true host 443 host /%E6%97%A5 /%E6%97%A5?x=%C3%A9"),
            ),
        ] {
            assert_eq!(parts(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_told_how_it_would_be_one() {
        for (text, expected) in [
            (
                "a.test/x",
                "\"a.test/x\" is no http or https URL with a host: write https://a.test/x",
            ),
            (
                "https://日本.test/",
                "\"https://日本.test/\" is no http or https URL with a host: write the host in its form that begins with xn--",
            ),
            (
                "ftp://a/",
                "\"ftp://a/\" is no http or https URL with a host",
            ),
        ] {
            assert_eq!(text.parse::<Url>().unwrap_err(), expected);
        }
    }

    #[test]
    fn values_of_a_query_are_not_shown() {
        for (text, shown) in [
            (
                "https://a.test/b?token=s3cret&x=&y",
                "https://a.test/b?token=***&x=***&y",
            ),
            ("http://a.test:80/b", "http://a.test:80/b"),
            ("http://a.test", "http://a.test/"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(String::from(url.clone()).parse::<Url>().unwrap(), url);
        }
    }
}
