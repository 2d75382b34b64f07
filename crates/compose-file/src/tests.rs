use super::*;

fn document(source: &str) -> Result<Document, String> {
    Document::parse(Path::new("c.yml"), source, &Environment::new()).map_err(|e| e.to_string())
}

#[test]
fn syntax_errors_have_their_place() {
    for (source, expected) in [
        (
            "services:\n  a: [\n",
            "c.yml:3:1: did not find expected node content",
        ),
        (
            "services:\n  - a\n",
            "c.yml:2:3: services: invalid type: sequence",
        ),
        ("services:\n  a:\n    ports: 1\n", "c.yml:3:12: "),
        (
            "a: 1\nb: 2\na: 3\n",
            "c.yml:3:1: duplicate entry with key \"a\"",
        ),
        ("- a\n", "c.yml:1:1: this is not a compose file"),
        (
            "services:\n  a:\n    image: ${\n",
            "c.yml:3:12: the variable in \"${\" cannot be read",
        ),
    ] {
        let error = document(source).err().unwrap_or_default();
        assert!(
            error.starts_with(expected),
            "{source}: {error} / {expected}"
        );
    }
    assert!(document("").unwrap().compose.services.is_empty());
    assert!(document("services:\nnetworks:\n").is_ok());
}

#[test]
fn services_are_read_in_all_forms() {
    let compose = document(
        "services:\n  a:\n    ports: [\"127.0.0.1:8015:80\", 3000, \"8001-8003:1-3/udp\", \"[::1]:9:9\", {published: \"70\", target: 7}]\n    env_file: [.env, {path: b.env}]\n    networks:\n      n: {ipv4_address: 10.0.0.1, aliases: [x]}\n      m:\n  b:\n    env_file: c.env\n    networks: [n]\n",
    )
    .unwrap()
    .compose;
    let a = &compose.services["a"];
    assert_eq!(
        a.host_ports().into_iter().collect::<Vec<_>>(),
        [9, 70, 8001, 8002, 8003, 8015]
    );
    assert_eq!(a.env_files(), [".env", "b.env"]);
    let entries = a.networks.entries();
    assert_eq!((entries[0].0, entries[0].1.is_none()), ("m", true));
    assert_eq!(
        entries[1].1.and_then(|at| at.ipv4_address.as_deref()),
        Some("10.0.0.1")
    );
    assert_eq!(compose.services["b"].env_files(), ["c.env"]);
}

#[test]
fn later_files_lie_over_earlier_ones() {
    let mut base = document("a: {b: 1, c: [1]}\nd: 1\nservices: {s: {dns: [1]}}\n")
        .unwrap()
        .value;
    overlay(
        &mut base,
        document("a: {b: 2, c: [2], e: 3}\nd:\nservices: {s: {dns: 2}, t: {}}\n")
            .unwrap()
            .value,
    );
    let expected: Value = serde_yaml::from_str(
        "a: {b: 2, c: [2], e: 3}\nd: 1\nservices: {s: {dns: [1, 2]}, t: {}}\n",
    )
    .unwrap();
    assert_eq!(base, expected);
}

#[test]
fn project_names_are_as_compose_makes_them() {
    for (folder, expected) in [
        ("Watch.Me Docker", "watchmedocker"),
        ("api_v1-x", "api_v1-x"),
        ("日本", "default"),
    ] {
        assert_eq!(project_name(folder), expected);
    }
}

proptest::proptest! {
    #[test]
    fn never_panics(source in ".*") {
        let _ = document(&source);
    }

    #[test]
    fn never_panics_on_what_looks_like_it(
        source in "(networks|services|  a|    ipam|    networks|x):( \\[?(1|\\$\\{|&a|\\*a|<<|\\{b: c\\}|10.0.0.0/8)\\]?)?\n{1,8}"
    ) {
        let _ = document(&source);
    }
}

#[test]
fn documents_are_laid_over_each_other() {
    let of = |source: &str| {
        Document::parse(Path::new("c.yml"), source, &Environment::new())
            .map_err(|wrong| (wrong.position().line, wrong.message))
    };
    let source = "services:\n  a: {image: '${A}', ports: ['80:80']}\n---\nservices:\n  a: {image: two, ports: !reset []}\n  b: {image: b}\n";
    let document = of(source).unwrap();
    assert_eq!(document.documents, 2);
    let services = &document.compose.services;
    assert_eq!(services["a"].image(), Some("two"));
    assert!(services["a"].published().is_empty());
    assert!(services.contains_key("b") && document.unset.contains("A"));
    assert_eq!(of("---\na: {}\n...\n").unwrap().documents, 1);
    for (source, line, message) in [
        ("services: {}\n---\n", 2, "this YAML document is empty"),
        (
            "---\n# a\n---\nservices: {}\n",
            1,
            "this YAML document is empty",
        ),
        ("services: {}\n---\n- a\n", 1, "this is not a compose file"),
        (
            "services: {}\n---\nservices: [a]\n",
            3,
            "services: invalid type: sequence",
        ),
        (
            "services: {}\n---\nservices: [\n",
            4,
            "did not find expected",
        ),
    ] {
        let (at, said) = of(source).unwrap_err();
        assert!(
            at == line && said.starts_with(message),
            "{source:?}: {at} {said}"
        );
    }
}
