//! An active ufw, driven: it has the rules about ports of the host, one by one; our table has those about published ports,
//! which pass ufw by. Only rules with our comment are ever deleted.

use std::collections::BTreeSet;
use std::path::Path;

use super::refuse;
use crate::effect::Effect;
use crate::model::{
    DriftKind, Entry, Firewall, ResourceId, UfwLine, UfwMode, UfwRule, joined, layout, ufw_lines,
};
use crate::plan::draft::{Draft, Stage, change};

/// Plans the rules of ufw. Where it is not driven, none is ours.
pub(super) fn plan(draft: &mut Draft<'_>, id: &ResourceId, firewall: &Firewall) {
    let is_driven = firewall.ufw == UfwMode::Drive;
    let wanted: BTreeSet<UfwRule> = match is_driven {
        true => firewall.ufw_rules().into_iter().collect(),
        false => BTreeSet::new(),
    };
    let Some(lines) = lines(draft) else {
        return;
    };
    let there: BTreeSet<UfwRule> = lines.iter().filter_map(|line| line.rule.clone()).collect();
    for rule in wanted.difference(&there) {
        let effect = Effect::AllowInUfw(rule.clone());
        let add = change(id.clone(), effect, "ufw does not have it");
        draft.change(Stage::Etc, add);
    }
    let ours = lines.iter().filter(|line| line.ours);
    let ours: BTreeSet<UfwRule> = ours.filter_map(|line| line.rule.clone()).collect();
    let surplus: Vec<UfwRule> = ours.difference(&wanted).cloned().collect();
    if is_driven && !surplus.is_empty() {
        refuse::deletion(draft, id, firewall);
    }
    for rule in surplus {
        let why = "[firewall.allow] does not have it any more";
        let delete = change(id.clone(), Effect::DeleteInUfw(rule), why);
        draft.change(Stage::Etc, delete);
    }
    if is_driven {
        note_others(draft, id, firewall, &lines, &wanted);
    }
}

/// Rules of others about ports that are named: more or fewer reach them than `[firewall.allow]` says.
fn note_others(
    draft: &mut Draft<'_>,
    id: &ResourceId,
    firewall: &Firewall,
    lines: &[UfwLine],
    wanted: &BTreeSet<UfwRule>,
) {
    let is_other = |line: &&UfwLine| {
        let is_wanted = line.rule.as_ref().is_some_and(|rule| wanted.contains(rule));
        let interface = line.interface.as_deref();
        let is_trusted = interface.is_some_and(|name| firewall.trusts(name));
        !line.ours && !is_wanted && !is_trusted
    };
    let others: Vec<&UfwLine> = lines.iter().filter(is_other).collect();
    for opening in &firewall.openings {
        let about = others.iter();
        let about =
            about.filter(|line| line.touches(opening.transport, opening.first, opening.last));
        let about: BTreeSet<&str> = about.map(|line| line.text.as_str()).collect();
        if !about.is_empty() {
            let text = format!(
                "ufw has rules of others about {opening}, so that watchme.toml alone does not say who reaches it: {}; see ufw \
                 status numbered, and delete them with ufw delete NUMBER",
                joined(about, "; ")
            );
            draft.note(id.clone(), Some(DriftKind::Drifted), text);
        }
    }
}

/// What is ours in ufw goes with `[firewall]`.
pub(super) fn retire(draft: &mut Draft<'_>, id: &ResourceId) {
    let lines = lines(draft).unwrap_or_default().into_iter();
    let ours = lines.filter(|line| line.ours);
    let ours: BTreeSet<UfwRule> = ours.filter_map(|line| line.rule).collect();
    for rule in ours {
        let effect = Effect::DeleteInUfw(rule);
        let delete = change(id.clone(), effect, "left the desired state");
        draft.change(Stage::Retire, delete);
    }
}

/// The rules that ufw has; `None` where they were not looked at.
fn lines(draft: &Draft<'_>) -> Option<Vec<UfwLine>> {
    let observed = draft.observed;
    let state = observed.firewall.as_ref();
    let looked = state.is_some_and(|state| !state.simulated && state.silent.is_none());
    let files = || layout::UFW_RULES.iter().map(Path::new);
    let mut entries = files().map(|path| observed.entry(path));
    if !looked || entries.any(|entry| *entry == Entry::Unreadable) {
        return None;
    }
    let texts = files().filter_map(|path| observed.content(path));
    let lines = texts.flat_map(|content| ufw_lines(&String::from_utf8_lossy(content)));
    Some(lines.collect())
}
