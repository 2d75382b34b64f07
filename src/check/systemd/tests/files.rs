//! Files that units name and the checkout has not.

use crate::check::tests::checked;

#[test]
fn files_that_are_not_there() {
    let compose = "services: {s: {image: 'x:1'}}\n";
    let found = |service: &str, more: &[(&str, &str)]| {
        let unit = format!("[Service]\n{service}[Install]\nWantedBy=multi-user.target\n");
        let mut files = vec![
            (
                "watchme.toml".to_owned(),
                "checkout = \"/srv/c\"\n".to_owned(),
            ),
            ("docker-compose.yml".to_owned(), compose.to_owned()),
            ("systemd/a.service".to_owned(), unit),
        ];
        files.extend(more.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())));
        let found = checked(&files);
        let wanted = ["systemd-file-missing", "compose-no-restart"];
        let own = found.iter().filter(|finding| {
            wanted.contains(&finding.rule.name)
                && finding.message().contains("a.service") | finding.is_error()
        });
        own.map(|finding| {
            let place = finding.place().unwrap();
            place.file.get(place.span.clone()).to_owned()
        })
        .collect::<Vec<_>>()
    };
    let up = "ExecStart=/usr/bin/docker-compose -f /srv/c/x.prod.yml up -d\nExecStop=/usr/bin/docker-compose -f /srv/c/x.prod.yml down\n";
    let pull = "ExecStartPre=/usr/bin/docker-compose -f /srv/c/docker-compose.yml pull\n";
    assert_eq!(found(up, &[]), ["/srv/c/x.prod.yml"]);
    assert_eq!(found(&format!("{pull}{up}"), &[]), ["/srv/c/x.prod.yml"]);
    let folder = "WorkingDirectory=/srv/c/sub\nExecStart=/usr/bin/docker compose -f x.yml up\n";
    assert_eq!(found(folder, &[]), ["x.yml"]);
    assert_eq!(
        found("ExecStart=/srv/c/run.sh --now\n", &[]),
        ["/srv/c/run.sh"]
    );
    let shell = "ExecStart=/bin/sh -c 'cd /srv/c && docker-compose -f /srv/c/y.yml up'\n";
    assert_eq!(found(shell, &[]), ["/srv/c/y.yml"]);
    for (service, more) in [
        (up, &[("x.prod.yml", compose)][..]),
        ("ExecStart=/srv/c/run.sh\n", &[("run.sh", "#!/bin/sh\n")]),
        ("ExecStart=/opt/run.sh /srv/c/out.yml\n", &[]),
        (
            "ExecStart=/srv/c/venv/bin/run\n",
            &[(".gitignore", "venv\n"), (".env", "A=1\n")],
        ),
        ("ExecStartPre=-/srv/c/run.sh\nExecStart=/bin/true\n", &[]),
        (
            "ExecStartPre=/usr/local/bin/render /srv/c/x.yml\nExecStart=/usr/bin/docker-compose -f /srv/c/x.yml up\n",
            &[],
        ),
        ("EnvironmentFile=/srv/c/.env\nExecStart=/bin/true\n", &[]),
    ] {
        let is_detached = service.contains("up -d");
        let expected = if is_detached { vec!["s"] } else { vec![] };
        assert_eq!(found(service, more), expected, "{service}");
    }
}
