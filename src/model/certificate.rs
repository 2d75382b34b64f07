//! Certificates of sites, as they lie on a host and as nginx serves them.

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;

/// A certificate to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchedCertificate {
    /// Its PEM file.
    pub path: PathBuf,
    /// A name that it is served for, if one is plain.
    pub name: Option<String>,
    /// Where it may be served, the likeliest first.
    pub addresses: Vec<SocketAddr>,
}

/// What is known of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateState {
    /// Until when it is good; `None`: it could not be read.
    pub not_after: Option<Timestamp>,
    /// The name for which nginx serves another one, although this one came after nginx loaded its own.
    pub stale_for: Option<String>,
}

impl CertificateState {
    /// Whole days that are left, less than none when it has expired.
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        let left = self.not_after?.duration_since(now).as_secs();
        Some(left.div_euclid(24 * 60 * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_ones() {
        let now = Timestamp::UNIX_EPOCH;
        let left = |seconds| {
            let state = CertificateState {
                not_after: Timestamp::from_second(seconds).ok(),
                stale_for: None,
            };
            state.days_left(now)
        };
        assert_eq!(left(86_400), Some(1));
        assert_eq!(left(86_399), Some(0));
        assert_eq!(left(-1), Some(-1));
        assert_eq!(CertificateState::default().days_left(now), None);
    }
}
