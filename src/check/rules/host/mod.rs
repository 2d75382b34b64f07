//! What only a host can tell: `plan` and `apply` have these findings.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod host_disk_short;
    pub(crate) mod host_env_file_open;
    pub(crate) mod host_env_incomplete;
    pub(crate) mod host_memory_short;
    pub(crate) mod host_mount_missing;
    pub(crate) mod host_path_missing;
    pub(crate) mod host_port_taken;
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
