//! `[firewall]` on an offline root: the files that a host gets at its first boot.

use crate::support::Place;

const POLICY: &str = "\
[firewall.sources]
vpn = [\"100.64.0.0/10\"]

[firewall.allow]
22 = [\"vpn\"]
80 = [\"world\"]
";

const RULES: &str = "/etc/watchme-apply/firewall.nft";
const UNIT: &str = "/etc/systemd/system/watchme-apply-firewall.service";
const LINK: &str = "/etc/systemd/system/sysinit.target.wants/watchme-apply-firewall.service";

#[test]
fn an_offline_root_gets_the_rules_and_the_unit_that_loads_them() {
    let place = Place::git(&[("watchme.toml", POLICY)]);
    let plan = place.run(&["plan", "--json"]).expect(0).json();
    let changes = plan["changes"].as_array().unwrap();
    let firewall = |change: &&serde_json::Value| change["resource"] == "firewall/watchme_apply";
    assert_eq!(changes.iter().filter(firewall).count(), 3, "{plan}");
    place.run(&["apply"]).expect(0);
    let rules = place.read_host(RULES);
    for line in [
        "# 22/tcp                    vpn\n",
        "\n\t\ttcp dport 22 jump tcp_22\n",
        "\n\tchain tcp_22 {\n\t\tip saddr @vpn_ipv4 accept\n\t\tdrop\n\t}\n",
    ] {
        assert!(rules.contains(line), "{line}\n{rules}");
    }
    let unit = place.read_host(UNIT);
    assert!(
        unit.contains("\nExecStart=/usr/sbin/nft -f /etc/watchme-apply/firewall.nft\n"),
        "{unit}"
    );
    assert!(
        unit.contains("\nBefore=sysinit.target network-pre.target docker.service "),
        "{unit}"
    );
    assert_eq!(place.target(LINK).as_deref(), Some(UNIT));
    place.run(&["drift"]).expect(0);

    place.write_host(RULES, "table inet x {}\n");
    let drift = place.run(&["drift"]).expect(2);
    assert!(
        drift.stdout.contains("was edited on the host"),
        "{}",
        drift.shown()
    );
    place.run(&["drift", "--fix"]).expect(0);
    assert_eq!(place.read_host(RULES), rules);

    place.write(&[("watchme.toml", ""), ("etc/motd", "hello\n")]);
    place.commit("none");
    place.run(&["apply", "--yes"]).expect(0);
    let host = place.host();
    for path in [RULES, UNIT, LINK] {
        assert!(!host.contains_key(std::path::Path::new(path)), "{path}");
    }
}

#[test]
fn a_name_that_nobody_has_is_said_with_the_nearest() {
    let policy = POLICY.replace("80 = [\"world\"]", "80 = [\"wrld\"]");
    let place = Place::git(&[("watchme.toml", &policy)]);
    let plan = place.run(&["plan"]).expect(1);
    for said in [
        "there is no source wrld",
        "watchme.toml:6:7",
        "did you mean world?",
    ] {
        assert!(plan.stderr.contains(said), "{said}\n{}", plan.shown());
    }
    let unit = (
        "systemd/watchme-apply-firewall.service",
        "[Service]\nExecStart=/bin/true\n",
    );
    let place = Place::git(&[("watchme.toml", POLICY), unit]);
    let plan = place.run(&["plan"]).expect(1);
    let said = "the unit of this name is written by watchme-apply itself";
    assert!(plan.stderr.contains(said), "{}", plan.shown());
}

/// A reviewer sees who may reach what before and after a merge, and what is served to others and not named.
#[test]
fn a_merge_shows_who_may_reach_what() {
    let place = Place::git(&[("watchme.toml", POLICY)]);
    let wider = POLICY.replace("22 = [\"vpn\"]", "22 = [\"vpn\", \"203.0.113.0/24\"]");
    place.write(&[("watchme.toml", &wider)]);
    place.commit("wider");
    let plan = place.run_here(&["plan", "--from", "HEAD~1"]).expect(0);
    for line in [
        "load the rules, interrupts no connection that is open  (changed)\n",
        "    -22/tcp                    vpn\n",
        "    +22/tcp                    vpn, 203.0.113.0/24\n",
    ] {
        assert!(plan.stdout.contains(line), "{line}\n{}", plan.shown());
    }
    // An offline root has no table, and shows it all the same.
    let plan = place.run(&["plan"]).expect(0);
    let line = "    +22/tcp                    vpn, 203.0.113.0/24\n";
    assert!(plan.stdout.contains(line), "{}", plan.shown());

    place.write(&[("watchme.toml", ""), ("etc/motd", "hello\n")]);
    place.commit("none");
    let plan = place.run_here(&["plan", "--from", "HEAD~1"]).expect(0);
    for line in [
        "remove the rules: every port is open again  (left the desired state)\n",
        "    -other ports               nobody\n",
    ] {
        assert!(plan.stdout.contains(line), "{line}\n{}", plan.shown());
    }
}
