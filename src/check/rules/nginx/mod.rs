//! The configuration of nginx, as the sites and the files that they include say it.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod nginx_443_without_ssl;
    pub(crate) mod nginx_add_header_dropped;
    pub(crate) mod nginx_alias_traversal;
    pub(crate) mod nginx_allow_without_deny;
    pub(crate) mod nginx_backup_included;
    pub(crate) mod nginx_buffers;
    pub(crate) mod nginx_container_upstream;
    pub(crate) mod nginx_cors_twice;
    pub(crate) mod nginx_directive_misplaced;
    pub(crate) mod nginx_directive_twice;
    pub(crate) mod nginx_duplicate_default_server;
    pub(crate) mod nginx_duplicate_listen;
    pub(crate) mod nginx_duplicate_location;
    pub(crate) mod nginx_duplicate_name;
    pub(crate) mod nginx_duplicate_server;
    pub(crate) mod nginx_fixed_copy;
    pub(crate) mod nginx_forwarded_headers;
    pub(crate) mod nginx_header_injection;
    pub(crate) mod nginx_header_multiline;
    pub(crate) mod nginx_host_spoofable;
    pub(crate) mod nginx_if_in_location;
    pub(crate) mod nginx_include_missing;
    pub(crate) mod nginx_location_nested;
    pub(crate) mod nginx_map_invalid;
    pub(crate) mod nginx_missing_semicolon;
    pub(crate) mod nginx_no_certificate;
    pub(crate) mod nginx_no_events;
    pub(crate) mod nginx_not_loaded;
    pub(crate) mod nginx_origin_regex;
    pub(crate) mod nginx_port_unpublished;
    pub(crate) mod nginx_prefix_mismatch;
    pub(crate) mod nginx_proxied_host;
    pub(crate) mod nginx_proxy_pass_uri;
    pub(crate) mod nginx_regex_invalid;
    pub(crate) mod nginx_resolver_external;
    pub(crate) mod nginx_server_name_regex;
    pub(crate) mod nginx_server_name_unmatchable;
    pub(crate) mod nginx_test;
    pub(crate) mod nginx_timeout_too_short;
    pub(crate) mod nginx_undeclared_name;
    pub(crate) mod nginx_unknown_directive;
    pub(crate) mod nginx_unknown_variable;
    pub(crate) mod nginx_upstream_invalid;
    pub(crate) mod nginx_valid_referers_none;
    pub(crate) mod nginx_version;
    pub(crate) mod nginx_version_shown;
    pub(crate) mod nginx_websocket_headers;
    pub(crate) mod nginx_wrong_arguments;
}

crate::family!(
    "nginx",
    false,
    [
        nginx_443_without_ssl,
        nginx_add_header_dropped,
        nginx_alias_traversal,
        nginx_allow_without_deny,
        nginx_backup_included,
        nginx_buffers,
        nginx_container_upstream,
        nginx_cors_twice,
        nginx_directive_misplaced,
        nginx_directive_twice,
        nginx_duplicate_default_server,
        nginx_duplicate_listen,
        nginx_duplicate_location,
        nginx_duplicate_name,
        nginx_duplicate_server,
        nginx_fixed_copy,
        nginx_forwarded_headers,
        nginx_header_injection,
        nginx_header_multiline,
        nginx_host_spoofable,
        nginx_if_in_location,
        nginx_include_missing,
        nginx_location_nested,
        nginx_map_invalid,
        nginx_missing_semicolon,
        nginx_no_certificate,
        nginx_no_events,
        nginx_not_loaded,
        nginx_origin_regex,
        nginx_port_unpublished,
        nginx_prefix_mismatch,
        nginx_proxied_host,
        nginx_proxy_pass_uri,
        nginx_regex_invalid,
        nginx_resolver_external,
        nginx_server_name_regex,
        nginx_server_name_unmatchable,
        nginx_test,
        nginx_timeout_too_short,
        nginx_undeclared_name,
        nginx_unknown_directive,
        nginx_unknown_variable,
        nginx_upstream_invalid,
        nginx_valid_referers_none,
        nginx_version,
        nginx_version_shown,
        nginx_websocket_headers,
        nginx_wrong_arguments,
    ]
);

/// What most rules of this folder use.
pub(crate) mod prelude {
    pub(crate) use crate::check::nginx::view::{Block, View};
    pub(crate) use crate::check::rules::prelude::*;
    pub(crate) use crate::source::nginx::Node;
}
