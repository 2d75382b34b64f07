//! What this program takes from compose files, beside what [`compose_file`] reads there.

pub mod infra;

pub use compose_file::*;

#[cfg(test)]
mod tests;
