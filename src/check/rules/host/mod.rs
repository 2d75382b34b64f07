//! What only a host can tell: `plan` and `apply` have these findings.

#[path = "."]
pub mod rule {
    pub mod host_disk_short;
    pub mod host_env_file_open;
    pub mod host_env_incomplete;
    pub mod host_memory_short;
    pub mod host_mount_missing;
    pub mod host_path_missing;
    pub mod host_port_taken;
}

crate::family!(
    "host",
    false,
    [
        host_disk_short,
        host_env_file_open,
        host_env_incomplete,
        host_memory_short,
        host_mount_missing,
        host_path_missing,
        host_port_taken,
    ]
);
