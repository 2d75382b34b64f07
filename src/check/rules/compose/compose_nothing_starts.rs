//! Stacks of which compose starts nothing.

use crate::check::engine::refused;
use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_nothing_starts, Error, refused).fixed();
