//! A file for the textfile collector of node_exporter.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A file of metrics that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write the metrics to {}", path.display())]
pub(in crate::cli) struct TextfileError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl TextfileError {
    pub(in crate::cli) fn hint(&self) -> Option<String> {
        let folder = folder(&self.path).display();
        match self.source.kind() {
            std::io::ErrorKind::NotFound => Some(format!(
                "{folder} must exist: apt-get install prometheus-node-exporter, or sudo mkdir -p {folder}"
            )),
            std::io::ErrorKind::PermissionDenied => Some(format!(
                "needs root: sudo watchme-apply metrics --textfile {}",
                self.path.display()
            )),
            _ => None,
        }
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Writes it under another name, which nobody reads, and renames it: a reader finds the old metrics or the new ones. A link
/// at its place is replaced, not followed.
pub(super) fn write(path: &Path, text: &str) -> Result<(), TextfileError> {
    let failed = |source| TextfileError {
        path: path.to_owned(),
        source,
    };
    let written = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".watchme-apply.")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder(path))?;
        file.write_all(text.as_bytes())?;
        file.as_file()
            .set_permissions(Permissions::from_mode(0o644))?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(failed)
}
