//! What units need to find on the host and no apply brings there.

use std::path::{Path, PathBuf};

use source_text::{SourceFile, normal_path};

use super::compose::{Document, Positions};
use super::load::DEFAULT_FILES;
use super::unit::settings::Value;
use super::unit::{Name, Settings};
use super::{ParsedStack, Revision};
use crate::model::{Diagnostic, Need};

/// Folders that systemd makes before a unit starts, and where; systemd.exec(5), `RuntimeDirectory=`.
const MADE: [(&str, &str); 5] = [
    ("RuntimeDirectory", "/run"),
    ("StateDirectory", "/var/lib"),
    ("CacheDirectory", "/var/cache"),
    ("LogsDirectory", "/var/log"),
    ("ConfigurationDirectory", "/etc"),
];
/// What is there is made while the system runs: that it is not there yet says nothing.
const PASSING: [&str; 5] = ["/run", "/var/run", "/tmp", "/var/tmp", "/dev/shm"];

impl Revision {
    /// The working directories, environment files and compose files that units name and without which they do not
    /// start; not those that are in the revision itself. systemd.exec(5): one with `-` in front may be missing.
    pub fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        for (name, unit) in &self.desired.units {
            let (Some(settings), Ok(parsed)) = (self.parsed.units.get(name), Name::parse(name))
            else {
                continue;
            };
            let mut add = |path: &Path, instead, what, place: Diagnostic| {
                let comes = PASSING.iter().any(|folder| path.starts_with(folder))
                    || self.brings(path)
                    || is_made(settings, path);
                if !comes {
                    needs.push(Need {
                        unit: name.clone(),
                        path: path.to_owned(),
                        instead,
                        what,
                        place,
                    });
                }
            };
            let directory = settings.last("Service", "WorkingDirectory").into_iter();
            let files = settings.list("Service", "EnvironmentFile").into_iter();
            let named = directory
                .map(|value| (value, "working directory"))
                .chain(files.map(|value| (value, "environment file")));
            for (value, what) in named {
                let path = parsed.expand(value.text.trim_matches('"'));
                // Optional, a home directory, or a pattern.
                let plain =
                    path.filter(|path| path.starts_with('/') && !path.contains(['*', '?', '[']));
                if let Some(path) = plain.and_then(|path| normal_path(Path::new(&path))) {
                    add(&path, Vec::new(), what, value.complain("", ""));
                }
            }
            let commands = settings.matching("Service", |key| key.starts_with("ExecStart"));
            for file in unit.stacks.iter().flat_map(|stack| &stack.files) {
                if let Some((value, is_named)) = naming(&commands, file) {
                    let instead = match is_named {
                        true => Vec::new(),
                        false => DEFAULT_FILES.map(|other| file.with_file_name(other)).into(),
                    };
                    add(file, instead, "compose file", value.complain("", ""));
                }
            }
            let stacks = self.parsed.stacks.iter();
            for stack in stacks.filter(|stack| stack.up && stack.unit.as_ref() == Some(name)) {
                let mut files = stack.paths.iter();
                let Some((value, _)) = files.find_map(|file| naming(&commands, file)) else {
                    continue;
                };
                for (service, written, path) in env_files(stack) {
                    let place = self.env_file_entry(stack, service, &written);
                    let place = place.unwrap_or_else(|| value.complain("", ""));
                    add(&path, Vec::new(), "environment file", place);
                }
                for (service, path) in build_folders(stack) {
                    let place = self.build_entry(stack, service);
                    let place = place.unwrap_or_else(|| value.complain("", ""));
                    add(
                        &path,
                        Vec::new(),
                        "folder or Dockerfile to build from",
                        place,
                    );
                }
            }
        }
        needs
    }

    /// Where a compose file of the checkout names an environment file.
    fn env_file_entry(
        &self,
        stack: &ParsedStack,
        service: &str,
        written: &str,
    ) -> Option<Diagnostic> {
        let origins = stack.origins.get(service)?.iter();
        origins.into_iter().find_map(|(file, name)| {
            let document = self.parsed.compose.get(file)?;
            let entry = document.value.get("services")?.get(name)?.get("env_file")?;
            let is_it = |entry: &serde_yaml::Value| {
                let path = entry.get("path").unwrap_or(entry);
                path.as_str() == Some(written)
            };
            let index = match entry.as_sequence() {
                Some(list) => Some(list.iter().position(is_it)?.to_string()),
                None => is_it(entry).then_some(None)?,
            };
            let mut path = vec!["services", name.as_str(), "env_file"];
            path.extend(index.as_deref());
            Some(shown(document, &path))
        })
    }

    /// Where a compose file of the checkout says what a service is built from.
    fn build_entry(&self, stack: &ParsedStack, service: &str) -> Option<Diagnostic> {
        let origins = stack.origins.get(service)?.iter();
        origins.into_iter().find_map(|(file, name)| {
            let document = self.parsed.compose.get(file)?;
            let build = document.value.get("services")?.get(name)?.get("build")?;
            let mut path = vec!["services", name.as_str(), "build"];
            path.extend(build.get("context").map(|_| "context"));
            Some(shown(document, &path))
        })
    }

    /// Whether an apply itself puts something at a path, or below it.
    fn brings(&self, path: &Path) -> bool {
        let etc = self.desired.etc.keys();
        let etc = etc.map(|relative| Path::new("/etc").join(relative));
        let files = self.desired.files.keys().cloned();
        etc.chain(files).any(|brought| brought.starts_with(path))
    }
}

