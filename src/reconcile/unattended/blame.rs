//! What the failure of a pass says about the revision, for runs that no person watches.

use crate::apply::StepError;
use crate::host::blame_by_lines;
use crate::model::finding::NGINX_TEST;
use crate::model::{Blame, Finding};
use crate::reconcile::ReconcileError;
use crate::state::StateError;

impl ReconcileError {
    /// Whether the revision is to blame. `None`: a person has to do something first, about the
    /// checkout, the records or the command, and until then a run changes nothing.
    pub(crate) fn blame(&self) -> Option<Blame> {
        match self {
            ReconcileError::Step { source, .. }
            | ReconcileError::Unit { source, .. }
            | ReconcileError::NotBackedUp(source)
            | ReconcileError::NotPulled(source) => Some(source.blame()),
            ReconcileError::Unchanged(cause) => cause.blame(),
            ReconcileError::Interrupted(_) => Some(StepError::Interrupted.blame()),
            ReconcileError::NotConverged { .. } => Some(Blame::Permanent),
            ReconcileError::Invalid(findings) => {
                let errors = findings.iter().filter(|finding| finding.is_error());
                let said: Vec<String> = (errors.clone())
                    .map(|finding| finding.message().to_owned())
                    .collect();
                match errors.clone().any(is_of_host) {
                    true => Some(Blame::Transient),
                    false => Some(blame_by_lines(&said)),
                }
            }
            ReconcileError::Host(error) => Some(error.blame()),
            ReconcileError::State(
                StateError::Root(_) | StateError::Locked { .. } | StateError::Unwritable { .. },
            )
            | ReconcileError::Unrecovered { .. } => Some(Blame::Transient),
            // Something was tried and undone: it is not tried again at once.
            ReconcileError::RolledBack { cause, .. } | ReconcileError::Incomplete { cause, .. } => {
                cause.blame().or(Some(Blame::Transient))
            }
            ReconcileError::Source(_)
            | ReconcileError::Base { .. }
            | ReconcileError::State(
                StateError::Damaged { .. }
                | StateError::Generation { .. }
                | StateError::Forbidden { .. },
            )
            | ReconcileError::Dirty { .. }
            | ReconcileError::AnotherRepository { .. }
            | ReconcileError::Declined
            | ReconcileError::Refused(_)
            | ReconcileError::GatesFail { .. }
            | ReconcileError::NoNotifier { .. }
            | ReconcileError::Confirm(_)
            | ReconcileError::NothingApplied
            | ReconcileError::NotPaused { .. }
            | ReconcileError::GenerationLost { .. }
            | ReconcileError::SecretsNotLoaded { .. }
            | ReconcileError::NoSuchGeneration { .. }
            | ReconcileError::NotKept { .. }
            | ReconcileError::NothingBefore { .. }
            | ReconcileError::AlreadyThere { .. }
            | ReconcileError::NoSuchUnit { .. }
            | ReconcileError::NoSuchBackup { .. }
            | ReconcileError::Backup { .. }
            | ReconcileError::SeveralUnits { .. }
            | ReconcileError::NoSuchResource { .. }
            | ReconcileError::StoreIsLink { .. }
            | ReconcileError::StoreElsewhere { .. }
            | ReconcileError::NginxAbsent
            | ReconcileError::Prune(_)
            | ReconcileError::Uninstall(_) => None,
        }
    }
}

