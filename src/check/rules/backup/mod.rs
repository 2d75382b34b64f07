//! Backups, by `[backup.NAME]` in watchme.toml.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod backup_not_rehearsed;
    pub(crate) mod backup_volume_unknown;
}

crate::family!(
    "backup",
    false,
    [backup_not_rehearsed, backup_volume_unknown,]
);
