//! Ports of the host.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod port_outside_ranges;
    pub(crate) mod port_public;
    pub(crate) mod port_published_twice;
    pub(crate) mod port_taken;
    pub(crate) mod port_unproxied;
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

/// What most rules of this folder use.
pub(crate) mod prelude {
    pub(crate) use crate::check::compose::view::{View, say};
    pub(crate) use crate::check::rules::prelude::*;
}
