use super::*;

#[test]
fn places_that_programs_name() {
    for (line, path, expected) in [
        (
            "/etc/sudoers.d/x:3:5: syntax error",
            "/etc/sudoers.d/x",
            Some((3, "syntax error")),
        ),
        (
            "/etc/ssh/sshd_config: line 4: Bad configuration option: Foo",
            "/etc/ssh/sshd_config",
            Some((4, "Bad configuration option: Foo")),
        ),
        (
            "/etc/ssh/sshd_config line 4: unsupported",
            "/etc/ssh/sshd_config",
            Some((4, "unsupported")),
        ),
        (
            "/etc/nftables.conf:5:10-15: Error: syntax error",
            "/etc/nftables.conf",
            Some((5, "Error: syntax error")),
        ),
        (
            "error: /etc/logrotate.d/x:2 unknown option 'y' -- ignoring line",
            "/etc/logrotate.d/x",
            Some((2, "unknown option 'y' -- ignoring line")),
        ),
        ("/etc/sudoers.d/x: parsed OK", "/etc/sudoers.d/x", None),
    ] {
        let expected = expected.map(|(line, text)| (line, text.to_owned()));
        assert_eq!(position(line, Path::new(path)), expected, "{line}");
    }
}
#[test]
fn a_program_that_crashes_has_not_answered() {
    for (speaks, code, answers) in [
        (Speaks::Docker, Some(1), true),
        (Speaks::Docker, Some(2), false),
        (Speaks::Docker, None, false),
        (Speaks::Lines, Some(255), true),
        (Speaks::Logrotate, None, false),
        (Speaks::Own, Some(2), true),
    ] {
        assert_eq!(is_answer(speaks, code), answers, "{code:?}");
    }
}
