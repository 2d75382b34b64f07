//! Values of settings that take one of a few words.

use super::index::Unit;
use crate::model::{Diagnostic, Finding, Rule, Severity};
use crate::source::error::suggest;

crate::rule! {
    INVALID_VALUE, "systemd-invalid-value", Warning;
}

/// The rules of this file.
pub const RULES: &[&Rule] = &[&INVALID_VALUE];

/// What systemd takes for yes and no, systemd.syntax(7), in lower case.
const TRUTH: &[&str] = &[
    "yes", "no", "true", "false", "on", "off", "1", "0", "y", "n", "t", "f",
];

/// Settings that take one word, systemd.service(5), systemd.kill(5), systemd.unit(5), systemd.timer(5).
const WORDS: [(&str, &str, &[&str]); 16] = [
    (
        "Service",
        "Type",
        &[
            "simple",
            "exec",
            "forking",
            "oneshot",
            "dbus",
            "notify",
            "notify-reload",
            "idle",
        ],
    ),
    (
        "Service",
        "Restart",
        &[
            "no",
            "on-success",
            "on-failure",
            "on-abnormal",
            "on-watchdog",
            "on-abort",
            "always",
        ],
    ),
    (
        "Service",
        "KillMode",
        &["control-group", "mixed", "process", "none"],
    ),
    ("Service", "RemainAfterExit", TRUTH),
    ("Service", "GuessMainPID", TRUTH),
    ("Service", "SendSIGKILL", TRUTH),
    ("Service", "NoNewPrivileges", TRUTH),
    ("Unit", "DefaultDependencies", TRUTH),
    ("Unit", "StopWhenUnneeded", TRUTH),
    ("Unit", "RefuseManualStart", TRUTH),
    ("Unit", "RefuseManualStop", TRUTH),
    ("Unit", "AllowIsolate", TRUTH),
    ("Timer", "Persistent", TRUTH),
    ("Timer", "WakeSystem", TRUTH),
    ("Timer", "RemainAfterElapse", TRUTH),
    ("Socket", "Accept", TRUTH),
];

/// Settings that take an absolute path, behind a `-` that lets it be missing, systemd.exec(5).
const PATHS: [&str; 2] = ["WorkingDirectory", "EnvironmentFile"];

/// Paths that are relative: systemd does not start a unit for its folder, and passes over an environment file.
fn relative(unit: &Unit) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in PATHS {
        for value in unit.settings.list("Service", key) {
            let path = value.text.trim_start_matches(['-', '"']);
            let is_folder = key == "WorkingDirectory";
            if path.starts_with(['/', '%', '#']) || path.is_empty() || is_folder && path == "~" {
                continue;
            }
            let message = match is_folder {
                true => format!("{path} is no absolute path: systemd does not start the unit"),
                false => format!("{path} is no absolute path: systemd passes over the line"),
            };
            let help = Some("write the whole path, from /".to_owned());
            let place = value.complain(message, "expected a path that begins with /");
            let found = Finding::at(&INVALID_VALUE, Diagnostic { help, ..place });
            findings.push(match is_folder {
                true => found.weighing(Severity::Error),
                false => found,
            });
        }
    }
    findings
}

/// Findings about the values of a unit.
pub fn check(unit: &Unit) -> Vec<Finding> {
    let mut findings = relative(unit);
    for (section, key, words) in WORDS {
        for value in unit.settings.list(section, key) {
            // What a comment did to it is told already.
            let text = value.text.as_str();
            let is_truth = words == TRUTH;
            let known =
                words.contains(&text) || (is_truth && words.contains(&&*text.to_lowercase()));
            if known || text.contains(['#', '%']) {
                continue;
            }
            let message = format!("{text:?} is no value of {key}: systemd passes over the line");
            let place = value.complain(message, format!("expected one of {}", words.join(", ")));
            let help = match is_truth {
                true => Some("write yes or no".to_owned()),
                false => suggest(text, words.iter().copied()),
            };
            findings.push(Finding::at(&INVALID_VALUE, Diagnostic { help, ..place }));
        }
    }
    findings
}
