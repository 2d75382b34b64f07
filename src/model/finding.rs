//! What a rule has to say about a desired state.

use serde::Serialize;

use source_text::Diagnostic;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It stops an apply.
    Error,
    /// It is worth fixing, and stops nothing.
    Warning,
}

/// A rule, as its findings cite it. What it looks for and its page are in `check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId {
    /// The name. Names are stable: people search for them, and write them into allowances.
    pub name: &'static str,
    /// What its findings weigh, unless one says otherwise.
    pub severity: Severity,
}

/// Rules whose findings come from a host: `plan` and `apply` have them.
macro_rules! of_a_host {
    ($($constant:ident, $name:literal, $severity:ident;)*) => {$(
        #[doc = concat!("The rule `", $name, "`.")]
        pub const $constant: RuleId = RuleId {
            name: $name,
            severity: Severity::$severity,
        };
    )*};
}

of_a_host! {
    NGINX_TEST, "nginx-test", Error;
    SYSTEMD_VERIFY, "systemd-verify", Error;
    ETC_INVALID, "etc-invalid", Error;
    CODE_OUTSIDE_PACKAGES, "code-outside-packages", Warning;
    HOST_PATH_MISSING, "host-path-missing", Error;
    HOST_ENV_FILE_OPEN, "host-env-file-open", Warning;
    HOST_ENV_INCOMPLETE, "host-env-incomplete", Warning;
    HOST_PORT_TAKEN, "host-port-taken", Error;
    HOST_MOUNT_MISSING, "host-mount-missing", Warning;
    HOST_MEMORY_SHORT, "host-memory-short", Warning;
    HOST_DISK_SHORT, "host-disk-short", Warning;
}

impl Serialize for RuleId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// A complaint of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static RuleId,
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
        /// How to fix it, if more can be said.
        help: Option<String>,
    },
}

impl Finding {
    /// A finding of a rule at a place, as severe as the rule is.
    pub fn at(rule: &'static RuleId, place: Diagnostic) -> Self {
        Self {
            rule,
            severity: rule.severity,
            complaint: Complaint::Placed(Box::new(place)),
        }
    }

    /// The same with another weight.
    pub fn weighing(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// The same with another weight where something is so.
    pub fn weighing_where(self, is_so: bool, severity: Severity) -> Self {
        match is_so {
            true => self.weighing(severity),
            false => self,
        }
    }

    /// Whether another one says the same of the same place.
    pub fn is_same(&self, other: &Self) -> bool {
        let at = |finding: &Self| {
            let place = finding.place();
            place.map(|place| (place.path().to_owned(), place.span.clone()))
        };
        self.rule == other.rule && self.message() == other.message() && at(self) == at(other)
    }

    /// The same, which is so on one host only.
    pub fn of_host(mut self, host: &str) -> Self {
        let message = match &mut self.complaint {
            Complaint::Placed(place) => &mut place.message,
            Complaint::Unplaced { message, .. } => message,
        };
        *message = format!("on the host {host}: {message}");
        self
    }

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

    /// How to fix it, if more can be said.
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
