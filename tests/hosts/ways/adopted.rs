//! Units that others have put on the host, and that run their containers otherwise than the desired state does.

use super::{assert_answers, compose_file, compose_unit, containers, run};
use crate::support::{CHECKOUT, Host, desired};

#[test]
#[ignore = "long: tests/run --all"]
fn units_of_others_stop_with_the_files_they_were_started_with() {
    let host = Host::with_images(&["app:1", "app:2"]);
    host.write(
        "/opt/two/docker-compose.yml",
        &compose_file("app", "two", "app:1", 8102),
    );
    host.write(
        "/etc/systemd/system/one.service",
        &run("one", "app:1", 8101),
    );
    host.write(
        "/etc/systemd/system/two.service",
        &compose_unit("-f /opt/two/docker-compose.yml"),
    );
    host.sh("systemctl daemon-reload; systemctl enable -q --now one two");
    assert_answers(&host, 8101, "app:1");
    assert_answers(&host, 8102, "app:1");

    let files = ["one", "two"].map(|name| format!("compose/{name}-new/docker-compose.yml"));
    let units = files
        .clone()
        .map(|file| compose_unit(&format!("-f {CHECKOUT}/{file}")));
    host.checkout(&[
        (&desired("systemd/one.service"), &units[0]),
        (&desired("systemd/two.service"), &units[1]),
        (&files[0], &compose_file("server", "one", "app:2", 8101)),
        (&files[1], &compose_file("server", "two", "app:2", 8102)),
    ]);
    host.apply(&[]).expect(0);
    assert_answers(&host, 8101, "app:2");
    assert_answers(&host, 8102, "app:2");
    assert_eq!(containers(&host), "one running\ntwo running");
    host.assert_does_nothing(&["apply"]).expect(0);
}
