//! Files for /etc that their programs would not take, as far as their bytes tell.

use super::Subject;
use crate::model::finding::ETC_INVALID;
use crate::model::{Checker, Complaint, Diagnostic, Finding, Rule};

/// The rules of this file.
pub const RULES: &[&Rule] = &[&ETC_INVALID];

/// Findings about files for /etc.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, etc) in &subject.revision.desired.etc {
        let Some(checker) = Checker::of(path) else {
            continue;
        };
        let text = String::from_utf8_lossy(&etc.file.content);
        let wrong = checker.wrong(path, &etc.file.content, etc.mode, &etc.owner);
        findings.extend(wrong.into_iter().map(|wrong| Finding {
            rule: &ETC_INVALID,
            severity: wrong.severity,
            complaint: Complaint::Placed(Box::new(Diagnostic::of_line(
                &etc.file.source,
                text.as_ref(),
                wrong.line,
                wrong.message,
            ))),
        }));
    }
    findings
}
