//! What must hold of every plan: carried out, it leads to the desired state, and then there is
//! nothing to do.

use std::path::PathBuf;

use proptest::prelude::*;

use super::{applied, file, planned, record, simulate, site, unit};
use crate::model::*;

/// Some desired state out of a few names and contents, so that two of them overlap.
fn some_desired() -> impl Strategy<Value = Desired> {
    let names = ["a", "b", "c"];
    let sites = proptest::collection::btree_map(
        proptest::sample::select(names.to_vec()),
        (0..3u8, any::<bool>()),
        0..3,
    );
    let units = proptest::collection::btree_map(
        proptest::sample::select(names.to_vec()),
        (0..3u8, any::<bool>()),
        0..3,
    );
    let etc = proptest::collection::btree_map(
        proptest::sample::select(names.to_vec()),
        (0..3u8, any::<bool>()),
        0..3,
    );
    (sites, units, etc).prop_map(|(sites, units, etc)| Desired {
        sites: sites
            .into_iter()
            .map(|(name, (text, enabled))| {
                (
                    name.to_owned(),
                    Site {
                        enabled,
                        ..site(&format!("site {text}"))
                    },
                )
            })
            .collect(),
        units: units
            .into_iter()
            .map(|(name, (text, start))| {
                let name = format!("{name}.service");
                let mut unit = unit(&name, &format!("unit {text}"));
                if !start {
                    unit.start = false;
                    unit.install = Install::default();
                }
                (name, unit)
            })
            .collect(),
        etc: etc
            .into_iter()
            .map(|(name, (text, link))| {
                let etc = EtcFile {
                    validate: None,
                    zones: Vec::new(),
                    upstreams: Default::default(),
                    file: file(&format!("etc/{name}"), &format!("etc {text}")),
                    link,
                    mode: 0o644,
                    owner: "root:root".into(),
                    action: None,
                };
                (PathBuf::from(name), etc)
            })
            .collect(),
        ..Desired::default()
    })
}

proptest! {
    #[test]
    fn once_applied_nothing_is_left(first in some_desired(), second in some_desired()) {
        let (observed, recorded) = applied(&first);
        prop_assert_eq!(planned(&first, &observed, &recorded).changes, vec![]);
        let plan = planned(&second, &observed, &recorded);
        let after = simulate(&plan, &observed);
        let recorded = record(&second, &after, &recorded);
        prop_assert_eq!(planned(&second, &after, &recorded).changes, vec![]);
    }

    #[test]
    fn what_is_wanted_is_what_stands_there(first in some_desired(), second in some_desired()) {
        let (observed, recorded) = applied(&first);
        let after = simulate(&planned(&second, &observed, &recorded), &observed);
        for (name, site) in &second.sites {
            let served = after.content(&layout::site_enabled(name));
            let wanted = site.enabled.then_some(&site.file.content);
            prop_assert_eq!(served, wanted);
        }
        for (path, etc) in &second.etc {
            prop_assert_eq!(after.content(&layout::etc(path)), Some(&etc.file.content));
        }
        for name in first.sites.keys().filter(|name| !second.sites.contains_key(*name)) {
            prop_assert_eq!(after.entry(&layout::site_available(name)), &Entry::Missing);
        }
        for name in first.units.keys().filter(|name| !second.units.contains_key(*name)) {
            prop_assert_eq!(after.entry(&layout::unit(name)), &Entry::Missing);
            let state = after.systemd.as_ref().unwrap().units.get(name);
            prop_assert!(state.is_none_or(|state| !state.is_active()));
        }
    }
}
