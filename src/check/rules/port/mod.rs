//! Ports of the host.

#[path = "."]
pub mod rule {
    pub mod port_outside_ranges;
    pub mod port_public;
    pub mod port_published_twice;
    pub mod port_taken;
    pub mod port_unproxied;
}

crate::family!(
    "port",
    false,
    [
        port_outside_ranges,
        port_public,
        port_published_twice,
        port_taken,
        port_unproxied,
    ]
);
