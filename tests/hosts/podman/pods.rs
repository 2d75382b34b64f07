//! Pods of Quadlets, and what Podman plays of Kubernetes' YAML: as Podman and systemd take it.

use std::time::Duration;

use super::boot;
use crate::support::Host;

const POLICY: &str = "desired-state/watchme.toml";
const POD: &str = "desired-state/containers/shop.pod";
const WEB: &str = "desired-state/containers/web.container";
const API: &str = "desired-state/containers/api.container";
const KUBE: &str = "desired-state/containers/play.kube";
const YAML: &str = "desired-state/containers/play.yml";

/// Podman makes no control groups of pods by systemd where version 1 is there, as on the hosts of the tests.
fn boot_for_pods() -> Host {
    let host = boot();
    let conf = "/etc/containers/containers.conf.d/pods.conf";
    host.write(conf, "[engine]\ncgroup_manager = \"cgroupfs\"\n");
    host
}

fn pod(port: u16) -> String {
    format!("[Pod]\nPublishPort=127.0.0.1:{port}:8000\n\n[Install]\nWantedBy=multi-user.target\n")
}

/// A container of the pod: the first answers at its port, the other one waits.
fn member(more: &str) -> String {
    format!("[Container]\nImage=localhost/web:1\nPull=never\nPod=shop.pod\n{more}")
}

fn answers(host: &Host, port: u16) -> u16 {
    host.get(&format!("http://localhost:{port}/")).0
}

fn show(host: &Host, property: &str, unit: &str) -> String {
    host.sh(&format!("systemctl show -p {property} --value {unit}"))
}

/// Pods with their states, and containers with their ids.
fn pods(host: &Host) -> String {
    host.sh("podman pod ps --format '{{.Name}} {{.Status}}' | sort")
}

fn containers(host: &Host) -> Vec<(String, String)> {
    let listed = host.sh("podman ps -a --no-trunc --format '{{.Names}} {{.ID}}' | sort");
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    pairs
        .map(|(name, id)| (name.to_owned(), id.to_owned()))
        .collect()
}

fn names(host: &Host) -> Vec<String> {
    containers(host).into_iter().map(|(name, _)| name).collect()
}

#[test]
#[ignore = "long: tests/run --all"]
fn a_pod_changes_with_its_containers() {
    let host = boot_for_pods();
    host.checkout(&[
        (POLICY, ""),
        (POD, &pod(8051)),
        (WEB, &member("")),
        (API, &member("Exec=/bin/sleep 1000000\n")),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!(answers(&host, 8051), 200);
    assert_eq!(pods(&host), "systemd-shop Running");
    let all = ["systemd-api", "systemd-shop-infra", "systemd-web"];
    assert_eq!(names(&host), all);
    for unit in ["shop-pod.service", "web.service", "api.service"] {
        assert_eq!(show(&host, "ActiveState", unit), "active", "{unit}");
    }
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");

    a_member_changes_alone(&host);
    a_changed_pod_is_made_anew(&host);
    a_failing_pod_is_rolled_back(&host);
    a_wrong_pod_is_refused(&host);
    a_member_that_stopped_is_drift(&host);

    host.reboot_without_docker();
    host.wait_for("answer after the reboot", Duration::from_secs(40), || {
        answers(&host, 8061) == 200
    });
    let said = host.tool(&["drift"]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");

    host.commit(&[(POD, None), (WEB, None), (API, None)], "the pod leaves");
    host.apply(&["--allow-empty"]).expect(0);
    assert_eq!((pods(&host), names(&host)), (String::new(), Vec::new()));
    assert_eq!(answers(&host, 8061), 0);
    for unit in ["shop-pod.service", "web.service", "api.service"] {
        assert_eq!(show(&host, "LoadState", unit), "not-found", "{unit}");
    }
    let left = host.sh("find /etc/containers/systemd -type l");
    assert_eq!(left, "");
}

fn a_member_changes_alone(host: &Host) {
    let before = containers(host);
    let changed = member("Exec=/bin/sleep 2000000\n");
    host.commit(&[(API, Some(&changed))], "another command");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("interrupts only api.service"), "{said}");
    let after = containers(host);
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1..], after[1..], "the others are the same");
}

fn a_changed_pod_is_made_anew(host: &Host) {
    let before = containers(host);
    host.commit(&[(POD, Some(&pod(8061)))], "another port");
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(plan.contains("shop-pod.service"), "{plan}");
    let said = host.apply(&[]).expect(0).stdout;
    for unit in ["shop-pod.service", "web.service", "api.service"] {
        assert!(said.contains(unit), "{unit}:\n{said}");
    }
    assert_eq!((answers(host, 8061), answers(host, 8051)), (200, 0));
    let after = containers(host);
    assert_eq!(after.len(), 3);
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(old.0, new.0);
        assert_ne!(old.1, new.1, "{} is the old container", old.0);
    }
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");
}

fn a_failing_pod_is_rolled_back(host: &Host) {
    let failing = pod(8071).replace("[Pod]", "[Pod]\nNetwork=none-such");
    host.commit(&[(POD, Some(&failing))], "a network that is not there");
    let said = host.apply(&[]).expect(3).text();
    assert!(said.contains("rolled back"), "{said}");
    assert_eq!((answers(host, 8061), answers(host, 8071)), (200, 0));
    assert_eq!(pods(host), "systemd-shop Running");
    assert_eq!(names(host).len(), 3);
    host.commit(&[(POD, Some(&pod(8061)))], "good again");
    host.apply(&[]).expect(0);
}

