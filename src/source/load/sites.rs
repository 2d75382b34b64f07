//! Sites. Many of them are parsed in a thread of their own while the rest is read: that is the largest part which needs
//! nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use super::{Loader, text};
use crate::model::{Diagnostic, File, Site};
use crate::source::error::Result;
use crate::source::nginx::{self, Directive};

/// From so many on it is worth a thread.
const MANY: usize = 32;

/// A site's file as it was read.
pub(super) struct SiteFile {
    name: String,
    path: PathBuf,
    file: File,
}

/// What it says, or what is wrong with it.
pub(super) type Read = (
    String,
    std::result::Result<(Site, Vec<Directive>), Diagnostic>,
);

impl Loader<'_, '_> {
    /// Reads the files of the sites.
    pub(super) fn site_files(&mut self) -> Result<Vec<SiteFile>> {
        let folder = self.input(&self.policy().folders.sites.clone())?;
        let mut seen: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        let mut files = Vec::new();
        for name in self.names(&folder)? {
            if !name.starts_with('.') {
                let file = self.site_file(folder.join(&name), name, &mut seen);
                files.extend(self.pass(file)?.flatten());
            }
        }
        Ok(files)
    }

    fn site_file(
        &mut self,
        path: PathBuf,
        name: String,
        seen: &mut BTreeMap<PathBuf, PathBuf>,
    ) -> Result<Option<SiteFile>> {
        if !self.is_file(&path, seen, ("site", &name))? {
            let warning = format!("{} is a folder, not a site", path.display());
            self.out.warnings.push(warning);
            return Ok(None);
        }
        let file = self.inputs.file(&path)?;
        Ok(file.map(|file| SiteFile { name, path, file }))
    }

    /// Takes what the files say into the desired state.
    pub(super) fn sites(&mut self, sites: Vec<Read>) -> Result<()> {
        for (name, read) in sites {
            let read = read.map_err(Into::into);
            let Some((mut site, directives)) = self.pass(read)? else {
                continue;
            };
            let section = self.policy().sites.get(&name);
            site.enabled = section.is_none_or(|section| section.value.enabled);
            self.out.desired.sites.insert(name.clone(), site);
            self.out.parsed.sites.insert(name, directives);
        }
        Ok(())
    }
}

/// Parses sites while something else is done.
pub(super) fn beside<T>(files: &[SiteFile], other: impl FnOnce() -> T) -> (T, Vec<Read>) {
    let all = || -> Vec<Read> { files.iter().map(read).collect() };
    thread::scope(|scope| {
        let thread = (files.len() >= MANY).then(thread::Builder::new);
        // No thread to be had is no reason to fail.
        let running = thread.and_then(|thread| thread.spawn_scoped(scope, all).ok());
        let done = other();
        let sites = match running.map(thread::ScopedJoinHandle::join) {
            Some(Ok(sites)) => sites,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => all(),
        };
        (done, sites)
    })
}

fn read(site: &SiteFile) -> Read {
    let SiteFile { name, path, file } = site;
    let read = nginx::parse(path, &text(file)).map(|directives| {
        let site = Site {
            enabled: true,
            certificates: nginx::certificates(&directives),
            read_timeout: nginx::read_timeout(&directives),
            zones: nginx::zones(&directives),
            listens: nginx::listens(&directives),
            upstreams: nginx::upstreams(&directives),
            file: file.clone(),
        };
        (site, directives)
    });
    (name.clone(), read)
}
