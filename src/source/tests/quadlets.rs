//! Quadlets, and the units that are made of them.

use super::*;

#[test]
fn quadlets_have_their_units() {
    let lab = Lab::new();
    lab.write(
        "containers/web.container",
        "[Container]\nImage=web:1\n[Install]\nWantedBy=default.target\n",
    );
    lab.write(
        "containers/web.container.d/10.conf",
        "[Container]\nServiceName=site\n",
    );
    lab.write("containers/app.network", "[Network]\n");
    lab.write("containers/play.kube", "[Kube]\nYaml=play.yml\n");
    lab.write("containers/play.yml", "kind: Pod\n");
    lab.write("containers/README.md", "About\n");
    lab.write("watchme.toml", "[unit.\"site.service\"]\nsettle = \"7s\"\n");
    let desired = lab.read(Which::Worktree).unwrap().desired;
    let units: Vec<(&str, bool, &str)> = (desired.units.iter())
        .map(|(name, unit)| {
            (
                name.as_str(),
                unit.start,
                unit.quadlet.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        units,
        [
            ("app-network.service", false, "app.network"),
            ("play.service", false, "play.kube"),
            ("site.service", true, "web.container"),
        ]
    );
    assert_eq!(desired.units["site.service"].settle.as_secs(), 7);
    assert!(desired.units["app-network.service"].remain_after_exit);
    let quadlets: Vec<&str> = desired.quadlets.keys().map(String::as_str).collect();
    assert_eq!(
        quadlets,
        ["app.network", "play.kube", "play.yml", "web.container"]
    );
    for (path, text, expected) in [
        (
            "containers/bad.container",
            "Image=x\n",
            "this line is before the first section",
        ),
        (
            "containers/site.container",
            "[Container]\n",
            "the unit site.service is made of site.container already",
        ),
        (
            "systemd/play.service",
            "[Service]\nExecStart=/bin/true\n",
            "Podman makes this unit of containers/play.kube: keep one of the two",
        ),
        (
            "etc/containers/systemd/x.container",
            "[Container]\n",
            "put it into the folder containers/ of the desired state",
        ),
    ] {
        lab.write(path, text);
        let said = lab.fails();
        assert!(said.contains(expected), "{path}: {said}");
        std::fs::remove_file(lab.path().join(path)).unwrap();
    }
}

#[test]
fn what_quadlets_use_is_known() {
    let lab = Lab::new();
    let install = "[Install]\nWantedBy=multi-user.target\n";
    let files = [
        ("shop.pod", format!("[Pod]\n{install}")),
        (
            "web.container",
            "[Container]\nImage=r.example.com/web:1\nPod=shop.pod\n".to_owned(),
        ),
        (
            "late.container",
            "[Container]\nImage=r.example.com/late:1\nPod=shop.pod\nStartWithPod=no\n".to_owned(),
        ),
        (
            "base.image",
            "[Image]\nImage=r.example.com/base:1\n".to_owned(),
        ),
        (
            "app.build",
            "[Build]\nImageTag=app:1\nFile=Containerfile\n".to_owned(),
        ),
        ("Containerfile", "FROM scratch\n".to_owned()),
        (
            "app.container",
            format!("[Container]\nImage=app.build\n{install}"),
        ),
        (
            "tag.container",
            format!("[Container]\nImage=docker.io/library/app:1\n{install}"),
        ),
        (
            "base.container",
            "[Container]\nImage=base.image\n".to_owned(),
        ),
    ];
    for (name, text) in &files {
        lab.write(&format!("containers/{name}"), text);
    }
    let desired = lab.read(Which::Worktree).unwrap().desired;
    let started = desired.units.iter().filter(|(_, unit)| unit.start);
    let started: Vec<&str> = started.map(|(name, _)| name.as_str()).collect();
    // The build with what runs it, the container with its pod; not the image of one that nobody starts.
    assert_eq!(
        started,
        [
            "app-build.service",
            "app.service",
            "shop-pod.service",
            "tag.service",
            "web.service"
        ]
    );
    let pulled = desired.units.iter().flat_map(|(name, unit)| {
        let images = unit.podman.iter().map(|image| image.name.as_str());
        images.map(move |image| (name.as_str(), image, unit.pull.is_some()))
    });
    assert_eq!(
        pulled.collect::<Vec<_>>(),
        [
            ("base-image.service", "r.example.com/base:1", true),
            ("late.service", "r.example.com/late:1", false),
            ("web.service", "r.example.com/web:1", false),
        ]
    );
    let names = |name: &str| {
        desired.quadlets[name]
            .names
            .iter()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names("app.container"), ["Containerfile", "app.build"]);
    assert_eq!(names("base.container"), ["base.image"]);
    assert_eq!(names("web.container"), [""; 0]);
}

#[test]
fn an_image_that_only_its_unit_knows_how_to_pull_is_its_work() {
    let lab = Lab::new();
    for (more, expected) in [
        ("", true),
        ("Pull=newer\n", true),
        ("PodmanArgs=--log-level=debug\n", true),
        ("PodmanArgs=--authfile /root/auth.json\n", false),
        ("ContainersConfModule=/etc/x.conf\n", false),
        ("Environment=HTTPS_PROXY=http://10.0.0.1\n", true),
        (
            "[Service]\nEnvironment=HTTPS_PROXY=http://10.0.0.1\n",
            false,
        ),
        (
            "[Service]\nEnvironment=\"REGISTRY_AUTH_FILE=/root/auth.json\"\n",
            false,
        ),
        ("Image=docker-archive:/srv/web.tar\n", false),
        ("Image=r.example.com/web:%i\n", false),
        ("Image=localhost/web:1\n", false),
        ("Image=localhost:5000/web:1\n", true),
    ] {
        let text = format!("[Container]\nImage=r.example.com/web:1\n{more}");
        lab.write("containers/web.container", &text);
        let desired = lab.read(Which::Worktree).unwrap().desired;
        let is_pulled = !desired.units["web.service"].podman.is_empty();
        assert_eq!(is_pulled, expected, "{more}");
    }
    // It has to be there before the old container stops.
    for (image, more, expected) in [
        ("r.example.com/web:1", "", true),
        ("localhost/web:1", "", true),
        ("web.build", "", false),
        ("web:1", "PodmanArgs=--pull=always\n", false),
    ] {
        let text = format!("[Container]\nImage={image}\nPull=never\n{more}");
        lab.write("containers/web.container", &text);
        lab.write(
            "containers/web.build",
            "[Build]\nImageTag=built:1\nSetWorkingDirectory=unit\n",
        );
        let desired = lab.read(Which::Worktree).unwrap().desired;
        let images = &desired.units["web.service"].podman;
        assert_eq!(
            images.iter().any(|image| image.never),
            expected,
            "{image} {more}"
        );
    }
    for (more, expected) in [("", true), ("AuthFile=/root/auth.json\n", false)] {
        let text = format!("[Image]\nImage=r.example.com/web:1\n{more}");
        lab.write("containers/web.image", &text);
        let desired = lab.read(Which::Worktree).unwrap().desired;
        let is_pulled = !desired.units["web-image.service"].podman.is_empty();
        assert_eq!(is_pulled, expected, "{more}");
    }
}

#[test]
fn what_quadlets_name_in_the_checkout_counts() {
    let lab = Lab::new();
    lab.write("app/Containerfile", "FROM scratch\n");
    lab.write("conf/web.conf", "a\n");
    let checkout = lab.path().display().to_string();
    let build = format!("[Build]\nImageTag=app:1\nSetWorkingDirectory={checkout}/app\n");
    lab.write("containers/app.build", &build);
    let web =
        format!("[Container]\nImage=app.build\nVolume={checkout}/conf/web.conf:/etc/web.conf:ro\n");
    lab.write("containers/web.container", &web);
    let hash = |name: &str| {
        let desired = lab.read(Which::Worktree).unwrap().desired;
        let hashes = desired.quadlets[name].in_checkout(&desired);
        hashes.cloned().collect::<Vec<_>>()
    };
    let units = ["app.build", "web.container"];
    let first = units.map(hash);
    lab.write("conf/web.conf", "b\n");
    let second = units.map(hash);
    assert_eq!(
        (first[0] == second[0], first[1] == second[1]),
        (true, false)
    );
    lab.write("app/Containerfile", "FROM other\n");
    let third = units.map(hash);
    assert_eq!(
        (second[0] == third[0], second[1] == third[1]),
        (false, false)
    );
}

/// What a `.kube` runs, its YAML says.
#[test]
fn images_of_a_kube_are_known() {
    let lab = Lab::new();
    lab.write("containers/play.kube", "[Kube]\nYaml=play.yml\n")
        .write(
            "containers/play.yml",
            "kind: Pod\nspec:\n  containers:\n  - {image: 'registry.example.com/web:1'}\n  - {image: 'own'}\n  - {image: 'localhost/x:1'}\n  - {image: 'registry.example.com/never:1', imagePullPolicy: Never}\n",
        )
        .write("containers/own/Containerfile", "FROM base\n");
    let desired = lab.read(Which::Worktree).unwrap().desired;
    let unit = &desired.units["play.service"];
    let images: Vec<&str> = unit
        .podman
        .iter()
        .map(|image| image.name.as_str())
        .collect();
    assert_eq!(
        images,
        ["registry.example.com/never:1", "registry.example.com/web:1"]
    );
    let never: Vec<bool> = unit.podman.iter().map(|image| image.never).collect();
    assert_eq!((never, unit.pull), (vec![true, false], None));
}

#[test]
fn volumes_of_quadlets_have_the_names_that_podman_knows() {
    let lab = Lab::new();
    for (name, text) in [
        ("data.volume", "[Volume]\n"),
        ("own.volume", "[Volume]\nVolumeName=my-%p\n"),
        (
            "db.container",
            "[Container]\nVolume=data.volume:/data:Z\nVolume=named:/named\nVolume=/srv:/srv\nVolume=/anonymous\nMount=type=volume,source=own.volume,destination=/own\nMount=type=bind,source=/srv,destination=/other\nPodmanArgs=--cpus=1 -v late:/late\n",
        ),
        ("shop.pod", "[Pod]\nVolume=shared:/shared\n"),
        (
            "web.container",
            "[Container]\nPod=shop.pod\nVolume=web:/web\n",
        ),
        ("play.kube", "[Kube]\nYaml=play.yml\n"),
        (
            "play.yml",
            "kind: Pod\nmetadata: {name: play}\nspec:\n  containers: [{name: a, image: a}]\n  volumes: [{name: x, persistentVolumeClaim: {claimName: claimed}}, {name: y, hostPath: {path: /srv}}]\n",
        ),
    ] {
        lab.write(&format!("containers/{name}"), text);
    }
    let desired = lab.read(Which::Worktree).unwrap().desired;
    let of = |unit: &str| -> Vec<&str> {
        let volumes = desired.units[unit].mounted_volumes();
        volumes.into_iter().collect()
    };
    assert_eq!(
        of("db.service"),
        ["late", "my-own-volume", "named", "systemd-data"]
    );
    assert_eq!(of("web.service"), ["shared", "web"]);
    assert_eq!(of("shop-pod.service"), ["shared"]);
    assert_eq!(of("play.service"), ["claimed"]);
}
