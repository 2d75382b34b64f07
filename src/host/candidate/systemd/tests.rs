//! Lines of systemd 252, as it said them.

use std::path::Path;

use super::*;
use crate::effect::Candidate;
use crate::root::Root;

/// What is found about one unit with the file `text`, drop-ins aside, and what it misses.
fn validated(name: &str, text: &str, said: &str) -> (Vec<String>, Vec<String>) {
    let path = Path::new("/etc/watchme-apply/live/systemd").join(file_name(name));
    let drop_in = Path::new("/etc/watchme-apply/live/systemd").join(format!("{name}.d/x.conf"));
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    for (path, linked) in [
        (&path, layout::unit(&file_name(name))),
        (&drop_in, layout::dropin(name, "x.conf")),
    ] {
        root.make_folder(path.parent().unwrap()).unwrap();
        root.make_folder(linked.parent().unwrap()).unwrap();
        root.write(path, b"", 0o644).unwrap();
        root.link(&linked, path).unwrap();
    }
    let file = |source: String, text: &str| File::new(source, text.as_bytes().to_vec(), false);
    let candidate = Candidate {
        sources: [
            (path, file(format!("systemd/{}", file_name(name)), text)),
            (
                drop_in,
                file(
                    format!("systemd/{name}.d/x.conf"),
                    "[Service]\nFoo=1\nExecStop=/nosuch x\n",
                ),
            ),
        ]
        .into(),
        ..Candidate::default()
    };
    let sources = Sources::new(&root, &candidate);
    let (findings, missing) = findings(said, &[name.to_owned()].into(), &sources);
    let shown = |finding: &Finding| {
        let word = if finding.is_error() {
            "error"
        } else {
            "warning"
        };
        let line = finding.place().map_or("-", |place| place.line_text());
        format!("{word} {} | {finding} | {line}", finding.rule.name)
    };
    let missing = missing.iter().map(|missing| missing.unit.clone());
    (findings.iter().map(shown).collect(), missing.collect())
}

fn file_name(name: &str) -> String {
    match name.split_once('@') {
        Some((prefix, _)) => format!("{prefix}@.service"),
        None => name.to_owned(),
    }
}

#[test]
fn a_command_that_is_not_there() {
    let text = "[Service]\n# ExecStart=/usr/bin/nosuch\nExecStart=-/bin/true /usr/bin/nosuch\nExecStopPost=@/usr/bin/nosuch arg\n";
    let said = "u.service: Command /usr/bin/nosuch is not executable: No such file or directory\nu.service: Command /nosuch is not executable: No such file or directory\n";
    let (findings, _) = validated("u.service", text, said);
    assert_eq!(
        findings,
        [
            "error systemd-verify | systemd/u.service:4:1: u.service: Command /usr/bin/nosuch is not executable: No such file or directory | ExecStopPost=@/usr/bin/nosuch arg",
            "error systemd-verify | systemd/u.service.d/x.conf:3:1: u.service: Command /nosuch is not executable: No such file or directory | ExecStop=/nosuch x",
        ]
    );
}

#[test]
fn what_systemd_ignores_is_a_warning() {
    let text = "[Unit]\nFoo=bar\n[Service]\nExecStart=/bin/true\nhello world\nRestart=no # really\nMemoryLimit=1M\n";
    let said = "\
/etc/systemd/system/u.service:2: Unknown key 'Foo' in section [Unit], ignoring.
/etc/systemd/system/u.service:5: Missing '=', ignoring line.
/etc/systemd/system/u.service:6: Failed to parse service restart specifier, ignoring: no # really
/etc/systemd/system/u.service:7: Unit uses MemoryLimit=; please use MemoryMax= instead. Support for MemoryLimit= will be removed soon.
/etc/systemd/system/u.service.d/x.conf:2: Unknown key 'Foo' in section [Service], ignoring.
/lib/systemd/system/dbus.service:3: Unknown key 'Y' in section [Unit], ignoring.
dbus.service: Service is of type D-Bus but no D-Bus service name has been specified. Refusing.
Accepting user/group name 'bad user', which does not match strict user/group name rules.
";
    let (findings, _) = validated("u.service", text, said);
    assert_eq!(findings.len(), 5, "{findings:#?}");
    assert!(
        findings
            .iter()
            .all(|finding| finding.starts_with("warning ")),
        "{findings:#?}"
    );
    assert!(
        findings[1].ends_with("u.service:5:1: Missing '=', ignoring line. | hello world"),
        "{findings:#?}"
    );
    assert!(
        findings[4].contains("systemd/u.service.d/x.conf:2:1"),
        "{findings:#?}"
    );
}

