//! Sections that a type of unit does not have.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_unknown_section, Error, picks keys);