/// A place in a compose file; other values are masked, since they may be secret.
fn shown(document: &Document, path: &[&str]) -> Diagnostic {
    let positions = Positions::of(document.source());
    let span = positions.find(path).value;
    let mut shown = document.source().as_bytes().to_vec();
    for (_, other, _) in positions.texts() {
        let is_other = other.end <= span.start || span.end <= other.start;
        let bytes = shown.get_mut(other).filter(|_| is_other);
        for byte in bytes.into_iter().flatten().filter(|byte| **byte != b'\n') {
            *byte = b'*';
        }
    }
    let shown = SourceFile::new(document.path(), String::from_utf8_lossy(&shown));
    Diagnostic::at(&shown, span, "", "")
}

/// What the services of a stack are built from and the checkout does not have: on the host it may be there.
fn build_folders(stack: &ParsedStack) -> Vec<(&str, PathBuf)> {
    let missing = stack.unbuildable.iter();
    let missing = missing.filter(|(name, _)| stack.own && stack.started.contains(*name));
    missing
        .map(|(name, (_, path))| (name.as_str(), path.clone()))
        .collect()
}

/// The environment files without which the services of a project do not start, `env_file:`: the service, the path as it is
/// written, and the path on the host.
fn env_files(stack: &ParsedStack) -> Vec<(&str, String, PathBuf)> {
    let Some(folder) = stack.paths.first().and_then(|path| path.parent()) else {
        return Vec::new();
    };
    let files = stack.started_services().flat_map(|(name, service)| {
        let files = service.required_env_files().into_iter();
        files.map(move |file| (name.as_str(), file))
    });
    let plain = files.filter(|(_, file)| !file.is_empty() && !file.contains('$'));
    plain
        .filter_map(|(name, file)| {
            let path = normal_path(&folder.join(&file))?;
            Some((name, file, path))
        })
        .collect()
}

/// The command that names a compose file, or else its folder; and whether it names the file itself. Where none does,
/// compose finds the file by one of its usual names.
fn naming<'a>(commands: &'a [Value], file: &Path) -> Option<(&'a Value, bool)> {
    let with = |text: &str| commands.iter().find(|value| value.text.contains(text));
    let name = file.file_name().map(|name| name.to_string_lossy());
    let folder = file.parent().map(|folder| folder.to_string_lossy());
    let named = with(&file.to_string_lossy()).or_else(|| with(name.as_deref()?));
    match named {
        Some(value) => Some((value, true)),
        None => {
            let value = folder.and_then(|folder| with(&folder));
            let compose = || with("compose");
            let value = value.or_else(compose).or(commands.first());
            value.map(|value| (value, false))
        }
    }
}

/// Whether systemd makes a folder, or one above it, before the unit starts.
fn is_made(settings: &Settings, path: &Path) -> bool {
    MADE.iter().any(|(key, base)| {
        let values = settings.list("Service", key);
        let mut names = values
            .iter()
            .flat_map(|value| value.text.split_whitespace());
        names.any(|name| {
            let name = name.split_once(':').map_or(name, |(name, _)| name);
            path.starts_with(PathBuf::from(base).join(name))
        })
    })
}
