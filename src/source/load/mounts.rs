//! What containers mount of the checkout. It is an input as an env file is: compose does not see that the content of a mount
//! changed, and git changes it under what runs.
//!
//! Docker mounts what is at a path of the host, and after a failed apply the checkout holds the new content. So the containers of a
//! stack get files from the store, by a file that is laid over the compose files; a label in it makes compose see each change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Loader, ParsedStack, folder_of};
use crate::model::{File, Hash, MOUNTS_LABEL, Stack, Unit, layout};
use crate::source::compose::{Bind, Mount, MountedBy};
use crate::source::error::SourceError;
use crate::source::tree::Node;
use crate::source::unit::USERS;

/// The end of the name of the file that is laid over a stack's compose files.
const LAID_OVER: &str = "watchme-apply.mounts.json";

/// What a service mounts of the checkout.
pub(super) struct Mounted {
    /// The mount as it is written.
    pub(super) mount: Mount,
    /// What is there in git.
    pub(super) content: Content,
}

pub(super) enum Content {
    File(File),
    /// A folder, as a hash of what git has of it.
    Folder(Hash),
}

impl Mounted {
    fn hash(&self) -> &Hash {
        match &self.content {
            Content::File(file) => &file.hash,
            Content::Folder(hash) => hash,
        }
    }

    /// The file, if the containers of a stack get it from the store. What a mount of another form means is left to
    /// compose.
    fn stored(&self) -> Option<&File> {
        let Content::File(file) = &self.content else {
            return None;
        };
        let is_plain = match &self.mount.by {
            MountedBy::Volume {
                target,
                has_options,
                ..
            } => !has_options && !target.contains(':') && !has_colon(&file.source),
            MountedBy::Config(_) | MountedBy::Secret(_) => true,
        };
        is_plain.then_some(file)
    }
}

fn has_colon(path: &Path) -> bool {
    path.to_string_lossy().contains(':')
}

/// What the services of a project mount of the checkout, by service.
pub(super) type Mounts = BTreeMap<String, Vec<Mounted>>;

impl Loader<'_, '_> {
    /// What the services mount that start.
    pub(super) fn mounts(&mut self, parsed: &ParsedStack) -> Mounts {
        let mut found = Mounts::new();
        let base = parsed.folder();
        for (name, service) in parsed.started_services() {
            let folder = self.folder_of_service(parsed, name, &base);
            let mounts = parsed.compose.mounts_of(service, &folder).into_iter();
            let mounts: Vec<Mounted> = mounts.filter_map(|mount| self.mounted(mount)).collect();
            if !mounts.is_empty() {
                found.insert(name.clone(), mounts);
            }
        }
        found
    }

    /// What services of files in other folders mount, which are included: their relative paths are taken from there.
    pub(super) fn bind_included(&self, stack: &mut Stack, parsed: &ParsedStack) {
        let base = parsed.folder();
        for (name, binds) in &mut stack.binds {
            let folder = self.folder_of_service(parsed, name, &base);
            if let Some(service) = parsed.compose.services.get(name).filter(|_| folder != base) {
                *binds = service.binds(&folder);
            }
        }
    }

    /// The folder from which a service's paths are taken: that of the project, or of the file that is included with it.
    pub(super) fn folder_of_service(
        &self,
        parsed: &ParsedStack,
        service: &str,
        base: &Path,
    ) -> PathBuf {
        let named = parsed.files.get(..parsed.paths.len()).unwrap_or_default();
        let origins = parsed.origins.get(service).into_iter().flatten();
        let mut files = origins.map(|(file, _)| file).peekable();
        let first = files.peek().copied();
        match first.filter(|_| files.all(|file| !named.contains(file))) {
            Some(included) => folder_of(&self.checkout.join(included)),
            None => base.to_owned(),
        }
    }

    /// What a mount has of the checkout, as far as it is in git.
    fn mounted(&mut self, mount: Mount) -> Option<Mounted> {
        let path = self.in_checkout(&mount.source)?;
        // A link that leads out is no input, and Docker follows it all the same.
        let (_, node) = self.inputs.node(&path).ok().flatten()?;
        let is_folder = node == Node::Folder;
        if !self.inputs.is_tracked(&path, is_folder) {
            return None;
        }
        let content = match node {
            Node::Folder => {
                Content::Folder(self.inputs.digest_of_tracked(&path, is_read_only(&mount))?)
            }
            _ => match self.inputs.probe(&path) {
                Ok(file) => Content::File(file?),
                Err(error) => {
                    self.warn_of_mount(&path, &error);
                    return None;
                }
            },
        };
        Some(Mounted { mount, content })
    }

