//! Fixed addresses that Docker may give to another container.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_address_in_dynamic_range, Warning, picks addresses);
