//! Why the tables of a document were not written. No file was changed then.

use std::path::PathBuf;

use super::marked::NAMES;

/// Why they were not written.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum DocsFailure {
    #[error("{}:{line}: there is no table {name:?}", path.display())]
    Unknown {
        path: PathBuf,
        line: usize,
        name: String,
        /// The one that is meant, perhaps.
        near: Option<&'static str>,
    },
    #[error("{}:{line}: the marker has no end: the text below it would be lost", path.display())]
    Unclosed { path: PathBuf, line: usize },
    #[error("{}:{line}: this end marker has no beginning", path.display())]
    Unopened { path: PathBuf, line: usize },
    /// The checkout cannot be read.
    #[error(transparent)]
    Root(#[from] crate::root::RootError),
}

impl DocsFailure {
    pub(in crate::cli) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { near, .. } => match near {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    format!("there are: {}", NAMES.map(|(word, _)| word).join(", "))
                }
            },
            Self::Unclosed { .. } => {
                "write <!-- /watchme-apply --> on a line of its own, where the table ends"
                    .to_owned()
            }
            Self::Unopened { .. } => {
                "remove the line, or write <!-- watchme-apply:endpoints --> above it".to_owned()
            }
            Self::Root(error) => return error.hint(),
        })
    }
}
