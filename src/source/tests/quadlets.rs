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
            "this line stands before the first section",
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