/// Whether a finding is about what the host has: a port that somebody else took, a file that is not there, a site that no
/// commit brought. No commit has to change for it to go.
pub(in crate::reconcile) fn is_of_host(finding: &Finding) -> bool {
    // nginx names the file behind its words; one of the checkout is the finding's place.
    let is_of_another_file = finding.place().is_none() && finding.message().contains(" in /");
    finding.rule.name.starts_with("host-") || *finding.rule == NGINX_TEST && is_of_another_file
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::host::HostError;
    use crate::host::probe::ProbeError;
    use crate::model::RunKind;
    use crate::model::{Backend, Complaint, Finding, Gate, Probe, RuleId, Severity, finding};
    use crate::root::RootError;
    use Blame::{Permanent, Transient};

    fn step(source: StepError) -> ReconcileError {
        ReconcileError::Step {
            what: "unit/a.service (new)".into(),
            source: Box::new(source),
        }
    }

    fn rolled_back(cause: ReconcileError) -> ReconcileError {
        ReconcileError::RolledBack {
            kind: RunKind::Apply,
            cause: Box::new(cause),
        }
    }

    fn full_disk() -> RootError {
        RootError {
            doing: "write",
            path: "/etc/a".into(),
            source: io::ErrorKind::StorageFull.into(),
        }
    }

    fn not_up(line: &str) -> StepError {
        StepError::NotUp {
            unit: "a.service".into(),
            why: "exit-code, status 1".into(),
            journal: vec![line.into()],
            cause: None,
        }
    }

    fn gate_of(got: u16) -> StepError {
        StepError::Gate {
            gate: Box::new(Gate {
                probe: Probe::Url {
                    url: "https://api.example.org/health".parse().unwrap(),
                    status: 200,
                    verify: true,
                },
                timeout: std::time::Duration::from_secs(5),
                retries: 3,
                behind: Backend::default(),
            }),
            tries: 4,
            error: ProbeError::Status {
                expected: 200,
                got,
                said: None,
            },
        }
    }

    fn locked() -> StateError {
        StateError::Locked {
            holder: "pid 1".into(),
        }
    }

    fn invalid(message: &str) -> ReconcileError {
        found(&finding::NGINX_TEST, message)
    }

    fn found(rule: &'static RuleId, message: &str) -> ReconcileError {
        ReconcileError::Invalid(vec![Finding {
            rule,
            severity: Severity::Error,
            complaint: Complaint::Unplaced {
                message: message.into(),
                help: None,
            },
        }])
    }

    fn damaged() -> StateError {
        StateError::Damaged {
            path: "/var/lib/watchme-apply/journal".into(),
            source: serde_json::from_str::<u8>("x").unwrap_err(),
        }
    }

    #[test]
    fn each_failure_has_its_blame() {
        let not_converged = ReconcileError::NotConverged { left: Vec::new() };
        let incomplete = ReconcileError::Incomplete {
            kind: RunKind::Apply,
            cause: Box::new(step(not_up("no"))),
            left: Vec::new(),
            way_on: crate::reconcile::error::WayOn::Recover,
        };
        for (error, blame) in [
            (rolled_back(step(not_up("no such option"))), Some(Permanent)),
            (
                rolled_back(step(not_up("listen tcp :80: bind: address already in use"))),
                Some(Transient),
            ),
            (rolled_back(step(StepError::Interrupted)), Some(Transient)),
            (rolled_back(step(full_disk().into())), Some(Transient)),
            (
                rolled_back(step(HostError::NginxStopped.into())),
                Some(Transient),
            ),
            (rolled_back(damaged().into()), Some(Transient)),
            (rolled_back(not_converged), Some(Permanent)),
            (incomplete, Some(Permanent)),
            (rolled_back(step(gate_of(500))), Some(Permanent)),
            (
                ReconcileError::GatesFail {
                    asked: 1,
                    failed: vec![gate_of(500)],
                },
                None,
            ),
            (step(StepError::State(full_disk().into())), Some(Transient)),
            (
                step(StepError::NoOwner {
                    path: "/etc/a".into(),
                    owner: "a:b".into(),
                }),
                Some(Permanent),
            ),
            (invalid("unknown directive \"x\""), Some(Permanent)),
            (
                invalid("unknown directive \"x\" in /etc/nginx/sites-enabled/by-hand:1"),
                Some(Transient),
            ),
            (
                found(&finding::HOST_PORT_TAKEN, "python3 listens on port 8102"),
                Some(Transient),
            ),
            (
                found(&finding::HOST_PATH_MISSING, "/srv/app.env does not exist"),
                Some(Transient),
            ),
            (
                invalid("host not found in upstream \"a.example.com\""),
                Some(Transient),
            ),
            (locked().into(), Some(Transient)),
            (StateError::Root(full_disk()).into(), Some(Transient)),
            (
                ReconcileError::Unrecovered { left: Vec::new() },
                Some(Transient),
            ),
            (damaged().into(), None),
            (ReconcileError::Dirty { paths: Vec::new() }, None),
            (ReconcileError::Refused(Vec::new()), None),
            (ReconcileError::NothingApplied, None),
        ] {
            assert_eq!(error.blame(), blame, "{error:?}");
        }
    }

    #[test]
    fn what_the_host_has_is_fixed_there() {
        let hint = |error: ReconcileError| error.hint().unwrap_or_default();
        let taken = hint(found(
            &finding::HOST_PORT_TAKEN,
            "python3 listens on port 8102",
        ));
        assert!(taken.starts_with("fix it on this host; "), "{taken}");
        let wrong = hint(invalid("unknown directive \"x\""));
        assert!(wrong.starts_with("fix and commit it; "), "{wrong}");
    }

    #[test]
    fn failed_gates_are_one_line_each() {
        let error = ReconcileError::gate(gate_of(500));
        let chained = crate::reconcile::error::chain(&error);
        assert_eq!(
            chained,
            "a health gate failed: https://api.example.org/health: expected 200, got 500 after 4 tries"
        );
        let hint = error.hint().unwrap_or_default();
        assert!(hint.starts_with("curl -ski --resolve api.example.org:443:127.0.0.1"));
        let both = ReconcileError::GatesFail {
            asked: 14,
            failed: vec![gate_of(500), gate_of(502)],
        };
        assert_eq!(
            both.told(),
            "in sync, but 2 of 14 health gates fail; nothing was changed
https://api.example.org/health: expected 200, got 500 after 4 tries
https://api.example.org/health: expected 200, got 502 after 4 tries"
        );
        assert_eq!((both.exit_status(), both.hint()), (1, Some(hint)));
    }
}
