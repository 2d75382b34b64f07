//! Why a secret of the checkout was not edited or encrypted anew. Nothing here has anything of what is in one.

use std::io;
use std::path::PathBuf;

use sealed_file::SealError;

use crate::host::secrets::SecretError;

/// Why it was not done. The checkout is as it was.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum SecretFailure {
    #[error("there is no secret {name}")]
    Unknown {
        name: String,
        /// One that is there.
        near: Option<String>,
    },
    #[error("{name:?} is not a valid name of a secret")]
    Name { name: String },
    #[error("{} is a file of SOPS, which is read here and not written", path.display())]
    Sops {
        path: PathBuf,
        /// What SOPS is asked for: `edit`.
        verb: &'static str,
    },
    #[error("watchme.toml names no recipients to encrypt for")]
    NoRecipients,
    #[error("there is no private key here to decrypt a secret: looked for {}", list(.looked_for))]
    NoIdentity {
        /// Where keys were looked for.
        looked_for: Vec<PathBuf>,
    },
    /// A private key that was named.
    #[error(transparent)]
    Key(#[from] SecretError),
    #[error("could not decrypt {}: {error}", path.display())]
    Open {
        path: PathBuf,
        error: SealError,
        /// Public keys of the private ones that were tried.
        tried: Vec<String>,
    },
    #[error("could not encrypt {}: {error}", path.display())]
    Seal { path: PathBuf, error: SealError },
    #[error("this machine has no folder in memory, and secrets are never decrypted to a disk")]
    NoMemory,
    #[error("could not run the editor {program}")]
    Editor {
        program: String,
        #[source]
        source: io::Error,
    },
    #[error("the editor {program} ended with {status}; the secret was not changed")]
    EditorFailed {
        program: String,
        status: std::process::ExitStatus,
    },
    #[error("could not {doing}")]
    Io {
        doing: String,
        #[source]
        source: io::Error,
    },
    /// The checkout cannot be written to.
    #[error(transparent)]
    Root(#[from] crate::root::RootError),
}

fn list(paths: &[PathBuf]) -> String {
    let paths = paths.iter().map(|path| path.display().to_string());
    paths.collect::<Vec<_>>().join(", ")
}

impl SecretFailure {
    pub(in crate::cli) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { near, .. } => match near {
                Some(near) => format!("did you mean {near}? watchme-apply secret list"),
                None => "watchme-apply secret list".to_owned(),
            },
            Self::Name { .. } => {
                "use letters, digits, \".\", \"-\" and \"_\", such as app.env".to_owned()
            }
            Self::Sops { path, verb } => format!("sops {verb} {}", path.display()),
            Self::NoRecipients => "write into watchme.toml: [secrets] recipients = [\"…\"], with the line of \
                 /etc/ssh/ssh_host_ed25519_key.pub of the server, and the keys of those who edit"
                .to_owned(),
            Self::NoIdentity { .. } => {
                "name one: --identity FILE; age-keygen -o ~/.config/age/keys.txt creates one; its public key must be among the recipients"
                    .to_owned()
            }
            Self::Key(error) => error.help().into_iter().next()?,
            Self::Open {
                error: SealError::NotForThisKey,
                tried,
                ..
            } => format!(
                "name a key that opens it: --identity FILE; or have somebody add one of yours to recipients below [secrets] in \
                 watchme.toml and run watchme-apply secret rotate: {}",
                tried.join(", ")
            ),
            Self::Open { path, .. } => {
                format!("bring an older one back: git log -- {}", path.display())
            }
            Self::NoMemory => "mount -t tmpfs tmpfs /dev/shm, or log in so that XDG_RUNTIME_DIR is there".to_owned(),
            Self::Editor { .. } | Self::EditorFailed { .. } => {
                "EDITOR=nano watchme-apply secret edit NAME".to_owned()
            }
            Self::Root(error) => error.hint()?,
            Self::Seal { .. } | Self::Io { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_says_what_and_which_command_helps() {
        let path = || PathBuf::from("secrets/app.env.age");
        let broken = || io::Error::from(io::ErrorKind::NotFound);
        for (error, says, helps) in [
            (
                SecretFailure::Unknown {
                    name: "ap.env".to_owned(),
                    near: Some("app.env".to_owned()),
                },
                "there is no secret ap.env",
                Some("did you mean app.env?"),
            ),
            (
                SecretFailure::Name {
                    name: "a b".to_owned(),
                },
                "\"a b\" is not a valid name of a secret",
                Some("such as app.env"),
            ),
            (
                SecretFailure::Sops {
                    path: "secrets/x.yaml".into(),
                    verb: "edit",
                },
                "secrets/x.yaml is a file of SOPS",
                Some("sops edit secrets/x.yaml"),
            ),
            (
                SecretFailure::NoRecipients,
                "watchme.toml names no recipients",
                Some("[secrets] recipients ="),
            ),
            (
                SecretFailure::NoIdentity {
                    looked_for: vec!["/a".into(), "/b".into()],
                },
                "looked for /a, /b",
                Some("--identity FILE"),
            ),
            (
                SecretFailure::Open {
                    path: path(),
                    error: SealError::NotForThisKey,
                    tried: vec!["age1x".to_owned()],
                },
                "could not decrypt secrets/app.env.age: it is not encrypted for this key",
                Some("watchme-apply secret rotate: age1x"),
            ),
            (
                SecretFailure::Open {
                    path: path(),
                    error: SealError::Damaged("x".to_owned()),
                    tried: Vec::new(),
                },
                "it is damaged or cut off: x",
                Some("git log -- secrets/app.env.age"),
            ),
            (
                SecretFailure::Seal {
                    path: path(),
                    error: SealError::NoRecipient,
                },
                "could not encrypt secrets/app.env.age: there is no recipient",
                None,
            ),
            (
                SecretFailure::NoMemory,
                "secrets are never decrypted to a disk",
                Some("mount -t tmpfs tmpfs /dev/shm"),
            ),
            (
                SecretFailure::Editor {
                    program: "none".to_owned(),
                    source: broken(),
                },
                "could not run the editor none",
                Some("EDITOR=nano"),
            ),
            (
                SecretFailure::Io {
                    doing: "read /dev/shm/x".to_owned(),
                    source: broken(),
                },
                "could not read /dev/shm/x",
                None,
            ),
        ] {
            assert!(error.to_string().contains(says), "{error}");
            let hint = error.hint().unwrap_or_default();
            assert!(hint.contains(helps.unwrap_or_default()), "{error}: {hint}");
        }
    }
}
