//! What can go wrong with a secret. Nothing here has anything of what is in one.

use std::io;
use std::path::PathBuf;

use sealed_file::{KeyError, SealError};

use crate::model::{SecretForm, layout};
use crate::root::RootError;

/// Why a secret is not where it belongs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("there is no private key {}", path.display())]
    NoKey {
        /// Where it should be.
        path: PathBuf,
    },
    #[error("could not read {}: {source}", path.display())]
    Key { path: PathBuf, source: io::Error },
    /// What is there is no key, or cannot be used by a program.
    #[error("the private key {} cannot be used: {error}", path.display())]
    UnusableKey { path: PathBuf, error: KeyError },
    #[error("could not decrypt {} with {}: {}", .0.file.display(), .0.identity.display(), .0.error)]
    Open(Box<Unopened>),
    #[error("the secret {name} has to be owned by {owner}, but there is no such user or group")]
    NoOwner {
        name: String,
        /// `user:group`.
        owner: String,
    },
    #[error("{} is not a file system in memory: nothing is decrypted there", path.display())]
    NotInMemory { path: PathBuf },
    #[error(transparent)]
    Root(#[from] RootError),
}

/// A file that does not open.
#[derive(Debug)]
pub(crate) struct Unopened {
    pub name: String,
    /// Its file in the checkout.
    pub file: PathBuf,
    /// How it is encrypted.
    pub form: SecretForm,
    /// The key.
    pub identity: PathBuf,
    /// The public half of the key, where the file is for others.
    pub public: Option<String>,
    pub error: SealError,
}

impl Unopened {
    fn help(&self) -> String {
        let (name, file) = (&self.name, self.file.display());
        let Some(public) = &self.public else {
            return format!("bring an older one back: git log -- {file}");
        };
        let (list, rotate) = match self.form {
            SecretForm::Age => (
                "recipients below [secrets] in watchme.toml",
                format!("watchme-apply secret rotate {name}"),
            ),
            _ => (".sops.yaml", format!("sops updatekeys {file}")),
        };
        format!(
            "add this host to {list}: \"{public}\"; then, on a machine that can decrypt it: {rotate}; and commit"
        )
    }
}

impl SecretError {
    /// Whether this user may not do it.
    pub(super) fn is_forbidden(&self) -> bool {
        match self {
            Self::Key { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            Self::Root(error) => error.is_forbidden(),
            _ => false,
        }
    }

    /// The same error for another secret of the same key.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::NoKey { path } => Self::NoKey { path: path.clone() },
            Self::UnusableKey { path, error } => Self::UnusableKey {
                path: path.clone(),
                error: error.clone(),
            },
            Self::Key { path, source } => Self::Key {
                path: path.clone(),
                source: source.kind().into(),
            },
            other => Self::Key {
                path: PathBuf::from(layout::SECRETS),
                source: io::Error::other(other.to_string()),
            },
        }
    }

    /// What helps, one step a line.
    pub(crate) fn help(&self) -> Vec<String> {
        match self {
            Self::NoKey { path } if path.as_os_str() == layout::HOST_KEY => vec![
                "create the host key, ssh-keygen -A; add the line of its .pub file to recipients below [secrets] in watchme.toml; \
                 then, on a machine that can decrypt it: watchme-apply secret rotate"
                    .to_owned(),
            ],
            Self::NoKey { path } => vec![format!(
                "put the key there (age-keygen -o {0}), or correct identity below [secrets] in watchme.toml",
                path.display()
            )],
            Self::Key { path, .. } => vec![format!("ls -l {}", path.display())],
            Self::UnusableKey { path, .. } => vec![format!(
                "name another key, identity below [secrets] in watchme.toml: one of ssh-ed25519 without a passphrase, or of age-keygen; \
                 ssh-keygen -l -f {} shows what it is",
                path.display()
            )],
            Self::Open(unopened) => vec![unopened.help()],
            Self::NoOwner { name, owner } => vec![format!(
                "getent passwd {}; correct owner below [secret.\"{name}\"] in watchme.toml",
                owner.replace(':', "; getent group ")
            )],
            Self::NotInMemory { path } => vec![format!(
                "findmnt -T {}; systemd mounts a tmpfs at /run",
                path.display()
            )],
            Self::Root(error) => error.hint().into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(error: SealError, public: Option<&str>, form: SecretForm) -> SecretError {
        SecretError::Open(Box::new(Unopened {
            name: "app.env".to_owned(),
            file: "secrets/app.env.age".into(),
            form,
            identity: layout::HOST_KEY.into(),
            public: public.map(str::to_owned),
            error,
        }))
    }

    #[test]
    fn each_error_says_what_and_which_command_helps() {
        let key = || PathBuf::from("/root/age.txt");
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        for (error, says, helps) in [
            (
                SecretError::NoKey {
                    path: layout::HOST_KEY.into(),
                },
                "there is no private key /etc/ssh/ssh_host_ed25519_key",
                "ssh-keygen -A",
            ),
            (
                SecretError::NoKey { path: key() },
                "there is no private key /root/age.txt",
                "age-keygen -o /root/age.txt",
            ),
            (
                SecretError::Key {
                    path: key(),
                    source: denied(),
                },
                "could not read /root/age.txt: permission denied",
                "ls -l /root/age.txt",
            ),
            (
                SecretError::UnusableKey {
                    path: key(),
                    error: KeyError::Passphrase,
                },
                "the private key /root/age.txt cannot be used: the key has a passphrase",
                "ssh-keygen -l -f /root/age.txt",
            ),
            (
                open(SealError::NotForThisKey, Some("age1x"), SecretForm::Age),
                "could not decrypt secrets/app.env.age with /etc/ssh/ssh_host_ed25519_key: it is not encrypted for this key",
                "recipients below [secrets] in watchme.toml: \"age1x\"; then, on a machine that can decrypt it: watchme-apply secret rotate app.env; and commit",
            ),
            (
                open(
                    SealError::NotForThisKey,
                    Some("age1x"),
                    SecretForm::SopsYaml,
                ),
                "it is not encrypted for this key",
                "sops updatekeys secrets/app.env.age",
            ),
            (
                open(
                    SealError::Damaged("its header does not end".to_owned()),
                    None,
                    SecretForm::Age,
                ),
                "it is damaged or cut off: its header does not end",
                "git log -- secrets/app.env.age",
            ),
            (
                SecretError::NoOwner {
                    name: "app.env".to_owned(),
                    owner: "root:app".to_owned(),
                },
                "the secret app.env has to be owned by root:app, but there is no such user or group",
                "getent passwd root; getent group app",
            ),
            (
                SecretError::NotInMemory {
                    path: layout::SECRETS.into(),
                },
                "/run/watchme-apply/secrets is not a file system in memory",
                "findmnt -T /run/watchme-apply/secrets",
            ),
        ] {
            let text = error.to_string();
            assert!(text.contains(says), "{text}");
            let help = error.help().join("\n");
            assert!(help.contains(helps), "{text}: {help}");
        }
    }
}
