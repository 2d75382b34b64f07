//! Units that join a network and do not require the unit that makes it.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_network_not_required, Warning, picks docker);
