//! Plans of the firewall.

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::{Effect, Plan};
use crate::kinds::tests::{applied, empty_host, lines, planned};
use crate::model::{
    Desired, Entry, FIREWALL_TABLE, Firewall, FirewallState, Observed, OpenTo, Opening, Recorded,
    SshSession, Transport, UfwMode, Verdict, layout,
};

fn firewall(to: &[&str]) -> Firewall {
    let to = to.iter().map(|range| match *range {
        "world" => OpenTo::World,
        "vpn" => OpenTo::Source("vpn".to_owned()),
        range => OpenTo::Range(range.parse().unwrap()),
    });
    Firewall {
        trusted: vec!["docker0".to_owned(), "br-*".to_owned()],
        sources: BTreeMap::from([("vpn".to_owned(), vec!["100.64.0.0/10".parse().unwrap()])]),
        openings: vec![Opening {
            transport: Transport::Tcp,
            first: 22,
            last: 22,
            to: to.collect(),
        }],
        ..Firewall::default()
    }
}

fn desired(firewall: Firewall) -> Desired {
    Desired {
        firewalls: BTreeMap::from([(FIREWALL_TABLE.to_owned(), firewall)]),
        ..Desired::default()
    }
}

fn looked_at(observed: &Observed, loaded: Option<&str>) -> Observed {
    Observed {
        firewall: Some(FirewallState {
            program: Some("/usr/sbin/nft".into()),
            loaded: loaded.map(str::to_owned),
            wanted: Some(Ok("wanted".to_owned())),
            ..FirewallState::default()
        }),
        ..observed.clone()
    }
}

/// The changes, with the reason of the last one that is about the table.
fn plan(desired: &Desired, observed: &Observed, recorded: &Recorded) -> (Vec<String>, String) {
    let plan = planned(desired, observed, recorded);
    let of_table = plan.changes.iter().rfind(|change| {
        matches!(
            change.effect,
            Effect::LoadFirewall(_) | Effect::RemoveFirewall
        )
    });
    let why = of_table.map(|change| change.why.clone());
    (lines(&plan), why.unwrap_or_default())
}

#[test]
fn rules_are_loaded_before_anything_starts_and_only_where_they_differ() {
    let vpn = desired(firewall(&["vpn"]));
    let fresh = looked_at(&empty_host(), None);
    let first = [
        "Copy firewall/watchme_apply",
        "Copy firewall/watchme_apply",
        "Link firewall/watchme_apply",
        "DaemonReload unit/systemd",
        "LoadFirewall firewall/watchme_apply",
    ];
    let none = Recorded::default();
    assert_eq!(
        plan(&vpn, &fresh, &none),
        (first.map(str::to_owned).into(), "new".to_owned())
    );

    let (host, recorded) = applied(&vpn);
    for (loaded, why) in [
        (Some("wanted"), ""),
        (None, "is gone from the kernel"),
        (Some("other"), "was edited on the host"),
    ] {
        let (lines, said) = plan(&vpn, &looked_at(&host, loaded), &recorded);
        let expected = if why.is_empty() { &[][..] } else { &first[4..] };
        assert_eq!(lines, expected, "{loaded:?}");
        assert_eq!(said, why, "{loaded:?}");
    }
    let world = desired(firewall(&["world"]));
    let (lines, why) = plan(&world, &looked_at(&host, Some("before")), &recorded);
    assert_eq!(lines, [first[0], first[4]]);
    assert_eq!(why, "changed");
    let left = [
        "DaemonReload unit/systemd",
        "Remove firewall/watchme_apply",
        "Remove firewall/watchme_apply",
        "Remove firewall/watchme_apply",
        "RemoveFirewall firewall/watchme_apply",
        "DaemonReload unit/systemd",
    ];
    let (lines, why) = plan(
        &Desired::default(),
        &looked_at(&host, Some("wanted")),
        &recorded,
    );
    assert_eq!(
        (lines, &*why),
        (left.map(str::to_owned).into(), "left the desired state")
    );
}

#[test]
fn a_disabled_unit_is_drift() {
    let vpn = desired(firewall(&["vpn"]));
    let (host, recorded) = applied(&vpn);
    let mut host = looked_at(&host, Some("wanted"));
    let link = super::own_paths()[2].clone();
    host.files.insert(link, Entry::Missing);
    let (lines, _) = plan(&vpn, &host, &recorded);
    assert_eq!(
        lines,
        ["Link firewall/watchme_apply", "DaemonReload unit/systemd"]
    );
}

fn refusals(plan: &Plan) -> Vec<&str> {
    plan.refusals
        .iter()
        .map(|refusal| refusal.why.as_str())
        .collect()
}

