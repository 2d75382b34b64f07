//! A unit that does not start because of another one: the other one is the reason, with its own last lines.

use crate::support::{Host, desired, service, sleeper};

/// What the failing unit says. Nothing but its journal has these words put together.
const LAST_WORDS: &str = "no disk for the data of 4711";

struct Case {
    what: &'static str,
    /// Units by name, with their text.
    units: Vec<(&'static str, String)>,
    /// What the error has to say, each in it.
    said: &'static [&'static str],
    /// The unit that the hint is about.
    cause: &'static str,
    /// Whether the last words of that unit have to be there.
    words: bool,
}

fn needing(other: &str, how: &str) -> String {
    format!("[Unit]\n{how}={other}\nAfter={other}\n\n{}", sleeper(2001))
}

fn failing() -> String {
    "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo no disk for the data of $$((4700 + 11)) >&2; exit 3'\n".to_owned()
}

fn cases() -> Vec<Case> {
    let dies = "[Service]\nExecStart=/bin/sh -c 'sleep 1; echo no disk for the data of $$((4700 + 11)); exit 4'\n";
    vec![
        Case {
            what: "a required unit that fails",
            units: vec![
                ("aa.service", needing("db.service", "Requires")),
                ("db.service", failing()),
            ],
            said: &[
                "aa.service: start failed: it needs db.service, which failed: exit-code, status 3",
            ],
            cause: "db.service",
            words: true,
        },
        Case {
            what: "a chain",
            units: vec![
                ("aa.service", needing("mid.service", "Requires")),
                ("mid.service", needing("db.service", "BindsTo")),
                ("db.service", failing()),
            ],
            said: &[
                "it needs mid.service, which needs db.service, which failed: exit-code, status 3",
            ],
            cause: "db.service",
            words: true,
        },
        Case {
            what: "an assertion",
            units: vec![
                ("aa.service", needing("db.service", "Requires")),
                (
                    "db.service",
                    format!(
                        "[Unit]\nAssertPathExists=/srv/no-such-data\n{}",
                        sleeper(2002)
                    ),
                ),
            ],
            said: &[
                "it needs db.service, which was not started: AssertPathExists=/srv/no-such-data is not met",
            ],
            cause: "db.service",
            words: false,
        },
        Case {
            what: "a condition of what it is bound to",
            units: vec![
                ("aa.service", needing("db.service", "BindsTo")),
                (
                    "db.service",
                    format!(
                        "[Unit]\nConditionPathExists=/srv/no-such-data\n{}",
                        sleeper(2002)
                    ),
                ),
            ],
            said: &["ConditionPathExists=/srv/no-such-data is not met"],
            cause: "db.service",
            words: false,
        },
        Case {
            what: "a socket whose port is taken",
            units: vec![
                ("aa.service", needing("db.socket", "Requires")),
                ("db.socket", "[Socket]\nListenStream=80\n".to_owned()),
                ("db.service", sleeper(2003)),
            ],
            said: &[
                "it needs db.socket, which failed: resources",
                "Failed to listen on",
            ],
            cause: "db.socket",
            words: false,
        },
        Case {
            what: "a mount",
            units: vec![
                (
                    "aa.service",
                    format!("[Unit]\nRequiresMountsFor=/srv/data\n\n{}", sleeper(2004)),
                ),
                (
                    "srv-data.mount",
                    "[Mount]\nWhat=tmpfs\nWhere=/srv/data\nType=nosuchfs\n".to_owned(),
                ),
            ],
            said: &["it needs srv-data.mount, which failed: exit-code"],
            cause: "srv-data.mount",
            words: false,
        },
        Case {
            what: "what it is bound to dies while it settles",
            units: vec![
                ("aa.service", needing("db.service", "BindsTo")),
                ("db.service", dies.to_owned()),
            ],
            said: &[
                "aa.service did not stay up: it stopped; it needs db.service, which failed: exit-code, status 4",
            ],
            cause: "db.service",
            words: true,
        },
    ]
}

#[test]
#[ignore = "long: tests/run --all"]
fn the_unit_that_failed_is_the_reason_with_its_own_last_lines() {
    let host = Host::boot();
    host.checkout(&[(&desired("systemd/one.service"), &service("/bin/sleep 1001"))]);
    host.apply(&[]).expect(0);
    for case in cases() {
        let paths: Vec<String> = case
            .units
            .iter()
            .map(|(name, _)| desired(&format!("systemd/{name}")))
            .collect();
        let files: Vec<(&str, Option<&str>)> = paths
            .iter()
            .zip(&case.units)
            .map(|(path, (_, text))| (path.as_str(), Some(text.as_str())))
            .collect();
        host.commit(&files, case.what);
        let said = host.apply(&[]).expect(3).stderr;
        for words in case.said {
            assert!(
                said.contains(words),
                "{}: {words:?} is not in\n{said}",
                case.what
            );
        }
        assert!(
            said.contains(&format!("journalctl -u {} -n 50", case.cause)),
            "{}:\n{said}",
            case.what
        );
        if case.words {
            assert!(said.contains(LAST_WORDS), "{}:\n{said}", case.what);
            let journal = host.sh(&format!(
                "journalctl --sync; journalctl -q -o cat -u {}",
                case.cause
            ));
            assert!(journal.contains(LAST_WORDS), "{journal}");
        }
        assert!(host.is_active("one.service") && !host.is_active("aa.service"));
        let gone: Vec<(&str, Option<&str>)> = files.iter().map(|(path, _)| (*path, None)).collect();
        host.commit(&gone, "back");
        host.apply(&[]).expect(0);
        host.sh("systemctl reset-failed");
    }
}