fn a_wrong_pod_is_refused(host: &Host) {
    let before = containers(host);
    let lost = member("").replace("shop.pod", "gone.pod");
    host.commit(&[(WEB, Some(&lost))], "a pod that nobody has");
    let said = host.apply(&[]).expect(1).text();
    for part in [
        "desired-state/containers/web.container:4",
        "gone.pod",
        "nothing was changed",
    ] {
        assert!(said.contains(part), "{part}:\n{said}");
    }
    host.commit(&[(WEB, Some(&member("")))], "good again");
    host.apply(&[]).expect(0);
    assert_eq!(containers(host), before);
}

/// No `[Install]` of its own: it is started with its pod, and has to be up with it.
fn a_member_that_stopped_is_drift(host: &Host) {
    host.sh("systemctl stop api.service");
    let said = host.tool(&["drift"]).expect(2).stdout;
    assert!(said.contains("unit/api.service: "), "{said}");
    host.tool(&["drift", "--fix"]).expect(0);
    assert_eq!(show(host, "ActiveState", "api.service"), "active");
}

fn yaml(port: u16) -> String {
    format!(
        "apiVersion: v1
kind: Pod
metadata:
  name: play
spec:
  containers:
    - name: web
      image: localhost/web:1
      imagePullPolicy: Never
      ports: [{{containerPort: 8000, hostPort: {port}, hostIP: 127.0.0.1}}]
"
    )
}

#[test]
#[ignore = "long: tests/run --all"]
fn what_is_played_changes_with_its_yaml() {
    let host = boot_for_pods();
    let kube = "[Kube]\nYaml=play.yml\n\n[Install]\nWantedBy=multi-user.target\n";
    host.checkout(&[(POLICY, ""), (KUBE, kube), (YAML, &yaml(8053))]);
    host.apply(&[]).expect(0);
    assert_eq!(answers(&host, 8053), 200);
    assert_eq!(pods(&host), "play Running");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("in sync"), "{said}");

    host.commit(&[(YAML, Some(&yaml(8063)))], "another port");
    let said = host.apply(&[]).expect(0).stdout;
    assert!(said.contains("interrupts only play.service"), "{said}");
    assert_eq!((answers(&host, 8063), answers(&host, 8053)), (200, 0));

    let nobodys = yaml(8073).replace("web:1", "none:1");
    host.commit(&[(YAML, Some(&nobodys))], "an image that nobody has");
    let said = host.apply(&[]).expect(1).text();
    let refused = "its image localhost/none:1 is not on this host, and its pull policy is never";
    assert!(said.contains(refused), "{said}");
    assert_eq!((answers(&host, 8063), answers(&host, 8073)), (200, 0));

    let failing = yaml(8073)
        + "      volumeMounts: [{name: v, mountPath: /v}]
  volumes: [{name: v, hostPath: {path: /nowhere, type: Directory}}]
";
    host.commit(&[(YAML, Some(&failing))], "a folder that is not there");
    let said = host.apply(&[]).expect(3).text();
    assert!(said.contains("rolled back"), "{said}");
    assert_eq!((answers(&host, 8063), answers(&host, 8073)), (200, 0));

    let missing = yaml(8083).replace("localhost/web:1", "registry.example.com/none:1");
    let missing = missing.replace("Never", "IfNotPresent");
    host.commit(&[(YAML, Some(&missing))], "an image that no registry has");
    let before = containers(&host);
    let said = host.apply(&[]).expect(1).text();
    let nothing = "could not pull the image registry.example.com/none:1 for play.service";
    assert!(
        said.contains(nothing) && said.contains("nothing was changed"),
        "{said}"
    );
    assert_eq!(containers(&host), before);

    host.commit(&[(KUBE, None), (YAML, None)], "it leaves");
    host.apply(&["--allow-empty"]).expect(0);
    assert_eq!((pods(&host), names(&host)), (String::new(), Vec::new()));
    assert_eq!(show(&host, "LoadState", "play.service"), "not-found");
}

/// What holds the network of a pod has a name that nobody knows before.
#[test]
#[ignore = "long: tests/run --all"]
fn ports_move_between_a_kube_and_a_container() {
    let host = boot_for_pods();
    let kube = "[Kube]\nYaml=play.yml\n\n[Install]\nWantedBy=multi-user.target\n";
    let web = |port: u16| {
        format!(
            "[Container]\nImage=localhost/web:2\nPull=never\nPublishPort=127.0.0.1:{port}:8000\n\n[Install]\nWantedBy=multi-user.target\n"
        )
    };
    let served = |port: u16| host.get(&format!("http://localhost:{port}/")).1;
    host.checkout(&[
        (POLICY, "[engine]\nsocket = \"/run/podman/podman.sock\"\n"),
        (KUBE, kube),
        (YAML, &yaml(8053)),
        (WEB, &web(8054)),
    ]);
    host.apply(&[]).expect(0);
    assert_eq!([served(8053), served(8054)], ["web:1\n", "web:2\n"]);

    host.commit(
        &[(YAML, Some(&yaml(8054))), (WEB, Some(&web(8053)))],
        "they change places",
    );
    let plan = host.tool(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("takes its port, 8053") && plan.contains("takes its port, 8054"),
        "{plan}"
    );
    host.apply(&[]).expect(0);
    assert_eq!([served(8053), served(8054)], ["web:2\n", "web:1\n"]);
    host.tool(&["drift"]).expect(0);

    host.sh("podman run -d --name stranger -p 127.0.0.1:8055:8000 localhost/web:1 2>/dev/null");
    host.commit(&[(YAML, Some(&yaml(8055)))], "a port that is taken");
    let before = containers(&host);
    let said = host.apply(&[]).expect(1).text();
    assert!(
        said.contains("port 8055 is taken by a container that no unit runs (stranger"),
        "{said}"
    );
    assert_eq!(containers(&host), before);
}
