//! nginx sites: their file, their two links, the certificates that they name.

use std::path::{Path, PathBuf};

use crate::effect::Effect;
use crate::model::shell::word;
use crate::model::{Certificate, Entry, Kind, ResourceId, Site, layout};
use crate::plan::draft::{self, Draft, Stage, change};
use crate::plan::files;

/// Lines that certbot writes into a site end so; certbot's nginx plugin, `constants.py`.
const CERTBOT: &str = "# managed by Certbot";

pub(super) fn plan(draft: &mut Draft<'_>) {
    let desired = draft.desired;
    for (name, site) in &desired.sites {
        let id = ResourceId::new(Kind::Site, name);
        if refuse_certbot(draft, &id, name, site) {
            keep_links(draft, &id, name, site);
            continue;
        }
        if desired.bootstrap_certificates {
            for certificate in &site.certificates {
                bootstrap(draft, &id, certificate);
            }
        }
        plan_site(draft, &id, name, site);
    }
}

fn plan_site(draft: &mut Draft<'_>, id: &ResourceId, name: &str, site: &Site) {
    let stored = PathBuf::from(layout::store::SITES).join(name);
    let available = layout::site_available(name);
    let live = layout::live(&stored);
    let changed = files::store(draft, id, &stored, &site.file, &available);
    let file = Some((&site.file, changed));
    files::link(draft, id, available, live.clone(), &live, file);
    let enabled = layout::site_enabled(name);
    if site.enabled {
        let target = Path::new("../sites-available").join(name);
        files::link(draft, id, enabled, target, &live, file);
    } else {
        files::remove(
            draft,
            Stage::Switch,
            id,
            &enabled,
            "the site is not enabled",
        );
    }
}

/// A refused site keeps its links: they are wanted, whatever they lead to.
fn keep_links(draft: &mut Draft<'_>, id: &ResourceId, name: &str, site: &Site) {
    draft
        .wanted
        .insert(layout::site_available(name), id.clone());
    if site.enabled {
        draft.wanted.insert(layout::site_enabled(name), id.clone());
    }
}

/// Refuses a site that would lose what certbot wrote into it.
fn refuse_certbot(draft: &mut Draft<'_>, id: &ResourceId, name: &str, site: &Site) -> bool {
    let observed = draft.observed;
    let live = [layout::site_available(name), layout::site_enabled(name)]
        .into_iter()
        .find_map(|path| observed.content(&path).map(|content| (path, content)));
    let Some((path, content)) = live else {
        return false;
    };
    let live = String::from_utf8_lossy(content);
    let wanted = String::from_utf8_lossy(&site.file.content);
    let lost: Vec<&str> = live
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(CERTBOT) && !wanted.lines().any(|kept| kept.trim() == *line))
        .collect();
    if lost.is_empty() {
        return false;
    }
    let source = &site.file.source;
    let applied = draft.recorded.applied.as_ref();
    let recorded = applied.and_then(|(record, _)| record.origin.repository.as_ref());
    let checkout = draft.checkouts.first();
    let checkout = checkout.or(recorded.map(|repository| &repository.checkout));
    let target = checkout.map_or_else(|| source.clone(), |checkout| checkout.join(source));
    // What was applied tells the edit from what git has got since.
    let is_applied = (draft.recorded.desired()).is_some_and(|one| one.sites.contains_key(name));
    let (what, command) = match is_applied {
        true => ("take", format!("sudo watchme-apply capture {id}")),
        false => (
            "copy",
            format!(
                "sudo cat {} > {}",
                word(&path.to_string_lossy()),
                word(&target.to_string_lossy())
            ),
        ),
    };
    let mut help = vec![
        format!("{what} what the host has into the checkout, review it, and commit it:"),
        format!("    {command}"),
        "these lines would be lost:".to_owned(),
    ];
    help.extend(lost.iter().map(|line| format!("    {line}")));
    let wanted = Some(&*site.file.content);
    let diff = draft::diff(&path, Some(content), source, wanted);
    draft.refuse_loss(
        id.clone(),
        format!(
            "certbot wrote {} line{} into {} that the desired state lacks",
            lost.len(),
            if lost.len() == 1 { "" } else { "s" },
            layout::site_available(name).display()
        ),
        help,
        diff,
    );
    true
}

/// A self-signed pair where neither file exists; an existing file is never replaced.
fn bootstrap(draft: &mut Draft<'_>, id: &ResourceId, pair: &Certificate) {
    let missing = |path: &Path| *draft.observed.entry(path) == Entry::Missing;
    match (missing(&pair.certificate), missing(&pair.key)) {
        (true, true) if draft.observed.nginx.is_none() => {
            // A key that is baked into an image would be the key of every machine made of it.
            let text = "no certificate on an offline root: the first apply on the host writes one";
            draft.note(id.clone(), None, text);
        }
        (true, true) => {
            if draft.changes_certificate(pair) {
                return;
            }
            let why = "no certificate yet: a self-signed one until a real one is issued";
            draft.change(
                Stage::Certificates,
                change(id.clone(), Effect::WriteCertificate(pair.clone()), why),
            );
        }
        (false, false) => {}
        (certificate_missing, _) => {
            let (there, gone) = match certificate_missing {
                true => (&pair.key, &pair.certificate),
                false => (&pair.certificate, &pair.key),
            };
            draft.refuse(
                id.clone(),
                format!("{} exists and {} does not", there.display(), gone.display()),
                vec!["bring the missing half back, or move both away".to_owned()],
            );
        }
    }
}

impl Draft<'_> {
    fn changes_certificate(&self, pair: &Certificate) -> bool {
        self.any_action(|action| matches!(action, Effect::WriteCertificate(other) if other.certificate == pair.certificate))
    }
}
