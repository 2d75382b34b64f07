//! What two copies of a stack that updates start-first cannot both have.

use crate::check::engine::refused;
use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_start_first, Error, refused).fixed();
