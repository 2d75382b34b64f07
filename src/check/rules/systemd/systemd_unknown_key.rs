//! Keys that systemd does not know.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_unknown_key, Warning, picks keys);
