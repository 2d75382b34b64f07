//! What helps after a run that failed.

use super::{ReconcileError, WayOn, listed};
use crate::apply::StepError;
use crate::reconcile::unattended::blame::is_of_host;
use crate::source::SourceError;

impl ReconcileError {
    /// The command that helps.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            ReconcileError::Source(error) => error.hint(),
            ReconcileError::Base { source, .. } => match **source {
                SourceError::UnknownRevision { .. } => source.hint(),
                _ => Some(
                    "no host matches a revision that cannot be applied: plan from the last one that could be, --from COMMIT"
                        .to_owned(),
                ),
            },
            ReconcileError::State(error) => error.hint(),
            ReconcileError::Uninstall(error) => error.hint(),
            ReconcileError::Prune(error) => error.hint(),
            ReconcileError::Host(error) => error.hint(),
            ReconcileError::Confirm(error) => Some(error.hint()),
            ReconcileError::Step { source, .. }
            | ReconcileError::Unit { source, .. }
            | ReconcileError::NotBackedUp(source)
            | ReconcileError::NotPulled(source) => source.hint(),
            ReconcileError::Backup { source, .. } => source.hint(),
            ReconcileError::NoSuchBackup { .. } => Some("watchme-apply backup list".to_owned()),
            ReconcileError::RolledBack { cause, .. } | ReconcileError::Unchanged(cause) => {
                cause.hint()
            }
            ReconcileError::Incomplete { left, way_on, .. } => Some(incomplete(left, *way_on)),
            ReconcileError::Dirty { .. } => Some(
                "commit them, or apply the work tree: watchme-apply apply --worktree"
                    .to_owned(),
            ),
            ReconcileError::AnotherRepository { shallow, .. } => Some(format!(
                "to take the host over, which removes what only the other one has: watchme-apply plan --take-over \
                 shows it, watchme-apply apply --take-over does it{}",
                match shallow {
                    true => "; it is a shallow clone: after git fetch --unshallow it is certain",
                    false => "",
                }
            )),
            ReconcileError::Declined => {
                Some("watchme-apply plan shows everything; --yes answers".to_owned())
            }
            ReconcileError::SecretsNotLoaded { failed } => {
                failed.first().and_then(|(_, error)| error.hint())
            }
            ReconcileError::NoNotifier { known, .. } => Some(match known.is_empty() {
                true => "write [notify.NAME] in watchme.toml, and apply it".to_owned(),
                false => format!("known are {}", known.join(", ")),
            }),
            ReconcileError::NothingApplied => Some("watchme-apply apply".to_owned()),
            ReconcileError::GenerationLost { kept, .. } => Some(match kept.is_empty() {
                true => "watchme-apply apply makes the host match git".to_owned(),
                false => format!(
                    "watchme-apply apply makes the host match git; watchme-apply rollback N \
                     restores an older generation{}",
                    listed("; kept are:", kept)
                ),
            }),
            ReconcileError::NoSuchGeneration { .. } => Some("watchme-apply history".to_owned()),
            ReconcileError::NotKept { number, .. } => Some(format!(
                "watchme-apply history {number} shows its run and its commits"
            )),
            ReconcileError::NothingBefore { .. } => Some(
                "watchme-apply history lists them; watchme-apply rollback N goes to one of them"
                    .to_owned(),
            ),
            ReconcileError::AlreadyThere { .. } => {
                Some("watchme-apply drift --fix undoes what was changed on the host".to_owned())
            }
            ReconcileError::NoSuchUnit { nearest, .. }
            | ReconcileError::NoSuchResource { nearest, .. } => {
                nearest.as_ref().map(|name| format!("did you mean {name}?"))
            }
            ReconcileError::SeveralUnits { .. } => {
                Some("use the full name of the unit".to_owned())
            }
            ReconcileError::NotPaused { .. } => {
                Some("watchme-apply status lists what is paused".to_owned())
            }
            ReconcileError::NginxAbsent => {
                Some("apt-get install nginx, or leave sites out with --only".to_owned())
            }
            ReconcileError::Unrecovered { .. } => Some(
                "fix it and run `watchme-apply recover`; or continue from here: `watchme-apply apply` makes the \
                 host match git, `watchme-apply rollback N` restores an older generation"
                    .to_owned(),
            ),
            ReconcileError::Refused(_) => Some(
                "`watchme-apply plan` shows everything; --only KIND/NAME applies other resources"
                    .to_owned(),
            ),
            ReconcileError::Invalid(findings) => {
                let mut errors = findings.iter().filter(|finding| finding.is_error());
                let how = match errors.all(is_of_host) {
                    true => "fix it on this host",
                    false => "fix and commit it",
                };
                Some(format!(
                    "{how}; `watchme-apply plan` validates it again and changes nothing"
                ))
            }
            ReconcileError::StoreIsLink { path } => Some(format!(
                "look at its target, and remove it: ls -l {}",
                path.display()
            )),
            ReconcileError::StoreElsewhere { path, .. } => Some(format!(
                "findmnt -T {0}; move what is in it, unmount it, and put it back",
                path.display()
            )),
            ReconcileError::GatesFail { failed, .. } => failed.first().and_then(StepError::hint),
            ReconcileError::NotConverged { .. } | ReconcileError::Interrupted(_) => None,
        }
    }
}

/// What helps where a rollback is incomplete: `recover` only where there is something to undo.
fn incomplete(left: &[String], way_on: WayOn) -> String {
    let docker = left.iter().any(|line| line.contains("Docker"));
    let first = match docker {
        true => {
            "get the Docker engine running again (systemctl status docker; systemctl restart docker)"
        }
        false => "fix what is named (systemctl status UNIT, docker ps -a)",
    };
    let (then, back) = match way_on {
        WayOn::Recover => (
            " and run `watchme-apply recover`",
            ", `watchme-apply rollback N`",
        ),
        WayOn::Fix => (
            "; `watchme-apply drift` shows what still differs from what was applied last, and `watchme-apply drift --fix` brings it back",
            ", `watchme-apply rollback N`",
        ),
        WayOn::Apply => ("", ""),
    };
    format!("{first}{then}; or continue: `watchme-apply apply` of a commit without the fault{back}")
}
