//! An import as JSON.

use serde::Serialize;

use crate::cli::json::{self, FORMAT_VERSION};
use crate::import::{self, Category, Left, SecretFile};

/// `import --json`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::cli) struct Imported {
    format_version: u32,
    /// The new checkout.
    checkout: String,
    /// Whether nothing was written.
    dry_run: bool,
    taken: Vec<Taken>,
    /// Files with secrets, which are not in git.
    secrets: Vec<SecretFile>,
    /// What stays as it is, and is not in the repository.
    unmanaged: Vec<Left>,
    /// How many steps the first apply has. None of them stops or restarts anything, or changes content.
    changes: usize,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Taken {
    /// `sites`, `units`, `compose`, `networks` or `etc`.
    #[cfg_attr(test, schemars(with = "String"))]
    kind: Category,
    /// `kind/name`, as in plans.
    resource: String,
    /// Where it is on the host.
    from: String,
    /// Its files, below the folder of the desired state.
    files: Vec<String>,
}

json::document!(Imported = "import");

impl Imported {
    pub(super) fn new(imported: &import::Imported, dry_run: bool) -> Self {
        let found = &imported.found;
        let taken = found.taken.iter().map(|taken| Taken {
            kind: taken.kind,
            resource: taken.id.to_string(),
            from: taken.from.clone(),
            files: (taken.files.iter())
                .map(|file| file.path.to_string_lossy().into_owned())
                .collect(),
        });
        let counted = imported.planned.plan.changes.iter();
        Self {
            format_version: FORMAT_VERSION,
            checkout: imported.checkout.to_string_lossy().into_owned(),
            dry_run,
            taken: taken.collect(),
            secrets: found.secrets.clone(),
            unmanaged: found.left.clone(),
            changes: counted.filter(|change| change.effect.counts()).count(),
        }
    }
}
