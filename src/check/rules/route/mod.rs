//! Routes that watchme.toml expects: where a public URL must come out, as nginx itself would match it.

#[path = "."]
pub mod rule {
    pub mod route_elsewhere;
    pub mod route_nowhere;
    pub mod route_unknown;
    pub mod route_untested;
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
