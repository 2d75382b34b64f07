//! What is wanted of a secret: a file that is encrypted in the checkout, and is decrypted in memory on the host.

use std::path::{Path, PathBuf};

use sealed_file::Form;
use serde::{Deserialize, Serialize};

use crate::model::layout::{self, store};
use crate::model::{File, Kind, Resource};

/// A file that is encrypted in the checkout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The file as it is in the checkout, encrypted. Nothing else of it is ever on record.
    pub file: File,
    /// How it is encrypted.
    pub form: SecretForm,
    /// Permission bits of what is decrypted.
    pub mode: u32,
    /// Its owner as `user:group`, names or numbers.
    pub owner: String,
    /// The private key on the host that opens it.
    pub identity: PathBuf,
}

/// How a secret is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SecretForm {
    /// By age.
    Age,
    /// By SOPS, a file of variables.
    SopsVariables,
    /// By SOPS, a YAML file.
    SopsYaml,
}

impl From<Form> for SecretForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Age => Self::Age,
            Form::Variables => Self::SopsVariables,
            Form::Yaml => Self::SopsYaml,
        }
    }
}

impl From<SecretForm> for Form {
    fn from(form: SecretForm) -> Self {
        match form {
            SecretForm::Age => Self::Age,
            SecretForm::SopsVariables => Self::Variables,
            SecretForm::SopsYaml => Self::Yaml,
        }
    }
}

impl Secret {
    /// Whether somebody beside root has to get to it.
    pub fn is_shared(&self) -> bool {
        self.owner != "root:root" || self.mode & 0o077 != 0
    }
}

impl Resource for Secret {
    /// The name that it has when it is decrypted.
    type Key = String;
    const KIND: Kind = Kind::Secret;
    // Generations have it, and the store does not: nothing on a host reads it there.
    const STORE: Option<&'static str> = None;

    fn files(&self, _: &String) -> Vec<(PathBuf, &File)> {
        vec![(kept(&self.file), &self.file)]
    }

    fn files_mut(&mut self, _: &String) -> Vec<(PathBuf, &mut File)> {
        vec![(kept(&self.file), &mut self.file)]
    }

    fn at(path: &Path) -> Option<String> {
        layout::secret_name(path).map(str::to_owned)
    }
}

/// Where a generation keeps it.
fn kept(file: &File) -> PathBuf {
    let name = file.source.file_name().unwrap_or_default();
    Path::new(store::SECRETS).join(name)
}
