//! Units that run containers and may start before Docker.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_not_after_docker, Warning, picks docker);
