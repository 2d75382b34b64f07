//! What nginx is given, and what it says of it.

use super::*;
use crate::effect::Candidate;
use crate::model::File;
use crate::root::Root;

const SITE: &str = "# api.example.com\nserver {\n    listen 443 ssl;\n    server_name api.example.com;\n    ssl_certificate /etc/ssl/api.pem;\n    rewrite_all on;\n}\n";

/// A root in which a site is linked as on a host.
fn host(test: impl FnOnce(&Sources<'_>)) {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let live = Path::new("/etc/watchme-apply/live/sites-available/api");
    let enabled = Path::new("/etc/nginx/sites-enabled/api");
    for path in [live, enabled] {
        root.make_folder(path.parent().unwrap()).unwrap();
    }
    root.write(live, SITE.as_bytes(), 0o644).unwrap();
    root.link(enabled, live).unwrap();
    let file = File::new("desired-state/sites-available/api", SITE.as_bytes(), false);
    let candidate = Candidate {
        sources: [(live.to_owned(), file)].into(),
        ..Candidate::default()
    };
    test(&Sources::new(&root, &candidate));
}

fn found(line: &str, sources: &Sources<'_>) -> String {
    Message::parse(line)
        .unwrap()
        .finding(sources, false)
        .to_string()
}

#[test]
fn a_place_in_the_store_is_one_in_the_checkout() {
    host(|sources| {
        let line = "2026/11/22 06:24:59 [emerg] 833#833: unknown directive \"rewrite_all\" in /etc/nginx/sites-enabled/api:6";
        assert_eq!(
            found(line, sources),
            "desired-state/sites-available/api:6:5: unknown directive \"rewrite_all\""
        );
        let upstream = "nginx: [emerg] host not found in upstream \"nosuch.example.com\" in /etc/nginx/sites-enabled/api:4";
        let finding = Message::parse(upstream).unwrap().finding(sources, false);
        assert_eq!(finding.place().map(|place| place.position().line), Some(4));
        assert!(
            finding
                .help()
                .is_some_and(|help| help.ends_with("getent hosts nosuch.example.com"))
        );
    });
}

#[test]
fn what_nginx_quotes_is_looked_for() {
    host(|sources| {
        let line = "2026/11/22 06:24:59 [emerg] 832#832: cannot load certificate \"/etc/ssl/api.pem\": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:calling fopen(/etc/ssl/api.pem, r) error:10000080:BIO routines::no such file)";
        let finding = Message::parse(line).unwrap().finding(sources, false);
        let place = finding.place().unwrap();
        assert_eq!(place.line_text(), "    ssl_certificate /etc/ssl/api.pem;");
        assert!(
            finding
                .help()
                .is_some_and(|help| help.contains("bootstrap_certificates"))
        );
        let warning = "2026/11/22 06:24:59 [warn] 836#836: conflicting server name \"api.example.com\" on 0.0.0.0:80, ignored";
        let warning = Message::parse(warning).unwrap();
        let finding = warning.warning(sources).unwrap();
        assert_eq!(
            finding.place().map(|place| place.position().line),
            Some(4),
            "not the comment"
        );
        assert_eq!(finding.severity, Severity::Warning);
    });
}

#[test]
fn what_is_not_ours_is_shown_as_nginx_says_it() {
    host(|sources| {
        let line = "nginx: [emerg] unknown directive \"x\" in /etc/nginx/nginx.conf:3";
        assert_eq!(
            found(line, sources),
            "unknown directive \"x\" in /etc/nginx/nginx.conf:3"
        );
        let warning = "nginx: [warn] conflicting server name \"other\" on 0.0.0.0:80, ignored";
        assert_eq!(Message::parse(warning).unwrap().warning(sources), None);
    });
}

#[test]
fn an_address_of_a_planned_network() {
    host(|sources| {
        let line = "[emerg] bind() to 172.27.0.1:80 failed (99: Cannot assign requested address)";
        let message = Message::parse(line).unwrap();
        assert!(message.finding(sources, false).is_error());
        assert!(!message.finding(sources, true).is_error());
        let line = "[emerg] bind() to 0.0.0.0:443 failed (13: Permission denied)";
        assert!(found(line, sources).starts_with("desired-state/sites-available/api:3:5: bind()"));
    });
}

#[test]
fn lines_that_say_nothing() {
    let said = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n";
    assert_eq!(messages(said), []);
}
