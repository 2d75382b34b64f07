//! Stacks that run and that nobody here has started: what compose would make of their files, and how their containers are.

use std::collections::{BTreeMap, BTreeSet};

use compose_file::Publish;

use crate::model::id::Hash;

/// What is known of a stack that is adopted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// The hash that compose has for each service; it leaves a container with the same one as it is.
    pub hashes: BTreeMap<String, String>,
    /// How it would make the containers of those whose hashes differ.
    pub wanted: BTreeMap<String, Shape>,
    /// How those containers are, by their ids.
    pub has: BTreeMap<String, Shape>,
}

/// What a container is made of, as far as it can be compared. Of values that may be secret only hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Variables; `None` where the value is not known.
    pub environment: BTreeMap<String, Option<Hash>>,
    /// Labels.
    pub labels: BTreeMap<String, Hash>,
    /// `None`: that of the image.
    pub command: Option<Vec<String>>,
    /// `None`: that of the image.
    pub entrypoint: Option<Vec<String>>,
    /// What it publishes, each with the port of the container. Not what the engine gives a port of its choice.
    pub ports: BTreeSet<(Publish, u16)>,
    /// Names of its networks; of a container that has no own, `host` and its likes.
    pub networks: BTreeSet<String>,
    /// The restart policy; `None` where it is not known.
    pub restart: Option<String>,
    /// The version of compose that made it.
    pub made_by: Option<String>,
    /// What it has of its image: variables and labels. `None` where that is not known.
    pub of_image: Option<(BTreeMap<String, Hash>, BTreeMap<String, Hash>)>,
}
