//! Certificates that are about to end. Nothing of ours renews them.

use crate::model::{DriftKind, Kind, ResourceId};
use crate::plan::draft::Draft;

/// certbot renews 30 days before the end: one with less than this is not renewed any more.
const DAYS: i64 = 14;

pub(super) fn plan(draft: &mut Draft<'_>) {
    let now = draft.now;
    for (name, site) in &draft.desired.sites {
        if !site.enabled {
            continue;
        }
        let id = ResourceId::new(Kind::Site, name);
        let mut told = std::collections::BTreeSet::new();
        for pair in &site.certificates {
            let path = &pair.certificate;
            let known = draft.observed.certificates.get(path);
            let Some(state) = known.filter(|_| told.insert(path)) else {
                continue;
            };
            let Some((end, left)) = state.not_after.zip(state.days_left(now)) else {
                continue;
            };
            let text = match left {
                DAYS.. => continue,
                left if left < 0 => {
                    format!("its certificate {} expired at {end}", path.display())
                }
                1 => format!("its certificate {} expires within 1 day", path.display()),
                left => format!("its certificate {} expires in {left} days", path.display()),
            };
            let text = format!("{text}: certbot renew; certbot certificates");
            draft.note(id.clone(), Some(DriftKind::Degraded), text);
        }
    }
}
