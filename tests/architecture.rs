//! Which module may use which: the line at the top of `src/lib.rs`, held against every path in `src/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules by name, each with those that it may use.
type Allowed = BTreeMap<String, BTreeSet<String>>;

/// The chains of `src/lib.rs`, such as `model < root < source, host`: a module may use what is left of it.
fn allowed(lib: &str) -> Allowed {
    let head: Vec<&str> = lib
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .collect();
    let head = head.join("\n");
    let chains = head.split('`').skip(1).step_by(2);
    let mut allowed = Allowed::new();
    for chain in chains.filter(|chain| chain.contains('<')) {
        let mut left: BTreeSet<String> = BTreeSet::new();
        for group in chain.split('<') {
            let names: Vec<String> = group
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect();
            for name in &names {
                allowed
                    .entry(name.clone())
                    .or_default()
                    .extend(left.clone());
            }
            left.extend(names);
        }
    }
    // What is left of one that is left is left, too: one chain goes on where another one ends.
    loop {
        let before = allowed.clone();
        for names in allowed.values_mut() {
            let further = names.iter().filter_map(|name| before.get(name)).flatten();
            let further: Vec<String> = further.cloned().collect();
            names.extend(further);
        }
        if allowed == before {
            return allowed;
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The modules of the crate that code names, each with the line: behind `crate::`, or behind as many `super::` as lead to
/// the root.
fn named(text: &str, depth: usize) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = lines.join("\n");
    let root = "super::".repeat(depth);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for start in ["crate::", root.as_str()] {
        for (at, _) in code.match_indices(start) {
            let (before, behind) = (&code[..at], &code[at + start.len()..]);
            if before.ends_with(|c| is_part(c) || c == ':' || c == '$') {
                continue;
            }
            if let Some(below) = behind.strip_prefix("kinds::") {
                let line = before.matches('\n').count() + 1;
                found.extend(
                    layer_of_kind(below.split(|c: char| !is_part(c) && c != ':'))
                        .map(|name| (line, name.to_owned())),
                );
                continue;
            }
            let names = match behind.strip_prefix('{') {
                Some(list) => list
                    .split('}')
                    .next()
                    .unwrap_or_default()
                    .split(',')
                    .collect(),
                None => vec![behind],
            };
            let line = before.matches('\n').count() + 1;
            let first = |text: &str| text.trim().split(|c| !is_part(c)).next().map(str::to_owned);
            found.extend(names.into_iter().filter_map(first).map(|name| (line, name)));
        }
    }
    found.sort();
    found
}

/// The module to which a part of a kind's folder belongs: its data are the model's, its reading is the source's. `None` for
/// the table of kinds, which every module may use.
fn layer_of_kind<'a>(mut path: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let path = path.next().unwrap_or_default();
    let mut parts = path.split("::");
    match (parts.next(), parts.next()) {
        (Some("table" | ""), _) => None,
        (_, Some("data")) => Some("model"),
        (_, Some("read")) => Some("source"),
        _ => Some("kinds"),
    }
}

/// Where a module uses one that is not left of it.
fn wrong(allowed: &Allowed, path: &Path, text: &str) -> Vec<String> {
    let parts: Vec<String> = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .filter(|part| part != "mod")
        .collect();
    let own = match parts.first().map(String::as_str) {
        Some("kinds") => layer_of_kind(std::iter::once(
            parts.get(1..).unwrap_or_default().join("::").as_str(),
        )),
        Some("lib" | "main") | None => None,
        Some(own) => Some(own),
    };
    let Some(own) = own else {
        return Vec::new();
    };
    let Some(left) = allowed.get(own) else {
        return vec![format!(
            "src/{}: the module {own} is not in the line of src/lib.rs: say there what it may use",
            path.display()
        )];
    };
    let mut found = Vec::new();
    for (line, name) in named(text, parts.len()) {
        let is_module = allowed.contains_key(&name);
        if is_module && name != own && !left.contains(&name) {
            let place = format!("src/{}:{line}", path.display());
            found.push(format!(
                "{place}: {own} uses {name}, which is not left of it in the line of src/lib.rs"
            ));
        }
    }
    found
}

#[test]
fn arrows_between_modules_point_left() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed = allowed(&std::fs::read_to_string(src.join("lib.rs")).unwrap());
    assert!(allowed.len() > 5, "src/lib.rs has no line: {allowed:?}");
    let mut files = Vec::new();
    sources(&src, &mut files);
    files.sort();
    assert!(files.len() > 100, "{files:?}");
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            wrong(&allowed, file.strip_prefix(&src).unwrap(), &text)
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn an_arrow_that_points_right_is_found() {
    let allowed = allowed(
        "//! `model < root < source, plan, state < kinds < cli`, and `root < check < cli`.\n",
    );
    let of = |text: &str| wrong(&allowed, Path::new("check/rules/a.rs"), text).len();
    for (text, count) in [
        ("use crate::model::Plan;", 0),
        ("use crate::root::Root;", 0),
        ("use crate::check::Rule;", 0),
        ("use crate::plan::plan;", 1),
        ("let plan = crate::plan::plan();", 1),
        ("use crate::{model, plan::Draft, cli};", 2),
        ("use crate::{\n    model::A,\n    plan::{Draft, B},\n};", 1),
        ("use super::super::super::cli::run;", 1),
        ("use super::super::plan;", 0),
        ("// use crate::plan::plan;", 0),
        ("$crate::rule!{}", 0),
        ("use crate::kinds::etc::data::EtcFile;", 0),
        ("use crate::kinds::table::with_kinds;", 0),
        ("use crate::kinds::etc::read::Read;", 1),
        ("use crate::kinds::plan;", 1),
    ] {
        assert_eq!(of(text), count, "{text}");
    }
    let part = |path: &str, text: &str| wrong(&allowed, Path::new(path), text).len();
    for (path, text, count) in [
        ("kinds/etc/data.rs", "use crate::root::Root;", 1),
        ("kinds/etc/data/mode.rs", "use crate::model::File;", 0),
        ("kinds/etc/read.rs", "use crate::root::Root;", 0),
        ("kinds/etc/read.rs", "use crate::plan::Draft;", 1),
        ("kinds/etc/mod.rs", "use crate::plan::Draft;", 0),
        ("kinds/etc/mod.rs", "use crate::cli::run;", 1),
    ] {
        assert_eq!(part(path, text), count, "{path}: {text}");
    }
    let new = wrong(&allowed, Path::new("news/mod.rs"), "");
    assert_eq!(
        new,
        [
            "src/news/mod.rs: the module news is not in the line of src/lib.rs: say there what it may use"
        ]
    );
}
