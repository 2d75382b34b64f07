//! Makes one Linux host match a git checkout, and proves that it does.
//!
//! The arrows between modules point left only:
//! `model < effect, root < source, host, plan, state < apply < reconcile < cli`, and `source < check < reconcile`.

// Not yet for the program's own modules: `cargo fix --lib --allow-dirty` narrows them once this line is gone.
#![allow(unreachable_pub)]

// libgit2 brings a PCRE2 of its own. The linker takes libraries in the reverse order in which crates are first named: named
// first, libgit2 comes last and uses the PCRE2 of `nginx-conf`. The other way round, both are linked, and that fails.
extern crate git2 as _;

pub mod apply;
pub mod check;
pub mod cli;
pub mod effect;
pub mod host;
pub mod model;
pub mod plan;
pub mod reconcile;
pub mod root;
pub mod source;
pub mod state;
