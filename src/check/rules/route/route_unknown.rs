//! Expected routes of which the files do not tell where they come out.

use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(route_unknown, Warning, picks routes);