#[test]
fn nobody_who_is_logged_in_is_locked_out() {
    let session = |peer: &str, interface: &str| SshSession {
        peer: peer.parse().unwrap(),
        port: 22,
        interface: Some(interface.to_owned()),
    };
    let refused = |firewall: Firewall, session: SshSession| {
        let mut host = looked_at(&empty_host(), None);
        let state = host.firewall.as_mut().unwrap();
        state.ssh = BTreeSet::from([22]);
        state.sessions = vec![session];
        let plan = planned(&desired(firewall), &host, &Recorded::default());
        refusals(&plan).join("\n")
    };
    let closed = "port 22 would be closed to 203.0.113.9, from where somebody is logged in by SSH";
    for (to, peer, interface, expected) in [
        (&["vpn"][..], "100.64.0.5", "tun0", ""),
        (&["vpn"], "203.0.113.9", "eth0", closed),
        (&["vpn"], "203.0.113.9", "docker0", ""),
        (&["vpn"], "203.0.113.9", "br-0a1b", ""),
        (&["vpn", "203.0.113.0/24"], "203.0.113.9", "eth0", ""),
        (&["world"], "203.0.113.9", "eth0", ""),
        (&[], "203.0.113.9", "eth0", closed),
    ] {
        let said = refused(firewall(to), session(peer, interface));
        assert_eq!(said, expected, "{to:?} {peer} {interface}");
    }
    let unnamed = Firewall {
        openings: Vec::new(),
        ..firewall(&[])
    };
    let said = refused(unnamed.clone(), session("203.0.113.9", "docker0"));
    assert_eq!(
        said,
        "nobody could log in: sshd listens on port 22, which is not named"
    );
    let open = Firewall {
        default: Verdict::Allow,
        ..unnamed
    };
    assert_eq!(refused(open, session("203.0.113.9", "eth0")), "");
}

#[test]
fn other_firewalls_are_refused() {
    let mut host = looked_at(&empty_host(), Some("wanted"));
    let ufw = text("ENABLED=yes\n");
    host.files.insert(layout::UFW.into(), ufw);
    let plan = planned(&desired(firewall(&["world"])), &host, &Recorded::default());
    assert_eq!(
        refusals(&plan),
        ["ufw is active: a port would be open only where both let it through"]
    );
}

fn text(content: &str) -> Entry {
    Entry::File {
        content: content.as_bytes().to_vec().into(),
        mode: 0o644,
        owner: (0, 0),
        modified: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Only rules with our comment are deleted, and one of somebody else's that says the same is as good as ours.
#[test]
fn ufw_is_driven_by_rules_of_our_own() {
    let ours = "comment=77617463686d652d6170706c79";
    let rules = format!(
        "### tuple ### allow tcp 22 0.0.0.0/0 any 203.0.113.0/24 in {ours}\n\
         ### tuple ### allow tcp 22 0.0.0.0/0 any 192.0.2.0/24 in comment=6f74686572\n\
         ### tuple ### allow tcp 22 0.0.0.0/0 any 100.64.0.0/10 in\n\
         ### tuple ### allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 in\n"
    );
    let mut host = looked_at(&empty_host(), Some("wanted"));
    for (path, content) in [
        (layout::UFW, "ENABLED=yes\n"),
        (layout::UFW_DEFAULT, "DEFAULT_INPUT_POLICY=\"DROP\"\n"),
        (layout::UFW_RULES[0], &rules),
    ] {
        host.files.insert(path.into(), text(content));
    }
    let driven = Firewall {
        ufw: UfwMode::Drive,
        ..firewall(&["vpn", "198.51.100.0/24"])
    };
    let of_ufw = |plan: &Plan| {
        let shown = plan.changes.iter().map(|change| change.words().text);
        shown
            .filter(|text| text.starts_with("ufw"))
            .collect::<Vec<_>>()
    };
    let plan = planned(&desired(driven.clone()), &host, &Recorded::default());
    assert_eq!(
        of_ufw(&plan),
        [
            "ufw allow proto tcp from 198.51.100.0/24 to any port 22",
            "ufw delete allow proto tcp from 203.0.113.0/24 to any port 22",
        ]
    );
    assert_eq!(refusals(&plan), [""; 0]);
    let note = &plan.notes[0];
    assert!(
        note.drift.is_some() && note.text.contains("192.0.2.0/24"),
        "{note:?}"
    );
    // The one that is deleted may be all that lets the operator in.
    host.firewall.as_mut().unwrap().sessions = vec![SshSession {
        peer: "203.0.113.9".parse().unwrap(),
        port: 22,
        interface: None,
    }];
    let plan = planned(&desired(driven.clone()), &host, &Recorded::default());
    assert!(refusals(&plan)[0].starts_with("port 22 would be closed to 203.0.113.9"));
    // Without the firewall, and where ufw is not driven any more.
    let (_, recorded) = applied(&desired(driven));
    host.firewall.as_mut().unwrap().sessions.clear();
    let deleted = "ufw delete allow proto tcp from 203.0.113.0/24 to any port 22";
    let plan = planned(&Desired::default(), &host, &recorded);
    assert_eq!(of_ufw(&plan), [deleted]);
    host.files.insert(layout::UFW.into(), text("ENABLED=no\n"));
    let plan = planned(&desired(firewall(&["vpn"])), &host, &recorded);
    assert_eq!(of_ufw(&plan), [deleted]);
    // What was not looked at is not changed.
    host.files
        .insert(layout::UFW_RULES[0].into(), Entry::Unreadable);
    let plan = planned(&desired(firewall(&["vpn"])), &host, &recorded);
    assert_eq!(of_ufw(&plan), [""; 0]);
}

#[test]
fn the_rules_as_nft_gets_them() {
    let mut firewall = firewall(&["vpn", "203.0.113.7/32", "fd00::/8"]);
    firewall.openings.push(Opening {
        transport: Transport::Udp,
        first: 8000,
        last: 8010,
        to: vec![OpenTo::World],
    });
    let vpn = firewall.sources.get_mut("vpn").unwrap();
    vpn.push("100.65.0.0/16".parse().unwrap());
    vpn.push("fd7a:115c:a1e0::/48".parse().unwrap());
    firewall.trusted.push("br-lan".to_owned());
    assert_eq!(firewall.rules(), include_str!("tests/rules.nft"));
}
