//! Gates that nginx itself answers otherwise.

use crate::check::rules::prelude::*;

pub(crate) static RULE: Rule = rule!(gate_fails, Error, picks names);
