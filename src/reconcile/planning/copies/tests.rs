use std::collections::BTreeMap;

use super::*;
use crate::model::{
    Backup, EtcFile, Gate, Hash, Network, Origin, Publish, RanImage, RunKind, RunRecord,
};

fn copy(letter: char, port: u16, revision: &str) -> StackCopy {
    StackCopy {
        letter,
        port,
        ports: Some([8101, 8102]),
        revision: Hash::of(revision.as_bytes()),
    }
}

/// A stack with a copy, and all that can name that.
fn desired(copy: StackCopy) -> Desired {
    let (unit, project, port) = (copy.unit("shop"), copy.project("my-shop"), copy.port);
    let text = format!(
        "[Service]\nEnvironment=PORT={port}\nExecStart=docker compose --project-name {project} up --detach\nExecStop=docker compose --project-name {project} stop\n"
    );
    let stack = Stack {
        project: project.clone(),
        ports: [port].into(),
        published: [Publish {
            port,
            protocol: "tcp".to_owned(),
            address: None,
        }]
        .into(),
        networks: [(format!("{project}_default"), Hash::of(b"n"))].into(),
        definitions: [("web".to_owned(), Hash::of(b"d"))].into(),
        ..Stack::default()
    };
    let unit_of = Unit {
        file: Some(File::new(
            format!("desired-state/compose/shop/{unit}"),
            text.into_bytes(),
            false,
        )),
        install: systemd_unit::Install {
            links: [format!("multi-user.target.wants/{unit}").into()].into(),
        },
        stack: Some("shop".to_owned()),
        copy: Some(copy),
        stacks: vec![stack],
        ..Unit::default()
    };
    let member: MemberName = serde_json::from_value(
        serde_json::json!({"service": {"project": project, "service": "web"}}),
    )
    .unwrap();
    let network: Network = Network {
        owner: Some(unit.clone()),
        members: vec![crate::model::Member {
            name: member.clone(),
            address: None,
            pin: false,
            aliases: Default::default(),
        }],
        ..network()
    };
    let gate = |probe: Probe| Gate {
        probe,
        timeout: std::time::Duration::from_secs(1),
        retries: 0,
        behind: crate::model::Backend {
            ports: Some([port].into()),
            ..Default::default()
        },
    };
    let upstream = upstreams([("shop", port)].into_iter()).unwrap();
    let etc = EtcFile {
        upstreams: [SocketAddr::from((Ipv4Addr::LOCALHOST, port))].into(),
        ..etc_file(upstream)
    };
    Desired {
        units: BTreeMap::from([(unit.clone(), unit_of)]),
        networks: BTreeMap::from([("n".to_owned(), network)]),
        backups: BTreeMap::from([("web".to_owned(), backup(member))]),
        etc: BTreeMap::from([(UPSTREAMS.into(), etc)]),
        gates: vec![
            gate(Probe::Unit(unit)),
            gate(Probe::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))),
        ],
        ..Desired::default()
    }
}

fn network() -> Network {
    serde_json::from_value(serde_json::json!({
        "key": "n", "project": "p", "driver": "bridge", "options": {}, "labels": {}, "internal": false,
        "attachable": false, "ipv6": false, "subnets": [], "owner": null, "members": [],
    }))
    .unwrap()
}

fn etc_file(file: File) -> EtcFile {
    EtcFile {
        file,
        link: true,
        mode: 0o644,
        owner: "root:root".to_owned(),
        action: None,
        validate: None,
        zones: Vec::new(),
        upstreams: Default::default(),
    }
}

fn backup(member: MemberName) -> Backup {
    Backup {
        of: BackupOf::Service {
            member,
            command: vec!["cat".to_owned()],
        },
        to: None,
        store: None,
        fetch: None,
        remove: None,
        restore: None,
        environment: Vec::new(),
        keep: crate::model::Keep::default(),
        schedule: None,
        before_change: None,
        max_age: None,
        timeout: std::time::Duration::from_secs(1),
        rehearsal: None,
    }
}

fn applied(desired: Desired) -> Recorded {
    Recorded {
        applied: Some((
            RunRecord::new(RunKind::Apply, Origin::default(), Timestamp::UNIX_EPOCH),
            desired,
        )),
        ..Recorded::default()
    }
}

/// Everything that a generation says is as it would be read for the other copy, but for hashes that nobody can know.
fn same(found: &Desired, expected: &mut Desired) {
    for unit in expected.units.values_mut() {
        for stack in &mut unit.stacks {
            stack.definitions.clear();
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn a_generation_comes_as_the_copy_that_does_not_serve() {
    let mut found = desired(copy('a', 8101, "old"));
    beside(&mut found, &applied(desired(copy('a', 8101, "new"))));
    same(&found, &mut desired(copy('b', 8102, "old")));
    // A copy may be on either port.
    let mut found = desired(copy('b', 8102, "old"));
    beside(&mut found, &applied(desired(copy('b', 8101, "new"))));
    same(&found, &mut desired(copy('a', 8102, "old")));
}

#[test]
fn what_serves_as_the_generation_has_it_goes_on_serving() {
    let mut found = desired(copy('a', 8101, "same"));
    beside(&mut found, &applied(desired(copy('b', 8102, "same"))));
    same(&found, &mut desired(copy('b', 8102, "same")));
    // The other one is free already, or there is no way to know.
    for (letter, ports) in [('a', Some([8101, 8102])), ('b', None)] {
        let old = StackCopy {
            ports,
            ..copy(letter, 8101, "old")
        };
        let mut found = desired(old.clone());
        beside(&mut found, &applied(desired(copy('b', 8102, "new"))));
        assert_eq!(found, desired(old));
    }
    let mut found = desired(copy('a', 8101, "old"));
    beside(&mut found, &Recorded::default());
    assert_eq!(found, desired(copy('a', 8101, "old")));
}

#[test]
fn drop_ins_stay_with_the_unit_that_git_has_them_for() {
    let dropins = || BTreeMap::from([("x.conf".to_owned(), File::new("x.conf", *b"x", false))]);
    let mut found = desired(copy('a', 8101, "old"));
    let unit = found.units.values_mut().next().unwrap();
    unit.dropins = dropins();
    beside(&mut found, &applied(desired(copy('a', 8101, "new"))));
    assert!(found.units["stack-shop-b.service"].dropins.is_empty());
    let left = &found.units["stack-shop-a.service"];
    assert!(!left.is_ours() && left.dropins == dropins());
}

#[test]
fn images_of_a_generation_are_those_of_the_other_copy() {
    let of = |unit: &str, project: &str| RanImage {
        unit: unit.to_owned(),
        service: Some((project.to_owned(), "web".to_owned())),
        ..RanImage::default()
    };
    let mut ran = RanImages {
        generation: 1,
        images: vec![
            of("stack-shop-a.service", "my-shop-a"),
            of("stack-other.service", "other-a"),
        ],
    };
    of_images(&mut ran, &desired(copy('b', 8102, "old")));
    assert_eq!(
        ran.images,
        [
            of("stack-shop-b.service", "my-shop-b"),
            of("stack-other.service", "other-a")
        ]
    );
}
