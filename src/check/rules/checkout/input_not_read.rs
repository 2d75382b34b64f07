//! Folders that look like inputs and that nothing reads.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use source_text::SourceFile;

use crate::check::rules::prelude::*;
use crate::source::error::misspelt;
use crate::source::load::STACKS;
use crate::source::{Parsed, Unread};

pub(crate) static RULE: Rule = rule!(input_not_read, Warning, run);

fn run(context: &Context, findings: &mut Findings) {
    let parsed = &context.revision().parsed;
    // The name of another input, almost: that is said already.
    let misspelt = context.names();
    let whole = parsed.unread.iter().filter(|unread| unread.key == "etc");
    let whole: Vec<&Path> = whole.map(|unread| unread.folder.as_path()).collect();
    // The folder of the whole configuration is said already.
    let is_of_nginx = |folder: &Path| {
        whole
            .iter()
            .any(|whole| folder != *whole && folder.starts_with(whole))
    };
    for Unread { folder, key, files } in &parsed.unread {
        let path = parsed.folder.join(folder);
        if misspelt
            .iter()
            .any(|one| one.place().is_some_and(|place| place.path() == path))
            || is_of_nginx(folder)
            || *key != "units" && is_mounted(parsed, &path)
        {
            continue;
        }
        let what = match (*key, files) {
            ("sites", 1) => "a site of nginx".to_owned(),
            ("sites", count) => format!("{count} sites of nginx"),
            ("etc", _) => "the configuration of nginx".to_owned(),
            ("containers", 1) => "a Quadlet of Podman".to_owned(),
            ("containers", count) => format!("{count} Quadlets of Podman"),
            (_, 1) => "a unit of systemd".to_owned(),
            (_, count) => format!("{count} units of systemd"),
        };
        let message = format!("an apply does not read this folder, which seems to contain {what}");
        let help = match *key {
            "etc" => "to have them in /etc/nginx of the server, move them to etc/nginx".to_owned(),
            "containers" => "move them to containers/".to_owned(),
            key => format!(
                "write into watchme.toml: [folders] {key} = {:?}",
                folder.to_string_lossy()
            ),
        };
        let path = match path.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => path,
        };
        findings.push(RULE.at(of_folder(path, message, help)));
    }
    for (folder, stacks) in folders_of_stacks(parsed) {
        let what = match stacks.len() {
            1 => "a stack".to_owned(),
            count => format!("{count} stacks"),
        };
        let message = format!("an apply does not read this folder, which seems to contain {what}");
        let help = format!("move what is in it to {STACKS}/");
        findings.push(RULE.at(of_folder(parsed.folder.join(folder), message, help)));
    }
}

fn of_folder(path: PathBuf, message: String, help: String) -> Diagnostic {
    let place = Diagnostic::at(&SourceFile::new(path, ""), 0..0, message, "");
    place.helped(help)
}

/// Folders whose name is almost that of stacks, or says the same, with the folders in them whose compose files no unit runs.
fn folders_of_stacks(parsed: &Parsed) -> BTreeMap<&OsStr, BTreeSet<&Path>> {
    let mut found: BTreeMap<&OsStr, BTreeSet<&Path>> = BTreeMap::new();
    for stack in parsed.stacks.iter().filter(|stack| stack.unit.is_none()) {
        let first = stack.files.first();
        let below = first.and_then(|file| file.strip_prefix(&parsed.folder).ok());
        let parts: Vec<&OsStr> = below.into_iter().flat_map(Path::iter).collect();
        let [top, _, _] = parts[..] else {
            continue;
        };
        let name = top.to_string_lossy().to_lowercase();
        let is_meant = name == STACKS
            || ["stack", "stacks"].contains(&name.as_str())
            || misspelt(&name, [STACKS]).is_some();
        if is_meant && top != STACKS {
            found
                .entry(top)
                .or_default()
                .extend(below.and_then(Path::parent));
        }
    }
    found
}

/// Whether a container mounts a folder, or something in it: its configuration is the container's.
fn is_mounted(parsed: &Parsed, folder: &Path) -> bool {
    let top = Path::new("/");
    let folder = top.join(folder);
    parsed.stacks.iter().any(|stack| {
        let of = stack.files.first().and_then(|file| file.parent());
        let of = top.join(of.unwrap_or(top));
        let services = stack.compose.services.values();
        let mut binds = services.flat_map(|service| service.binds(&of));
        binds.any(|bind| {
            bind.source.starts_with(&folder)
                || bind.source != top && folder.starts_with(bind.source)
        })
    })
}
