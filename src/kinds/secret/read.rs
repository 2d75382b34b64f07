//! Reads `secrets/`: what is encrypted there is kept as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sealed_file::{Form, SealError};
use serde_yaml::Value;
use source_text::SourceFile;

use super::Secrets;
use crate::model::{Diagnostic, File, Secret, layout};
use crate::source::error::{Result, SourceError};
use crate::source::load::{Loader, Reads};
use crate::source::policy::Folders;

/// Its folder in the desired state.
const FOLDER: &str = layout::store::SECRETS;

impl Reads for Secrets {
    fn input<'f>(&self, _: &'f Folders) -> Option<&'f str> {
        Some(FOLDER)
    }

    fn read(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        if !loader.out.parsed.entries.iter().any(|name| name == FOLDER) {
            return Ok(());
        }
        let folder = loader.input(FOLDER)?;
        let mut seen = BTreeMap::new();
        let mut names: BTreeMap<String, PathBuf> = BTreeMap::new();
        for file_name in loader.names(&folder)? {
            let path = folder.join(&file_name);
            let read = loader.secret(&path, &file_name, &mut seen);
            let Some(Some((name, secret))) = loader.pass(read)? else {
                continue;
            };
            if let Some(first) = names.insert(name.clone(), path.clone()) {
                let twice = SourceError::Duplicate {
                    kind: "secret",
                    name,
                    first,
                    second: path,
                };
                loader.pass(Err::<(), _>(twice))?;
                continue;
            }
            loader.out.desired.secrets.insert(name, secret);
        }
        Ok(())
    }

    fn complete(&self, loader: &mut Loader<'_, '_>) -> Result<()> {
        let secrets = loader.out.desired.secrets.keys();
        let known: Vec<&str> = secrets.map(String::as_str).collect();
        for name in loader.policy().secret.keys() {
            loader.known("secret", name, &known)?;
        }
        Ok(())
    }
}

impl Loader<'_, '_> {
    /// A secret by its name, and what is wanted of it.
    fn secret(
        &mut self,
        path: &Path,
        file_name: &str,
        seen: &mut BTreeMap<PathBuf, PathBuf>,
    ) -> Result<Option<(String, Secret)>> {
        let Some((form, name)) = Form::of(file_name).filter(|(_, name)| is_usable(name)) else {
            let message = "this is not a valid name of a secret";
            let help = "call it NAME.age, NAME.sops.env or NAME.sops.yaml, NAME of letters, digits, \".\", \"-\" and \"_\"; \
                        `watchme-apply secret edit NAME` creates NAME.age";
            return Err(complain(path, message.to_owned(), help.to_owned()));
        };
        if !self.is_file(path, seen, ("secret", &name))? {
            let help = "put the file itself into secrets/";
            return Err(complain(
                path,
                "this is not a file".to_owned(),
                help.to_owned(),
            ));
        }
        let Some(file) = self.inputs.file(path)? else {
            return Ok(None);
        };
        form.look(&file.content)
            .map_err(|error| wrong(path, &name, form, &error))?;
        let policy = self.policy().secret.get(name.as_str());
        let policy = policy.cloned().unwrap_or_default();
        let owner = policy.owner.as_deref().map_or("root:root", String::as_str);
        let identity = self.policy().secrets.identity.as_deref();
        let identity = identity.map_or(Path::new(layout::HOST_KEY), PathBuf::as_path);
        let secret = Secret {
            form: form.into(),
            mode: policy.mode.as_deref().copied().unwrap_or(0o600),
            owner: owner.to_owned(),
            identity: identity.to_owned(),
            file: File {
                private: true,
                secret: true,
                executable: false,
                ..file
            },
        };
        Ok(Some((name, secret)))
    }
}

/// Whether a name can be written in a unit or a compose file as it is.
fn is_usable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !name.starts_with(['.', '-']) && name.chars().all(plain)
}

/// What is wrong with a file, without a word of what is in it.
fn wrong(path: &Path, name: &str, form: Form, error: &SealError) -> SourceError {
    let edit = match form {
        Form::Age => format!("watchme-apply secret edit {name}"),
        Form::Variables | Form::Yaml => format!("sops edit {}", path.display()),
    };
    let help = match error {
        SealError::Plain(_) => format!(
            "git rm {}; change the values that it gives away, since git keeps it; then create it again: {edit}",
            path.display()
        ),
        SealError::Unsupported(_) => {
            format!("encrypt it by age instead: watchme-apply secret edit {name}")
        }
        _ => format!(
            "bring an older one back: git log -- {}; or create it again: {edit}",
            path.display()
        ),
    };
    complain(path, format!("this secret cannot be used: {error}"), help)
}

/// A complaint about a file that shows none of its lines.
fn complain(path: &Path, message: String, help: String) -> SourceError {
    let place = Diagnostic::at(&SourceFile::new(path, ""), 0..0, message, "");
    SourceError::from(Diagnostic {
        help: Some(help),
        ..place
    })
}

/// The secrets that a text names by their paths. Lines that are comments name none.
pub(crate) fn named_in(text: &str) -> BTreeSet<String> {
    let start = format!("{}/", layout::SECRETS);
    let mut names = BTreeSet::new();
    if !text.contains(&start) {
        return names;
    }
    let lines = text.lines().map(str::trim_start);
    for line in lines.filter(|line| !line.starts_with(['#', ';'])) {
        for (at, _) in line.match_indices(&start) {
            let rest = line.get(at + start.len()..).unwrap_or_default();
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let name: String = rest.chars().take_while(|c| plain(*c)).collect();
            if !name.is_empty() {
                names.insert(name);
            }
        }
    }
    names
}

/// The secrets that a compose project names by their paths, wherever it does.
pub(crate) fn named_by(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(text) => named_in(text),
        Value::Sequence(all) => all.iter().flat_map(named_by).collect(),
        Value::Mapping(all) => all.values().flat_map(named_by).collect(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_secrets_by_their_paths() {
        let named = |text: &str| named_in(text).into_iter().collect::<Vec<_>>();
        let text = "EnvironmentFile=-/run/watchme-apply/secrets/app.env\n\
                    # EnvironmentFile=/run/watchme-apply/secrets/old.env\n\
                    LoadCredential=key:/run/watchme-apply/secrets/key.pem\n\
                    volumes: ['/run/watchme-apply/secrets/a-b_1:/x:ro']";
        assert_eq!(named(text), ["a-b_1", "app.env", "key.pem"]);
        assert_eq!(named("/run/watchme-apply/secrets/"), [""; 0]);
    }

    #[test]
    fn names_stay_plain() {
        for (name, usable) in [
            ("app.env", true),
            ("a b", false),
            ("..", false),
            ("-x", false),
            ("a:b", false),
        ] {
            assert_eq!(is_usable(name), usable, "{name}");
        }
    }
}
