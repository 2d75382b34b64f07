//! Compose files of the checkout that no unit names, for those who tell what is wrong with a desired state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::stacks::{DEFAULT_FILES, OVERRIDES, Reader};
use super::{Loader, ParsedStack, STACKS, Wrong, inputs};
use crate::source::compose::{Compose, Variables};
use crate::source::error::Result;
use crate::source::tree::{HOSTS, Node};
use crate::source::unit::commands::ComposeCall;
use source_text::word_list;

/// How deep compose files are looked for, and among how many names.
const MAX_DEPTH: usize = 6;
const MAX_NAMES: usize = 20_000;
/// Folders of other people's files.
pub(super) const FOREIGN: [&str; 4] = ["node_modules", "vendor", "target", "venv"];
/// Words in the name of a file that is not for a server.
const ELSEWHERE: [&str; 7] = word_list("dev development local test tests ci example");

impl Loader<'_, '_> {
    /// Reads the compose files that no unit names, each folder's as its names say. Only in a survey: nothing of
    /// them is applied.
    pub(super) fn unreferenced_files(&mut self) -> Result<()> {
        if self.wrong == Wrong::Fails {
            return Ok(());
        }
        let infra = self.input(&self.policy().folders.infra.clone())?;
        let stacks = self.out.parsed.stacks.iter();
        let named: BTreeSet<PathBuf> = stacks.flat_map(|stack| stack.files.clone()).collect();
        let mut found = BTreeMap::new();
        let mut names = 0;
        let folder = self.places.folder.clone();
        self.walk(&folder, &mut found, &mut names, 0);
        if self.inputs.probe(&infra)?.is_some() && !named.contains(&infra) {
            self.unreferenced(std::slice::from_ref(&infra))?;
        }
        for (folder, files) in found {
            let path = |name: &str| folder.join(name);
            let first = |names: [&str; 4]| {
                let mut names = names.into_iter();
                names.find(|name| files.contains(*name)).map(path)
            };
            let base = first(DEFAULT_FILES).or_else(|| self.alone());
            let mut project: Vec<PathBuf> = base.iter().cloned().collect();
            project.extend(first(OVERRIDES).filter(|_| base.is_some()));
            // A unit may name the file that a host has in the place of this one.
            let of_units: BTreeSet<PathBuf> = files
                .iter()
                .map(|name| path(name))
                .filter(|path| {
                    let place = self.inputs.tree.place(path);
                    named.contains(path) || place.is_ok_and(|place| named.contains(&place))
                })
                .collect();
            let fresh = |path: &PathBuf| *path != infra && !of_units.contains(path);
            if project.first().is_some_and(fresh) {
                self.unreferenced(&project)?;
            }
            let others = files.iter().map(|name| path(name));
            for other in others.filter(|path| fresh(path) && !project.contains(path)) {
                if OVERRIDES.iter().any(|name| other.ends_with(name)) {
                    continue;
                }
                self.variant(base.as_ref(), other)?;
            }
        }
        self.say_examples();
        Ok(())
    }

    /// The compose file that is checked alone, whatever its name is.
    fn alone(&self) -> Option<PathBuf> {
        let alone = self.places.alone.as_ref()?;
        alone.is_compose.then(|| alone.paths.first().cloned())?
    }

    /// Whether there is a compose file anywhere.
    pub(super) fn has_compose_files(&self) -> bool {
        let (mut found, mut names) = (BTreeMap::new(), 0);
        self.walk(&self.places.folder, &mut found, &mut names, 0);
        !found.is_empty()
    }

    /// Another file beside the usual one, such as `docker-compose.prod.yml`: whole, or to be laid over that.
    fn variant(&mut self, base: Option<&PathBuf>, file: PathBuf) -> Result<()> {
        let Some(mut stack) = self.read_unreferenced(std::slice::from_ref(&file))? else {
            return Ok(());
        };
        if !is_whole(&stack.compose)
            && let Some(base) = base
        {
            match self.read_unreferenced(&[base.clone(), file])? {
                Some(both) => stack = both,
                None => return Ok(()),
            }
        }
        if is_whole(&stack.compose) {
            self.out.parsed.stacks.push(stack);
        }
        Ok(())
    }

    fn unreferenced(&mut self, files: &[PathBuf]) -> Result<()> {
        let stack = self.read_unreferenced(files)?;
        self.out.parsed.stacks.extend(stack);
        Ok(())
    }

    /// Files of the checkout as one project; `None` where one is wrong.
    fn read_unreferenced(&mut self, files: &[PathBuf]) -> Result<Option<ParsedStack>> {
        let files: Vec<PathBuf> = files.iter().map(|file| self.checkout.join(file)).collect();
        let call = ComposeCall {
            files: files.clone(),
            ..ComposeCall::default()
        };
        let stack = self.parse_stack(&mut Reader::Nobody, &call, &files);
        let stack = self.pass(stack)?;
        Ok(stack.map(|stack| self.claimed(stack)))
    }

