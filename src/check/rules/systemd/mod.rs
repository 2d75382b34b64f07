//! systemd units: what systemd would pass over or refuse, and what would not run as it is meant.

#[path = "."]
pub mod rule {
    pub mod systemd_command_misspelt;
    pub mod systemd_comment_behind_value;
    pub mod systemd_detached_command;
    pub mod systemd_docker_not_required;
    pub mod systemd_file_missing;
    pub mod systemd_invalid_value;
    pub mod systemd_line_swallowed;
    pub mod systemd_network_not_required;
    pub mod systemd_no_command;
    pub mod systemd_not_after_docker;
    pub mod systemd_not_after_network;
    pub mod systemd_not_an_assignment;
    pub mod systemd_not_enabled;
    pub mod systemd_nothing_to_wait_for;
    pub mod systemd_oneshot_restart;
    pub mod systemd_order_cycle;
    pub mod systemd_relative_command;
    pub mod systemd_several_commands;
    pub mod systemd_shell_syntax;
    pub mod systemd_unescaped_percent;
    pub mod systemd_unknown_key;
    pub mod systemd_unknown_section;
    pub mod systemd_unknown_unit;
    pub mod systemd_verify;
    pub mod systemd_wrong_section;
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
        systemd_relative_command,
        systemd_several_commands,
        systemd_shell_syntax,
        systemd_unescaped_percent,
        systemd_unknown_key,
        systemd_unknown_section,
        systemd_unknown_unit,
        systemd_verify,
        systemd_wrong_section,
    ]
);
