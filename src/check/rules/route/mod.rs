//! Routes that watchme.toml expects: where a public URL must lead, as nginx itself would match it.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod route_elsewhere;
    pub(crate) mod route_nowhere;
    pub(crate) mod route_unknown;
    pub(crate) mod route_untested;
}

crate::family!(
    "route",
    false,
    [
        route_elsewhere,
        route_nowhere,
        route_unknown,
        route_untested,
    ]
);