    /// Where watchme.toml does not say where the checkout is on the server, units name its files by paths that are
    /// not here: one that ends as the file's path does is taken for it.
    fn claimed(&self, stack: ParsedStack) -> ParsedStack {
        let is = |path: &PathBuf, file: &PathBuf| {
            path.ends_with(file.strip_prefix(&self.places.folder).unwrap_or(file))
        };
        let stacks = self.out.parsed.stacks.iter();
        let mut named = stacks.filter(|named| named.files.is_empty());
        let unit = named.find(|named| {
            let mut pairs = named.paths.iter().zip(&stack.files);
            named.unit.is_some()
                && named.paths.len() == stack.paths.len()
                && pairs.all(|(path, file)| is(path, file))
        });
        match unit {
            Some(named) => ParsedStack {
                unit: named.unit.clone(),
                project: named.project.clone(),
                attached: named.attached,
                up: named.up,
                ..stack
            },
            None => stack,
        }
    }

    /// Files with the name of a compose file, by folder.
    fn walk(
        &self,
        folder: &Path,
        found: &mut BTreeMap<PathBuf, BTreeSet<String>>,
        seen: &mut usize,
        depth: usize,
    ) {
        let policy = &self.policy().folders;
        let known = [&policy.sites, &policy.units, &policy.etc].map(|name| name.as_str());
        let known = known.into_iter().chain([HOSTS]);
        let known: Vec<PathBuf> = known.filter_map(|name| self.input(name).ok()).collect();
        for name in self.inputs.tree.list(folder).unwrap_or_default() {
            *seen += 1;
            let path = folder.join(&name);
            if *seen > MAX_NAMES
                || name.starts_with('.')
                || inputs::is_backup(&name)
                || known.contains(&path)
            {
                continue;
            }
            if name.ends_with(".yml") || name.ends_with(".yaml") {
                let alone = self.places.alone.as_ref();
                let is_alone = alone.is_some_and(|alone| alone.is_compose);
                let is_one = is_alone || is_compose_file(&name) || self.is_compose_by_place(&path);
                if is_one && !self.inputs.left_out(&path) {
                    found.entry(folder.into()).or_default().insert(name);
                }
                continue;
            }
            let is_folder = depth < MAX_DEPTH
                && !FOREIGN.contains(&name.as_str())
                && !self.inputs.folder_left_out(&path)
                && matches!(self.inputs.node(&path), Ok(Some((resolved, Node::Folder))) if resolved == path);
            if is_folder {
                self.walk(&path, found, seen, depth + 1);
            }
        }
    }

    /// Whether a file in `compose/` has services, whatever its name is.
    pub(super) fn is_compose_by_place(&self, path: &Path) -> bool {
        let folder = self.places.folder.join(STACKS);
        let name = path.file_name().and_then(|name| name.to_str());
        path.starts_with(folder)
            && name.is_some_and(|name| !is_elsewhere(name))
            && matches!(self.inputs.tree.read(path), Ok(Some((content, _)))
                if content.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"services:")))
    }

    /// Says where the variables had their values from, where that is not the real file.
    fn say_examples(&mut self) {
        let stacks = self.out.parsed.stacks.iter();
        let examples = stacks.filter_map(|stack| match &stack.variables {
            Variables::Example(path) => Some(path),
            _ => None,
        });
        let examples: BTreeSet<&PathBuf> = examples.collect();
        let Some(first) = examples.first() else {
            return;
        };
        let more = match examples.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let note = format!(
            "there is no .env here: variables of compose files have the values of {}{more}",
            first.display()
        );
        self.out.warnings.push(note);
    }
}

/// `docker-compose*.yml`, `compose*.yaml`, `*.docker-compose.yml` and the like, without those for another place than a
/// server.
fn is_compose_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let stem = name
        .rsplit_once('.')
        .map_or(name.as_str(), |(stem, _)| stem);
    let mut words = stem.split(['.', '-', '_']);
    let is_first = words.next() == Some("compose") || stem.starts_with("docker-compose");
    let is_named = is_first && !stem.starts_with("docker-composer")
        || stem.ends_with("docker-compose")
        || words.next_back() == Some("compose");
    is_named && !is_elsewhere(&name)
}

/// Whether a word of a file's name says that it is not for a server.
fn is_elsewhere(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(['.', '-', '_']);
    words.any(|word| ELSEWHERE.contains(&word))
}

/// Whether every service says what it runs: a file to be laid over another one does not.
fn is_whole(compose: &Compose) -> bool {
    let mut services = compose.services.values();
    services.all(|service| service.rest.contains_key("image") || service.rest.contains_key("build"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_for_a_server_are_known_by_name() {
        for (name, expected) in [
            ("docker-compose.yml", true),
            ("docker-compose.prod.yml", true),
            ("compose.yaml", true),
            ("docker-compose-staging.yml", true),
            ("docker-compose.dev.yml", false),
            ("docker-compose.local.yml", false),
            ("composer.yml", false),
            ("docker-composer.yml", false),
            ("traefik.docker-compose.yml", true),
            ("traefik-compose.yml", true),
            ("docker_compose.yml", true),
            ("compose.example.yml", false),
            ("mkdocs.yml", false),
        ] {
            assert_eq!(is_compose_file(name), expected, "{name}");
        }
    }
}
