//! When nginx has to load its configuration, and when a reload does not suffice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::effect::{Change, Effect};
use crate::model::{Desired, DriftKind, Kind, Listen, ResourceId, layout};
use crate::plan::draft::{Draft, Stage, change};
use crate::plan::loaded;

pub(super) fn plan(draft: &mut Draft<'_>) {
    let Some(nginx) = &draft.observed.nginx else {
        return;
    };
    let id = ResourceId::new(Kind::Site, "nginx");
    let touches_nginx = |path: &Path, stored: bool| match stored {
        true => {
            path.starts_with(layout::store::SITES)
                || path.starts_with(Path::new(layout::store::ETC).join("nginx"))
        }
        false => path.starts_with(layout::NGINX),
    };
    let changes = draft.any_path(touches_nginx)
        || draft.any_action(|action| matches!(action, Effect::WriteCertificate(_)));
    let Some(master) = &nginx.master else {
        if !draft.desired.sites.is_empty() && draft.selects_kind(Kind::Site) {
            let planned = change(id, Effect::StartNginx, "nginx does not run");
            draft.derived(Stage::Nginx, planned);
        }
        return;
    };
    let loaded = draft.desired.sites.is_empty()
        || !draft.selects_kind(Kind::Site)
        || loaded::is_loaded(
            &draft.inputs,
            draft.recorded.loaded.nginx.as_ref(),
            master,
            nginx.started,
            &loaded::nginx_hash(draft.desired),
        );
    let stale = stale(draft);
    let (why, drift) = match (changes, loaded, stale) {
        (true, ..) => ("sites changed".to_owned(), DriftKind::Drifted),
        (false, false, _) => (
            "nginx has not loaded the current sites".to_owned(),
            DriftKind::Unloaded,
        ),
        (false, true, Some(stale)) => (stale, DriftKind::Unloaded),
        (false, true, None) => return,
    };
    let applied = draft.recorded.desired();
    let planned = match applied.and_then(|applied| beyond_reload(applied, draft.desired)) {
        Some(why) => change(id, Effect::RestartNginx, why),
        None => change(id, Effect::ReloadNginx, why),
    };
    draft.derived(Stage::Nginx, Change { drift, ..planned });
}

/// A certificate that was renewed while nginx serves the one from before.
fn stale(draft: &Draft<'_>) -> Option<String> {
    let enabled =
        draft.desired.sites.iter().filter(|(name, site)| {
            site.enabled && draft.selects(&ResourceId::new(Kind::Site, *name))
        });
    let mut pairs = enabled.flat_map(|(_, site)| &site.certificates);
    pairs.find_map(|pair| {
        let path = &pair.certificate;
        let name = draft.observed.certificates.get(path)?.stale_for.as_ref()?;
        Some(format!(
            "{} was renewed, and nginx serves {name} with the certificate from before",
            path.display()
        ))
    })
}

/// What of `desired` no reload loads while nginx runs with `applied`.
fn beyond_reload(applied: &Desired, desired: &Desired) -> Option<String> {
    let (before, after) = (zones(applied), zones(desired));
    for (key, fixed) in &after {
        let (kind, name, _) = key;
        if before.get(key).is_some_and(|before| before != fixed) {
            return Some(format!(
                "{kind} {name} has another key or path, which a reload does not load"
            ));
        }
    }
    let (before, after) = (sockets(applied), sockets(desired));
    for (port, sockets) in &after {
        if before
            .get(port)
            .is_some_and(|before| !is_reloadable(before, sockets))
        {
            return Some(format!(
                "other addresses of port {port}, which a reload does not bind"
            ));
        }
    }
    None
}

type Zones<'a> = BTreeMap<(&'a str, &'a str, u64), &'a str>;

/// Zones of everything that nginx reads, wherever it is, with what a reload keeps.
fn zones(desired: &Desired) -> Zones<'_> {
    let enabled = desired.sites.values().filter(|site| site.enabled);
    let zones = enabled.flat_map(|site| &site.zones);
    zones
        .chain(desired.etc.values().flat_map(|etc| &etc.zones))
        .map(|zone| ((&*zone.kind, &*zone.name, zone.size), &*zone.fixed))
        .collect()
}

