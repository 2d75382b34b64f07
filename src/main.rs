//! The thin binary: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    watchme_apply::cli::main(std::env::args_os().collect())
}
