//! The target of `src/unit.rs`.

#![no_main]

#[path = "../src/unit.rs"]
mod unit;

libfuzzer_sys::fuzz_target!(|input: &str| unit::run(input));
