//! The secrets of a checkout: which there are, what opens them, and how they are written.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use sealed_file::{Form, Identities, Plain, Recipient, SealError, seal};

use super::SecretFailure;
use crate::cli::Failure;
use crate::cli::session::Session;
use crate::host::secrets::add_identity;
use crate::model::{Secret, layout};
use crate::root::Root;
use crate::source::Revision;

/// The folder of secrets in a desired state, and its files.
pub(super) struct Checkout {
    pub(super) revision: Revision,
    folder: PathBuf,
}

/// One file.
pub(super) struct Target {
    pub(super) name: String,
    /// As messages name it.
    pub(super) shown: PathBuf,
    /// Below the folder of the desired state.
    place: PathBuf,
    /// What is there.
    pub(super) secret: Option<Secret>,
}

impl Checkout {
    pub(super) fn open(session: &Session<'_>) -> Result<Self, Failure> {
        let (revision, _) = session.survey(None)?;
        let folder = session.desired_state()?;
        Ok(Self { revision, folder })
    }

    /// A secret by the name that it has decrypted, or by that of its file; one that is not there yet is one of age.
    pub(super) fn target(&self, name: &str) -> Result<Target, SecretFailure> {
        let secrets = &self.revision.desired.secrets;
        let of_file = |secret: &Secret| secret.file.source.file_name() == Some(name.as_ref());
        let found = secrets
            .iter()
            .find(|(known, secret)| *known == name || of_file(secret));
        if let Some((known, secret)) = found {
            return Ok(Target {
                name: known.clone(),
                shown: secret.file.source.clone(),
                place: self.place(&secret.file.source),
                secret: Some(secret.clone()),
            });
        }
        let plain = name.strip_suffix(".age").unwrap_or(name);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if plain.is_empty() || plain.starts_with(['.', '-']) || !plain.chars().all(is_plain) {
            return Err(SecretFailure::Name {
                name: name.to_owned(),
            });
        }
        let file = Path::new(layout::store::SECRETS).join(format!("{plain}.age"));
        Ok(Target {
            name: plain.to_owned(),
            shown: self.revision.parsed.folder.join(&file),
            place: Path::new("/").join(file),
            secret: None,
        })
    }

    /// The same, of one that has to be there.
    pub(super) fn known(&self, name: &str) -> Result<Target, SecretFailure> {
        let target = self.target(name);
        let near = || {
            let known = self.revision.desired.secrets.keys();
            let known = known.map(|known| (strsim::jaro_winkler(known, name), known));
            let near = known.max_by(|(a, _), (b, _)| a.total_cmp(b));
            near.filter(|(likeness, _)| *likeness > 0.8)
                .map(|(_, known)| known.clone())
        };
        match target {
            Ok(target) if target.secret.is_some() => Ok(target),
            _ => Err(SecretFailure::Unknown {
                name: name.to_owned(),
                near: near(),
            }),
        }
    }

    fn place(&self, source: &Path) -> PathBuf {
        let below = source.strip_prefix(&self.revision.parsed.folder);
        Path::new("/").join(below.unwrap_or(source))
    }

    /// For whom is encrypted.
    pub(super) fn recipients(&self) -> Result<Vec<Recipient>, SecretFailure> {
        let policy = &self.revision.parsed.policy.secrets.recipients;
        let recipients: Vec<Recipient> = policy.iter().map(|key| (***key).clone()).collect();
        match recipients.is_empty() {
            true => Err(SecretFailure::NoRecipients),
            false => Ok(recipients),
        }
    }

    /// The keys that are named, or those that are usually there.
    pub(super) fn identities(&self, named: &[PathBuf]) -> Result<Identities, SecretFailure> {
        let mut keys = Identities::default();
        for path in named {
            add_identity(&mut keys, path)?;
        }
        if !named.is_empty() {
            return Ok(keys);
        }
        let of_host = self.revision.parsed.policy.secrets.identity.as_deref();
        let of_host = of_host.map_or(Path::new(layout::HOST_KEY), PathBuf::as_path);
        let mut usual = vec![of_host.to_owned()];
        if let Some(home) = std::env::var_os("HOME").map(PathBuf::from) {
            let files = [
                ".config/age/keys.txt",
                ".config/sops/age/keys.txt",
                ".ssh/id_ed25519",
            ];
            usual.extend(files.iter().map(|file| home.join(file)));
        }
        for path in &usual {
            // One that is not there, or is somebody else's, may not be needed.
            if let Err(error) = add_identity(&mut keys, path) {
                tracing::debug!(%error, "a key was not used");
            }
        }
        match keys.is_empty() {
            true => Err(SecretFailure::NoIdentity { looked_for: usual }),
            false => Ok(keys),
        }
    }

    /// Encrypts what becomes a file.
    pub(super) fn sealed(
        &self,
        target: &Target,
        plain: &Plain,
        recipients: &[Recipient],
    ) -> Result<Vec<u8>, SecretFailure> {
        seal(plain, recipients).map_err(|error| SecretFailure::Seal {
            path: target.shown.clone(),
            error,
        })
    }

    /// Writes a file as the owner of the checkout has it. A link that leads out of the folder is not followed.
    pub(super) fn write(&self, target: &Target, sealed: &[u8]) -> Result<(), SecretFailure> {
        let root = Root::open(&self.folder)?;
        let owner = std::fs::metadata(&self.folder);
        let owner = owner.map_err(|source| SecretFailure::Io {
            doing: format!("look at {}", self.folder.display()),
            source,
        })?;
        let owner = (owner.uid(), owner.gid());
        let owner = Some(owner).filter(|_| Uid::effective().is_root());
        if let Some(folder) = target.place.parent()
            && !root.is_folder(folder)
        {
            root.make_folder(folder)?;
            if let Some(owner) = owner {
                root.set_owner(folder, owner)?;
            }
        }
        Ok(root.write_owned(&target.place, sealed, 0o644, owner)?)
    }
}

impl Target {
    /// Fails where SOPS has written it.
    pub(super) fn demand_age(&self, verb: &'static str) -> Result<(), SecretFailure> {
        let secret = self.secret.as_ref();
        match secret.map(|secret| Form::from(secret.form)) {
            Some(Form::Variables | Form::Yaml) => Err(SecretFailure::Sops {
                path: self.shown.clone(),
                verb,
            }),
            Some(Form::Age) | None => Ok(()),
        }
    }

    /// What is in it.
    pub(super) fn open(&self, keys: &Identities) -> Result<Plain, SecretFailure> {
        let Some(secret) = &self.secret else {
            return Ok(Plain::new(Vec::new()));
        };
        let opened = Form::from(secret.form).open(&secret.file.content, keys);
        opened.map_err(|error: SealError| SecretFailure::Open {
            path: self.shown.clone(),
            error,
            tried: keys.public().to_vec(),
        })
    }
}
