//! Which gates a change touches: a table.

use crate::effect::{Effect, Plan};
use std::net::SocketAddr;
use std::time::Duration;

use super::*;

fn gate(probe: Probe, sites: &[&str], ports: Option<&[u16]>) -> Gate {
    Gate {
        probe,
        timeout: Duration::from_secs(5),
        retries: 0,
        behind: Backend {
            sites: sites.iter().map(|site| (*site).to_owned()).collect(),
            ports: ports.map(|ports| ports.iter().copied().collect()),
            ..Backend::default()
        },
    }
}

#[test]
fn a_copy_is_asked_what_nginx_would_ask_it() {
    let mut page = gate(url("https://example.com/a?b"), &["page"], Some(&[8102]));
    assert_eq!(page.of_copy(8102), None);
    page.behind.target = Some("/inner/a?b".to_owned());
    let copy = page.of_copy(8102).unwrap();
    assert_eq!(
        copy.probe.to_string(),
        "http://example.com/inner/a?b at 127.0.0.1:8102"
    );
    assert_eq!(page.of_copy(8101), None);
    // What else than success may be nginx's own answer.
    if let Probe::Url { status, .. } = &mut page.probe {
        *status = 401;
    }
    assert_eq!(page.of_copy(8102), None);
}

fn url(text: &str) -> Probe {
    Probe::Url {
        url: text.parse().unwrap(),
        status: 200,
        verify: true,
    }
}

fn tcp(port: u16) -> Probe {
    Probe::Tcp(SocketAddr::from(([127, 0, 0, 1], port)))
}

fn stack(name: &str, container: Option<&str>, port: u16) -> Unit {
    Unit {
        stacks: vec![Stack {
            project: name.into(),
            services: BTreeSet::from(["app".into()]),
            containers: container.map(str::to_owned).into_iter().collect(),
            ports: BTreeSet::from([port]),
            ..Stack::default()
        }],
        ..unit(&format!("{name}.service"), "1")
    }
}

/// Two sites, two services behind them, one that nobody is behind, and every kind of gate.
fn server() -> Desired {
    Desired {
        sites: BTreeMap::from([("api".into(), site("1")), ("web".into(), site("1"))]),
        units: BTreeMap::from([
            (
                "vault.service".into(),
                stack("vault", Some("vault-prod"), 8000),
            ),
            ("sched.service".into(), stack("sched", None, 8015)),
            ("plain.service".into(), unit("plain.service", "1")),
        ]),
        networks: BTreeMap::from([(
            "net".into(),
            Network {
                driver: "bridge".into(),
                members: vec![Member {
                    name: MemberName::Container("vault-prod".into()),
                    address: None,
                    pin: false,
                    aliases: BTreeSet::new(),
                }],
                ..Network::default()
            },
        )]),
        gates: vec![
            gate(url("https://api.test/vault"), &["api"], Some(&[8000])),
            gate(url("https://api.test/404"), &["api"], Some(&[])),
            gate(url("https://api.test/unclear"), &["api", "web"], None),
            gate(url("https://web.test/"), &["web"], Some(&[])),
            gate(url("http://localhost:8015/"), &[], Some(&[8015])),
            gate(url("http://localhost:9/"), &[], Some(&[9])),
            gate(tcp(8000), &[], Some(&[8000])),
            gate(tcp(443), &["api", "web"], Some(&[])),
            gate(Probe::Container("vault-prod".into()), &[], None),
            gate(Probe::Container("sched_app_1".into()), &[], None),
            gate(Probe::Container("by-hand".into()), &[], None),
            gate(Probe::Unit("sched.service".into()), &[], None),
            gate(Probe::Unit("nginx.service".into()), &[], None),
        ],
        ..Desired::default()
    }
}

