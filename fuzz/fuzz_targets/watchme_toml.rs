//! The target of `src/watchme_toml.rs`.

#![no_main]

#[path = "../src/watchme_toml.rs"]
mod watchme_toml;

libfuzzer_sys::fuzz_target!(|input: &str| watchme_toml::run(input));
