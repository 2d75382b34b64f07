//! What a rule has to say about a desired state.

use serde::Serialize;

use super::diagnostic::Diagnostic;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It stops an apply.
    Error,
    /// It is worth mending, and stops nothing.
    Warning,
}

/// Who complains. The names are stable: people search for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// `nginx -t` on the candidate.
    NginxTest,
    /// `systemd-analyze verify` on the candidate's units.
    SystemdVerify,
}

impl Rule {
    /// The name of the rule.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::NginxTest => "nginx-test",
            Rule::SystemdVerify => "systemd-verify",
        }
    }
}

/// A complaint of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// How much it weighs.
    pub severity: Severity,
    /// What is complained about.
    pub complaint: Complaint,
}

/// What is wrong, and where if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// At a place of an input file.
    Placed(Box<Diagnostic>),
    /// About no input file, or about no single one.
    Unplaced {
        /// What is wrong, one sentence without a full stop.
        message: String,
        /// How to mend it, if more can be said.
        help: Option<String>,
    },
}

impl Finding {
    /// Whether it stops an apply.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Where it is, if that is known.
    pub fn place(&self) -> Option<&Diagnostic> {
        match &self.complaint {
            Complaint::Placed(diagnostic) => Some(diagnostic),
            Complaint::Unplaced { .. } => None,
        }
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        match &self.complaint {
            Complaint::Placed(diagnostic) => &diagnostic.message,
            Complaint::Unplaced { message, .. } => message,
        }
    }

    /// How to mend it, if more can be said.
    pub fn help(&self) -> Option<&str> {
        match &self.complaint {
            Complaint::Placed(diagnostic) => diagnostic.help.as_deref(),
            Complaint::Unplaced { help, .. } => help.as_deref(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.complaint {
            Complaint::Placed(diagnostic) => diagnostic.fmt(f),
            Complaint::Unplaced { message, .. } => f.write_str(message),
        }
    }
}
