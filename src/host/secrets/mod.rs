//! Secrets of a host: decrypted in memory, compared there, and written to a folder of memory.
//!
//! What is decrypted is wiped as soon as it was compared or written. No error, record or line of a log has anything of it.

mod error;
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use sealed_file::{Form, Identities, Plain, SealError};

use super::Host;
use super::observe::resolve_owner;
use crate::model::{Secret, SecretState, Watch, layout};
pub(crate) use error::SecretError;
use error::Unopened;
use folder::{Link, Present};

type Result<T> = std::result::Result<T, SecretError>;

/// Keys are small.
const KEY: u64 = 64 << 10;

/// The private keys of a host, each read once.
#[derive(Default)]
struct Keys(BTreeMap<PathBuf, std::result::Result<Identities, SecretError>>);

impl Keys {
    fn open(&mut self, host: &Host, name: &str, secret: &Secret) -> Result<Plain> {
        let identity = &secret.identity;
        let known = self.0.entry(identity.clone());
        let keys = known.or_insert_with(|| read_key(host, identity));
        let keys = match keys {
            Ok(keys) => &*keys,
            Err(error) => return Err(error.again()),
        };
        let opened = Form::from(secret.form).open(&secret.file.content, keys);
        opened.map_err(|error| {
            let public = match error {
                SealError::NotForThisKey => keys.public().first().cloned(),
                _ => None,
            };
            SecretError::Open(Box::new(Unopened {
                name: name.to_owned(),
                file: secret.file.source.clone(),
                form: secret.form,
                identity: identity.clone(),
                public,
                error,
            }))
        })
    }
}

/// Reads a private key of the host.
fn read_key(host: &Host, path: &Path) -> Result<Identities> {
    let mut keys = Identities::default();
    add_key(&mut keys, path, &host.root.join(path))?;
    Ok(keys)
}

/// Adds a private key. `path` is what messages call it.
fn add_key(keys: &mut Identities, path: &Path, place: &Path) -> Result<()> {
    let failed = |source| SecretError::Key {
        path: path.to_owned(),
        source,
    };
    // What a checkout names as its key may be anything.
    let content = folder::read(place, KEY, Link::Followed).map_err(failed)?;
    let Present::File { content, .. } = content else {
        return Err(SecretError::NoKey {
            path: path.to_owned(),
        });
    };
    let added = keys.add(&content);
    added.map_err(|error| SecretError::UnusableKey {
        path: path.to_owned(),
        error,
    })
}

impl Host {
    /// What lies decrypted, compared with what is wanted.
    pub(super) fn observe_secrets(&self, watch: &Watch) -> BTreeMap<String, SecretState> {
        let mut keys = Keys::default();
        let mut states = BTreeMap::new();
        for (name, secret) in &watch.secrets {
            let state = match watch.sealed {
                true => SecretState::NotCompared,
                false => self.compare(&mut keys, name, secret),
            };
            states.insert(name.clone(), state);
        }
        let there = self.root.list(Path::new(layout::SECRETS));
        for path in there.unwrap_or_default() {
            let name = layout::secret_name(&path).map(str::to_owned);
            if let Some(name) = name.filter(|name| !states.contains_key(name)) {
                states.insert(name, SecretState::Unwanted);
            }
        }
        states
    }