    fn warn_of_mount(&mut self, path: &Path, error: &SourceError) {
        let warning = format!(
            "a change of {} does not recreate the containers that mount it: {error}",
            path.display()
        );
        if !self.out.warnings.contains(&warning) {
            self.out.warnings.push(warning);
        }
    }

    /// Notes what the containers of a unit mount.
    pub(super) fn note_mounts(&mut self, unit: &mut Unit, stack: &mut Stack, mounts: &Mounts) {
        for (service, mounted) in mounts {
            stack.mounted.insert(service.clone(), hash(mounted));
            for one in mounted {
                let source = &one.mount.source;
                unit.mounts.insert(source.clone());
                match &one.content {
                    Content::File(file) => {
                        let files = &mut self.out.desired.files;
                        let known = files.entry(source.clone()).or_insert_with(|| file.clone());
                        known.secret |= matches!(one.mount.by, MountedBy::Secret(_));
                    }
                    Content::Folder(hash) => {
                        stack.folders.insert(source.clone(), hash.clone());
                    }
                }
                if unit.stack.is_some() && one.stored().is_some() {
                    let stored = stack.stored.entry(service.clone()).or_default();
                    stored.insert(source.clone());
                }
            }
        }
        // No data is left behind where a file comes from the store.
        let Stack {
            binds,
            stored,
            stored_binds,
            ..
        } = stack;
        for (service, stored) in &*stored {
            let all = binds.remove(service).unwrap_or_default();
            let is_stored = |bind: &Bind| stored.contains(&bind.source);
            let (of_store, others) = all.into_iter().partition(is_stored);
            binds.insert(service.clone(), others);
            stored_binds.insert(service.clone(), of_store);
        }
        stored_binds.retain(|_, binds| !binds.is_empty());
        binds.retain(|_, binds| !binds.is_empty());
    }
}

/// A hash of the content of what a service mounts.
pub(super) fn hash(mounted: &[Mounted]) -> Hash {
    let parts = mounted.iter().map(|one| one.hash().as_str().as_bytes());
    Hash::of_parts(parts)
}

/// The file that is laid over the compose files of a stack; `None` where it mounts nothing of the checkout. `first` is the
/// first of them, in the checkout.
pub(super) fn laid_over(first: &Path, mounts: &Mounts) -> Option<File> {
    let mut whole = Map::new();
    let mut services = Map::new();
    let (mut configs, mut secrets, mut users) = (Map::new(), Map::new(), Map::new());
    for (service, mounted) in mounts {
        let (mut volumes, mut uses) = (BTreeSet::new(), BTreeSet::new());
        for one in mounted {
            let Some(file) = one.stored() else {
                continue;
            };
            let path = layout::live(Path::new(layout::store::FILES).join(&file.source));
            let path = literal(&path.to_string_lossy());
            match &one.mount.by {
                MountedBy::Volume { target, modes, .. } => {
                    let modes = match modes.is_empty() {
                        true => String::new(),
                        false => format!(":{}", modes.join(",")),
                    };
                    volumes.insert(format!("{path}:{}{modes}", literal(target)));
                }
                MountedBy::Config(name) => {
                    uses.insert(name);
                    configs.insert(name.clone(), json!({"file": path}));
                }
                MountedBy::Secret(name) => {
                    uses.insert(name);
                    secrets.insert(name.clone(), json!({"file": path}));
                }
            }
        }
        if !uses.is_empty() {
            users.insert(service.clone(), json!(uses));
        }
        let mut keys = json!({"labels": {MOUNTS_LABEL: hash(mounted).as_str()}});
        if !volumes.is_empty() {
            keys["volumes"] = json!(volumes);
        }
        services.insert(service.clone(), keys);
    }
    (!services.is_empty()).then_some(())?;
    for (key, map) in [
        ("services", services),
        ("configs", configs),
        ("secrets", secrets),
        (USERS, users),
    ] {
        if !map.is_empty() {
            whole.insert(key.to_owned(), Value::Object(map));
        }
    }
    let text = serde_json::to_string_pretty(&Value::Object(whole)).ok()?;
    let source = first.with_file_name(LAID_OVER);
    Some(File::new(source, format!("{text}\n").into_bytes(), false))
}

/// Where compose reads that file.
pub(super) fn path_of(file: &File) -> PathBuf {
    layout::live(Path::new(layout::store::FILES).join(&file.source))
}

/// Whether a file that a unit names is one that this program lays over its compose files.
pub(crate) fn is_generated(path: &Path) -> bool {
    path.starts_with(layout::LIVE)
}

/// A text in which compose finds no variable.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

fn is_read_only(mount: &Mount) -> bool {
    match &mount.by {
        MountedBy::Volume { modes, .. } => modes.iter().any(|mode| mode == "ro"),
        MountedBy::Config(_) | MountedBy::Secret(_) => true,
    }
}
