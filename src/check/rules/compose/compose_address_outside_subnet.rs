//! Fixed addresses outside the subnet of their network.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_address_outside_subnet, Error, picks addresses);
