//! The configuration of nginx, as the sites and the files that they include say it.

#[path = "."]
pub mod rule {
    pub mod nginx_443_without_ssl;
    pub mod nginx_add_header_dropped;
    pub mod nginx_alias_traversal;
    pub mod nginx_backup_included;
    pub mod nginx_container_upstream;
    pub mod nginx_cors_twice;
    pub mod nginx_directive_misplaced;
    pub mod nginx_directive_twice;
    pub mod nginx_duplicate_default_server;
    pub mod nginx_duplicate_listen;
    pub mod nginx_duplicate_location;
    pub mod nginx_duplicate_server;
    pub mod nginx_forwarded_headers;
    pub mod nginx_header_injection;
    pub mod nginx_host_spoofable;
    pub mod nginx_missing_semicolon;
    pub mod nginx_no_certificate;
    pub mod nginx_port_unpublished;
    pub mod nginx_prefix_mismatch;
    pub mod nginx_proxy_pass_uri;
    pub mod nginx_regex_invalid;
    pub mod nginx_server_name_regex;
    pub mod nginx_server_name_unmatchable;
    pub mod nginx_test;
    pub mod nginx_timeout_too_short;
    pub mod nginx_unknown_directive;
    pub mod nginx_unknown_variable;
    pub mod nginx_websocket_headers;
    pub mod nginx_wrong_arguments;
}

crate::family!(
    "nginx",
    false,
    [
        nginx_443_without_ssl,
        nginx_add_header_dropped,
        nginx_alias_traversal,
        nginx_backup_included,
        nginx_container_upstream,
        nginx_cors_twice,
        nginx_directive_misplaced,
        nginx_directive_twice,
        nginx_duplicate_default_server,
        nginx_duplicate_listen,
        nginx_duplicate_location,
        nginx_duplicate_server,
        nginx_forwarded_headers,
        nginx_header_injection,
        nginx_host_spoofable,
        nginx_missing_semicolon,
        nginx_no_certificate,
        nginx_port_unpublished,
        nginx_prefix_mismatch,
        nginx_proxy_pass_uri,
        nginx_regex_invalid,
        nginx_server_name_regex,
        nginx_server_name_unmatchable,
        nginx_test,
        nginx_timeout_too_short,
        nginx_unknown_directive,
        nginx_unknown_variable,
        nginx_websocket_headers,
        nginx_wrong_arguments,
    ]
);
