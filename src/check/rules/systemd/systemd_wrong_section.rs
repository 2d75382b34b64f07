//! Keys that belong in another section.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_wrong_section, Error, picks keys);
