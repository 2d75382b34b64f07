//! Code that a plan brings along, and that programs of the host would load or run as root: whoever applies it ought to
//! have read it.

mod etc;
mod nginx;
mod unit;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use source_text::SourceFile;

use crate::effect::{Becomes, Plan};
use crate::model::finding::CODE_OUTSIDE_PACKAGES;
use crate::model::{Complaint, Desired, Diagnostic, File, Finding, Observed, layout};

/// A line of a file, counted from 1, and what it makes programs load or run.
type Named = (usize, String);

/// A finding for each changed file that names such code and did not name it before.
pub(crate) fn outside_packages(
    plan: &Plan,
    desired: &Desired,
    observed: &Observed,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, file, mode) in changed(plan) {
        let text = String::from_utf8_lossy(&file.content);
        let known = known(&path, desired, observed);
        let mut new = named(&path, &text, mode, desired);
        new.retain(|(_, what)| !known.contains(what));
        let Some((line, first)) = new.first() else {
            continue;
        };
        let message = match new.len() {
            1 => first.clone(),
            number => format!("{first}; {} more of this kind are in this file", number - 1),
        };
        let shown = match file.private {
            true => text.replace(|c| c != '\n', ""),
            false => text.clone().into_owned(),
        };
        let source = SourceFile::new(&file.source, shown);
        let finding = Finding {
            rule: &CODE_OUTSIDE_PACKAGES,
            severity: CODE_OUTSIDE_PACKAGES.severity,
            complaint: Complaint::Placed(Box::new(Diagnostic::of_line(&source, *line, message))),
        };
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

/// Changed files with their modes, by where they are below the live tree or the root.
fn changed(plan: &Plan) -> impl Iterator<Item = (PathBuf, &File, u32)> {
    let files = plan.changes.iter().flat_map(|change| change.effect.files());
    files.filter_map(|file| {
        let Becomes::File {
            file: content,
            mode,
            ..
        } = file.becomes
        else {
            return None;
        };
        let below = file.path.strip_prefix("/").unwrap_or(&file.path);
        Some((file.stored.unwrap_or(below).to_owned(), content, mode))
    })
}

/// What the host has in a file's place already: that is no news.
fn known(path: &Path, desired: &Desired, observed: &Observed) -> BTreeSet<String> {
    let mut places = vec![layout::live(path), Path::new("/").join(path)];
    if let Ok(unit) = path.strip_prefix(layout::store::UNITS) {
        places.push(Path::new(layout::SYSTEMD).join(unit));
    }
    if let Ok(site) = path.strip_prefix(layout::store::SITES) {
        places.push(Path::new(layout::NGINX).join("sites-available").join(site));
    }
    let contents = places.iter().filter_map(|place| observed.content(place));
    contents
        .flat_map(|content| named(path, &String::from_utf8_lossy(content), 0o644, desired))
        .map(|(_, what)| what)
        .collect()
}

/// What a file makes programs of root load or run.
fn named(path: &Path, text: &str, mode: u32, desired: &Desired) -> Vec<Named> {
    let is_nginx = path.starts_with(layout::store::SITES) || path.starts_with("etc/nginx");
    let is_unit = path.starts_with(layout::store::UNITS) || path.starts_with("etc/systemd");
    let is_script = mode & 0o111 != 0 || text.starts_with("#!");
    match () {
        () if is_nginx => nginx::named(path, text),
        () if is_unit && !etc::is_run_by_its_place(path) => unit::named(text, desired),
        // A script is code itself: whoever runs it names it.
        () if is_script && !etc::is_run_by_its_place(path) => Vec::new(),
        () => etc::named(path, text, mode, desired),
    }
}

/// Whether the commit brings a file, by its path on the host.
fn is_ours(path: &Path, desired: &Desired) -> bool {
    let etc = path.strip_prefix("/etc");
    desired.files.contains_key(path)
        || path.starts_with(layout::LIVE)
        || etc.is_ok_and(|below| desired.etc.contains_key(below))
}

/// Whether a file that the commit brings is one to run: it is executable, begins with `#!`, or is a library.
fn is_code(path: &Path, desired: &Desired) -> bool {
    let is_library = path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.ends_with(".so") || name.contains(".so.")
    });
    let runs = |file: &File| file.executable || file.content.starts_with(b"#!");
    let etc = path.strip_prefix("/etc").ok();
    let etc = etc.and_then(|below| desired.etc.get(below));
    is_ours(path, desired)
        && (is_library
            || desired.files.get(path).is_some_and(runs)
            || etc.is_some_and(|etc| etc.mode & 0o111 != 0 || runs(&etc.file)))
}

/// Whether a library is where packages put theirs.
fn is_of_a_package(path: &str) -> bool {
    let folders = [
        "/usr/lib/",
        "/usr/lib64/",
        "/usr/libexec/",
        "/lib/",
        "/lib64/",
    ];
    folders.iter().any(|folder| path.starts_with(folder)) && !path.contains("..")
}

#[cfg(test)]
mod tests;
