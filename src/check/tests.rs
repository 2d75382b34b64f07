//! Every rule's page: its bad example is found, its good one is not.

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::source::{Checkout, Which, is_env_file};

/// A checkout with these files, checked.
pub(super) fn checked(files: &[(String, String)]) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    // Env files count where git has them, and nowhere else.
    if files.iter().any(|(path, _)| is_env_file(Path::new(path))) {
        let repository = git2::Repository::init(folder.path()).unwrap();
        let mut index = repository.index().unwrap();
        for (path, _) in files {
            index.add_path(Path::new(path)).unwrap();
        }
        index.write().unwrap();
    }
    look_into(folder.path(), check)
}

/// What `look` sees in a checkout with these files.
pub(super) fn surveyed<T>(files: &[(&str, &str)], look: impl FnOnce(&Subject) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    look_into(folder.path(), look)
}

/// What a rule finds in a checkout with these files: `PATH:LINE:COLUMN: MESSAGE`.
pub(super) fn found(rule: &Rule, files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let findings = checked(&files);
    let own = findings.iter().filter(|one| one.rule.name == rule.name);
    own.map(ToString::to_string).collect()
}

/// How severe a rule's findings are.
pub(super) fn levels(rule: &Rule, files: &[(&str, &str)]) -> Vec<&'static str> {
    surveyed(files, |subject| {
        let found = crate::check::check(subject);
        let own = found.iter().filter(|one| one.rule.name == rule.name);
        let level = |one: &Finding| if one.is_error() { "error" } else { "warning" };
        own.map(level).collect()
    })
}

/// What a compose file's rule finds in services that a unit starts.
pub(super) fn found_in_services(rule: &Rule, services: &str) -> Vec<String> {
    let unit = "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/a.yml up\n[Install]\nWantedBy=multi-user.target\n";
    let compose = format!("services:\n{services}");
    let here = ("watchme.toml", "checkout = \"/srv/c\"\n");
    found(
        rule,
        &[here, ("systemd/a.service", unit), ("a.yml", &compose)],
    )
}

/// What the rules of a family find.
pub(super) fn of_family(name: &str, subject: &Subject) -> Vec<Finding> {
    Context::with(subject, |context| {
        engine::run(context, |family, _| family.name == name)
    })
}

/// Fails where four times the inputs take a family more than ten times as long; what is quadratic takes sixteen times.
/// `write` makes so many inputs in a folder.
pub(super) fn assert_time_grows_as_inputs_do(family: &str, write: impl Fn(&Path, usize)) {
    // The best of three: a busy machine makes it longer, never shorter.
    let time = |inputs| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), inputs);
        look_into(folder.path(), |subject| {
            let tries = (0..3).map(|_| {
                let begun = Instant::now();
                of_family(family, subject);
                begun.elapsed()
            });
            tries.min().unwrap_or_default()
        })
    };
    let (few, many) = (time(250), time(1000));
    let most = few * 10 + Duration::from_millis(50);
    assert!(many < most, "{family}: 250 inputs {few:?}, 1000 {many:?}");
}

fn look_into<T>(folder: &Path, look: impl FnOnce(&Subject) -> T) -> T {
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = Checkout::open(folder, &[owner]).unwrap();
    let (revision, wrong) = checkout.survey(&Which::Worktree).unwrap();
    look(&Subject {
        revision: &revision,
        wrong: &wrong,
    })
}

/// The files of a page's section: each a path in backquotes with a colon, and a block of code.
fn example(page: &str, headline: &str) -> Vec<(String, String)> {
    let section = page.split_once(&format!("\n## {headline}\n")).unwrap().1;
    let section = section.split("\n## ").next().unwrap();
    let mut files = Vec::new();
    let mut rest = section;
    while let Some((before, behind)) = rest.split_once("\n```") {
        let path = before.trim().rsplit('\n').next().unwrap();
        let path = path
            .strip_prefix('`')
            .and_then(|path| path.strip_suffix("`:"));
        let (_language, code) = behind.split_once('\n').unwrap();
        let (code, behind) = code.split_once("```").unwrap();
        files.push((path.expect(before).to_owned(), code.to_owned()));
        rest = behind;
    }
    assert!(!files.is_empty(), "no file in {headline}");
    files
}

/// What `docs/rules.md` says before the rules.
const INTRODUCTION: &str = "\
# Rules

