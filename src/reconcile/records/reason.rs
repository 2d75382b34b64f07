//! Why a run failed, as history and `status` tell it.

use crate::reconcile::ReconcileError;

/// Why a run failed, in one line for records. Of several lines only what nginx says about the
/// configuration is taken along: what a unit wrote may hold secrets, and is in its journal.
pub(in crate::reconcile) fn reason(error: &ReconcileError) -> String {
    let (error, left) = match error {
        ReconcileError::RolledBack { cause, .. } | ReconcileError::Unchanged(cause) => {
            (&**cause, &[][..])
        }
        ReconcileError::Incomplete { cause, left, .. } => (&**cause, &left[..]),
        other => (other, &[][..]),
    };
    if let ReconcileError::Invalid(findings) = error
        && let Some(first) = findings.iter().find(|finding| finding.is_error())
    {
        return in_one_line(&first.to_string());
    }
    let mut texts = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        texts.push(in_one_line(&error.to_string()));
        next = error.source();
    }
    if !left.is_empty() {
        let left: Vec<String> = left.iter().map(|line| in_one_line(line)).collect();
        texts.push(format!("left as it is: {}", left.join("; ")));
    }
    texts.join(": ")
}

fn in_one_line(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let of_nginx = |line: &&str| NGINX_LEVELS.iter().any(|level| line.contains(level));
    match lines.find(of_nginx) {
        Some(line) => format!("{first}: {}", line.trim()),
        None => first,
    }
}

/// How nginx marks the lines that say why it does not go on, `error_log` in ngx_core_module.
const NGINX_LEVELS: [&str; 3] = ["[emerg]", "[alert]", "[crit]"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::StepError;
    use crate::host::HostError;
    use crate::model::RunKind;

    fn rolled_back(source: StepError) -> ReconcileError {
        ReconcileError::RolledBack {
            kind: RunKind::Apply,
            cause: Box::new(ReconcileError::Step {
                what: "unit/a.service (new)".into(),
                source: Box::new(source),
            }),
        }
    }

    /// What a unit wrote may hold secrets; what nginx says about its configuration is the reason.
    #[test]
    fn a_reason_is_one_line_without_what_a_unit_wrote() {
        let died = rolled_back(StepError::NotUp {
            unit: "a.service".into(),
            why: "it stopped".into(),
            journal: vec!["token=hunter2".into()],
            cause: None,
        });
        assert_eq!(
            reason(&died),
            "unit/a.service (new) failed: a.service did not stay up: it stopped"
        );
        let invalid = rolled_back(StepError::Host(HostError::NginxInvalid {
            reason: vec!["nginx: [emerg] unknown directive \"x\" in /etc/nginx/a:3".into()],
        }));
        assert_eq!(
            reason(&invalid),
            "unit/a.service (new) failed: nginx rejects the configuration: nginx: [emerg] unknown directive \"x\" in /etc/nginx/a:3"
        );
    }

    #[test]
    fn a_reason_tells_what_is_left() {
        let incomplete = ReconcileError::Incomplete {
            kind: RunKind::Apply,
            cause: Box::new(ReconcileError::NotConverged {
                left: vec!["site/a: is gone".into()],
            }),
            left: vec![
                "start a.service: failed\n    token=hunter2".into(),
                "nginx was running".into(),
            ],
            way_on: crate::reconcile::error::WayOn::Fix,
        };
        assert_eq!(
            reason(&incomplete),
            "after all steps, the host does not match the desired state: site/a: is gone: left as it is: start a.service: failed; nginx was running"
        );
    }
}
