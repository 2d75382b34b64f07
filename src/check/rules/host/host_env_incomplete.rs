//! Env files of this host that lack a variable.

use crate::check::rules::prelude::*;
use crate::model::finding::HOST_ENV_INCOMPLETE;

pub(crate) static RULE: Rule =
    Rule::reported(HOST_ENV_INCOMPLETE, include_str!("host_env_incomplete.md"));