#[test]
fn a_unit_that_does_not_load() {
    for (text, said, expected) in [
        (
            "[Service]\nType=oneshot\nRestart=always\n",
            "u.service: Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing.\nUnit u.service has a bad unit file setting.\n",
            "error systemd-verify | systemd/u.service:3:1: u.service: Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing. | Restart=always",
        ),
        (
            "[Service]\nExecStart=/bin/sh -c \"unbalanced\n",
            "/etc/systemd/system/u.service:2: Unbalanced quoting, ignoring: \"/bin/sh -c \"unbalanced\"\nu.service: Unit configuration has fatal error, unit will not be started.\nUnit u.service has a bad unit file setting.\n",
            "error systemd-verify | systemd/u.service:2:1: Unbalanced quoting, ignoring: \"/bin/sh -c \"unbalanced\" | ExecStart=/bin/sh -c \"unbalanced",
        ),
        (
            "[Service]\nExecStart=/bin/true\n",
            "Unit u.service is masked.\n",
            "error systemd-verify | systemd/u.service:1:1: u.service: Unit u.service is masked. | [Service]",
        ),
        (
            "[Socket]\nListenStream=/run/x\n",
            "u.service: service s.service not loaded, socket cannot be started.\n",
            "error systemd-verify | systemd/u.service:1:1: u.service: service s.service not loaded, socket cannot be started. | [Socket]",
        ),
    ] {
        assert_eq!(validated("u.service", text, said).0, [expected]);
    }
}

#[test]
fn a_warning_stays_one_beside_the_reason() {
    let said = "/etc/systemd/system/u.service:2: Failed to parse address value in '99999', ignoring: Numerical result out of range\nu.service: Unit has no Listen setting (ListenStream=, ListenDatagram=, ListenFIFO=, ...). Refusing.\nUnit u.service has a bad unit file setting.\n";
    let (findings, _) = validated("u.service", "[Socket]\nListenStream=99999\n", said);
    assert!(findings[0].starts_with("warning"), "{findings:#?}");
    assert!(
        findings[1].starts_with("error") && findings[1].ends_with("| ListenStream=99999"),
        "{findings:#?}"
    );
    assert_eq!(findings.len(), 2);
}

#[test]
fn a_required_unit_is_asked_about() {
    let text = "[Unit]\nRequires=other.service absent.service\n[Service]\nExecStart=/bin/true\n";
    let said = "u.service: Failed to create u.service/start: Unit absent.service not found.\n";
    let (findings, missing) = validated("u.service", text, said);
    assert_eq!(
        (findings, missing),
        (Vec::new(), vec!["absent.service".to_owned()])
    );
    let cycle = "u.service: Failed to create u.service/start: Transaction order is cyclic. See system logs for details.\n";
    let (findings, missing) = validated("u.service", text, cycle);
    assert!(
        findings[0].starts_with("error") && missing.is_empty(),
        "{findings:#?}"
    );
}

#[test]
fn instances_are_validated_by_the_file_of_their_template() {
    let text = "[Service]\nExecStart=/nosuch %i\nBar=1\n";
    let line =
        "/etc/systemd/system/w@.service:3: Unknown key 'Bar' in section [Service], ignoring.\n";
    let (findings, _) = validated(
        "w@a.service",
        text,
        &format!(
            "{line}w@a.service: Command /nosuch is not executable: No such file or directory\n"
        ),
    );
    assert!(
        findings[0].contains("systemd/w@.service:3:1"),
        "{findings:#?}"
    );
    assert!(
        findings[1].contains("systemd/w@.service:2:1: w@a.service: Command"),
        "{findings:#?}"
    );
    // Without instances systemd makes one up.
    let (findings, _) = validated(
        "w@.service",
        text,
        "w@i.service: Command /nosuch is not executable: No such file or directory\n",
    );
    assert!(
        findings[0].contains("systemd/w@.service:2:1: w@.service: Command"),
        "{findings:#?}"
    );
}

#[test]
fn what_is_private_does_not_show() {
    let mut file = File::new(
        "systemd/u.service",
        b"[Service]\nEnvironment=PIN=1234\n".to_vec(),
        false,
    );
    file.private = true;
    let finding = placed(&finding::SYSTEMD_VERIFY, Severity::Warning, &file, 2, "m");
    let place = finding.place().unwrap();
    assert_eq!(place.position().line, 2);
    assert!(!place.file.text().contains("1234"));
}
