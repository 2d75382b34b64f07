//! Images of Quadlets: there before anything stops, built while what runs still serves.

use super::boot;
use crate::support::Host;

const POLICY: &str = "desired-state/watchme.toml";
const WEB: &str = "desired-state/containers/web.container";
const IMAGE: &str = "desired-state/containers/shop.image";
const SHOP: &str = "desired-state/containers/shop.container";
const BUILD: &str = "desired-state/containers/app.build";
const FILE: &str = "desired-state/containers/Containerfile";
const APP: &str = "desired-state/containers/app.container";

/// A host with a registry that Podman uses without TLS; Docker does not run there.
fn boot_with_registry() -> (Host, String) {
    let host = boot();
    let registry = host.start_registry(5000, false);
    host.write(
        "/etc/containers/registries.conf.d/test.conf",
        &format!("[[registry]]\nlocation = \"{registry}\"\ninsecure = true\n"),
    );
    for tag in ["1", "2"] {
        push(&host, tag, &format!("{registry}/web:{tag}"));
    }
    (host, registry)
}

/// Pushes a local image under a name, which the host itself does not get.
fn push(host: &Host, tag: &str, name: &str) {
    host.sh(&format!(
        "podman push -q localhost/web:{tag} docker://{name}"
    ));
}

fn container(image: &str, port: u16, more: &str) -> String {
    format!(
        "[Container]\nImage={image}\nPublishPort=127.0.0.1:{port}:8000\n{more}\n[Install]\nWantedBy=multi-user.target\n"
    )
}

fn served(host: &Host, port: u16) -> String {
    host.get(&format!("http://localhost:{port}/")).1
}

fn invocation(host: &Host, unit: &str) -> String {
    host.sh(&format!("systemctl show -p InvocationID --value {unit}"))
}

