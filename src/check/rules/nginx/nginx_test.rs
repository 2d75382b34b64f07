//! What `nginx -t` says of the configuration as it would be on this host.

use crate::check::rules::nginx::prelude::*;
use crate::model::finding::NGINX_TEST;

pub(crate) static RULE: Rule = Rule::reported(NGINX_TEST, include_str!("nginx_test.md")).fixed();
