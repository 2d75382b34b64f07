//! What is to go, and why it stays.

use std::fmt;

/// What is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Surplus {
    /// A network, by its name.
    Network(String),
    /// A volume, by its name.
    Volume(String),
}

impl Surplus {
    /// Its name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Network(name) | Self::Volume(name) => name,
        }
    }
}

impl fmt::Display for Surplus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(name) => write!(f, "network {name}"),
            Self::Volume(name) => write!(f, "volume {name}"),
        }
    }
}

/// Why it stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PruneError {
    /// The host is an offline root.
    #[error("networks and volumes need a container engine, and on an offline root none runs")]
    Offline,
    /// There is none.
    #[error("there is no {what}")]
    NotThere {
        /// What.
        what: Surplus,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Docker makes it.
    #[error("{what} is built into the engine")]
    BuiltIn {
        /// What.
        what: Surplus,
    },
    /// Several networks have the name.
    #[error("{} networks are named {name}", .ids.len())]
    Several {
        /// The name.
        name: String,
        /// Their ids.
        ids: Vec<String>,
        /// The engine's command.
        command: &'static str,
    },
    /// The desired state has it.
    #[error("{what} is needed: {why}")]
    Wanted {
        /// What.
        what: Surplus,
        /// By whom.
        why: String,
    },
    /// Containers have it.
    #[error("{what} is in use: {}", .users.join(", "))]
    InUse {
        /// What.
        what: Surplus,
        /// The containers, each with its state.
        users: Vec<String>,
        /// What frees it.
        help: String,
    },
    /// Nobody was asked.
    #[error("{what} was not removed: not confirmed")]
    NotAgreed {
        /// What.
        what: Surplus,
    },
}

impl PruneError {
    /// What helps.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Offline => "run it on the host itself, without --root".to_owned(),
            Self::NotThere { known, .. } if known.is_empty() => return None,
            Self::NotThere { known, .. } => format!("there are: {}", known.join(", ")),
            Self::BuiltIn { .. } => "it uses no space, and cannot be removed".to_owned(),
            Self::Several { ids, command, .. } => {
                format!(
                    "name one by its id: sudo {command} network rm {}",
                    ids.join(" or ")
                )
            }
            Self::Wanted { .. } => {
                "remove it from git and apply that; watchme-apply status shows who uses it"
                    .to_owned()
            }
            Self::InUse { help, .. } => help.clone(),
            Self::NotAgreed { what } => {
                let option = match what {
                    Surplus::Network(name) => format!("--network {name}"),
                    Surplus::Volume(name) => format!("--volume {name}"),
                };
                format!("without a terminal: watchme-apply prune {option} --yes")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_helps() {
        let what = Surplus::Volume("db".to_owned());
        let told = |error: PruneError| (error.to_string(), error.hint().unwrap_or_default());
        let (text, hint) = told(PruneError::NotAgreed { what: what.clone() });
        assert_eq!(text, "volume db was not removed: not confirmed");
        assert_eq!(
            hint,
            "without a terminal: watchme-apply prune --volume db --yes"
        );
        let (text, hint) = told(PruneError::NotThere {
            what,
            known: vec!["a".to_owned(), "b".to_owned()],
        });
        assert_eq!(
            (text.as_str(), hint.as_str()),
            ("there is no volume db", "there are: a, b")
        );
        let (text, hint) = told(PruneError::Several {
            name: "x".to_owned(),
            ids: vec!["1".to_owned(), "2".to_owned()],
            command: "docker",
        });
        assert_eq!(text, "2 networks are named x");
        assert_eq!(hint, "name one by its id: sudo docker network rm 1 or 2");
    }
}
