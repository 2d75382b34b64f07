//! Units that run containers and do not require Docker.

use crate::check::rules::systemd::prelude::*;

pub(crate) static RULE: Rule = rule!(systemd_docker_not_required, Warning, picks docker);
