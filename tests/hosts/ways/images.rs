//! Images are there before anything stops.

use super::{assert_answers, compose_file, compose_unit, containers, run, unit};
use crate::support::{CHECKOUT, Host, desired};

const REGISTRY: &str = "127.0.0.1:5000";

/// A registry on the host, with a password, and `app:2` and `app:3` in it and nowhere else.
fn with_registry() -> Host {
    let host = Host::with_images(&["app:1", "app:2", "app:3"]);
    assert_eq!(host.start_registry(5000, true), REGISTRY);
    host
}

fn push(host: &Host) {
    host.log_in("root", REGISTRY);
    host.sh(&format!(
        "for tag in 1 2 3; do docker tag app:$tag {REGISTRY}/app:$tag; docker push -q {REGISTRY}/app:$tag; done
         docker rmi {REGISTRY}/app:2 {REGISTRY}/app:3 app:2 app:3"
    ));
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_cannot_be_pulled_fails_while_the_old_container_serves() {
    let host = with_registry();
    push(&host);
    let path = "compose/web/docker-compose.yml";
    let image = |tag: &str| format!("{REGISTRY}/app:{tag}");
    let file = |tag: &str| compose_file("server", "web", &image(tag), 8101);
    let by_run = desired("systemd/plain.service");
    let pulling = |tag: &str| {
        let image = image(tag);
        unit(
            &format!(
                "ExecStartPre=-/usr/bin/docker rm -f plain\nExecStartPre=/usr/bin/docker pull {image}\n\
                 ExecStart=/usr/bin/docker run --rm --name plain -p 127.0.0.1:8102:8000 {image}"
            ),
            "ExecStop=/usr/bin/docker stop -t 1 plain",
        )
    };
    host.checkout(&[
        (
            &desired("systemd/web.service"),
            &compose_unit(&format!("-f {CHECKOUT}/{path}")),
        ),
        (path, &file("1")),
        (&by_run, &pulling("1")),
    ]);
    host.apply(&[]).expect(0);
    assert_answers(&host, 8101, "app:1");
    assert_answers(&host, 8102, "app:1");
    let runs = host.runs(&["web.service", "plain.service"]);
    let untouched = |what: &str| {
        assert_eq!(
            host.runs(&["web.service", "plain.service"])
                .restarted_since(&runs),
            [""; 0],
            "{what}"
        );
        assert_eq!(containers(&host), "plain running\nweb running", "{what}");
        assert_answers(&host, 8101, "app:1");
    };

    // A tag that does not exist: by compose, and by a unit that pulls by itself.
    host.commit(&[(path, Some(&file("none")))], "no such tag");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains(&format!(
            "unit/web.service: pull {REGISTRY}/app:none  (it is not on this host)"
        )),
        "{plan}"
    );
    let failed = host.apply(&[]).expect(1).text();
    assert!(
        failed.contains(&format!(
            "could not pull the image {REGISTRY}/app:none for web.service"
        )) && failed.contains("does the tag exist"),
        "{failed}"
    );
    untouched("no such tag");
    host.commit(
        &[(path, Some(&file("1"))), (&by_run, Some(&pulling("none")))],
        "no such tag",
    );
    let failed = host.apply(&[]).expect(1).text();
    assert!(failed.contains("app:none for plain.service"), "{failed}");
    untouched("no such tag of docker run");

    // A login that has expired.
    host.sh(&format!("docker logout {REGISTRY}"));
    host.commit(
        &[(path, Some(&file("2"))), (&by_run, Some(&pulling("1")))],
        "two",
    );
    let failed = host.apply(&[]).expect(1).text();
    assert!(
        failed.contains(&format!("as root: docker login {REGISTRY}")),
        "{failed}"
    );
    untouched("no login");

    // With the login it goes, and the old one serves until the image is there.
    host.log_in("root", REGISTRY);
    host.apply(&[]).expect(0);
    assert_answers(&host, 8101, "app:2");

    // The credentials of the unit's user, which root does not have.
    host.sh(&format!(
        "docker logout {REGISTRY}; usermod -aG docker ubuntu"
    ));
    host.log_in("ubuntu", REGISTRY);
    let of_ubuntu =
        run("plain", &image("3"), 8102).replace("[Service]\n", "[Service]\nUser=ubuntu\n");
    host.commit(&[(&by_run, Some(&of_ubuntu))], "as ubuntu");
    host.apply(&[]).expect(0);
    assert_answers(&host, 8102, "app:3");
}

#[test]
fn an_image_for_another_processor_is_a_refusal() {
    let host = Host::with_images(&["app:1"]);
    let path = "compose/web/docker-compose.yml";
    host.checkout(&[
        (
            &desired("systemd/web.service"),
            &compose_unit(&format!("-f {CHECKOUT}/{path}")),
        ),
        (path, &compose_file("server", "web", "app:1", 8101)),
    ]);
    host.apply(&[]).expect(0);
    // The same image, said to be for a mainframe.
    host.sh(
        "mkdir /tmp/other; cd /tmp/other; docker save app:1 | tar x
         config=$(sed -E 's/.*\"Config\":\"([^\"]*)\".*/\\1/' manifest.json)
         sed -i -E 's/\"architecture\":\"[a-z0-9]+\"/\"architecture\":\"s390x\"/' $config
         mv $config other.json
         sed -i -E 's/\"Config\":\"[^\"]*\"/\"Config\":\"other.json\"/; s/app:1/app:other/' manifest.json
         rm -f repositories; tar c . | docker load -q",
    );
    assert_eq!(
        host.sh("docker inspect -f '{{.Architecture}}' app:other"),
        "s390x"
    );
    host.commit(
        &[(
            path,
            Some(&compose_file("server", "web", "app:other", 8101)),
        )],
        "for a mainframe",
    );
    let refused = host.apply(&[]).expect(1).text();
    assert!(
        refused.contains("its image app:other is for s390x, which this host does not run"),
        "{refused}"
    );
    assert_answers(&host, 8101, "app:1");
}

#[test]
fn a_name_that_no_image_can_have_is_refused_with_its_unit() {
    let host = Host::with_images(&["app:1"]);
    let path = "compose/web/docker-compose.yml";
    let file = |image: &str| compose_file("server", "web", image, 8101);
    let unit = compose_unit(&format!("-f {CHECKOUT}/{path}"));
    host.checkout(&[
        (&desired("systemd/web.service"), &unit),
        (path, &file("app:1")),
    ]);
    host.apply(&[]).expect(0);
    host.commit(
        &[(path, Some(&file("app:${TAG}")))],
        "a variable that nobody sets",
    );
    let plan = host.tool(&["plan"]);
    for part in [
        "unit/web.service",
        "\"app:\" cannot be the name of an image",
        "TAG",
    ] {
        assert!(
            plan.text().contains(part),
            "{part} is not in\n{}",
            plan.text()
        );
    }
    assert_ne!(host.apply(&[]).status, 0);
    assert_answers(&host, 8101, "app:1");
}
