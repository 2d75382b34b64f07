//! What `systemd-analyze verify` says of the units as they would be on this host.

use crate::check::rules::systemd::prelude::*;
use crate::model::finding::SYSTEMD_VERIFY;

pub(crate) static RULE: Rule =
    Rule::reported(SYSTEMD_VERIFY, include_str!("systemd_verify.md")).fixed();
