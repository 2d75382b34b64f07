//! Who may reach which port, by `[firewall]` in watchme.toml.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod firewall_database_open;
    pub(crate) mod firewall_port_unnamed;
    pub(crate) mod firewall_source_wide;
}

crate::family!(
    "firewall",
    false,
    [
        firewall_database_open,
        firewall_port_unnamed,
        firewall_source_wide,
    ]
);