This page is generated from the pages in `src/check/rules/`. `watchme-apply check --explain RULE` prints one of them,
`--explain FAMILY` lists a family.

To allow a single finding, write a comment with a reason on its line or directly above it:

```
# watchme-apply: allow(RULE) REASON
```

To change the level of a rule or of a family, for the whole checkout or for some paths, write into `watchme.toml`:

```toml
[check]
compose-no-memory-limit = { level = \"off\", reason = \"replaced in May\", paths = [\"compose/legacy/**\"] }
systemd-unknown-unit = { level = \"error\", reason = \"all units of this host are here\" }
nginx = { level = \"warning\", reason = \"being migrated\", paths = [\"sites-available/old.example.com\"] }
```

`level` is `off`, `warning` or `error`, and `reason` is required. `paths` are patterns below the folder of `watchme.toml`:
`*` matches within one folder, `**` any number of folders. A setting of a rule overrides the one of its family. The level of
some rules cannot be changed: an apply stops in any case, or the branch under review could switch the rule off. Their pages
say so.

If several findings of a rule in a file have the same message and the same fix, they are one finding, which names the first
place and lists the lines of the others. Some rules also join findings with different messages if one fix is right for all of
them; such a finding gives their number. Advice that a host may not need, such as memory limits, health checks and log rotation, is one finding for
all files if four or more of them do not follow it; the finding shows the `[check]` entry that silences it. `check FILE` shows the
places in a file, and `--format json` shows all of them.

";

/// The only page about all rules.
fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("| rule | family | severity | |\n|---|---|---|---|\n");
    for rule in rules() {
        let severity = match rule.severity {
            crate::model::Severity::Error => "error",
            crate::model::Severity::Warning => "warning",
        };
        let why = rule.why().replace('\n', " ");
        let family = engine::family_of(rule.name).unwrap().name;
        text.push_str(&format!(
            "| [{0}](#{0}) | {family} | {severity} | {why} |\n",
            rule.name
        ));
    }
    for rule in rules() {
        text.push('\n');
        text.push_str(
            &rule
                .page
                .replace("\n## ", "\n### ")
                .replacen("# ", "## ", 1),
        );
    }
    text
}

/// What a rule's file and page have to be: their names, one sentence, and examples that are found and not found.
pub(super) fn page_is_right(rule: &'static Rule, file: &str) {
    let (family, module) = file.split_once('/').unwrap();
    assert_eq!(module.replace('_', "-"), rule.name, "{file}");
    let headline = format!("# {}\n\n", rule.name);
    assert!(rule.page.starts_with(&headline), "{file}");
    let why = rule.why();
    assert!(
        why.ends_with('.') && !why.contains(". "),
        "{file}: one sentence: {why}"
    );
    if family == "host"
        || [
            "nginx-test",
            "systemd-verify",
            "code-outside-packages",
            "compose-advice",
        ]
        .contains(&rule.name)
    {
        return;
    }
    let bad = checked(&example(rule.page, "Bad"));
    let is_found = bad.iter().any(|finding| finding.rule.name == rule.name);
    assert!(
        is_found,
        "{file}: the bad example is not found, but {bad:?}"
    );
    let good = checked(&example(rule.page, "Good"));
    for finding in good {
        let is_right = finding.rule.name != rule.name && !finding.is_error();
        assert!(is_right, "{file}: the good example has {finding:?}");
    }
}

/// A file or page that no family lists would do nothing.
#[test]
fn every_file_below_rules_is_a_rule() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check/rules");
    let mut files: Vec<String> = Vec::new();
    for family in std::fs::read_dir(folder).unwrap() {
        let family = family.unwrap().path();
        let Ok(entries) = std::fs::read_dir(&family) else {
            continue;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let paths = paths.filter(|path| !path.ends_with("mod.rs"));
        files.extend(paths.map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            format!("{}/{name}", family.file_name().unwrap().to_str().unwrap())
        }));
    }
    let mut expected: Vec<String> = Vec::new();
    for family in rules::FAMILIES {
        for rule in family.rules {
            let module = rule.name.replace('-', "_");
            expected.push(format!("{}/{module}.md", family.name));
            expected.push(format!("{}/{module}.rs", family.name));
        }
    }
    files.retain(|file| !expected.contains(file));
    assert!(
        files.is_empty(),
        "the mod.rs of their folder does not list {files:?}"
    );
}

