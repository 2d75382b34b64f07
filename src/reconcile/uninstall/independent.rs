//! How a host becomes independent of the store: each link that leads into it is replaced by what it leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::model::{Entry, layout};
use crate::root::{Root, RootError};

/// Folders of /etc whose links may lead into the store.
const ETC: &str = "/etc";

/// What takes the place of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// A copy of the file that it leads to.
    File,
    /// A link to the unit or site that becomes a file itself.
    Link(PathBuf),
    /// Nothing: it leads nowhere, or it starts this program.
    Nothing,
}

/// What is done to the files of a host, and what is kept of the store.
#[derive(Debug, Default)]
pub(crate) struct Independence {
    /// Links into the store, and what takes their place.
    pub links: BTreeMap<PathBuf, Instead>,
    /// Units that start this program, which is to go: they are stopped, and not enabled any more.
    pub callers: BTreeSet<String>,
    /// Units of this program that go.
    pub own: BTreeSet<PathBuf>,
    /// Folders and files below the store's that something still reads, each with what does.
    pub kept: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl Independence {
    /// Looks at all of /etc. What reads `checkout` needs it further on.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn of(root: &Root, checkout: Option<&Path>) -> Result<Self, RootError> {
        let mut found = Self::default();
        let mut links = BTreeMap::new();
        walk(root, Path::new(ETC), &mut |path, target| {
            if target.starts_with(layout::LIVE) {
                links.insert(path, target);
            }
        })?;
        for (path, target) in &links {
            let content = match root.entry(target)? {
                Entry::File { content, .. } => content,
                Entry::Missing => {
                    found.links.insert(path.clone(), Instead::Nothing);
                    continue;
                }
                // This program puts no such link: a person did.
                _ => {
                    found.keep(target, path.display().to_string());
                    continue;
                }
            };
            let text = String::from_utf8_lossy(&content);
            let (name, folder) = (name_of(path), path.parent().unwrap_or(path));
            found
                .links
                .insert(path.clone(), instead(path, target, &links));
            if folder == Path::new(layout::SYSTEMD) && starts_this_program(&text) {
                found.callers.insert(name.clone());
            }
            let checkout = checkout.filter(|folder| text.contains(&*folder.to_string_lossy()));
            if let Some(checkout) = checkout {
                found.keep(checkout, unit_of(path));
            }
            for part in parts_of_store(&text) {
                found.keep(&layout::live(part), unit_of(path));
            }
        }
        found.timers(root, &links)?;
        found.not_enabled(&links);
        found.own_units(root)?;
        Ok(found)
    }

    fn keep(&mut self, path: &Path, reader: String) {
        let readers = self.kept.entry(path.to_owned()).or_default();
        readers.insert(reader);
    }

    /// A timer starts the service of its name, systemd.timer(5).
    fn timers(&mut self, root: &Root, links: &BTreeMap<PathBuf, PathBuf>) -> Result<(), RootError> {
        for path in links
            .keys()
            .filter(|path| path.extension().is_some_and(|kind| kind == "timer"))
        {
            let service = Path::new(&name_of(path)).with_extension("service");
            let service = service.to_string_lossy().into_owned();
            let content = root.read(path)?.unwrap_or_default();
            let text = String::from_utf8_lossy(&content);
            let named = values(&text, |key| key == "Unit");
            let started = named.into_iter().next_back().unwrap_or(service);
            if self.callers.contains(&started) {
                self.callers.insert(name_of(path));
            }
        }
        Ok(())
    }

    /// The links that enable units that start this program go.
    fn not_enabled(&mut self, links: &BTreeMap<PathBuf, PathBuf>) {
        for path in links.keys() {
            if is_dependency(path) && self.callers.contains(&name_of(path)) {
                self.links.insert(path.clone(), Instead::Nothing);
            }
        }
    }

    /// The units that this program has written for itself. What loads the rules of the firewall does not need it.
    fn own_units(&mut self, root: &Root) -> Result<(), RootError> {
        for name in [layout::RECOVERY_UNIT, layout::SECRETS_UNIT] {
            let unit = layout::unit(name);
            if !root.is_there(&unit) {
                continue;
            }
            walk(root, Path::new(layout::SYSTEMD), &mut |path, target| {
                if is_dependency(&path) && target == unit {
                    self.own.insert(path);
                }
            })?;
            self.own.insert(unit);
        }
        let rules = Path::new(layout::FIREWALL_RULES);
        if root.is_there(rules) {
            self.keep(rules, layout::FIREWALL_UNIT.to_owned());
        }
        Ok(())
    }

