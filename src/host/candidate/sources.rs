//! Which file of the checkout is at a path of the host.

use std::path::{Path, PathBuf};

use source_text::SourceFile;

use crate::effect::Candidate;
use crate::model::layout::store::UNITS;
use crate::model::{Complaint, Diagnostic, File, Finding, RuleId, Severity, layout};
use crate::root::Root;

/// Finds the places in the checkout that a program means.
pub(super) struct Sources<'a> {
    root: &'a Root,
    candidate: &'a Candidate,
}

impl<'a> Sources<'a> {
    /// Those of a candidate that was put at `root`.
    pub(super) fn new(root: &'a Root, candidate: &'a Candidate) -> Self {
        Self { root, candidate }
    }

    /// The root at which it was put.
    pub(super) fn root(&self) -> &'a Root {
        self.root
    }

    /// The file of the checkout that a reader of `path` gets.
    pub(super) fn at(&self, path: &Path) -> Option<&'a File> {
        let known = |path: &Path| self.candidate.sources.get(path);
        known(path).or_else(|| known(&self.root.resolve(path)?))
    }

    /// Files of the checkout that nginx may read.
    pub(super) fn of_nginx(&self) -> impl Iterator<Item = &'a File> {
        let sites = layout::live(layout::store::SITES);
        let sources = self.candidate.sources.iter();
        sources
            .filter(move |(path, _)| path.starts_with(&sites) || path.starts_with(layout::NGINX))
            .map(|(_, file)| file)
    }

    /// Where what Podman's generator reads is, with its files of the checkout.
    pub(super) fn of_quadlets(&self) -> impl Iterator<Item = (&'a Path, &'a File)> {
        let folder = layout::live(layout::store::QUADLETS);
        let sources = self.candidate.sources.iter();
        let own = sources.filter(move |(path, _)| path.starts_with(&folder));
        own.map(|(path, file)| (path.as_path(), file))
    }

    /// Where files of a unit that not everybody may read lie.
    pub(super) fn paths_of_unit(&self, name: &str) -> Vec<PathBuf> {
        let files = self.of_unit(name);
        let sources = self.candidate.sources.iter();
        let private = sources.filter(|(_, file)| file.private);
        private
            .filter(|(_, file)| files.iter().any(|own| own.source == file.source))
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// The files of a unit: its own or its template's first, then drop-ins in their order,
    /// systemd.unit(5).
    pub(super) fn of_unit(&self, name: &str) -> Vec<&'a File> {
        let names: Vec<String> = template(name)
            .into_iter()
            .chain([name.to_owned()])
            .collect();
        let folders = || [layout::live(UNITS), PathBuf::from(layout::SYSTEMD)];
        let own = names.iter().rev();
        let own = own.flat_map(|name| folders().map(|folder| folder.join(name)));
        let mut files: Vec<&File> = own
            .filter_map(|path| self.candidate.sources.get(&path))
            .collect();
        files.truncate(1);
        for name in &names {
            for folder in folders().map(|folder| folder.join(format!("{name}.d"))) {
                let sources = self.candidate.sources.iter();
                let dropins = sources.filter(|(path, _)| path.parent() == Some(&folder));
                files.extend(dropins.map(|(_, file)| file));
            }
        }
        files
    }
}

/// The template of an instance.
fn template(name: &str) -> Option<String> {
    let (prefix, rest) = name.split_once('@')?;
    let (instance, suffix) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{prefix}@.{suffix}"))
}

/// A finding at a line of a file of the checkout, counted from 1.
pub(super) fn placed(
    rule: &'static RuleId,
    severity: Severity,
    file: &File,
    line: usize,
    message: &str,
) -> Finding {
    let source = match file.private {
        // What only its owner may read shows nowhere.
        true => format!("{}(a private file)", "\n".repeat(line.saturating_sub(1))),
        false => String::from_utf8_lossy(&file.content).into_owned(),
    };
    Finding {
        rule,
        severity,
        complaint: Complaint::Placed(Box::new(Diagnostic::of_line(
            &SourceFile::new(&file.source, source),
            line,
            message,
        ))),
    }
}

/// A finding about no known place.
pub(super) fn unplaced(rule: &'static RuleId, severity: Severity, message: &str) -> Finding {
    Finding {
        rule,
        severity,
        complaint: Complaint::Unplaced {
            message: message.to_owned(),
            help: None,
        },
    }
}

/// The first line, counted from 1, of which `is` holds; comments are no lines.
pub(super) fn line_where(file: &File, is: impl Fn(&str) -> bool) -> Option<usize> {
    let text = String::from_utf8_lossy(&file.content);
    let mut lines = text.lines().map(str::trim).enumerate();
    lines
        .find(|(_, line)| !line.starts_with(['#', ';']) && is(line))
        .map(|(index, _)| index + 1)
}
