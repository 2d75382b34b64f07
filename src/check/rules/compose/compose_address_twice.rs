//! Addresses that two containers have.

use crate::check::rules::compose::prelude::*;

pub(crate) static RULE: Rule = rule!(compose_address_twice, Error, picks addresses);
