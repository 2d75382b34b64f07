//! Tags that moved in their registry.

use super::*;

/// Makes `NAME:latest` in a registry an index that has an image for two processors.
fn push_index(host: &Host, registry: &str, name: &str, image: &str) {
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    host.sh(&format!(
        "docker tag {image} {registry}/{name}:part; docker push -q {registry}/{name}:part; docker rmi {registry}/{name}:part
         one=application/vnd.docker.distribution.manifest.v2+json; list=application/vnd.docker.distribution.manifest.list.v2+json
         curl -sfI -H \"Accept: $one\" http://{registry}/v2/{name}/manifests/part | tr -d '\\r' >/tmp/head
         digest=$(sed -n 's/^Docker-Content-Digest: //Ip' /tmp/head); size=$(sed -n 's/^Content-Length: //Ip' /tmp/head)
         part() {{ printf '{{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%s,\"platform\":{{\"architecture\":\"%s\",\"os\":\"linux\"}}}}' $one $digest $size $1; }}
         printf '{{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s,%s]}}' $list \"$(part {architecture})\" \"$(part s390x)\" |
             curl -sf -X PUT -H \"Content-Type: $list\" --data-binary @- http://{registry}/v2/{name}/manifests/latest"
    ));
}

/// The digest that a registry says a name has: of an index where there is one.
fn in_registry(host: &Host, name: &str) -> String {
    let url = name
        .replacen('/', "/v2/", 1)
        .replace(":latest", "/manifests/latest");
    host.sh(&format!(
        "curl -sfI -u 'user:{REGISTRY_PASSWORD}' -H 'Accept: application/vnd.docker.distribution.manifest.list.v2+json' \
         -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' http://{url} |
         tr -d '\\r' | sed -n 's/^Docker-Content-Digest: //Ip'"
    ))
}

/// What a registry was asked so far.
fn requests(host: &Host, port: u16) -> String {
    host.sh(&format!(
        "journalctl --sync; journalctl -q -o cat -u registry-{port} | grep -c manifests || true"
    ))
}

