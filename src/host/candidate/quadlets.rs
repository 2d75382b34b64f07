//! Podman's generator on the Quadlets of a candidate, podman-systemd.unit(5). Where it cannot make a unit of a file, systemd
//! would only say that there is no such unit.

use std::ffi::OsString;
use std::path::Path;

use super::Validation;
use super::sandbox::{Needs, Program, Sandbox, View};
use super::sources::{Sources, line_where, placed, unplaced};
use crate::model::finding::SYSTEMD_VERIFY;
use crate::model::{File, Finding, Severity, layout};

/// The generator, as its package installs it.
const GENERATOR: &str = "/usr/lib/systemd/system-generators/podman-system-generator";

/// Lets the generator read the candidate's Quadlets, in the namespace.
pub(super) fn validate(sandbox: &Sandbox, sources: &Sources<'_>, validation: &mut Validation) {
    let files: Vec<(&Path, &File)> = sources.of_quadlets().collect();
    if files.is_empty() {
        return;
    }
    if !Path::new(GENERATOR).exists() {
        let text = format!(
            "{} makes no unit here: there is no {GENERATOR}, which Podman has from version 4.4 on",
            files[0].1.source.display()
        );
        let finding = unplaced(&SYSTEMD_VERIFY, Severity::Error, &text);
        validation.findings.push(finding);
        return;
    }
    let view = View {
        // The commit's own files, whoever may read them later.
        shown: files.iter().map(|(path, _)| path.to_path_buf()).collect(),
        ..View::default()
    };
    let program = Program {
        name: Path::new(GENERATOR),
        arguments: vec![OsString::from("--dryrun")],
        variables: vec![("QUADLET_UNIT_DIRS", layout::QUADLETS)],
        needs: Needs::default(),
    };
    match sandbox.said(&view, &program, GENERATOR) {
        Ok(said) => validation.findings.extend(findings(&said, &files)),
        Err(why) => {
            let text = format!("Quadlets were not validated: {why}");
            validation.not_validated.push(text);
        }
    }
}

/// What was said of files of ours: ``converting "NAME": TEXT`` and ``error loading "PATH", TEXT``, from `main` and
/// `generateUnitsInfoMap` in Podman's cmd/quadlet/main.go.
fn findings(said: &str, files: &[(&Path, &File)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in said.lines() {
        // The first line has the name of the program.
        let line = match line.split_once("]: ") {
            Some((program, rest)) if program.starts_with("quadlet-generator[") => rest,
            _ => line,
        };
        let about = ["converting \"", "error loading \""];
        let Some(rest) = about.iter().find_map(|start| line.strip_prefix(start)) else {
            continue;
        };
        let Some((name, text)) = rest.split_once('"') else {
            continue;
        };
        let name = Path::new(name).file_name();
        let own = files.iter().find(|(path, _)| path.file_name() == name);
        let Some((_, file)) = own else {
            continue;
        };
        let text = text.trim_start_matches([':', ',', ' ']);
        let finding = match line_of(file, text) {
            Some(line) => placed(&SYSTEMD_VERIFY, Severity::Error, file, line, text),
            // A drop-in may be the cause.
            None => placed(&SYSTEMD_VERIFY, Severity::Error, file, 1, text),
        };
        findings.push(finding);
    }
    findings
}

/// The line that a text is about: that of the key or of the word that it names.
fn line_of(file: &File, text: &str) -> Option<usize> {
    if let Some((_, rest)) = text.split_once("contains line ") {
        return rest.split(':').next()?.parse().ok();
    }
    let key = text.split('\'').nth(1);
    let key = key.and_then(|key| {
        line_where(file, |line| {
            line.split_once('=')
                .is_some_and(|(own, _)| own.trim() == key)
        })
    });
    key.or_else(|| {
        let named = text
            .split([' ', '"', ','])
            .filter(|word| word.contains('.'));
        let mut lines = named.filter_map(|word| line_where(file, |line| line.contains(word)));
        lines.next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Complaint;

    #[test]
    fn what_the_generator_says_is_at_its_line() {
        let file = |name: &str, text: &str| File::new(name, text.as_bytes().to_vec(), false);
        let own = file(
            "containers/web.container",
            "[Container]\nImagee=x\nNetwork=no.network\n",
        );
        let files = [(Path::new("/live/containers/web.container"), &own)];
        let said = "quadlet-generator[7]: Loading source unit file /etc/containers/systemd/web.container\n\
            quadlet-generator[7]: converting \"web.container\": unsupported key 'Imagee' in group 'Container' in /etc/x\n\
            converting \"web.container\": requested Quadlet unit no.network was not found\n\
            converting \"others.container\": no Image or Rootfs key specified\n\
            error loading \"/etc/containers/systemd/web.container\", file contains line 1: “[Container” which is not a key-value pair, group, or comment\n";
        let found: Vec<String> = findings(said, &files)
            .iter()
            .map(|finding| match &finding.complaint {
                Complaint::Placed(place) => place.to_string(),
                Complaint::Unplaced { message, .. } => message.clone(),
            })
            .collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].starts_with("containers/web.container:2:"),
            "{found:?}"
        );
        assert!(found[0].contains("unsupported key 'Imagee'"), "{found:?}");
        assert!(
            found[1].starts_with("containers/web.container:3:"),
            "{found:?}"
        );
        assert!(
            found[2].starts_with("containers/web.container:1:"),
            "{found:?}"
        );
    }
}
