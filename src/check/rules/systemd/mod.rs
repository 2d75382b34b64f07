//! systemd units: what systemd would pass over or refuse, and what would not run as it is meant.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod systemd_command_misspelt;
    pub(crate) mod systemd_comment_behind_value;
    pub(crate) mod systemd_detached_command;
    pub(crate) mod systemd_docker_not_required;
    pub(crate) mod systemd_file_missing;
    pub(crate) mod systemd_invalid_value;
    pub(crate) mod systemd_line_swallowed;
    pub(crate) mod systemd_network_not_required;
    pub(crate) mod systemd_no_command;
    pub(crate) mod systemd_not_after_docker;
    pub(crate) mod systemd_not_after_network;
    pub(crate) mod systemd_not_an_assignment;
    pub(crate) mod systemd_not_enabled;
    pub(crate) mod systemd_nothing_to_wait_for;
    pub(crate) mod systemd_oneshot_restart;
    pub(crate) mod systemd_order_cycle;
    pub(crate) mod systemd_quadlet_key;
    pub(crate) mod systemd_refused;
    pub(crate) mod systemd_relative_command;
    pub(crate) mod systemd_several_commands;
    pub(crate) mod systemd_shell_syntax;
    pub(crate) mod systemd_unescaped_percent;
    pub(crate) mod systemd_unknown_key;
    pub(crate) mod systemd_unknown_section;
    pub(crate) mod systemd_unknown_unit;
    pub(crate) mod systemd_verify;
    pub(crate) mod systemd_version;
    pub(crate) mod systemd_wrong_section;
}

crate::family!(
    "systemd",
    true,
    [
        systemd_command_misspelt,
        systemd_comment_behind_value,
        systemd_detached_command,
        systemd_docker_not_required,
        systemd_file_missing,
        systemd_invalid_value,
        systemd_line_swallowed,
        systemd_network_not_required,
        systemd_no_command,
        systemd_not_after_docker,
        systemd_not_after_network,
        systemd_not_an_assignment,
        systemd_not_enabled,
        systemd_nothing_to_wait_for,
        systemd_oneshot_restart,
        systemd_order_cycle,
        systemd_quadlet_key,
        systemd_refused,
        systemd_relative_command,
        systemd_several_commands,
        systemd_shell_syntax,
        systemd_unescaped_percent,
        systemd_unknown_key,
        systemd_unknown_section,
        systemd_unknown_unit,
        systemd_verify,
        systemd_version,
        systemd_wrong_section,
    ]
);

/// What most rules of this folder use.
pub(crate) mod prelude {
    pub(crate) use crate::check::rules::prelude::*;
    pub(crate) use crate::check::systemd::MOST;
    pub(crate) use crate::check::systemd::index::{Line, Mention, Unit, Units};
    pub(crate) use crate::check::systemd::service::ServiceType;
    pub(crate) use crate::source::unit::settings::Source;
    pub(crate) use crate::source::unit::{Entry, table};
}
