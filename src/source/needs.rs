//! What units need to find on the host and no apply brings there.

use std::path::Path;

use super::Revision;
use super::unit::Name;
use super::unit::commands::normal;
use crate::model::{Diagnostic, Need};

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
            let mut add = |path: &Path, what, place: Diagnostic| {
                if !self.brings(path) {
                    needs.push(Need {
                        unit: name.clone(),
                        path: path.to_owned(),
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
                if let Some(path) = plain.and_then(|path| normal(Path::new(&path))) {
                    add(&path, what, value.complain("", ""));
                }
            }
            let commands = settings.matching("Service", |key| key.starts_with("ExecStart"));
            for file in unit.stacks.iter().flat_map(|stack| &stack.files) {
                let text = file.to_string_lossy();
                let folder = file.parent().map(Path::to_string_lossy).unwrap_or_default();
                let value = commands
                    .iter()
                    .find(|value| value.text.contains(&*text) || value.text.contains(&*folder));
                if let Some(value) = value.or(commands.first()) {
                    add(file, "compose file", value.complain("", ""));
                }
            }
        }
        needs
    }

    /// Whether an apply itself puts something at a path, or below it.
    fn brings(&self, path: &Path) -> bool {
        let etc = self
            .desired
            .etc
            .keys()
            .map(|relative| Path::new("/etc").join(relative));
        let files = self.desired.files.keys().cloned();
        etc.chain(files).any(|brought| brought.starts_with(path))
    }
}
