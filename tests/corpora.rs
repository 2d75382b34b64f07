//! The inputs of the fuzz targets of the parsers, run through the same code as there.

#[path = "../fuzz/src/compose.rs"]
mod compose;
#[path = "../fuzz/src/nginx.rs"]
mod nginx;
#[path = "../fuzz/src/unit.rs"]
mod unit;
#[path = "../fuzz/src/watchme_toml.rs"]
mod watchme_toml;

use std::path::Path;

/// Runs every input of a target's corpus.
fn replay(target: &str, run: fn(&str)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        // Shown if it fails.
        println!("{}", path.display());
        run(&String::from_utf8_lossy(&bytes));
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", folder.display());
}

#[test]
fn nginx() {
    replay("nginx", nginx::run);
}

#[test]
fn unit() {
    replay("unit", unit::run);
}

#[test]
fn compose() {
    replay("compose", compose::run);
}

#[test]
fn watchme_toml() {
    replay("watchme_toml", watchme_toml::run);
}
