//! `[notify.NAME]`: how somebody is told, and what is wrong there.

use super::*;
use crate::model::{Channel, Smtp};

fn notifier(source: &str) -> crate::model::Notifier {
    let policy = parse(Path::new(FILE_NAME), source).unwrap();
    policy.notifiers().next().unwrap().1
}

#[test]
fn a_server_for_mails_is_read() {
    let of = |more: &str| {
        let found = notifier(&format!(
            "[notify.a]\nmail = [\"ops@example.com\"]\nfrom = \"web@example.com\"\n{more}"
        ));
        match found.channel {
            Channel::Mail {
                smtp: Some(smtp), ..
            } => smtp,
            other => panic!("{other:?}"),
        }
    };
    let wanted = Smtp {
        host: "mail.example.com".into(),
        port: 465,
        implicit_tls: true,
        from: "web@example.com".into(),
        user: None,
    };
    assert_eq!(of("smtp = \"smtps://mail.example.com\""), wanted);
    let later = Smtp {
        port: 587,
        implicit_tls: false,
        user: Some("robot".into()),
        ..wanted.clone()
    };
    let user = "user = \"robot\"\n";
    assert_eq!(
        of(&format!("{user}smtp = \"smtp://mail.example.com/\"")),
        later
    );
    let port = Smtp {
        port: 2465,
        ..wanted
    };
    assert_eq!(of("smtp = \"smtps://mail.example.com:2465\""), port);
    let mail = notifier("[notify.a]\nmail = [\"ops@example.com\"]");
    assert!(matches!(mail.channel, Channel::Mail { smtp: None, .. }));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let mail = "[notify.a]\nmail = [\"ops@example.com\"]\n";
    let smtp = "smtp = \"smtps://mail.example.com\"\n";
    let server = "expected smtps://HOST or smtp://HOST, with :PORT where it is not the usual one; the user is user, the password is in secret_file";
    let mut cases = vec![
        (
            "[notify.a]\n".to_owned(),
            "watchme.toml:1:9: [notify.a] does not say how, or says it twice",
            "expected exactly one of webhook, mail, commit_status and command",
        ),
        (
            format!("{mail}webhook = \"https://example.com\""),
            "watchme.toml:1:9: [notify.a] does not say how, or says it twice",
            "expected exactly one of webhook, mail, commit_status and command",
        ),
        (
            "[notify.a]\nwebhook = \"ftp://example.com\"".to_owned(),
            "watchme.toml:2:11: this is not a URL",
            "expected a URL that begins with http:// or https://",
        ),
        (
            "[notify.a]\nmail = [\"ops\"]".to_owned(),
            "watchme.toml:2:8: \"ops\" is not a mail address",
            "expected NAME@DOMAIN",
        ),
        (
            format!("{mail}{smtp}from = \"-a@b\""),
            "watchme.toml:4:8: \"-a@b\" is not a mail address",
            "expected NAME@DOMAIN",
        ),
        (
            format!("{mail}{smtp}"),
            "watchme.toml:3:8: from is missing",
            "expected from beside smtp, such as from = \"server@example.com\"",
        ),
        (
            format!("{mail}user = \"robot\""),
            "watchme.toml:3:8: only a mail through smtp has this",
            "expected it beside smtp",
        ),
        (
            format!("[notify.a]\ncommand = [\"/bin/true\"]\n{smtp}from = \"a@b\""),
            "watchme.toml:3:8: only a mail goes through smtp",
            "expected it beside mail",
        ),
        (
            format!("{mail}secret_file = \"mail\""),
            "watchme.toml:3:15: only a webhook, an SMTP server or a forge has a secret here",
            "expected it beside webhook, smtp or commit_status",
        ),
        (
            format!("{mail}{smtp}from = \"a@b\"\nsecret_file = \"/a/../b\""),
            "watchme.toml:5:15: this is not a file path",
            "expected an absolute path, or the name of a file in secrets/",
        ),
    ];
    let forge = "[notify.a]\ncommit_status = \"https://git.example.com/acme/server\"\n";
    cases.push((
        forge.to_owned(),
        "watchme.toml:2:17: this is not a repository at a forge",
        "expected forge = \"github\", \"gitlab\" or \"gitea\" beside it",
    ));
    cases.push((
        format!("{forge}forge = \"gitea\""),
        "watchme.toml:2:17: secret_file is missing",
        "expected a file with a token that may set the status",
    ));
    let useless = |lines: &str, place: &str, message: &str, expected: &'static str| {
        let message: &'static str = Box::leak(format!("watchme.toml:{place}: {message}").into());
        (format!("[notify.a]\n{lines}\n"), message, expected)
    };
    cases.extend([
        useless(
            "webhook = \"https://example.com/{secret}\"",
            "2:11",
            "{secret} in the URL has no value",
            "expected secret_file beside it, with the file that has the secret",
        ),
        useless(
            "command = [\"/bin/true\"]\nformat = \"slack\"",
            "3:10",
            "only a webhook has a format",
            "expected it beside webhook",
        ),
        useless(
            "command = [\"/bin/true\"]\nforge = \"gitea\"",
            "3:9",
            "only a commit status is set at a forge",
            "expected it beside commit_status",
        ),
        useless(
            "commit_status = \"https://github.com/acme/server\"\nsecret_file = \"/root/t\"\non = [\"drift\"]",
            "2:17",
            "no event in on is about a commit, so no commit would get a status",
            "expected applied, failed, rolled-back or quarantined among them",
        ),
    ]);
    for url in [
        "https://mail.example.com",
        "smtps://robot:hunter2@mail.example.com",
        "smtps://mail.example.com/path",
        "mail.example.com",
        "smtps://mail.example.com:70000",
    ] {
        cases.push((
            format!("{mail}from = \"a@b\"\nsmtp = \"{url}\""),
            "watchme.toml:4:8: this is not an SMTP server",
            server,
        ));
    }
    for (source, message, expected) in cases {
        let error = parse(Path::new(FILE_NAME), &source).unwrap_err();
        assert_eq!(error.to_string(), message, "{source}");
        assert_eq!(error.expected, expected, "{source}");
    }
}
