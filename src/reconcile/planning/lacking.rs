//! Environment files of a host that lack what is asked of them.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::effect::Plan;
use crate::host::Host;
use crate::model::finding::HOST_ENV_INCOMPLETE;
use crate::model::{Complaint, Finding, Severity, layout};
use crate::source::{Lacking, Look, Revision};

/// What a host's environment files lack: first of the units that a plan starts, then of the others. Names of variables,
/// and never values.
pub(in crate::reconcile) fn findings(
    host: &Host,
    revision: &Revision,
    plan: &Plan,
) -> (Vec<Finding>, Vec<Finding>) {
    let starts = plan
        .changes
        .iter()
        .filter_map(|change| Some(change.effect.starts()?.unit.as_str()));
    let starts: BTreeSet<&str> = starts.collect();
    let read = |path: &Path| match host.root().read(path) {
        Ok(Some(text)) => Look::There(text),
        Ok(None) => Look::Missing,
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Look::Missing,
        Err(_) => Look::Hidden,
    };
    // Not even names are told of what is in a secret.
    let look = |path: &Path| match layout::secret_name(path) {
        Some(_) => Look::Hidden,
        None => read(path),
    };
    let of = |pick: &dyn Fn(&str) -> bool| -> Vec<Finding> {
        revision.lacking(pick, &look).iter().map(finding).collect()
    };
    let started = of(&|unit| starts.contains(unit));
    let mut others = of(&|unit| !starts.contains(unit));
    others.retain(|finding| !started.contains(finding));
    (started, others)
}

fn finding(lacking: &Lacking) -> Finding {
    let (file, asked_by) = (lacking.file.display(), lacking.asked_by.display());
    let names = list(&lacking.names);
    let message = match (lacking.exists, lacking.example) {
        (true, false) => format!("{file} lacks {names}, which {asked_by} uses without a default"),
        (false, false) => {
            format!("{file} is not there, and {asked_by} uses {names} without a default")
        }
        (true, true) => format!("{file} lacks {names}, which {asked_by} has"),
        (false, true) => format!("{file} is not there; {asked_by} has {names}"),
    };
    let (severity, message) = match lacking.required.is_empty() {
        true => (HOST_ENV_INCOMPLETE.severity, message),
        false => {
            let required = list(&lacking.required);
            let message = format!("{message}; compose refuses the file without {required}");
            (Severity::Error, message)
        }
    };
    let help = match (lacking.exists, lacking.example) {
        (false, true) => format!("cp {asked_by} {file}; chmod 600 {file}; then set the values"),
        (true, _) => format!("add a line NAME=value for each to {file}"),
        (false, false) => format!("make {file} with a line NAME=value for each; chmod 600 {file}"),
    };
    Finding {
        rule: &HOST_ENV_INCOMPLETE,
        severity,
        complaint: Complaint::Unplaced {
            message,
            help: Some(help),
        },
    }
}

fn list(names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_said_with_the_file_and_the_names() {
        let said = |exists, example| {
            let found = finding(&Lacking {
                file: "/srv/.env".into(),
                exists,
                asked_by: "/srv/x".into(),
                example,
                names: ["A", "B"].map(str::to_owned).into(),
                required: BTreeSet::new(),
            });
            format!("{} | {}", found.message(), found.help().unwrap_or_default())
        };
        assert_eq!(
            said(true, false),
            "/srv/.env lacks A, B, which /srv/x uses without a default | add a line NAME=value for each to /srv/.env"
        );
        assert_eq!(
            said(false, false),
            "/srv/.env is not there, and /srv/x uses A, B without a default | make /srv/.env with a line NAME=value for each; chmod 600 /srv/.env"
        );
        assert_eq!(
            said(true, true),
            "/srv/.env lacks A, B, which /srv/x has | add a line NAME=value for each to /srv/.env"
        );
        assert_eq!(
            said(false, true),
            "/srv/.env is not there; /srv/x has A, B | cp /srv/x /srv/.env; chmod 600 /srv/.env; then set the values"
        );
    }
}
