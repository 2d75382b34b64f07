//! Files for /etc.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Loader, text};
use crate::model::{EtcFile, File};
use crate::source::error::{Result, SourceError};
use crate::source::nginx;
use crate::source::tree::Node;

impl Loader<'_, '_> {
    pub(super) fn etc(&mut self) -> Result<()> {
        let folder = self.input(&self.policy().folders.etc.clone())?;
        let mut visited = BTreeSet::new();
        self.etc_folder(&folder, Path::new(""), &mut visited)
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

    fn etc_file(&mut self, file: File, relative: &Path) -> EtcFile {
        let section = self.policy().etc.get(relative.to_string_lossy().as_ref());
        let policy = section.map(|section| section.value.clone());
        let mode = policy
            .as_ref()
            .and_then(|policy| policy.mode)
            .unwrap_or(file.mode());
        // One that does not parse is `nginx -t`'s to judge: it may be any file there.
        let parsed = relative
            .starts_with("nginx")
            .then(|| nginx::parse(relative, &text(&file)).ok());
        let parsed = parsed.flatten().unwrap_or_default();
        let (zones, upstreams) = (nginx::zones(&parsed), nginx::upstreams(&parsed));
        if !parsed.is_empty() {
            self.out.parsed.etc.insert(relative.to_owned(), parsed);
        }
        // nginx's files switch together with the sites, which a copy could not.
        let plain = policy
            .as_ref()
            .is_none_or(|policy| policy.mode.is_none() && policy.owner.is_none());
        let linked = plain && relative.starts_with("nginx");
        let file = File {
            // What others may not read below /etc they may not read in the store.
            private: mode & 0o004 == 0,
            ..file
        };
        EtcFile {
            mode,
            owner: policy
                .as_ref()
                .and_then(|policy| policy.owner.clone())
                .unwrap_or_else(|| "root:root".into()),
            link: policy
                .as_ref()
                .and_then(|policy| policy.link)
                .unwrap_or(linked),
            validate: policy.as_ref().and_then(|policy| policy.validate.clone()),
            action: policy.and_then(|policy| policy.action),
            zones,
            upstreams,
            file,
        }
    }
}
