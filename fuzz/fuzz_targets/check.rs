//! A whole `check`, up to what a person sees of it: the input is a small checkout. Each of its files stands behind a
//! line `=== PATH` with one of the paths below. What is said goes to standard output: run it with -close_fd_mask=1.

#![no_main]

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use watchme_apply::cli;

const PATHS: [&str; 17] = [
    "watchme.toml",
    "docker-compose.infra.yml",
    "sites-available/a.example.com",
    "sites-available/b.example.com",
    "sites-available/a.example.com.bak",
    "systemd/a.service",
    "systemd/a.service.d/10-more.conf",
    "systemd/b.service",
    "systemd/b@.service",
    "systemd/a.timer",
    "etc/nginx/snippets/proxy.conf",
    "etc/nginx/conf.d/maps.conf",
    "compose/a/docker-compose.yml",
    "compose/a/docker-compose.override.yml",
    "compose/a/.env.example",
    "compose/b/compose.yaml",
    "compose/base.yml",
];

fuzz_target!(|input: &str| {
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    let folder = folder.expect("no temporary folder");
    let mut any = false;
    for part in format!("\n{input}").split("\n=== ").skip(1) {
        let (path, content) = part.split_once('\n').unwrap_or((part, ""));
        if !PATHS.contains(&path) {
            continue;
        }
        let path = folder.path().join(path);
        let parent = path.parent().expect("a path below the folder");
        fs::create_dir_all(parent).expect("no folder");
        fs::write(&path, content).expect("not written");
        any = true;
    }
    if !any {
        return;
    }
    let words = [
        "watchme-apply",
        "check",
        "--color",
        "always",
        "--desired-state",
    ];
    let words = words.iter().map(OsString::from);
    cli::main(words.chain([folder.path().into()]).collect());
});
