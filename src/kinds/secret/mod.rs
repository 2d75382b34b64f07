//! Secrets: encrypted in the checkout and in generations, decrypted in memory on the host, and nowhere else.

mod boot;
pub(crate) mod data;
pub(crate) mod read;
#[cfg(test)]
mod tests;

use super::{Asked, ResourceKind, Unwanted};
use crate::effect::Effect;
use crate::model::{Desired, Kind, ResourceId, Secret, SecretState, Watch};
use crate::plan::draft::{Draft, Stage, change};
use crate::plan::prune;

/// The kind `secret`.
pub(crate) struct Secrets;

impl ResourceKind for Secrets {
    /// What is at their paths is compared where they are decrypted: no plan has their content.
    fn paths(&self, desired: &Desired, watch: &mut Watch) {
        if !desired.secrets.is_empty() {
            watch.paths.extend(boot::UNIT.paths());
        }
    }

    fn watch(&self, asked: &Asked<'_>, watch: &mut Watch) {
        if !asked.selects(Kind::Secret) {
            return;
        }
        watch.secrets = asked.desired.secrets.clone();
        let applied = asked.recorded.desired();
        let had_some = applied.is_some_and(|applied| !applied.secrets.is_empty());
        watch.lists_secrets =
            !watch.secrets.is_empty() || had_some || !asked.recorded.inventory.secrets.is_empty();
    }

    fn compare(&self, draft: &mut Draft<'_>) {
        let desired = draft.desired;
        for (name, secret) in &desired.secrets {
            compare(draft, name, secret);
        }
        boot::plan(draft);
    }

    fn retire(&self, draft: &mut Draft<'_>, _: &mut Unwanted) {
        let observed = draft.observed;
        for (name, state) in &observed.secrets {
            if *state == SecretState::Unwanted && !draft.desired.secrets.contains_key(name) {
                let id = ResourceId::new(Kind::Secret, name);
                let why = prune::left(draft, &id);
                let effect = Effect::RemoveSecret(name.clone());
                // What uses it needs it to stop: systemd reads `EnvironmentFile=` for `ExecStop=`, too.
                draft.change(Stage::Forget, change(id, effect, why));
            }
        }
    }
}

fn compare(draft: &mut Draft<'_>, name: &str, secret: &Secret) {
    let id = ResourceId::new(Kind::Secret, name);
    let source = secret.file.source.display();
    let before = draft.applied_secret(name);
    let is_new = before.is_none();
    let same_file = before.is_some_and(|before| before.file.hash == secret.file.hash);
    let changed = match (is_new, same_file) {
        (true, _) => format!("new: {source}"),
        (false, false) => format!("changed: {source}"),
        (false, true) => "changed: its mode or its owner".to_owned(),
    };
    let unknown = "only root can check whether its content differs";
    let observed = draft.observed;
    let why = match observed.secrets.get(name) {
        Some(SecretState::Same | SecretState::Unwanted) => {
            if !same_file && !is_new {
                let text = format!(
                    "{source} was re-encrypted; its content is the same, and nothing restarts"
                );
                draft.note(id, None, text);
            }
            return;
        }
        Some(SecretState::NotRunning) => {
            if before != Some(secret) {
                let text = format!("{source} is decrypted by an apply on the host when it runs");
                draft.note(id, None, text);
            }
            return;
        }
        Some(SecretState::Unusable { why, help }) => {
            draft.refuse(id, format!("{source}: {why}"), help.clone());
            return;
        }
        Some(SecretState::Missing) if same_file => "is gone".to_owned(),
        Some(SecretState::Differs) if same_file => "was edited on the host".to_owned(),
        Some(SecretState::Differs) if is_new => "another file is there".to_owned(),
        Some(SecretState::Missing | SecretState::Differs) => changed,
        Some(SecretState::Attributes(why)) => why.clone(),
        // Nobody looked.
        None | Some(SecretState::NotCompared) => {
            let compared = observed.secrets.contains_key(name);
            if before == Some(secret) {
                if compared {
                    draft.note(id, None, format!("its file was not compared: {unknown}"));
                }
                return;
            }
            if compared && !is_new && !same_file {
                draft.note(id.clone(), None, unknown);
            }
            changed
        }
    };
    let effect = Effect::PutSecret {
        name: name.to_owned(),
        secret: secret.clone(),
    };
    draft.change(Stage::Secrets, change(id, effect, why));
}
