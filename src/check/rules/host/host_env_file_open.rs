//! Env files that everybody on this host may read.

use crate::check::rules::prelude::*;
use crate::model::finding::HOST_ENV_FILE_OPEN;

pub(crate) static RULE: Rule =
    Rule::reported(HOST_ENV_FILE_OPEN, include_str!("host_env_file_open.md"));