/// The server as applied, its container on the network.
fn running() -> (Desired, Observed, Recorded) {
    let desired = server();
    let (mut observed, mut recorded) = applied(&desired);
    let docker = observed.docker.as_mut().unwrap();
    let container = Container {
        id: "1".into(),
        name: "vault-prod".into(),
        state: "running".into(),
        attachments: BTreeMap::from([(
            "net".into(),
            Attachment {
                network_id: "n".into(),
                endpoint_id: "e".into(),
                ..Attachment::default()
            },
        )]),
        ..Container::default()
    };
    docker.containers.push(container);
    let network = NetworkState {
        id: "n".into(),
        driver: "bridge".into(),
        endpoints: BTreeMap::from([("1".into(), Addresses::default())]),
        ..NetworkState::default()
    };
    docker.networks.insert("net".into(), vec![network]);
    recorded.inventory.networks.insert("net".into());
    (desired, observed, recorded)
}

fn asked(plan: &Plan) -> Vec<String> {
    let short = |gate: &Gate| {
        gate.probe
            .to_string()
            .replace("https://", "")
            .replace("http://localhost", "")
            .replace("127.0.0.1", "")
            .replace("container ", "")
    };
    plan.gates.iter().map(short).collect()
}

/// What is asked after `change`.
fn after(change: impl FnOnce(&mut Desired, &mut Observed, &mut Recorded)) -> String {
    let (mut desired, mut observed, mut recorded) = running();
    change(&mut desired, &mut observed, &mut recorded);
    asked(&planned(&desired, &observed, &recorded)).join(" ")
}

#[test]
fn only_what_a_change_touches_is_asked() {
    assert_eq!(after(|_, _, _| {}), "", "nothing");
    let api = "api.test/vault api.test/404 api.test/unclear tcp :443 unit nginx.service";
    let web = "api.test/unclear web.test/ tcp :443 unit nginx.service";
    let nginx =
        "api.test/vault api.test/404 api.test/unclear web.test/ tcp :443 unit nginx.service";
    for (name, expected) in [("api", api), ("web", web)] {
        let changed = after(|desired, _, _| {
            desired.sites.insert(name.into(), site("2"));
        });
        assert_eq!(changed, expected, "site {name}");
    }
    let stopped = after(|_, observed, _| observed.nginx.as_mut().unwrap().master = None);
    assert_eq!(stopped, nginx, "nginx starts");
    let unloaded =
        after(|_, _, recorded| recorded.loaded.nginx.as_mut().unwrap().hash = Hash::of(b"x"));
    assert_eq!(unloaded, nginx, "nginx has not loaded what lies there");
    let included = after(|desired, _, _| {
        let etc = EtcFile {
            validate: None,
            file: file("etc/nginx/conf.d/x.conf", "x"),
            link: false,
            mode: 0o644,
            owner: "root:root".into(),
            action: None,
            zones: Vec::new(),
            upstreams: Default::default(),
        };
        desired.etc.insert("nginx/conf.d/x.conf".into(), etc);
    });
    assert_eq!(included, nginx, "a file that nginx includes");
    let attached = after(|_, observed, _| {
        let docker = observed.docker.as_mut().unwrap();
        docker.networks.get_mut("net").unwrap()[0].endpoints.clear();
    });
    assert_eq!(
        attached, "api.test/vault api.test/unclear :9/ tcp :8000 vault-prod by-hand",
        "a container is attached"
    );
}

#[test]
fn a_gate_that_was_never_asked_is() {
    let added = after(|desired, _, _| {
        desired.gates.push(gate(tcp(9), &[], Some(&[])));
        desired.gates[3] = gate(url("https://web.test/new"), &["web"], Some(&[]));
    });
    assert_eq!(added, "web.test/new tcp :9");
}

