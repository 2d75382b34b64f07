//! Volumes that no file of the project declares.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_volume_undeclared, Error, picks mounts);