/// `UPDATE_RULES=1` writes it anew.
#[test]
fn the_page_about_all_rules_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    if std::env::var_os("UPDATE_RULES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page());
}

#[test]
fn the_reference_of_watchme_toml_names_every_family() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let names: Vec<&str> = rules::FAMILIES.iter().map(|family| family.name).collect();
    let listed = format!("a family of rules ({})", names.join(", "));
    assert!(
        std::fs::read_to_string(path).unwrap().contains(&listed),
        "{listed}"
    );
}

fn at(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    checked(&files)
        .iter()
        .map(|finding| format!("{} {finding}", finding.rule.name))
        .collect()
}

#[test]
fn all_that_cannot_be_read_is_told_at_once() {
    let found = at(&[
        ("sites-available/a", "server {"),
        (
            "systemd/b.service",
            "[Service]\nExecStart=/bin/true\nstray\n",
        ),
        ("docker-compose.infra.yml", "networks: [\n"),
    ]);
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn an_allowance_speaks_for_its_line_and_the_next_one() {
    let broken = "server {\n    listen 80\n}\n";
    let found = |comment: &str| {
        at(&[(
            "sites-available/a",
            &broken.replace("    listen 80\n", comment),
        )])
    };
    assert_eq!(
        found("    # watchme-apply: allow(syntax) because\n    # more\n\n    listen 80\n"),
        [""; 0]
    );
    assert_eq!(
        found("    listen 80 # watchme-apply: allow(syntax) because\n"),
        [""; 0]
    );
    let external =
        found("    # watchme-apply: allow(syntax) because\n    listen 80;\n    listen 81\n");
    assert_eq!(
        external,
        [
            "allowance-unused sites-available/a:2:7: there is no finding of syntax here to allow",
            "syntax sites-available/a:4:12: directive \"listen\" is not terminated by \";\"",
        ]
    );
    let invalid = |comment: &str| {
        at(&[(
            "sites-available/a",
            &format!("# watchme-apply: allow{comment}\n"),
        )])
    };
    assert_eq!(
        invalid("(syntax)"),
        ["allowance-invalid sites-available/a:1:3: syntax is allowed here without a reason"]
    );
    assert_eq!(
        invalid("(syntex) x"),
        ["allowance-invalid sites-available/a:1:3: there is no rule \"syntex\""]
    );
    assert_eq!(
        invalid("(syntax, port-public) x"),
        ["allowance-invalid sites-available/a:1:3: an allow comment names one rule"]
    );
    assert_eq!(
        invalid(" syntax x"),
        ["allowance-invalid sites-available/a:1:3: this allow comment names no rule"]
    );
    let comment = |comment: &str| at(&[("sites-available/a", comment)]);
    for meant in [
        "# watchme-apply: alow(syntax) x\n",
        "# watchme-apply: ignore syntax\n",
    ] {
        assert_eq!(
            comment(meant),
            ["allowance-invalid sites-available/a:1:3: this comment allows nothing"]
        );
    }
    assert_eq!(comment("# watchme-apply: made by hand\n"), [""; 0]);
}

/// In a unit, what follows a value is part of it.
#[test]
fn an_allowance_in_a_unit_has_a_line_of_its_own() {
    let unit = |line: &str| format!("[Service]\n{line}\nExecStart=/bin/true\n");
    let found = |line: &str| at(&[("systemd/a.service", &unit(line))]);
    let behind = found("Nice=5 # watchme-apply: allow(systemd-comment-behind-value) x");
    assert!(
        behind
            .iter()
            .any(|one| one.starts_with("allowance-invalid")),
        "{behind:?}"
    );
    assert!(
        behind
            .iter()
            .any(|one| one.starts_with("systemd-comment-behind-value")),
        "{behind:?}"
    );
    assert_eq!(
        found("# watchme-apply: allow(systemd-comment-behind-value) x\nNice=5 # five"),
        [""; 0]
    );
    let continued = "ExecStartPre=/bin/echo \\\n  a \\\n  | cat";
    assert_eq!(found(continued).len(), 1);
    let allowed = format!("# watchme-apply: allow(systemd-shell-syntax) x\n{continued}");
    assert_eq!(found(&allowed), [""; 0]);
}
