//! What comes from a repository is shown, never done: control characters, changes of direction, secrets.

use crate::support::{Output, Place, STATE, shows};

/// Characters that act on a terminal, other than line ends and tabs.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn harmless(run: &Output) {
    let found = run
        .stdout
        .chars()
        .chain(run.stderr.chars())
        .find(|c| acts(*c));
    assert_eq!(found, None, "{:?}", run.shown());
}

/// In a comment, a value, a name and a commit's subject; the escape sequence clears a screen.
const NASTY: &str = "\u{1b}[2J\u{9b}31m\u{7}\u{202e}gnp\u{2066}x\u{61c}\r";

fn nasty() -> Place {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let site = format!("# {NASTY}\n{}", STATE[1].1);
    let unit = STATE[2]
        .1
        .replace("=Hello", &format!("=Hello{}", NASTY.trim_end()));
    place.write(&[
        ("sites-available/\u{202e}moc.elpmaxe", &site),
        ("systemd/hello.service", &unit),
        ("etc/\u{2066}motd", NASTY),
    ]);
    place.commit(&format!("Nasty {NASTY}\nbody"));
    place
}

#[test]
fn the_repository_never_reaches_the_terminal_raw() {
    let place = nasty();
    for arguments in [
        &["drift"][..],
        &["plan"],
        &["plan", "--show-secrets"],
        &["plan", "-v", "--log-format", "json"],
        &["plan", "-vv"],
        &["apply", "-v"],
        &["apply"],
        &["status"],
        &["pause", "hello", "--reason", NASTY],
        &["status"],
        &["resume", "hello", "-v"],
    ] {
        harmless(
            &place
                .run(arguments)
                .expect(if arguments[0] == "drift" { 2 } else { 0 }),
        );
    }
    place.write_host("etc/\u{2066}motd", &format!("{NASTY}edited"));
    let drift = place.run(&["drift"]).expect(2);
    harmless(&drift);
    shows!("nasty_drift", drift.shown());
}

