//! Other files below /etc that make programs of root load or run something.

use std::path::Path;

use nginx_conf::parse;

use super::{Named, is_code, is_of_a_package, nginx};
use crate::model::Desired;

/// Folders whose files are run for being there: systemd.generator(7), run-parts(8), bash(1), and hooks.
const RUN: [&str; 14] = [
    "etc/systemd/system-generators",
    "etc/systemd/user-generators",
    "etc/systemd/system-environment-generators",
    "etc/systemd/user-environment-generators",
    "etc/cron.hourly",
    "etc/cron.daily",
    "etc/cron.weekly",
    "etc/cron.monthly",
    "etc/profile.d",
    "etc/update-motd.d",
    "etc/network/if-up.d",
    "etc/network/if-pre-up.d",
    "etc/initramfs-tools",
    "etc/init.d",
];
/// Sources of nsswitch.conf(5) whose libraries the C library and packages bring.
const SOURCES: [&str; 16] = [
    "files",
    "compat",
    "db",
    "dns",
    "systemd",
    "resolve",
    "mymachines",
    "myhostname",
    "mdns4_minimal",
    "mdns4",
    "mdns_minimal",
    "mdns",
    "sss",
    "ldap",
    "winbind",
    "nis",
];

/// Whether a file is run because of where it is.
pub(super) fn is_run_by_its_place(path: &Path) -> bool {
    RUN.iter().any(|folder| path.starts_with(folder))
}

pub(super) fn named(path: &Path, text: &str, mode: u32, desired: &Desired) -> Vec<Named> {
    // profile.d is read, not run.
    if is_run_by_its_place(path) && (mode & 0o111 != 0 || path.starts_with("etc/profile.d")) {
        return vec![(
            1,
            format!("root runs /{} because it exists", path.display()),
        )];
    }
    let mut found = Vec::new();
    // An nginx file can include one from elsewhere.
    if text.contains("load_module") && parse(path, text).is_ok() {
        found.extend(nginx::named(path, text));
        if !found.is_empty() {
            return found;
        }
    }
    for (number, line) in logical_lines(text) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        found.extend(of_line(path, line, desired).map(|what| (number, what)));
    }
    found
}

/// Lines with those that follow a backslash, each with the number of its first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| open) {
            Some((_, whole)) => whole.push_str(part),
            None => lines.push((number + 1, part.to_owned())),
        }
        open = goes_on;
    }
    lines
}

fn of_line(path: &Path, line: &str, desired: &Desired) -> Option<String> {
    let words = || line.split([' ', '\t', '"', '\'', '=', ',', ';', '|', '&', '(', ')']);
    if path == Path::new("etc/ld.so.preload") {
        return Some(format!("every program would load {line}"));
    }
    if path == Path::new("etc/ld.so.conf") || path.starts_with("etc/ld.so.conf.d") {
        return Some(format!("every program would look for libraries in {line}"));
    }
    if path == Path::new("etc/nsswitch.conf") {
        let line = line.split('#').next()?;
        let (_, sources) = line.split_once(':')?;
        let mut sources = sources
            .split([' ', '\t'])
            .filter(|word| !word.is_empty() && !word.starts_with('['));
        let other = sources.find(|source| !SOURCES.contains(source) && !source.ends_with(']'))?;
        return Some(format!(
            "every program that looks up names would load libnss_{other}.so.2"
        ));
    }
    if path.starts_with("etc/pam.d") || path == Path::new("etc/pam.conf") {
        let mut modules = words().filter(|word| word.contains(".so"));
        let outside = modules.find(|module| {
            (module.contains('/') && !is_of_a_package(module)) || module.starts_with("pam_exec")
        });
        if let Some(module) = outside {
            return Some(format!(
                "each login would load or run what {module} names: {line}"
            ));
        }
    }
    if path == Path::new("etc/sudo.conf") {
        let mut words = line.split_whitespace();
        let (kind, name, of) = (words.next()?, words.next(), words.next());
        let loads = kind.eq_ignore_ascii_case("plugin")
            && of.is_some_and(|of| of.contains('/') && !is_of_a_package(of));
        let moves = kind.eq_ignore_ascii_case("path")
            && name.is_some_and(|name| ["plugin_dir", "noexec", "sudoers_preload"].contains(&name));
        if loads || moves {
            return Some(format!("sudo would load what this names: {line}"));
        }
    }
    if let Some(what) = of_openssl(path, line) {
        return Some(what);
    }
    if line.contains("LD_PRELOAD") || line.contains("LD_AUDIT") {
        return Some(format!("programs would load what this names: {line}"));
    }
    let mut own = words().filter(|word| word.starts_with('/') && is_code(Path::new(word), desired));
    Some(format!(
        "it names {}, which comes with the commit and is code",
        own.next()?
    ))
}

/// config(5): modules, and files from elsewhere.
fn of_openssl(path: &Path, line: &str) -> Option<String> {
    let is_openssls =
        path.starts_with("etc/ssl") || path.extension().is_some_and(|kind| kind == "cnf");
    if !is_openssls {
        return None;
    }
    if let Some(file) = line.strip_prefix(".include") {
        let file = file.trim_start_matches([' ', '\t', '=']).trim();
        let usual = ["/etc/ssl/", "/usr/lib/ssl/"]
            .iter()
            .any(|folder| file.starts_with(folder));
        return (file.starts_with('/') && (!usual || file.contains(".."))).then(|| {
            format!("every program that uses OpenSSL would read {file}, which can name modules")
        });
    }
    let (key, value) = line.split_once('=')?;
    // A name of a section can stand in front: `sect::key`.
    let key = key.trim().rsplit("::").next()?;
    let loads = matches!(key, "module" | "dynamic_path" | "MODULE_PATH" | "SO_PATH");
    let value = value.trim();
    (loads && !is_of_a_package(value))
        .then(|| format!("every program that uses OpenSSL would load {value}"))
}
