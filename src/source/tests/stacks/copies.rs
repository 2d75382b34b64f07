//! Stacks that update start-first: the units of their copies.

use super::*;

/// A stack that updates start-first, with a compose file.
fn twice(text: &str) -> Lab {
    let lab = lab();
    lab.write(
        "watchme.toml",
        "checkout = \"/srv/c\"\n[stack.shop]\nupdate = \"start-first\"\nports = [8101, 8102]\n",
    )
    .write("compose/shop/compose.yaml", text);
    lab
}

const PORT: &str = "    ports: ['127.0.0.1:${PORT}:8000']\n";

#[test]
fn copies_take_turns() {
    let lab = twice(&format!("{WEB}{PORT}"));
    let revision = lab.read(Which::Worktree).unwrap();
    let unit = &revision.desired.units["stack-shop-a.service"];
    assert_eq!(unit.stacks[0].project, "shop-a");
    assert_eq!(unit.stacks[0].ports, [8101].into());
    assert_eq!(
        lines(&revision, "stack-shop-a.service", &["Env", "ExecStart"]),
        [
            "Environment=PORT=8101",
            "ExecStart=docker compose --project-name shop-a up --detach"
        ]
    );
    let upstreams = |revision: &Revision| {
        let path = Path::new("nginx/conf.d/watchme-stacks.conf");
        let text = String::from_utf8(revision.desired.etc[path].file.content.to_vec()).unwrap();
        text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let server = |port: u16| format!("    server 127.0.0.1:{port};");
    assert_eq!(
        upstreams(&revision),
        ["upstream shop {", &server(8101), "}"]
    );

    // On a host that has it, nothing changes; a change of the file is the other copy, and the next one this again.
    let after = |applied: &Revision| {
        let checkout = lab.open("");
        checkout
            .read_after(&Which::Worktree, &applied.desired)
            .unwrap()
    };
    assert!(
        after(&revision)
            .desired
            .units
            .contains_key("stack-shop-a.service")
    );
    lab.write(
        "compose/shop/compose.yaml",
        &format!("{WEB}{PORT}    env_file: [more.env]\n"),
    )
    .write("compose/shop/more.env", "A=1\n")
    .commit();
    let second = after(&revision);
    assert_eq!(
        second.desired.units["stack-shop-b.service"].stacks[0].ports,
        [8102].into()
    );
    assert_eq!(upstreams(&second), ["upstream shop {", &server(8102), "}"]);
    lab.write("compose/shop/more.env", "A=2\n");
    assert!(
        after(&second)
            .desired
            .units
            .contains_key("stack-shop-a.service")
    );
}

/// Whatever copy runs, the others are ordered after it, and no other stack has its name.
#[test]
fn both_copies_are_named_to_others_and_no_stack_has_the_name_of_one() {
    let lab = twice(&format!("{WEB}{PORT}"));
    let policy =
        "checkout = \"/srv/c\"\n[stack.shop]\nupdate = \"start-first\"\nports = [8101, 8102]\n";
    let more = "[stack.other]\nafter = [\"shop\"]\n";
    lab.write("compose/other/compose.yaml", WEB)
        .write("watchme.toml", &format!("{policy}{more}"));
    let revision = lab.read(Which::Worktree).unwrap();
    assert_eq!(
        lines(&revision, "stack-other.service", &["After"]),
        ["After=docker.service network-online.target stack-shop-a.service stack-shop-b.service"]
    );
    lab.write("compose/shop-b/compose.yaml", WEB);
    assert_eq!(
        lab.fails(),
        "compose/shop-b/compose.yaml: the stack shop-b would have the name of a copy of the stack shop, which updates start-first: rename the folder of one of them"
    );
}

/// The second port is only used at an update: nobody would notice before.
#[test]
fn ports_of_copies_are_for_nothing_else() {
    for port in [8101, 8102] {
        let lab = twice(&format!("{WEB}{PORT}"));
        let other = format!("{WEB}    ports: ['{port}:80']\n");
        lab.write("compose/other/compose.yaml", &other);
        let said = lab.fails();
        let expected = format!("port {port} is for a copy of shop, and other publishes it");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn what_exists_once_has_no_copies() {
    for (text, expected) in [
        (
            format!("{WEB}    container_name: shop\n"),
            "compose/shop/compose.yaml:4:5: two copies of web cannot both be named shop",
        ),
        (
            format!("{WEB}    ports: ['8000:8000']\n"),
            "compose/shop/compose.yaml:4:5: two copies of web cannot both publish port 8000",
        ),
        (
            format!("{WEB}    ports: ['127.0.0.1:8101:8000']\n"),
            "compose/shop/compose.yaml:4:5: two copies of web cannot both publish port 8101",
        ),
        (
            format!(
                "{WEB}{PORT}  old:\n    image: web:1\n    ports: ['127.0.0.2:8101:8000'] # PORT\n"
            ),
            "compose/shop/compose.yaml:7:5: two copies of old cannot both publish port 8101",
        ),
        (
            WEB.to_owned(),
            "compose/shop/compose.yaml:1:1: no service of shop publishes ${PORT}",
        ),
        (
            format!("{WEB}{PORT}    volumes: ['data:/data']\nvolumes:\n  data: {{}}\n"),
            "compose/shop/compose.yaml:7:3: each copy of shop would have a volume data of its own",
        ),
        (
            format!("{WEB}{PORT}    scale: 2\n"),
            "compose/shop/compose.yaml:5:5: 2 containers of web cannot all publish port 8101",
        ),
        (
            format!("{WEB}{PORT}    deploy: {{replicas: 3}}\n"),
            "compose/shop/compose.yaml:5:14: 3 containers of web cannot all publish port 8101",
        ),
        (
            format!("{WEB}{PORT}  other:\n    image: web:1\n    network_mode: host\n"),
            "compose/shop/compose.yaml:7:5: two copies of other cannot both listen on ports of the host",
        ),
        (
            format!(
                "{WEB}{PORT}    networks: {{n: {{ipv4_address: 172.30.0.5}}}}\nnetworks:\n  n: {{external: true}}\n"
            ),
            "compose/shop/compose.yaml:5:20: two copies of web cannot both have the address 172.30.0.5",
        ),
        (
            format!(
                "{WEB}{PORT}networks:\n  n: {{ipam: {{config: [{{subnet: 172.30.0.0/24}}]}}}}\n"
            ),
            "compose/shop/compose.yaml:6:7: each copy of shop would have a network n, and two networks cannot have the subnet 172.30.0.0/24",
        ),
        (
            format!("{WEB}{PORT}networks:\n  default: {{name: shop}}\n"),
            "compose/shop/compose.yaml:6:13: each copy of shop would create and remove the network shop",
        ),
    ] {
        assert_eq!(twice(&text).fails(), expected);
    }
    let own_port =
        "  other:\n    image: web:1\n    network_mode: host\n    command: serve ${PORT}\n";
    let own_port = format!("{WEB}{PORT}{own_port}");
    assert!(twice(&own_port).read(Which::Worktree).is_ok());
    let named =
        format!("{WEB}{PORT}    volumes: ['data:/data']\nvolumes:\n  data: {{name: shop-data}}\n");
    assert!(twice(&named).read(Which::Worktree).is_ok());
    for (policy, expected) in [
        (
            "update = \"start-first\"\n",
            "watchme.toml:1:1: start-first needs two ports",
        ),
        (
            "update = \"start-first\"\nports = [1, 1]\n",
            "watchme.toml:3:9: start-first needs two ports",
        ),
        (
            "ports = [1, 2]\n",
            "watchme.toml:2:9: ports are those of copies, and this stack has none",
        ),
        (
            "update = \"rolling\"\n",
            "watchme.toml:2:10: \"rolling\" cannot be used here",
        ),
    ] {
        let lab = lab();
        lab.write("watchme.toml", &format!("[stack.shop]\n{policy}"));
        assert_eq!(lab.fails(), expected);
    }
    let lab = twice(&format!("{WEB}{PORT}"));
    lab.write("etc/nginx/conf.d/watchme-stacks.conf", "");
    assert_eq!(
        lab.fails(),
        "etc/nginx/conf.d/watchme-stacks.conf: /etc/nginx/conf.d/watchme-stacks.conf is written by this program, for stacks that update start-first"
    );
}
