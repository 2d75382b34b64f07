//! Compose projects that no unit runs.

mod copies;
mod mounts;

use super::*;

const WEB: &str = "services:\n  web:\n    image: web:1\n";

fn lab() -> Lab {
    let lab = Lab::in_git();
    lab.write("watchme.toml", "checkout = \"/srv/c\"\n")
        .write("compose/shop/compose.yaml", WEB);
    lab
}

/// The lines of a stack's unit that begin with one of `keys`.
fn lines(revision: &Revision, unit: &str, keys: &[&str]) -> Vec<String> {
    let file = revision.desired.units[unit].file.as_ref().unwrap();
    let text = String::from_utf8(file.content.to_vec()).unwrap();
    let wanted = |line: &&str| keys.iter().any(|key| line.starts_with(key));
    text.lines().filter(wanted).map(str::to_owned).collect()
}

fn stacks(lab: &Lab) -> Vec<String> {
    let revision = lab.read(Which::Worktree).unwrap();
    let units = revision.desired.units.into_iter();
    units.filter_map(|(_, unit)| unit.stack).collect()
}

#[test]
fn a_folder_is_enough() {
    let revision = lab().read(Which::Worktree).unwrap();
    let unit = &revision.desired.units["stack-shop.service"];
    assert_eq!(unit.stack.as_deref(), Some("shop"));
    assert!(unit.start && unit.on_change == crate::model::OnChange::Reload);
    let stack = &unit.stacks[0];
    assert_eq!(stack.project, "shop");
    assert_eq!(shown(&stack.services), ["web"]);
    assert_eq!(shown(&unit.names), ["/srv/c/compose/shop/compose.yaml"]);
    assert_eq!(
        lines(
            &revision,
            "stack-shop.service",
            &["Working", "Exec", "After"]
        ),
        [
            "After=docker.service network-online.target",
            "WorkingDirectory=/srv/c/compose/shop",
            "ExecStart=docker compose up --detach",
            "ExecReload=docker compose up --detach",
            "ExecStop=docker compose stop",
        ]
    );
}

#[test]
fn what_a_unit_or_its_script_names_is_no_stack() {
    let unit = |command: &str| format!("[Service]\nExecStart={command}\n");
    for (path, text, expected) in [
        (
            "systemd/a.service",
            unit("/usr/bin/docker compose -f /srv/c/compose/shop/compose.yaml up"),
            false,
        ),
        (
            "systemd/a.service",
            unit("/bin/sh -c 'cd /srv/c/compose/shop && docker compose up'"),
            false,
        ),
        ("systemd/a.service", unit("/srv/c/up.sh"), false),
        ("systemd/a.service", unit("/bin/sleep 1"), true),
        (
            "systemd/a.service",
            unit("/usr/bin/docker compose -f /srv/c/compose/shop2/compose.yaml up"),
            true,
        ),
        (
            "watchme.toml",
            "[stack.shop]\nstart = false\n".to_owned(),
            false,
        ),
        (
            "watchme.toml",
            "[folders]\ninfra = \"compose/shop/compose.yaml\"\n".to_owned(),
            false,
        ),
    ] {
        let lab = lab();
        lab.write(
            "up.sh",
            "#!/bin/sh\ncd \"$(dirname \"$0\")/compose/shop\" && docker compose up\n",
        )
        .write("compose/shop2/notes.txt", "no compose file");
        lab.write(path, &text);
        assert_eq!(!stacks(&lab).is_empty(), expected, "{text}");
    }
}

#[test]
fn the_policy_is_in_the_command() {
    let lab = lab();
    lab.write(
        "watchme.toml",
        "checkout = \"/srv/100% mine\"\n[host]\ncompose = 1\n[stack.shop]\nfiles = [\"compose.yaml\", \"more x.yaml\"]\nproject = \"store\"\nprofiles = [\"debug\"]\n",
    )
    .write("compose/shop/more x.yaml", "services:\n  tool:\n    image: t:1\n    profiles: [debug]\n  off:\n    image: t:1\n    profiles: [never]\n");
    let revision = lab.read(Which::Worktree).unwrap();
    assert_eq!(
        lines(&revision, "stack-shop.service", &["Working", "ExecStop"]),
        [
            "WorkingDirectory=/srv/100%% mine/compose/shop",
            "ExecStop=docker-compose --file compose.yaml --file \"more x.yaml\" --project-name store --profile debug stop",
        ]
    );
    let stack = &revision.desired.units["stack-shop.service"].stacks[0];
    assert_eq!(
        (stack.project.as_str(), shown(&stack.services)),
        ("store", vec!["tool".to_owned(), "web".to_owned()])
    );
    assert_eq!(
        shown(&stack.files),
        [
            "/srv/100% mine/compose/shop/compose.yaml",
            "/srv/100% mine/compose/shop/more x.yaml"
        ]
    );
}

