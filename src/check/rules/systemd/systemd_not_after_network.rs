//! Units that join a network and may start before it is there.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_not_after_network, Warning, picks docker);
