//! Two stacks, or a stack and a unit, that are one compose project.

use crate::check::engine::refused;
use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_project_twice, Error, refused).fixed();
