//! JSON for programs. Each object that is printed is a `Document`; `schema/` describes it.

mod error;
mod finding;
mod plan;

use serde::Serialize;

pub(super) use error::Error;
pub(super) use finding::Finding;
pub(super) use plan::{Change, Plan, changes, unified};

/// Grows when a field changes its meaning or goes away; new fields do not count.
pub(super) const FORMAT_VERSION: u32 = 1;

/// A schema, with its name: it is written to `schema/NAME.json`.
#[cfg(test)]
pub(super) type Schema = (&'static str, schemars::Schema);

/// An object that is printed, with its schema: what has none cannot be printed.
pub(super) trait Document: Serialize {
    /// Its schema; several if it is one of several objects.
    #[cfg(test)]
    fn schemas() -> Vec<Schema>;
}

/// `document!(Type = "name")`: `Type` is printed, and described by `schema/name.json`.
/// `document!(Any: One = "one", Other = "other")` is for an enum `Any` that has those objects.
macro_rules! document {
    ($type:ident = $name:literal) => {
        crate::cli::json::document!($type: $type = $name);
    };
    ($any:ident: $($type:ident = $name:literal),+) => {
        impl crate::cli::json::Document for $any {
            #[cfg(test)]
            fn schemas() -> Vec<crate::cli::json::Schema> {
                vec![$(($name, schemars::schema_for!($type))),+]
            }
        }
    };
}
pub(super) use document;

/// For commands without JSON.
#[derive(Serialize)]
pub(super) enum NoJson {}

impl Document for NoJson {
    #[cfg(test)]
    fn schemas() -> Vec<Schema> {
        Vec::new()
    }
}

document!(Plan = "plan");
document!(Error = "error");