    /// Carries it out. Each step is done at once or not at all, and doing all of them again is right.
    ///
    /// # Errors
    /// When the file system refuses; what is done stays done.
    pub(crate) fn make(&self, root: &Root) -> Result<(), RootError> {
        // Files first: a link to a unit must find one.
        for (path, instead) in &self.links {
            if *instead == Instead::File
                && let Some(target) = root.resolve(path)
                && let Entry::File {
                    content,
                    mode,
                    owner,
                    modified,
                } = root.entry(&target)?
            {
                // What looks at the time of a file, such as cron and systemd, sees no change.
                root.write_copy(path, &content, (mode, owner), modified)?;
            }
        }
        for (path, instead) in &self.links {
            match instead {
                Instead::File => {}
                Instead::Link(target) => root.link(path, target)?,
                Instead::Nothing => {
                    root.remove(path)?;
                    remove_empty_dependency(root, path);
                }
            }
        }
        for path in &self.own {
            root.remove(path)?;
            remove_empty_dependency(root, path);
        }
        Ok(())
    }
}

/// What takes the place of a link: a link that enables or renames a unit leads to the unit, and one that enables a site to the
/// site. Everything else becomes a file.
fn instead(path: &Path, target: &Path, links: &BTreeMap<PathBuf, PathBuf>) -> Instead {
    let in_store = target.strip_prefix(layout::LIVE).unwrap_or(target);
    let name = target.file_name().map(|name| name.to_string_lossy());
    let name = name.unwrap_or_default();
    let itself = match in_store.parent().and_then(Path::to_str) {
        Some(layout::store::UNITS) => layout::unit(&name),
        Some(layout::store::SITES) => layout::site_available(&name),
        _ => return Instead::File,
    };
    match itself != path && links.get(&itself).is_some_and(|leads| leads == target) {
        true => Instead::Link(itself),
        false => Instead::File,
    }
}

/// What a unit's text says for keys that `is` accepts.
fn values(text: &str, is: impl Fn(&str) -> bool) -> Vec<String> {
    let sections = systemd_unit::parse(text).sections.into_iter();
    let entries = sections.flat_map(|section| section.entries);
    let wanted = entries.filter(|entry| is(&entry.key));
    wanted.map(|entry| entry.value).collect()
}

/// Whether a unit starts this program, systemd.service(5) "ExecStart=". A checkout may have its name, too.
fn starts_this_program(text: &str) -> bool {
    let commands = values(text, |key| key.starts_with("Exec"));
    commands.iter().any(|command| {
        let mut words = command.split_whitespace();
        words.any(|word| {
            let word = word.trim_start_matches(['-', '@', ':', '+', '!']);
            word == "watchme-apply" || word.ends_with("/bin/watchme-apply")
        })
    })
}

/// The folders of the store that a text names.
fn parts_of_store(text: &str) -> BTreeSet<&str> {
    let behind = text.split(layout::LIVE).skip(1);
    let parts = behind.filter_map(|behind| {
        let name = behind.strip_prefix('/')?;
        let is_part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let end = name.find(|c| !is_part(c)).unwrap_or(name.len());
        Some(&name[..end])
    });
    parts.filter(|name| !name.is_empty()).collect()
}

/// The unit that a file or drop-in is of; other files by their path.
fn unit_of(path: &Path) -> String {
    let folder = path.parent().map(name_of).unwrap_or_default();
    match (folder.strip_suffix(".d"), path.starts_with(layout::SYSTEMD)) {
        (Some(unit), true) => unit.to_owned(),
        (None, true) => name_of(path),
        (_, false) => path.display().to_string(),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Whether a link enables a unit by its place.
fn is_dependency(path: &Path) -> bool {
    path.parent().is_some_and(layout::is_dependency_folder)
}

fn remove_empty_dependency(root: &Root, path: &Path) {
    if is_dependency(path)
        && let Some(folder) = path.parent()
    {
        root.remove_empty(folder);
    }
}

/// Calls `each` with every link below a folder, and what it says.
fn walk(
    root: &Root,
    folder: &Path,
    each: &mut impl FnMut(PathBuf, PathBuf),
) -> Result<(), RootError> {
    // Its own folder, whose content goes.
    if folder == Path::new(layout::HOME) {
        return Ok(());
    }
    for path in root.list(folder)? {
        let link = root.links(&path).into_iter().find(|link| link.path == path);
        match link {
            Some(link) => each(path, link.target),
            None if root.is_folder(&path) => walk(root, &path, each)?,
            None => {}
        }
    }
    Ok(())
}