/// Registries: one that anybody may ask, one that needs a login of the unit's user, one that is down. Images: one by a tag
/// that moves, one by an index, one that was made here.
#[test]
fn a_tag_that_moved_in_its_registry_is_seen_when_asked() {
    let host = Host::with_images(&["app:1", "app:2"]);
    let (open, private, down) = (
        host.start_registry(5000, false),
        host.start_registry(5001, true),
        host.start_registry(5002, false),
    );
    host.log_in("root", &private);
    let (moving, index) = (
        format!("{open}/moving:latest"),
        format!("{open}/index:latest"),
    );
    let (kept, away) = (
        format!("{private}/kept:latest"),
        format!("{down}/away:latest"),
    );
    for name in [&moving, &kept, &away] {
        host.push_only("app:1", name);
        host.sh(&format!("docker pull -q {name}"));
    }
    push_index(&host, &open, "index", "app:1");
    host.sh(&format!(
        "docker pull -q {index}; docker tag app:1 here; docker logout {private}; systemctl stop registry-5002; usermod -aG docker ubuntu"
    ));
    host.log_in("ubuntu", &private);
    let images = [
        ("moving", &moving),
        ("index", &index),
        ("kept", &kept),
        ("away", &away),
        ("here", &"here".to_owned()),
    ];
    let files: Vec<(String, String)> = (8101..)
        .zip(images)
        .map(|(port, (name, image))| {
            let unit = run(name, image, port, "1");
            let unit = unit.replace("[Service]\n", "[Service]\nUser=ubuntu\n");
            (desired(&format!("systemd/{name}.service")), unit)
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, unit)| (path.as_str(), unit.as_str()))
        .collect();
    host.checkout(&files);
    host.apply(&[]).expect(0);

    // Nobody asks unless somebody wants to know.
    let before = requests(&host, 5000);
    host.assert_does_nothing(&["drift"]).expect(0);
    host.assert_does_nothing(&["status"]).expect(0);
    assert_eq!(requests(&host, 5000), before);
    let said = host
        .assert_does_nothing(&["drift", "--images"])
        .expect(0)
        .text();
    assert_ne!(requests(&host, 5000), before);
    for words in [
        "not asked here:latest: it was made or tagged on this host".to_owned(),
        format!("images of {down} not checked: it cannot be reached: "),
        format!("connection refused: {away}"),
        format!("in sync (images of {down} not checked"),
    ] {
        assert!(said.contains(&words), "{words} is not in\n{said}");
    }
    let found = json(&host, &["drift", "--images", "--json"]);
    assert_eq!(
        (&found["in_sync"], &found["incomplete"]),
        (&false.into(), &true.into())
    );
    for name in [&moving, &index, &kept] {
        let one = named(&found, "images", "name", name);
        assert_eq!(one["moved"], false, "{one}");
        assert_eq!(one["registry"], *in_registry(&host, name), "{one}");
        assert_eq!(one["local"], one["registry"], "{one}");
    }
    let known = [&moving, &index, &kept].map(|name| in_registry(&host, name));
    assert_ne!(known[0], known[1], "one image, by itself and by an index");

    // Tags move, that of the index too; what is on the host stays.
    let old = [id_of(&host, &moving), id_of(&host, &kept)];
    for (name, old) in [&moving, &kept].into_iter().zip(&old) {
        let push = format!("docker tag app:2 {name}; docker push -q {name}");
        host.sh_as("ubuntu", &push);
        host.sh(&format!("docker tag {old} {name}"));
    }
    push_index(&host, &open, "index", "app:2");
    let said = host
        .assert_does_nothing(&["drift", "--images"])
        .expect(2)
        .text();
    let moved = [("moving", &moving), ("index", &index), ("kept", &kept)];
    for ((name, image), local) in moved.into_iter().zip(&known) {
        let words = format!(
            "moved     unit/{name}.service: the tag {image} moved in the registry: {} here, {} there; ",
            &local[..19],
            &in_registry(&host, image)[..19]
        );
        assert!(said.contains(&words), "{words} is not in\n{said}");
        let help =
            format!("sudo docker pull {image} && sudo systemctl restart {name}.service runs it");
        assert!(said.contains(&help), "{help} is not in\n{said}");
    }
    let only = host.assert_does_nothing(&["drift", "--images", "--only", "unit/index.service"]);
    let only = only.expect(2).text();
    assert!(
        !only.contains("moving") && !only.contains("not checked"),
        "{only}"
    );

    // A helper's login counts as one of the file, and without any the registry says so.
    host.write(
        "/usr/local/bin/docker-credential-test",
        &format!(
            "#!/bin/sh\ncat >/dev/null\nid -un >/tmp/asked-by\necho '{{\"Username\":\"user\",\"Secret\":\"{REGISTRY_PASSWORD}\"}}'\n"
        ),
    );
    host.sh("chmod +x /usr/local/bin/docker-credential-test");
    let config =
        format!("printf '{{\"credHelpers\":{{\"{private}\":\"test\"}}}}' >.docker/config.json");
    host.sh_as("ubuntu", &config);
    let said = host
        .tool(&["drift", "--images", "--only", "unit/kept.service"])
        .expect(2)
        .text();
    assert!(said.contains(&format!("the tag {kept} moved")), "{said}");
    assert_eq!(host.read("/tmp/asked-by"), "ubuntu\n");
    host.sh_as("ubuntu", "rm .docker/config.json");
    let said = host
        .tool(&["drift", "--images", "--only", "unit/kept.service"])
        .expect(0)
        .text();
    let words = format!("images of {private} not checked: it asks for a login: ");
    assert!(
        said.contains(&words) && said.contains(&format!("(as ubuntu: docker login {private})")),
        "{said}"
    );
    assert!(!said.contains("secret"), "{said}");
}