#[test]
fn networks_come_before_those_who_use_them() {
    let lab = lab();
    let uses = |network: &str| {
        format!(
            "{WEB}    networks: [n]\nnetworks:\n  n:\n    name: {network}\n    external: true\n"
        )
    };
    lab.write("docker-compose.infra.yml", INFRA)
        .write("systemd/infra.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
        .write("watchme.toml", "[network.watchme-network]\nowner = \"infra.service\"\n[stack.c]\nafter = [\"shop\", \"vpn.service\"]\n")
        .write("compose/a/compose.yaml", &uses("watchme-network"))
        .write("compose/b/compose.yaml", &uses("made"))
        .write("compose/c/compose.yaml", WEB)
        .write("compose/maker/compose.yaml", &format!("{WEB}networks:\n  n:\n    name: made\n"));
    let revision = lab.read(Which::Worktree).unwrap();
    let after = |name: &str| {
        let line = &lines(&revision, &format!("stack-{name}.service"), &["After="])[0];
        line.trim_start_matches("After=docker.service network-online.target")
            .trim()
            .to_owned()
    };
    assert_eq!(after("a"), "infra.service");
    assert_eq!(after("b"), "stack-maker.service");
    assert_eq!(after("c"), "stack-shop.service vpn.service");
    assert_eq!(after("maker"), "");
}

#[test]
fn what_cannot_be_a_stack_is_refused() {
    for (path, text, expected) in [
        (
            "watchme.toml",
            "[stack.shap]\n",
            "watchme.toml:1:8: stack \"shap\" is not in the desired state",
        ),
        (
            "watchme.toml",
            "[stack.shop]\nfiles = [\"prod.yaml\"]\n",
            "watchme.toml:2:10: there is no file prod.yaml in compose/shop",
        ),
        (
            "watchme.toml",
            "[stack.shop]\nfiles = [\"../../x.yaml\"]\n",
            "watchme.toml:2:10: there is no file ../../x.yaml in compose/shop",
        ),
        (
            "watchme.toml",
            "[stack.shop]\nafter = [\"vpn\"]\n",
            "watchme.toml:2:10: \"vpn\" is neither a stack nor a unit",
        ),
        (
            "watchme.toml",
            "[stack.shop]\nproject = \"My Shop\"\n",
            "watchme.toml:2:11: \"My Shop\" cannot be used here",
        ),
        (
            "compose/a b/compose.yaml",
            WEB,
            "compose/a b: its unit cannot be named stack-a b.service: rename the folder, its name may contain letters, digits and :-_.",
        ),
        (
            "compose/a@b/compose.yaml",
            WEB,
            "compose/a@b: its unit cannot be named stack-a@b.service: rename the folder, its name may contain letters, digits and :-_.",
        ),
        (
            "systemd/stack-shop.service",
            "[Service]\nExecStart=/bin/true\n",
            "systemd/stack-shop.service: compose/shop is a stack, whose unit has this name",
        ),
    ] {
        let lab = lab();
        lab.write(path, text);
        assert_eq!(lab.fails(), expected);
    }
    let lab = lab();
    lab.write("compose/empty/notes.txt", "")
        .write("watchme.toml", "[stack.empty]\n");
    assert!(
        lab.fails()
            .starts_with("compose/empty: a stack needs a compose file: none of compose.yaml, "),
        "{}",
        lab.fails()
    );
}

#[test]
fn the_engine_is_the_one_that_watchme_toml_names() {
    let lab = lab();
    lab.write(
        "watchme.toml",
        "checkout = \"/srv/c\"\n[engine]\nsocket = \"/run/podman/podman.sock\"\n",
    );
    let revision = lab.read(Which::Worktree).unwrap();
    assert_eq!(
        lines(
            &revision,
            "stack-shop.service",
            &["Requires", "Environment"]
        ),
        [
            "Requires=podman.socket",
            "Environment=DOCKER_HOST=unix:///run/podman/podman.sock",
        ]
    );
}

/// Whether it is read from a commit or as it is there, with a folder, a link and a program in it.
#[test]
fn what_a_stack_is_built_from_is_known() {
    let lab = lab();
    let compose = "services:\n  web:\n    build: {context: ./app}\n  far:\n    build: https://example.com/far.git\n";
    lab.write("compose/shop/compose.yaml", compose)
        .write("compose/shop/app/Dockerfile", "FROM base\n")
        .write("compose/shop/app/app-more", "more\n")
        .write("compose/shop/app/app/main.py", "print(1)\n")
        .write("compose/shop/app/日本", "\n")
        .commit();
    let app = lab.path().join("compose/shop/app");
    std::os::unix::fs::symlink("Dockerfile", app.join("link")).unwrap();
    let program = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(app.join("app-more"), program).unwrap();
    lab.commit();
    let contexts = |which: Which| {
        let revision = lab.read(which).unwrap();
        revision.desired.units["stack-shop.service"].stacks[0]
            .contexts
            .clone()
    };
    let committed = contexts(Which::Head);
    assert_eq!(committed.keys().collect::<Vec<_>>(), ["web"]);
    assert_eq!(contexts(Which::Worktree), committed);
    let dirty = || lab.read(Which::Head).unwrap().origin.dirty;
    assert_eq!(dirty(), [""; 0].map(PathBuf::from));
    lab.write("compose/shop/app/app/main.py", "print(2)\n");
    assert_ne!(contexts(Which::Worktree), committed);
    assert_eq!(contexts(Which::Head), committed);
    // Compose would build what is there. What git ignores, and secrets, are nobody's business.
    lab.write("compose/shop/app/new/a.py", "")
        .write("compose/shop/app/.env", "A=1\n")
        .write("compose/shop/app/a.pyc", "")
        .write("compose/shop/notes/b.py", "")
        .write(".gitignore", "*.pyc\n");
    let expected = ["compose/shop/app/app/main.py", "compose/shop/app/new"];
    assert_eq!(dirty(), expected.map(PathBuf::from));
}

/// Nothing of it is started at boot, stopped at shutdown, or stopped with the engine.
#[test]
fn a_stack_without_a_unit_is_only_called() {
    let lab = lab();
    lab.write(
        "watchme.toml",
        "checkout = \"/srv/c\"\n[stack.shop]\nunit = false\n",
    );
    let revision = lab.read(Which::Worktree).unwrap();
    let unit = &revision.desired.units["stack-shop.service"];
    assert!(unit.alone && unit.start && unit.install.links.is_empty());
    let bound = ["Default", "Requires", "Wants", "WantedBy", "ExecStop"];
    assert_eq!(
        lines(&revision, "stack-shop.service", &bound),
        [
            "DefaultDependencies=no",
            "Wants=docker.service",
            "Wants=network-online.target",
            "ExecStop=docker compose stop",
        ]
    );
    lab.write(
        "watchme.toml",
        "[stack.shop]\nunit = false\nupdate = \"start-first\"\nports = [8101, 8102]\n",
    );
    let error = lab.read(Which::Worktree).unwrap_err().to_string();
    assert!(
        error.contains("start-first needs units, which know which copy serves"),
        "{error}"
    );
}

/// By each of the ways in which a project has its name.
#[test]
fn two_stacks_are_two_projects() {
    let message = |other: &str, project: &str| {
        format!("the stack wiki and the {other} are one compose project, {project}")
    };
    let named = |name: &str| format!("name: {name}\n{WEB}");
    for (path, text, expected) in [
        (
            "compose/wiki/compose.yaml",
            named("shop"),
            Some(message("stack shop", "shop")),
        ),
        (
            "compose/wiki/.env",
            "COMPOSE_PROJECT_NAME=shop\n".to_owned(),
            Some(message("stack shop", "shop")),
        ),
        (
            "watchme.toml",
            "checkout = \"/srv/c\"\n[stack.wiki]\nproject = \"shop\"\n".to_owned(),
            Some(message("stack shop", "shop")),
        ),
        (
            "systemd/old.service",
            "[Service]\nExecStart=/usr/bin/docker-compose -p wiki -f /opt/x.yml up\n".to_owned(),
            Some(message("unit old.service", "wiki")),
        ),
        // The one that has the name from its folder was there first.
        (
            "compose/alpha/compose.yaml",
            named("shop"),
            Some("the stack alpha and the stack shop are one compose project, shop".to_owned()),
        ),
        ("compose/wiki/compose.yaml", named("other"), None),
    ] {
        let lab = lab();
        lab.write("compose/wiki/compose.yaml", WEB)
            .write(path, &text);
        match expected {
            Some(expected) => {
                let failed = lab.fails();
                assert!(failed.ends_with(&expected), "{path}: {failed}");
            }
            None => assert!(lab.read(Which::Worktree).is_ok(), "{path}"),
        }
    }
}

#[test]
fn a_stack_starts_something() {
    let profile = format!("{WEB}    profiles: [debug]\n");
    for (text, policy, compose, fails) in [
        (profile.as_str(), "", 2, true),
        (&profile, "", 1, false),
        (&profile, "[stack.shop]\nprofiles = [\"debug\"]\n", 2, false),
        ("services: {}\n", "", 1, true),
        (
            "services:\n  web: {image: 'web:1', scale: 0}\n",
            "",
            2,
            false,
        ),
    ] {
        let lab = lab();
        let policy = format!("checkout = \"/srv/c\"\n[host]\ncompose = {compose}\n{policy}");
        lab.write("watchme.toml", &policy)
            .write("compose/shop/compose.yaml", text);
        assert_eq!(lab.read(Which::Worktree).is_err(), fails, "{policy}{text}");
    }
}
