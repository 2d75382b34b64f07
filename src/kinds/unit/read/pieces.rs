//! The folder of units: its files and drop-ins, and in which order they count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::name_of;
use crate::model::{File, StackCopy};
use crate::source::error::{Result, SourceError};
use crate::source::load::{Loader, Wrong, shape, text};
use crate::source::tree::Node;
use crate::source::unit::settings::Source;
use crate::source::unit::{Name, Settings};

/// A unit file or drop-in as it was read.
pub(super) struct Piece {
    pub(super) file: File,
    pub(super) source: Arc<Source>,
    /// The stack that it was generated for.
    pub(super) stack: Option<(String, Option<StackCopy>)>,
    /// What is laid over the compose files of that stack.
    pub(super) laid_over: Option<File>,
}

#[derive(Default)]
pub(super) struct Pieces {
    pub(super) files: BTreeMap<String, Piece>,
    pub(super) dropins: BTreeMap<String, BTreeMap<String, Piece>>,
}

impl Loader<'_, '_> {
    pub(super) fn pieces(&mut self, folder: &Path) -> Result<Pieces> {
        let mut pieces = Pieces::default();
        let mut seen = BTreeMap::new();
        for name in self.names(folder)? {
            if !name.starts_with('.') {
                let entry = self.unit_entry(folder, name, &mut seen, &mut pieces);
                self.pass(entry)?;
            }
        }
        Ok(pieces)
    }

    fn unit_entry(
        &mut self,
        folder: &Path,
        name: String,
        seen: &mut BTreeMap<PathBuf, PathBuf>,
        pieces: &mut Pieces,
    ) -> Result<()> {
        let path = folder.join(&name);
        // systemctl makes links and folders of links there: what they say, units say themselves.
        if self.shape.units && shape::is_made_by_systemctl(self.inputs, &path) {
            return Ok(());
        }
        if shape::is_of_systemd(&name)
            && matches!(self.inputs.node(&path), Ok(Some((_, Node::File { .. }))))
        {
            let warning = format!(
                "{} is not a unit and is skipped: files for /etc/systemd belong in etc/systemd/",
                path.display()
            );
            self.out.warnings.push(warning);
            return Ok(());
        }
        if self.is_file(&path, seen, ("unit", &name))? {
            name_of(folder, &name)?;
            if let Some(piece) = self.piece(&path)? {
                pieces.files.insert(name, piece);
            }
            return Ok(());
        }
        match name.strip_suffix(".d") {
            Some(unit) => {
                name_of(folder, unit)?;
                let dropins = self.dropins(&path)?;
                if !dropins.is_empty() {
                    pieces.dropins.insert(unit.into(), dropins);
                }
            }
            None => {
                let warning = format!("{} is a folder, not a unit: skipped", path.display());
                self.out.warnings.push(warning);
            }
        }
        Ok(())
    }

    fn dropins(&mut self, folder: &Path) -> Result<BTreeMap<String, Piece>> {
        let mut dropins = BTreeMap::new();
        for name in self.names(folder)? {
            let path = folder.join(&name);
            if name.starts_with('.') {
                continue;
            }
            if !name.ends_with(".conf") {
                let warning = format!(
                    "{} does not end in .conf: systemd ignores it",
                    path.display()
                );
                self.out.warnings.push(warning);
                continue;
            }
            let piece = self.dropin(path);
            if let Some(piece) = self.pass(piece)?.flatten() {
                dropins.insert(name, piece);
            }
        }
        Ok(dropins)
    }

    fn dropin(&mut self, path: PathBuf) -> Result<Option<Piece>> {
        match self.inputs.node(&path)? {
            Some((_, Node::Special(what))) => Err(SourceError::Special { path, what }),
            _ => self.piece(&path),
        }
    }

    fn piece(&mut self, path: &Path) -> Result<Option<Piece>> {
        let Some(file) = self.inputs.file(path)? else {
            return Ok(None);
        };
        let source = Source::new(path, text(&file));
        // Where what is wrong is collected, `check` has rules about each such line.
        if self.wrong == Wrong::Fails {
            for stray in &source.parsed.strays {
                let place = stray.complain(&source.file);
                if stray.spoils_the_file() {
                    return Err(place.into());
                }
                let warning = format!("{place}: systemd passes over it");
                self.out.warnings.push(warning);
            }
        }
        let source = Arc::new(source);
        Ok(Some(Piece {
            file,
            source,
            stack: None,
            laid_over: None,
        }))
    }
}

pub(super) fn files_of(pieces: &BTreeMap<String, Piece>) -> BTreeMap<String, File> {
    let file = |(name, piece): (&String, &Piece)| (name.clone(), piece.file.clone());
    pieces.iter().map(file).collect()
}

/// The pieces of a unit in the order in which systemd reads them: its file or its template's,
/// then drop-ins by file name, where the more specific folder wins. systemd.unit(5)
pub(super) fn settings(name: &Name, pieces: &Pieces) -> Settings {
    let template = name.template();
    let file = pieces.files.get(name.as_str()).or_else(|| {
        template
            .as_ref()
            .and_then(|template| pieces.files.get(template))
    });
    let mut folders: Vec<String> = name
        .prefix()
        .match_indices('-')
        .filter_map(|(at, _)| name.prefix().get(..=at))
        .map(|prefix| format!("{prefix}.{}", name.suffix()))
        .collect();
    folders.extend(template);
    folders.push(name.to_string());
    let mut dropins: BTreeMap<&str, &Piece> = BTreeMap::new();
    for folder in &folders {
        for (file, piece) in pieces.dropins.get(folder).into_iter().flatten() {
            dropins.insert(file, piece);
        }
    }
    let sources = file.into_iter().chain(dropins.into_values());
    Settings::new(sources.map(|piece| piece.source.clone()).collect())
}
