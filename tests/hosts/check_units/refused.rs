//! Sockets and mounts whose settings are right one by one.

use std::collections::BTreeSet;

use super::{Host, Units, of_rules, verified};

const UNITS: [(&str, &str); 9] = [
    ("s1.socket", "[Socket]\nListenDatagram=1080\nAccept=yes\n"),
    ("s2.socket", "[Socket]\nListenStream=1080\nAccept=yes\n"),
    ("s3.socket", "[Socket]\nListenDatagram=1080\nAccept=no\n"),
    ("s4.socket", "[Socket]\nListenFIFO=/run/x\nAccept=yes\n"),
    ("s-a.mount", "[Mount]\nWhat=/dev/vdb\nWhere=/s/a\n"),
    ("s-b.mount", "[Mount]\nWhat=/dev/vdb\nWhere=/s/c\n"),
    ("s-d.mount", "[Mount]\nWhere=/s/d\n"),
    ("s-e\\x2df.mount", "[Mount]\nWhat=/dev/vdb\nWhere=/s/e-f/\n"),
    ("s-g.mount", "[Mount]\nWhat=/dev/vdb\nWhere=/s-g\n"),
];

#[test]
fn sockets_and_mounts_are_refused_as_systemd_does() {
    let host = Host::boot();
    let service = "[Service]\nExecStart=/bin/true\n";
    let mut units: Units = Vec::new();
    for (name, text) in UNITS {
        units.push((name.to_owned(), text.to_owned()));
        if let Some(own) = name.strip_suffix(".socket") {
            let at = if text.contains("Accept=yes") { "@" } else { "" };
            units.push((format!("{own}{at}.service"), service.to_owned()));
        }
    }
    let said = verified(&host, &units, "s*[tk]");
    let refused = said.lines().filter_map(|line| {
        let about = line.strip_suffix("Refusing.")?;
        Some(about.split(": ").next()?.to_owned())
    });
    let refused: BTreeSet<String> = refused.collect();
    assert_eq!(of_rules(&units, &["systemd-refused"]), refused, "{said}");
    assert_eq!(refused.len(), 5, "{said}");
}
