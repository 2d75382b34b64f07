//! `[packages]`: what apt installs.

use serde::Deserialize;

use super::ConfigFile;
use super::spanned::Spanned;
use super::values::PackageName;
use crate::model::Diagnostic;

/// `[packages]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PackagesPolicy {
    /// Packages that apt installs where they are missing, before anything else changes: see [packages](packages.md). `NAME=VERSION`
    /// is that version and no other.
    #[cfg_attr(test, schemars(example = ["nginx", "certbot", "postgresql-client-16"]))]
    pub install: Vec<Spanned<PackageName>>,
}

impl PackagesPolicy {
    /// Each name, with its version where one is named.
    pub fn wanted(&self) -> impl Iterator<Item = (String, Option<String>)> {
        let split = |text: &str| match text.split_once('=') {
            Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
            None => (text.to_owned(), None),
        };
        self.install.iter().map(move |package| split(package))
    }

    /// The first name that is listed twice.
    pub(super) fn validate(&self, file: &ConfigFile) -> Result<(), Diagnostic> {
        let mut known = Vec::new();
        for (package, (name, _)) in self.install.iter().zip(self.wanted()) {
            if known.contains(&name) {
                let message = format!("the package {name} is listed twice");
                return Err(file.complain(package.span(), message, "expected it once", None));
            }
            known.push(name);
        }
        Ok(())
    }
}
