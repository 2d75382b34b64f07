//! Certificates of sites: until when they are good, and whether nginx serves the ones that lie there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::Host;
use super::probe::{not_after, served};
use crate::model::{CertificateState, Observed, WatchedCertificate};

/// How long nginx has for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(2);
/// How long nginx has to exchange its workers: `systemctl reload` returns when the signal is sent.
const RELOAD: Duration = Duration::from_secs(2);
/// How often nginx is asked meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// When a process started is known to the second.
const CLOCKS: SignedDuration = SignedDuration::from_secs(2);

impl Host {
    /// Looks at certificates whose files `observed` has. nginx is asked only for those that came after its workers
    /// started: the others it has loaded.
    pub(super) async fn observe_certificates(
        &self,
        watched: &BTreeSet<WatchedCertificate>,
        observed: &mut Observed,
    ) {
        let mut found: BTreeMap<PathBuf, CertificateState> = BTreeMap::new();
        let loaded = observed.nginx.as_ref().and_then(|nginx| nginx.loaded);
        let until = Instant::now() + RELOAD;
        for one in watched {
            let state = found.entry(one.path.clone()).or_default();
            let Some(content) = observed.content(&one.path) else {
                continue;
            };
            state.not_after = not_after(content);
            if let (Some(name), Some(loaded)) = (&one.name, loaded)
                && is_newer(observed, &one.path, loaded)
            {
                let of_name = watched.iter().filter(|other| other.name == one.name);
                let files: Vec<&[u8]> = of_name
                    .filter_map(|other| observed.content(&other.path))
                    .map(|content| &**content)
                    .collect();
                if goes_on_serving_another(one, name, &files, until).await {
                    state.stale_for = Some(name.clone());
                }
            }
        }
        observed.certificates = found;
    }
}

/// As [`serves_another`], asked until a reload that somebody just asked for is done.
async fn goes_on_serving_another(
    one: &WatchedCertificate,
    name: &str,
    files: &[&[u8]],
    until: Instant,
) -> bool {
    while serves_another(one, name, files).await {
        if Instant::now() > until {
            return true;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    false
}

/// Whether nginx serves a certificate for a name that is in none of the files for that name: a server may have one
/// for each kind of key.
async fn serves_another(one: &WatchedCertificate, name: &str, files: &[&[u8]]) -> bool {
    for address in &one.addresses {
        let answer = tokio::time::timeout(HANDSHAKE, served(*address, name, files)).await;
        if let Ok(Some(is_one_of_them)) = answer {
            return !is_one_of_them;
        }
    }
    false
}

fn is_newer(observed: &Observed, path: &Path, loaded: Timestamp) -> bool {
    let limit = loaded.checked_add(CLOCKS).unwrap_or(loaded);
    observed
        .modified(path)
        .is_some_and(|modified| modified > limit)
}