#[test]
#[ignore = "long: tests/run --all"]
fn images_are_pulled_before_anything_stops() {
    let (host, registry) = boot_with_registry();
    let image = |tag: &str| format!("{registry}/web:{tag}");
    host.checkout(&[
        (POLICY, ""),
        (WEB, &container(&image("1"), 8081, "")),
        (IMAGE, &format!("[Image]\nImage={}\n", image("1"))),
        (SHOP, &container("shop.image", 8082, "")),
    ]);
    let plan = host.tool(&["plan"]).expect(0).stdout;
    let pull = format!("pull {}", image("1"));
    assert!(plan.contains(&pull), "{plan}");
    assert!(plan.contains("it is not on this host"), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!(
        (served(&host, 8081), served(&host, 8082)),
        ("web:1\n".into(), "web:1\n".into())
    );
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");

    what_does_not_exist_stops_nothing(&host, &image("none"));

    // The one that comes is there before the old one goes.
    let files = [(WEB, Some(&*container(&image("2"), 8081, "")))];
    host.commit(&files, "the next one");
    host.apply(&[]).expect(0);
    assert_eq!(served(&host, 8081), "web:2\n");
    let next = format!("[Image]\nImage={}\n", image("2"));
    host.commit(&[(IMAGE, Some(&next))], "the next one of the image, too");
    let said = host.apply(&[]).expect(0).stdout;
    for part in ["pull 127", "shop-image.service", "shop.service"] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    assert_eq!(served(&host, 8082), "web:2\n");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");

    pulls_at_each_start(&host, &image("moves"));
}

fn what_does_not_exist_stops_nothing(host: &Host, none: &str) {
    let units = ["web.service", "shop.service", "shop-image.service"];
    let before = units.map(|unit| invocation(host, unit));
    let old = [WEB, IMAGE]
        .map(|path| host.sh_as("ubuntu", &format!("cat ~/watchme-server-configs/{path}")));
    for (path, text) in [
        (WEB, container(none, 8081, "")),
        (IMAGE, format!("[Image]\nImage={none}\n")),
    ] {
        host.commit(&[(path, Some(&text))], "a tag that does not exist");
        let said = host.apply(&[]).expect(1).text();
        for part in [
            &*format!("could not pull the image {none} for "),
            "manifest unknown",
            "hint: does the tag exist, and for this processor",
            "podman manifest inspect",
            "nothing was changed",
        ] {
            assert!(said.contains(part), "{part}:\n{said}");
        }
        let was = if path == WEB { &old[0] } else { &old[1] };
        host.commit(&[(path, Some(&format!("{was}\n")))], "good again");
    }
    host.apply(&[]).expect(0);
    assert_eq!(units.map(|unit| invocation(host, unit)), before);
    assert_eq!(
        (served(host, 8081), served(host, 8082)),
        ("web:1\n".into(), "web:1\n".into())
    );
}

/// A moving tag is pulled before the old container stops, and a registry that is gone is no reason to stop it.
fn pulls_at_each_start(host: &Host, moving: &str) {
    push(host, "1", moving);
    let always = container(moving, 8081, "Pull=always\n");
    host.commit(&[(WEB, Some(&always))], "a moving tag");
    host.apply(&[]).expect(0);
    assert_eq!(served(host, 8081), "web:1\n");
    push(host, "2", moving);
    let other = container(moving, 8081, "Pull=always\nEnvironment=A=1\n");
    host.commit(&[(WEB, Some(&other))], "the tag has moved");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(plan.contains("its unit pulls it at each start"), "{plan}");
    host.apply(&[]).expect(0);
    assert_eq!(served(host, 8081), "web:2\n");
    let before = invocation(host, "web.service");
    host.sh("systemctl stop registry-5000");
    let other = container(moving, 8081, "Pull=always\nEnvironment=A=2\n");
    host.commit(&[(WEB, Some(&other))], "and the registry is gone");
    let said = host.apply(&[]).expect(1).text();
    assert!(said.contains("nothing was changed"), "{said}");
    let never = container("localhost/web:9", 8081, "Pull=never\n");
    host.commit(&[(WEB, Some(&never))], "an image that nobody made");
    let said = host.apply(&[]).expect(1).text();
    assert!(
        said.contains(
            "its image localhost/web:9 is not on this host, and its pull policy is never"
        ),
        "{said}"
    );
    assert_eq!(invocation(host, "web.service"), before);
    let newer = container(moving, 8081, "Pull=newer\nEnvironment=A=2\n");
    host.commit(&[(WEB, Some(&newer))], "what is there will do");
    host.apply(&[]).expect(0);
    assert_ne!(invocation(host, "web.service"), before);
    assert_eq!(served(host, 8081), "web:2\n");
}

#[test]
#[ignore = "long: tests/run --all"]
fn images_are_built_while_the_old_one_serves() {
    let host = boot();
    let from = |tag: &str| format!("FROM localhost/web:{tag}\n");
    let context = "/home/ubuntu/watchme-server-configs/app";
    let build = |more: &str| format!("[Build]\nImageTag=localhost/app:1\n{more}");
    host.checkout(&[
        (POLICY, ""),
        (
            BUILD,
            &build("File=Containerfile\nSetWorkingDirectory=unit\n"),
        ),
        (FILE, &from("1")),
        (APP, &container("app.build", 8091, "")),
        (
            "app/Containerfile",
            "FROM localhost/web:1\nCOPY index.html /www/index.html\n",
        ),
        ("app/index.html", "built\n"),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(served(&host, 8091), "web:1\n");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");

    host.commit(&[(FILE, Some(&from("2")))], "built from another one");
    let said = host.apply(&[]).expect(0).stdout;
    for part in ["app-build.service: start", "app.service: restart"] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    assert_eq!(served(&host, 8091), "web:2\n");

    // A build that fails: what runs was not stopped.
    let before = invocation(&host, "app.service");
    let container_before = host.sh("podman ps --no-trunc --format '{{.Names}} {{.ID}}'");
    host.commit(
        &[(FILE, Some("FROM localhost/none:1\n"))],
        "cannot be built",
    );
    let said = host.apply(&[]).expect(3).text();
    for part in ["app-build.service", "rolled back"] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    assert_eq!(invocation(&host, "app.service"), before);
    let container_after = host.sh("podman ps --no-trunc --format '{{.Names}} {{.ID}}'");
    assert_eq!(container_before, container_after);
    host.commit(&[(FILE, Some(&from("2")))], "good again");
    host.apply(&[]).expect(0);
    assert_eq!(invocation(&host, "app.service"), before);

    // A folder of the checkout: what is in it counts.
    let folder = build(&format!("SetWorkingDirectory={context}\n"));
    host.commit(
        &[(BUILD, Some(&folder)), (FILE, None)],
        "built from a folder",
    );
    host.apply(&[]).expect(0);
    assert_eq!(served(&host, 8091), "built\n");
    host.commit(&[("app/index.html", Some("again\n"))], "another page");
    host.apply(&[]).expect(0);
    assert_eq!(served(&host, 8091), "again\n");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");

    host.commit(&[(BUILD, None), (APP, None)], "it leaves");
    host.apply(&["--allow-empty"]).expect(0);
    assert_eq!(host.sh("podman ps -aq"), "");
    let known = host.sh("systemctl show -p LoadState --value app.service app-build.service");
    assert_eq!(known.replace('\n', " ").trim(), "not-found  not-found");
    assert!(
        host.sh("podman images -n").contains("localhost/app"),
        "images stay"
    );
}

/// The YAML of a `.kube` says which images it needs.
#[test]
fn images_of_a_kube_are_pulled_before_it_stops() {
    let (host, registry) = boot_with_registry();
    // As for pods: systemd makes no control groups of theirs on the hosts of the tests.
    let conf = "/etc/containers/containers.conf.d/pods.conf";
    host.write(conf, "[engine]\ncgroup_manager = \"cgroupfs\"\n");
    let yaml = |tag: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: play}}\nspec:\n  containers:\n  - name: web\n    image: {registry}/web:{tag}\n    ports: [{{containerPort: 8000, hostPort: 8084}}]\n"
        )
    };
    let play = "desired-state/containers/play.yml";
    let kube = "[Kube]\nYaml=play.yml\n[Install]\nWantedBy=multi-user.target\n";
    host.checkout(&[
        ("desired-state/containers/play.kube", kube),
        (play, &yaml("1")),
    ]);
    let said = host.apply(&[]).expect(0).text();
    assert!(said.contains(&format!("pull {registry}/web:1")), "{said}");
    assert_eq!(served(&host, 8084), "web:1\n");
    let before = invocation(&host, "play.service");
    host.commit(&[(play, Some(&yaml("none")))], "a tag that does not exist");
    let failed = host.apply(&[]).expect(1).text();
    let message = format!("could not pull the image {registry}/web:none for play.service");
    assert!(failed.contains(&message), "{failed}");
    assert!(failed.contains("nothing was changed"), "{failed}");
    assert_eq!(invocation(&host, "play.service"), before);
    host.commit(&[(play, Some(&yaml("2")))], "the next one");
    host.apply(&[]).expect(0);
    assert_eq!(served(&host, 8084), "web:2\n");
}
