//! Sites. Many of them are parsed in a thread of their own while the rest is read: that is the largest part which needs
//! nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use source_text::{SourceFile, make_room};

use super::Sites;
use crate::model::{Diagnostic, File, Site};
use crate::source::error::Result;
use crate::source::load::inputs::is_backup;
use crate::source::load::{Loader, Reads, shape, text};
use crate::source::nginx::{self, Directive};
use crate::source::policy::Folders;

/// From so many on it is worth a thread.
const MANY: usize = 32;

/// A site's file as it was read.
struct SiteFile {
    name: String,
    path: PathBuf,
    file: File,
    /// Whether the checkout enables it.
    enabled: bool,
}

/// What it says, or what is wrong with it.
type Read = (
    String,
    std::result::Result<(Site, Vec<Directive>), Diagnostic>,
);

/// Sites that are being parsed.
pub(crate) enum Parsing {
    /// In a thread of their own.
    Running(thread::JoinHandle<Vec<Read>>),
    Done(Vec<Read>),
}

impl Reads for Sites {
    fn input<'f>(&self, folders: &'f Folders) -> Option<&'f str> {
        Some(&folders.sites)
    }

    fn read(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let files = loader.site_files()?;
        loader.sites = Some(parse(files));
        Ok(())
    }

    fn complete(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let sites = match loader.sites.take() {
            Some(Parsing::Running(thread)) => thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Some(Parsing::Done(sites)) => sites,
            None => Vec::new(),
        };
        loader.take_sites(sites)?;
        let names = loader.out.desired.sites.keys();
        let names: Vec<&str> = names.map(String::as_str).collect();
        for name in loader.policy().sites.keys() {
            loader.known("site", name, &names)?;
        }
        Ok(())
    }
}

impl Loader<'_, '_> {
    /// Reads the files of the sites.
    fn site_files(&mut self) -> Result<Vec<SiteFile>> {
        let folder = self.input(&self.policy().folders.sites.clone())?;
        let mut seen: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        let mut files = Vec::new();
        for name in self.names(&folder)? {
            if !name.starts_with('.') {
                let file = self.site_file(folder.join(&name), name, &mut seen);
                files.extend(self.pass(file)?.flatten());
            }
        }
        let is_as_on_a_host = self.shape.sites;
        if let Some((folder, enabled)) = is_as_on_a_host
            .then(|| shape::enabled(self.inputs, &folder))
            .flatten()
        {
            for file in &mut files {
                file.enabled = enabled.linked.contains(&file.name);
            }
            for name in enabled.own.into_iter().filter(|name| !is_backup(name)) {
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
        Ok(file.map(|file| SiteFile {
            name,
            path,
            file,
            enabled: true,
        }))
    }

    /// Takes what the files say into the desired state.
    fn take_sites(&mut self, sites: Vec<Read>) -> Result<()> {
        for (name, read) in sites {
            let read = read.map_err(Into::into);
            let Some((mut site, directives)) = self.pass(read)? else {
                continue;
            };
            let policy = self.policy().sites.get(name.as_str());
            site.enabled = policy.map_or(site.enabled, |policy| policy.enabled);
            self.out.desired.sites.insert(name.clone(), site);
            self.out.parsed.sites.insert(name, directives);
        }
        Ok(())
    }
}

/// Parses sites in a thread of their own, if they are many.
fn parse(files: Vec<SiteFile>) -> Parsing {
    let files: Arc<[SiteFile]> = files.into();
    let read_all = |files: &[SiteFile]| files.iter().map(read).collect();
    let thread = (files.len() >= MANY).then(thread::Builder::new);
    let theirs = files.clone();
    // No thread to be had is no reason to fail.
    let read_theirs = move || {
        make_room();
        read_all(&theirs)
    };
    match thread.and_then(|thread| thread.spawn(read_theirs).ok()) {
        Some(running) => Parsing::Running(running),
        None => Parsing::Done(read_all(&files)),
    }
}

fn read(site: &SiteFile) -> Read {
    let SiteFile {
        name,
        path,
        file,
        enabled,
    } = site;
    let read = nginx::parse(path, &text(file)).map(|directives| {
        let site = Site {
            enabled: *enabled,
            certificates: nginx::certificates(&directives),
            read_timeout: nginx::read_timeout(&directives),
            zones: nginx::zones(&directives),
            listens: nginx::listens(&directives),
            upstreams: nginx::upstreams(&directives),
            file: file.clone(),
        };
        (site, directives)
    });
    let read = read.map_err(|wrong| of_apache(path, file).unwrap_or(wrong));
    (name.clone(), read)
}

/// What is to be said about a site of Apache httpd instead of what is wrong with its first line for nginx.
fn of_apache(path: &Path, file: &File) -> Option<Diagnostic> {
    let text = text(file);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let section = line.trim_start();
        if section.starts_with("<VirtualHost") || section.starts_with("<IfModule") {
            let start = at + line.len() - section.len();
            let span = start..start + section.trim_end().len();
            let file = SourceFile::new(path, text.as_ref());
            let help = Some("move it to another folder, or rewrite it for nginx".to_owned());
            return Some(Diagnostic {
                help,
                ..Diagnostic::at(&file, span, nginx::OF_APACHE, "")
            });
        }
        at += line.len();
    }
    None
}
