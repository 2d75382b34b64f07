//! Keys that compose does not know.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_unknown_key, Error, picks shapes);
