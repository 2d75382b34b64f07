//! Compose files below `compose/` that are no part of a stack, for those who report what is wrong with a checkout.

use std::path::{Path, PathBuf};

use source_text::SourceFile;

use super::refused::NOT_RUN;
use crate::model::Diagnostic;
use crate::source::load::{DEFAULT_FILES, Loader, STACKS, Wrong};
use crate::source::tree::Node;

impl Loader<'_, '_> {
    /// Notes what an apply does not run of an entry of `compose/` that no written unit is about; `read` are its compose
    /// files, if it is a stack.
    pub(super) fn note_not_run(&mut self, entry: &Path, read: &[PathBuf]) {
        let infra = self.input(&self.policy().folders.infra);
        if self.wrong != Wrong::IsCollected || infra.is_ok_and(|infra| infra.starts_with(entry)) {
            return;
        }
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        if !self.is_folder(entry) {
            if self.is_compose_by_place(entry) {
                self.not_run(
                    entry,
                    format!("an apply runs the folders of {STACKS}/, and not this file"),
                    format!("move it into a folder, as {STACKS}/NAME/compose.yaml"),
                );
            }
            return;
        }
        let names = self.inputs.tree.list(entry).unwrap_or_default();
        if let Some(first) = read.first() {
            let is_default = |path: &Path| DEFAULT_FILES.iter().any(|name| path.ends_with(name));
            let twins = names.iter().map(|name| entry.join(name));
            let twins = twins.filter(|path| is_default(path) && !read.contains(path));
            for twin in twins.filter(|_| is_default(first)).collect::<Vec<_>>() {
                self.not_run(
                    &twin,
                    format!(
                        "compose reads {} and not this file beside it",
                        first.display()
                    ),
                    format!("remove one of them, or list both: [stack.{name}] files = [...]"),
                );
            }
            return;
        }
        for below in names {
            let path = entry.join(&below);
            let is_file = below.ends_with(".yml") || below.ends_with(".yaml");
            if is_file && self.is_compose_by_place(&path) {
                self.not_run(
                    &path,
                    "an apply does not run it: compose looks for compose.yaml or docker-compose.yml".to_owned(),
                    format!("rename it, or write into watchme.toml: [stack.{name}] files = [{below:?}]"),
                );
            } else if self.is_folder(&path) {
                for file in DEFAULT_FILES.map(|name| path.join(name)) {
                    if self.is_compose_by_place(&file) {
                        self.not_run(
                            &file,
                            format!(
                                "an apply runs the folders of {STACKS}/, and not those below them"
                            ),
                            format!("move {} to {STACKS}/{below}", path.display()),
                        );
                    }
                }
            }
        }
    }

    fn is_folder(&self, path: &Path) -> bool {
        matches!(self.inputs.node(path), Ok(Some((_, Node::Folder))))
    }

    fn not_run(&mut self, path: &Path, message: String, help: String) {
        let place = Diagnostic::at(&SourceFile::new(path, ""), 0..0, message, "");
        let help = Some(help);
        let noted = (NOT_RUN, Diagnostic { help, ..place });
        self.out.parsed.refused.push(noted);
    }
}
