//! Files for /etc.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::EtcFiles;
use crate::model::{EtcAction, EtcFile, EtcLoader, File};
use crate::source::error::{Result, SourceError};
use crate::source::load::stack_units::UPSTREAMS;
use crate::source::load::{Loader, Reads, text};
use crate::source::nginx;
use crate::source::policy::Folders;
use crate::source::tree::Node;

impl Reads for EtcFiles {
    fn input<'f>(&self, folders: &'f Folders) -> Option<&'f str> {
        Some(&folders.etc)
    }

    fn read(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let alone = loader.places.alone.as_ref();
        if let Some(alone) = alone.filter(|alone| !alone.etc.is_empty()) {
            return loader.etc_files(&alone.etc);
        }
        let folder = loader.input(&loader.policy().folders.etc.clone())?;
        loader.etc_folder(&folder, Path::new(""), &mut BTreeSet::new())
    }

    fn complete(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let paths = loader.out.desired.etc.keys();
        let paths: Vec<_> = paths.map(|path| path.to_string_lossy()).collect();
        let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        for name in loader.policy().etc.keys() {
            loader.known("etc file", name, &paths)?;
        }
        Ok(())
    }
}

impl Loader<'_, '_> {
    /// Files that are elsewhere, each with its place below /etc.
    fn etc_files(&mut self, files: &[(PathBuf, PathBuf)]) -> Result<()> {
        for (path, relative) in files {
            let file = self.inputs.file(path);
            if let Some(file) = self.pass(file)?.flatten() {
                let entry = self.etc_file(file, relative);
                self.out.desired.etc.insert(relative.clone(), entry);
            }
        }
        Ok(())
    }

    fn etc_folder(
        &mut self,
        folder: &Path,
        below: &Path,
        visited: &mut BTreeSet<PathBuf>,
    ) -> Result<()> {
        for name in self.names(folder)? {
            let entry = self.etc_entry(folder.join(&name), below.join(&name), visited);
            self.pass(entry)?;
        }
        Ok(())
    }

    fn etc_entry(
        &mut self,
        path: PathBuf,
        relative: PathBuf,
        visited: &mut BTreeSet<PathBuf>,
    ) -> Result<()> {
        if self.shape.has(&relative) {
            return Ok(());
        }
        match self.inputs.node(&path)? {
            // A link to a folder above would never end.
            Some((resolved, Node::Folder)) => {
                if visited.insert(resolved) {
                    self.etc_folder(&path, &relative, visited)?;
                }
            }
            Some((_, Node::Special(what))) => return Err(SourceError::Special { path, what }),
            _ => {
                if let Some(file) = self.inputs.file(&path)? {
                    self.check_etc(&path, &relative)?;
                    let entry = self.etc_file(file, &relative);
                    self.out.desired.etc.insert(relative, entry);
                }
            }
        }
        Ok(())
    }

    /// Refuses files where other kinds of resources, or this program's own state, lie.
    fn check_etc(&self, path: &Path, relative: &Path) -> Result<()> {
        for (place, instead) in [
            ("watchme-apply", "a folder of this program"),
            ("nginx/sites-available", "a folder for sites: put it there"),
            ("nginx/sites-enabled", "a folder for sites: put it there"),
            ("systemd/system", "a folder for units: put it there"),
            (
                "containers/systemd",
                "where Podman reads Quadlets: put it into the folder containers/ of the desired state",
            ),
            (
                UPSTREAMS,
                "written by this program, for stacks that update start-first",
            ),
        ] {
            if relative.starts_with(place) {
                return Err(SourceError::Name {
                    path: path.into(),
                    why: format!("/etc/{place} is {instead}"),
                });
            }
        }
        Ok(())
    }

    pub(crate) fn etc_file(&mut self, file: File, relative: &Path) -> EtcFile {
        let policy = self.policy().etc.get(relative.to_string_lossy().as_ref());
        let policy = policy.cloned().unwrap_or_default();
        let mode = policy.mode.as_deref().copied().unwrap_or(file.mode());
        // One that does not parse may be any file.
        let parsed = match relative.starts_with("nginx") {
            true => nginx::parse(&file.source, &text(&file)),
            false => Ok(Vec::new()),
        };
        let parsed = parsed.unwrap_or_else(|wrong| {
            // The module of Lua has a parser of its own for these blocks.
            if !text(&file).contains("_by_lua_block") {
                self.out.parsed.broken.insert(relative.to_owned(), wrong);
            }
            Vec::new()
        });
        let (zones, upstreams) = (nginx::zones(&parsed), nginx::upstreams(&parsed));
        if !parsed.is_empty() {
            self.out.parsed.etc.insert(relative.to_owned(), parsed);
        }
        // nginx's files switch together with the sites, which a copy could not.
        let is_plain = policy.mode.is_none() && policy.owner.is_none();
        let linked = is_plain && relative.starts_with("nginx");
        let file = File {
            // What others may not read below /etc they may not read in the store.
            private: mode & 0o004 == 0,
            ..file
        };
        EtcFile {
            mode,
            owner: policy
                .owner
                .as_deref()
                .map_or("root:root", String::as_str)
                .to_owned(),
            link: policy.link().unwrap_or(linked),
            action: policy
                .action()
                .or(EtcLoader::of(relative).map(EtcAction::Load)),
            validate: policy.validate.map(|command| command.0),
            zones,
            upstreams,
            file,
        }
    }
}
