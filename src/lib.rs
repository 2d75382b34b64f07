//! Makes one Linux host match a git checkout, and proves that it does.
//!
//! The arrows between modules point left only:
//! `model < effect, root < source, host, plan, state < kinds < apply < reconcile < import < capture < cli`, and `source < check < reconcile`.

// libgit2 brings a PCRE2 of its own. The linker takes libraries in the reverse order in which crates are first named: named
// first, libgit2 comes last and uses the PCRE2 of `nginx-conf`. The other way round, both are linked, and that fails.
extern crate git2 as _;

mod apply;
mod capture;
pub mod check;
pub mod cli;
mod effect;
mod host;
mod import;
mod kinds;
pub mod model;
mod plan;
mod reconcile;
mod root;
pub mod source;
mod state;
