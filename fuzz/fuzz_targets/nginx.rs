//! The target of `src/nginx.rs`.

#![no_main]

#[path = "../src/nginx.rs"]
mod nginx;

libfuzzer_sys::fuzz_target!(|input: &str| nginx::run(input));
