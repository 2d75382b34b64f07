//! Answers as engines give them.

use super::*;
use crate::model::Health;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn record(text: &str) -> Container {
    container(serde_json::from_str(text).expect("a record of the engine"))
}

#[test]
fn a_running_member() {
    let text = format!(
        r#"{{"Id":"{ID}","Name":"/api","Image":"sha256:1","RestartCount":2,
        "State":{{"Status":"running","ExitCode":0,"Health":{{"Status":"starting"}}}},
        "Config":{{"Image":"api:1","Labels":{{"com.docker.compose.project":"p",
        "com.docker.compose.service":"s","com.docker.compose.oneoff":"False"}}}},
        "NetworkSettings":{{"Networks":{{"n":{{"NetworkID":"net","EndpointID":"ep",
        "IPAddress":"172.27.0.5","GlobalIPv6Address":"","Aliases":["s","0123456789ab"],
        "IPAMConfig":{{"IPv4Address":"172.27.0.5"}}}}}}}}}}"#
    );
    let found = record(&text);
    let on = &found.attachments["n"];
    assert_eq!(
        (found.name.as_str(), found.image.as_str()),
        ("api", "api:1")
    );
    assert_eq!(found.compose, Some(("p".to_owned(), "s".to_owned())));
    assert_eq!(
        (found.health, found.oneoff, found.restarts),
        (Health::Starting, false, 2)
    );
    assert_eq!(on.aliases, BTreeSet::from(["s".to_owned()]));
    assert_eq!(on.addresses, on.configured);
}

#[test]
fn a_health_that_nobody_else_knows_is_starting() {
    let of = |word: &str| {
        record(&format!(
            r#"{{"Id":"{ID}","State":{{"Status":"initialized","Health":{{"Status":"{word}"}}}}}}"#
        ))
    };
    for (word, expected) in [
        ("reset", Health::Starting),
        ("starting", Health::Starting),
        ("healthy", Health::Healthy),
        ("unhealthy", Health::Unhealthy),
        ("none", Health::None),
        ("", Health::None),
    ] {
        assert_eq!(of(word).health, expected, "{word}");
    }
    assert!(!of("reset").is_running());
    let row = r#"{"Id":"1","Names":["/a"],"State":"stopping"}"#;
    let row: Row = serde_json::from_str(row).expect("a row of the list");
    assert_eq!(listed(row).state, "stopping");
}

#[test]
fn a_ghost_has_no_endpoint_and_no_address() {
    let text = format!(
        r#"{{"Id":"{ID}","Name":"/api","State":{{"Status":"exited","ExitCode":137,
        "OOMKilled":true}},"NetworkSettings":{{"Networks":{{"n":{{"NetworkID":"old",
        "EndpointID":"","IPAddress":"","Aliases":null,"IPAMConfig":null}}}}}}}}"#
    );
    let found = record(&text);
    assert_eq!((found.exit_code, found.oom_killed), (137, true));
    let ghost = Attachment {
        network_id: "old".to_owned(),
        ..Attachment::default()
    };
    assert_eq!(found.attachments["n"], ghost);
}

#[test]
fn a_network_as_compose_makes_it() {
    let text = r#"{"Name":"n","Id":"i","Driver":"bridge","EnableIPv6":false,"Internal":false,
        "IPAM":{"Driver":"default","Config":[{"Subnet":"172.27.0.0/16","Gateway":"172.27.0.1"}]},
        "Options":{},"Labels":{"com.docker.compose.network":"k"}}"#;
    let (name, state) = network(serde_json::from_str(text).expect("a network"));
    assert_eq!(name, "n");
    assert_eq!(state.subnets[0].subnet.to_string(), "172.27.0.0/16");
    assert_eq!(state.subnets[0].gateway, "172.27.0.1".parse().ok());
    assert_eq!(state.subnets[0].ip_range, None);
}

#[test]
fn endpoints_without_containers_are_no_members() {
    let text = r#"{"Containers":{"a":{"IPv4Address":"172.27.0.2/16","IPv6Address":""},
        "ep-b":{"IPv4Address":"172.27.0.3/16"}}}"#;
    let found = endpoints(serde_json::from_str(text).expect("a network"));
    assert_eq!(
        found,
        BTreeMap::from([("a".to_owned(), Addresses::from("172.27.0.2".parse().ok()))])
    );
}

#[test]
fn what_is_mounted() {
    let text = format!(
        r#"{{"Id":"{ID}","Name":"/api","Mounts":[
        {{"Type":"volume","Name":"web_data","Source":"/var/lib/docker/volumes/web_data/_data","Destination":"/data","RW":true}},
        {{"Type":"volume","Name":"{ID}","Source":"/var/lib/docker/volumes/x/_data","Destination":"/tmp","RW":true}},
        {{"Type":"bind","Source":"/srv/x","Destination":"/x","RW":false}}]}}"#
    );
    let found = record(&text);
    let volumes: Vec<&str> = (found.volumes.iter())
        .map(|mount| mount.volume.as_str())
        .collect();
    assert_eq!(volumes, ["web_data"]);
    assert_eq!(found.binds.len(), 1);
}

#[test]
fn links_are_no_names() {
    let names = ["/web/db".to_owned(), "/db".to_owned()];
    assert_eq!(own_name(&names), "db");
}