#[test]
fn a_unit_touches_what_is_behind_its_ports() {
    let restarted = |name: &'static str| {
        move |desired: &mut Desired, _: &mut Observed, _: &mut Recorded| {
            let unit = desired.units.get_mut(name).unwrap();
            unit.file = Some(file(name, "2"));
        }
    };
    for (unit, expected) in [
        (
            "vault.service",
            "api.test/vault api.test/unclear :9/ tcp :8000 vault-prod by-hand",
        ),
        (
            "sched.service",
            "api.test/unclear :8015/ :9/ sched_app_1 by-hand unit sched.service",
        ),
        ("plain.service", "api.test/unclear :9/ by-hand"),
    ] {
        assert_eq!(after(restarted(unit)), expected, "{unit}");
    }
    let both = after(|desired, observed, recorded| {
        restarted("vault.service")(desired, observed, recorded);
        let units = &mut observed.systemd.as_mut().unwrap().units;
        units.get_mut("vault.service").unwrap().dependents =
            BTreeSet::from(["sched.service".into()]);
    });
    assert_eq!(
        both,
        "api.test/vault api.test/unclear :8015/ :9/ tcp :8000 vault-prod sched_app_1 by-hand unit sched.service"
    );
    let reloaded = after(|desired, observed, recorded| {
        restarted("sched.service")(desired, observed, recorded);
        desired.units.get_mut("sched.service").unwrap().on_change = OnChange::Reload;
        let units = &mut observed.systemd.as_mut().unwrap().units;
        units.get_mut("sched.service").unwrap().can_reload = true;
    });
    assert!(reloaded.contains(":8015/"), "{reloaded}");
    let left = after(|desired, observed, recorded| {
        restarted("vault.service")(desired, observed, recorded);
        desired.units.get_mut("vault.service").unwrap().on_change = OnChange::None;
    });
    assert_eq!(left, "", "what goes on running is not touched");
}

#[test]
fn what_is_paused_is_not_asked_and_said() {
    let (mut desired, observed, mut recorded) = running();
    let pause = Pause {
        until: None,
        reason: "memory".into(),
        by: "test".into(),
        since: Timestamp::UNIX_EPOCH,
    };
    recorded.pauses.insert("vault.service".into(), pause);
    desired.sites.insert("api".into(), site("2"));
    let plan = planned(&desired, &observed, &recorded);
    assert_eq!(
        asked(&plan),
        [
            "api.test/404",
            "api.test/unclear",
            "tcp :443",
            "unit nginx.service"
        ]
    );
    assert!(plan.notes.iter().any(|note| {
        note.id.name == "vault.service"
            && note.text == "is paused: the gate https://api.test/vault is skipped"
    }));
}

#[test]
fn all_or_none_can_be_asked_for() {
    let (desired, observed, recorded) = running();
    let with = |gates| {
        plan(Inputs {
            desired: &desired,
            observed: &observed,
            recorded: &recorded,
            only: &[],
            left_alone: None,
            checkouts: &[],
            allow_empty: true,
            gates,
            ran: None,
            now: Timestamp::UNIX_EPOCH,
        })
    };
    let all = with(Gates::All);
    assert!(all.is_empty(), "nothing to do");
    assert_eq!(all.gates, desired.gates);
    let mut changed = desired.clone();
    changed.sites.insert("api".into(), site("2"));
    assert_eq!(with(Gates::None).gates, []);
}

#[test]
fn what_served_before_goes_after_the_gates() {
    let (mut desired, observed, recorded) = running();
    desired.units.remove("plain.service");
    desired
        .units
        .insert("new.service".into(), unit("new.service", "2"));
    let plan = planned(&desired, &observed, &recorded);
    let before = plan.changes.iter().filter(|change| !change.after_gates);
    assert!(
        before.clone().any(
            |change| matches!(&change.effect, Effect::Start(step) if step.unit == "new.service")
        )
    );
    assert!(
        !before
            .clone()
            .any(|change| matches!(change.effect, Effect::Stop(_)))
    );
    assert!(plan.changes.iter().any(|change| {
        change.after_gates
            && matches!(&change.effect, Effect::Stop(step) if step.unit == "plain.service")
    }));
}
