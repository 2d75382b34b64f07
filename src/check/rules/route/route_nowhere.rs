//! Expected routes that reach no upstream.

use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(route_nowhere, Error, picks routes);