    fn compare(&self, keys: &mut Keys, name: &str, secret: &Secret) -> SecretState {
        let plain = match keys.open(self, name, secret) {
            Ok(plain) => plain,
            Err(error) if error.is_forbidden() && !Uid::effective().is_root() => {
                return SecretState::NotCompared;
            }
            Err(error) => {
                return SecretState::Unusable {
                    why: error.to_string(),
                    help: error.help(),
                };
            }
        };
        let Some(owner) = resolve_owner(&secret.owner) else {
            let error = no_owner(name, secret);
            return SecretState::Unusable {
                why: error.to_string(),
                help: error.help(),
            };
        };
        // One byte more than what is wanted tells that it is another file.
        let size = plain.bytes().len() as u64 + 1;
        let place = self.root.join(&layout::secret(name));
        match folder::read(&place, size, Link::Other) {
            Ok(Present::Nothing) => SecretState::Missing,
            Ok(Present::Other) if self.has_files(&layout::secret(name)) => {
                let path = layout::secret(name);
                SecretState::Unusable {
                    why: format!("{} is a folder with files in it", path.display()),
                    help: vec![format!(
                        "find out whose they are, and remove it: rm -r {}",
                        path.display()
                    )],
                }
            }
            Ok(Present::Other) => SecretState::Differs,
            Ok(Present::File {
                content,
                mode,
                owner: ids,
            }) => {
                if !plain.is(&content) {
                    SecretState::Differs
                } else if mode != secret.mode {
                    SecretState::Attributes(format!(
                        "mode {mode:04o} instead of {:04o}",
                        secret.mode
                    ))
                } else if ids != owner {
                    let (user, group) = ids;
                    SecretState::Attributes(format!(
                        "owned by {user}:{group} instead of {}",
                        secret.owner
                    ))
                } else {
                    SecretState::Same
                }
            }
            Err(_) => SecretState::NotCompared,
        }
    }

    fn has_files(&self, folder: &Path) -> bool {
        let files = self.root.list(folder);
        files.is_ok_and(|files| !files.is_empty())
    }

    /// Decrypts a secret to its place in memory.
    ///
    /// # Errors
    /// When it cannot be decrypted, or the place is no memory.
    pub(crate) fn put_secret(&self, name: &str, secret: &Secret) -> Result<()> {
        self.put(&mut Keys::default(), name, secret)
    }

    fn put(&self, keys: &mut Keys, name: &str, secret: &Secret) -> Result<()> {
        let plain = keys.open(self, name, secret)?;
        let owner = resolve_owner(&secret.owner).ok_or_else(|| no_owner(name, secret))?;
        folder::make(&self.root, secret.is_shared())?;
        let path = layout::secret(name);
        // Docker puts an empty folder where it finds nothing to mount.
        self.root.remove_empty(&path);
        let written = self
            .root
            .write_owned(&path, plain.bytes(), secret.mode, Some(owner));
        Ok(written?)
    }

    pub(crate) fn remove_secret(&self, name: &str) -> Result<()> {
        let path = layout::secret(name);
        self.root.remove_empty(&path);
        Ok(self.root.remove(&path)?)
    }

    /// Makes what lies decrypted these secrets and nothing else. Returns what failed: the others are there.
    pub(crate) fn load_secrets(
        &self,
        secrets: &BTreeMap<String, Secret>,
    ) -> Vec<(String, SecretError)> {
        let mut keys = Keys::default();
        let mut failed = Vec::new();
        for (name, secret) in secrets {
            if self.compare(&mut keys, name, secret) != SecretState::Same
                && let Err(error) = self.put(&mut keys, name, secret)
            {
                failed.push((name.clone(), error));
            }
        }
        for name in self.other_secrets(secrets) {
            if let Err(error) = self.remove_secret(&name) {
                failed.push((name, error));
            }
        }
        failed
    }

    fn other_secrets(&self, secrets: &BTreeMap<String, Secret>) -> BTreeSet<String> {
        let there = self.root.list(Path::new(layout::SECRETS));
        let there = there.unwrap_or_default();
        let names = there.iter().filter_map(|path| layout::secret_name(path));
        names
            .filter(|name| !secrets.contains_key(*name))
            .map(str::to_owned)
            .collect()
    }
}

fn no_owner(name: &str, secret: &Secret) -> SecretError {
    SecretError::NoOwner {
        name: name.to_owned(),
        owner: secret.owner.clone(),
    }
}

/// A private key that a person has, for files of a checkout.
pub(crate) fn add_identity(keys: &mut Identities, path: &Path) -> Result<()> {
    add_key(keys, path, path)
}