/// The sockets of each port.
fn sockets(desired: &Desired) -> BTreeMap<u16, BTreeSet<&Listen>> {
    let mut sockets: BTreeMap<u16, BTreeSet<&Listen>> = BTreeMap::new();
    for site in desired.sites.values().filter(|site| site.enabled) {
        for listen in &site.listens {
            sockets.entry(listen.port).or_default().insert(listen);
        }
    }
    sockets
}

/// nginx binds new sockets before it closes old ones: one for all addresses cannot be bound beside
/// one for a single address, and a socket keeps its `ipv6only`.
fn is_reloadable(before: &BTreeSet<&Listen>, after: &BTreeSet<&Listen>) -> bool {
    let is_wide = |sockets: &BTreeSet<&Listen>, family: fn(&Listen) -> bool| {
        let mut of_family = sockets.iter().filter(|listen| family(listen)).peekable();
        of_family.peek()?;
        Some(of_family.any(|listen| matches!(listen.address.as_str(), "*" | "[::]")))
    };
    let is_v6 = |listen: &Listen| listen.address.starts_with('[');
    let is_v4 = |listen: &Listen| !listen.address.starts_with('[');
    let same = |before: Option<bool>, after: Option<bool>| {
        before
            .zip(after)
            .is_none_or(|(before, after)| before == after)
    };
    // The one of IPv6 that takes IPv4's place as well.
    let dual = |sockets: &BTreeSet<&Listen>| {
        sockets
            .iter()
            .any(|listen| listen.address == "[::]" && listen.ipv6only == Some(false))
    };
    same(is_wide(before, is_v4), is_wide(after, is_v4))
        && same(is_wide(before, is_v6), is_wide(after, is_v6))
        && dual(before) == dual(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Site, Zone};

    fn listening(sockets: &[(&str, Option<bool>)]) -> Desired {
        let listens = sockets.iter().map(|(address, ipv6only)| Listen {
            port: 80,
            address: (*address).to_owned(),
            ipv6only: *ipv6only,
        });
        let site = Site {
            enabled: true,
            listens: listens.collect(),
            ..Site::default()
        };
        Desired {
            sites: BTreeMap::from([("a".to_owned(), site)]),
            ..Desired::default()
        }
    }

    fn limiting(key: &str, size: u64, site: &str) -> Desired {
        let zone = Zone {
            kind: "limit_req_zone".to_owned(),
            name: "api".to_owned(),
            size,
            fixed: key.to_owned(),
        };
        let limited = Site {
            enabled: true,
            zones: vec![zone],
            ..Site::default()
        };
        Desired {
            sites: BTreeMap::from([(site.to_owned(), limited)]),
            ..Desired::default()
        }
    }

    /// Each line was tried on nginx 1.22.
    #[test]
    fn zones_that_a_reload_keeps() {
        let before = limiting("$remote_addr", 1 << 20, "a");
        let why = |after: Desired| beyond_reload(&before, &after);
        assert_eq!(why(limiting("$remote_addr", 1 << 20, "a")), None);
        assert_eq!(
            why(limiting("$server_name", 1 << 20, "a")).as_deref(),
            Some("limit_req_zone api has another key or path, which a reload does not load")
        );
        assert!(why(limiting("$server_name", 1 << 20, "moved")).is_some());
        assert_eq!(
            why(limiting("$server_name", 2 << 20, "a")),
            None,
            "another size is another zone"
        );
        assert_eq!(why(Desired::default()), None);
    }

    /// Each line was tried on nginx 1.22.
    #[test]
    fn sockets_that_a_reload_keeps() {
        let reloads = |before: &[(&str, Option<bool>)], after: &[(&str, Option<bool>)]| {
            beyond_reload(&listening(before), &listening(after)).is_none()
        };
        let (all, one, v6) = (("*", None), ("127.0.0.1", None), ("[::]", None));
        assert!(reloads(&[all], &[all]));
        assert!(reloads(&[all], &[all, v6]));
        assert!(!reloads(&[one], &[all]));
        assert!(!reloads(&[all], &[one]));
        assert!(!reloads(&[one], &[one, all]));
        assert!(reloads(&[one], &[one, ("127.0.0.2", None)]));
        assert!(!reloads(&[all], &[("[::]", Some(false))]));
        assert!(!reloads(&[v6], &[("[::]", Some(false))]));
        assert!(reloads(&[v6], &[("[::]", Some(true))]));
    }
}
