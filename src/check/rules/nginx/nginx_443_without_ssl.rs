//! Port 443 without TLS.

use crate::check::rules::nginx::prelude::*;

pub(crate) static RULE: Rule = rule!(nginx_443_without_ssl, Error, picks servers);