/// JSON is read by programs, but people print it: nothing raw, and the strings are whole.
#[test]
fn json_holds_the_characters_escaped() {
    let place = nasty();
    let plan = place.run(&["plan", "--json"]).expect(0);
    harmless(&plan);
    let subject = plan.json()["origin"]["subject"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(subject.contains("\u{1b}[2J"), "{subject:?}");
}

#[test]
fn errors_show_control_characters() {
    let place = Place::git(STATE);
    place.write(&[(
        "sites-available/api.example.com",
        &format!("server {{ \"{NASTY}\n"),
    )]);
    place.commit("Nasty");
    harmless(&place.run(&["apply"]).expect(1));
    place.write(&[
        ("sites-available/api.example.com", STATE[1].1),
        ("watchme.toml", "\"a\\u001b[2J\\u202eb\" = 1\n"),
    ]);
    place.commit("Nasty key");
    harmless(&place.run(&["apply"]).expect(1));
    place.write(&[(
        "watchme.toml",
        &format!("[unit.\"{}.service\"]\nstart = true\n", "\\u001b[2J\\u202e"),
    )]);
    place.commit("Nasty name");
    harmless(&place.run(&["apply"]).expect(1));
    harmless(&place.run(&["plan", "--rev", NASTY]).expect(1));
    harmless(&place.run(&["pause", NASTY, "--reason", "x"]).expect(1));
    harmless(
        &place
            .run_with(&["plan"], |command| {
                command.env("WATCHME_DESIRED_STATE", format!("/{}", NASTY.trim_end()));
            })
            .expect(1),
    );
}

#[test]
fn dirty_inputs_are_listed_safely() {
    let place = Place::git(STATE);
    place.write(&[
        ("sites-available/\u{202e}x", STATE[1].1),
        ("sites-available/y", STATE[1].1),
    ]);
    harmless(&place.run(&["plan"]).expect(0));
    harmless(&place.run(&["apply"]).expect(1));
    place.remove(&["sites-available/y"]);
    harmless(&place.run(&["apply"]).expect(1));
}

const SECRETS: &str = "[Service]\nEnvironment=DB_PASSWORD=hunter2\nEnvironment=\"API_KEY=abc123\" MODE=fast\nEnvironment=URL=postgres://me:geheim@db/x\nEnvironment=PLAIN=visible\n";

#[test]
fn secrets_are_masked_in_diffs() {
    let hidden = ["hunter2", "abc123", "geheim", "Zm9v"];
    let place = Place::git(STATE);
    let site = STATE[1].1.replace(
        "        proxy_pass",
        "        proxy_set_header Authorization \"Bearer Zm9v\";\n        proxy_pass",
    );
    place.write(&[
        ("systemd/hello.service.d/secrets.conf", SECRETS),
        ("sites-available/api.example.com", &site),
    ]);
    place.commit("Secrets");
    let log = place.beside("log");
    let log_arguments = [
        "plan",
        "-vv",
        "--log-format",
        "json",
        "--log-file",
        log.to_str().unwrap(),
    ];
    for arguments in [
        &["plan"][..],
        &["plan", "--json"],
        &log_arguments,
        &["apply", "--json"],
        &["drift"],
        &["status", "--json"],
    ] {
        let run = place.run(arguments).expect(0);
        for secret in hidden {
            assert!(!run.shown().contains(secret), "{secret} in {}", run.shown());
        }
    }
    let logged = std::fs::read_to_string(&log).unwrap_or_default();
    assert!(
        hidden.iter().all(|secret| !logged.contains(secret)),
        "{logged}"
    );

    // Both sides of a change, and the line as a whole where somebody asks for it.
    place.write(&[(
        "systemd/hello.service.d/secrets.conf",
        &SECRETS.replace("hunter2", "hunter3"),
    )]);
    place.commit("Another password");
    let masked = place.run(&["plan"]).expect(0);
    let plain = place.run(&["plan", "--show-secrets"]).expect(0);
    shows!(
        "secrets",
        [&masked, &plain].map(|run| run.shown()).join("\n")
    );
    assert!(!masked.stdout.contains("hunter") && masked.stdout.contains("DB_PASSWORD=********"));
    assert!(plain.stdout.contains("hunter2") && plain.stdout.contains("hunter3"));
    let json = place.run(&["plan", "--json", "--show-secrets"]).expect(0);
    assert!(json.stdout.contains("hunter3"));
}

/// A value in quotes may go on in the next line.
#[test]
fn secrets_of_several_lines_are_masked() {
    let place = Place::git(STATE);
    place.write(&[(
        "etc/app/x.env",
        "API_KEY=\"hunter2\nmore hunter3\"\nPORT=1\n",
    )]);
    place.commit("Two lines");
    for arguments in [
        &["plan"][..],
        &["plan", "--json"],
        &["plan", "--format", "markdown"],
    ] {
        let run = place.run(arguments).expect(0);
        assert!(!run.shown().contains("hunter"), "{}", run.shown());
        assert!(run.stdout.contains("PORT=1"), "{}", run.shown());
    }
}

/// A pipe has no escape sequences anyway; what a terminal would get has neither those of others nor secrets.
#[test]
fn reasons_and_names_are_harmless_in_every_format() {
    let place = Place::git(STATE);
    let policy = r#"[check.compose]
level = "off"
reason = "\u001b[31mred \u0007 \u202e password=hunter2"
"#;
    place.write(&[
        ("watchme.toml", policy),
        (
            "compose/a/docker-compose.yml",
            "services: {\"b\\e[31m\\a\": {imag: x}}\n",
        ),
        (
            "systemd/a.service",
            "[Service]\nExecStart=/usr/bin/docker-compose -f compose/a/docker-compose.yml up\n",
        ),
    ]);
    for arguments in [
        &["check", "--explain", "compose", "--color", "always"][..],
        &["check", "--format", "github", "--color", "always"],
        &["check", "--format", "gcc", "--color", "always"],
        &["check", "--color", "always"],
    ] {
        let run = place.run(arguments);
        let raw = |c: &char| matches!(c, '\u{7}' | '\u{202e}');
        assert_eq!(run.stdout.chars().find(raw), None, "{:?}", run.stdout);
        assert!(!run.stdout.contains("hunter2"), "{:?}", run.stdout);
        assert!(!run.stdout.contains("\u{1b}[31mred"), "{:?}", run.stdout);
        assert!(!run.stdout.contains("b\u{1b}[31m"), "{:?}", run.stdout);
    }
    let explained = place.run(&["check", "--explain", "compose"]).expect(0);
    assert!(
        explained.stdout.contains("password=********"),
        "{}",
        explained.shown()
    );
}

#[test]
fn secrets_do_not_show_when_somebody_edited_them() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    place.write_host("etc/logrotate.d/hello", "SMTP_PASSWORD=hunter2\n");
    for arguments in [
        &["drift"][..],
        &["plan"],
        &["drift", "--json"],
        &["status", "--json"],
        &["plan", "--json"],
    ] {
        let run = place.run(arguments);
        assert!(!run.shown().contains("hunter2"), "{}", run.shown());
    }
    assert!(
        place
            .run(&["drift", "--show-secrets"])
            .stdout
            .contains("hunter2")
    );
}

#[test]
fn japanese_text_is_shown_as_it_is() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let site = format!("# 音声の文字起こし（受付は毎分）\n{}", STATE[1].1);
    place.write(&[("sites-available/api.example.com", &site)]);
    place.commit("サイトに説明を書く");
    place.run(&["apply"]).expect(0);
    place.write(&[(
        "sites-available/api.example.com",
        &site.replace("毎分", "五分ごと"),
    )]);
    place.commit("受付の間隔を直す");
    let plan = place.run(&["plan"]).expect(0);
    shows!("japanese", plan.shown());
    assert!(plan.stdout.contains("受付の間隔を直す") && plan.stdout.contains("五分ごと"));
    place.write(&[(
        "sites-available/api.example.com",
        "# 音声\nserver {\n    listen 80 # 閉じていない\n}\n",
    )]);
    place.commit("間違い");
    let error = place.run(&["plan"]).expect(1);
    shows!("japanese_error", error.shown());
}
