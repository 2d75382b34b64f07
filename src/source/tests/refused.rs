//! Checkouts that are refused, with what is said about them.

use super::*;

#[test]
fn links_stay_in_the_checkout() {
    for (link, target, expected) in [
        (
            "sites-available/a",
            "/etc/passwd",
            "the link sites-available/a points to /etc/passwd, outside the checkout",
        ),
        (
            "sites-available/a",
            "../../x",
            "the link sites-available/a points to ../../x, outside the checkout",
        ),
        (
            "sites-available/a",
            "b",
            "the link sites-available/a points to b, which is not there",
        ),
        (
            "sites-available/a",
            "a",
            "the link sites-available/a points to a and never ends",
        ),
        (
            "systemd",
            "/etc/systemd/system",
            "the link systemd points to /etc/systemd/system, outside the checkout",
        ),
        (
            "sites-available/a",
            "../.git/config",
            "the link sites-available/a points to ../.git/config, which is not there",
        ),
    ] {
        let lab = Lab::in_git();
        lab.link(link, target).commit();
        assert_eq!(lab.fails(), expected);
        assert_eq!(lab.read(Which::Head).unwrap_err().to_string(), expected);
    }
    let lab = Lab::in_git();
    lab.link("sites-available/a", "../shared/site")
        .write("shared/site", "a;")
        .commit();
    for which in [Which::Head, Which::Worktree] {
        let revision = lab.read(which).unwrap();
        assert_eq!(&*revision.desired.sites["a"].file.content, b"a;");
        assert_eq!(shown(revision.inputs.keys()), ["sites-available/a"]);
    }
}

#[test]
fn names_and_files_that_cannot_be_used_are_refused() {
    for (path, text, expected) in [
        (
            "sites-available/-f",
            "",
            "sites-available/-f: the name begins with a dash, as options do",
        ),
        (
            "sites-available/a\u{1b}b",
            "",
            "sites-available/a\\u{1b}b: the name has a control character",
        ),
        (
            "systemd/a.conf",
            "",
            "systemd/a.conf is not a unit: its type .conf is unknown; the types are service, socket",
        ),
        (
            "systemd/a b.service",
            "",
            "systemd/a b.service is not a unit: its name has ' '",
        ),
        (
            "etc/systemd/system/a.service",
            "",
            "etc/systemd/system/a.service: /etc/systemd/system is a folder for units",
        ),
        (
            "systemd/a.service",
            "[Unit\nA=b\n",
            "systemd/a.service:1:1: the section header is not closed",
        ),
        (
            "sites-available/a",
            "a",
            "sites-available/a:1:1: directive \"a\" is not terminated",
        ),
        (
            "watchme.toml",
            "[unit.\"b.service\"]\n",
            "watchme.toml:1:7: unit \"b.service\" is not in the desired state",
        ),
        (
            "watchme.toml",
            "[site.a]\n",
            "watchme.toml:1:7: site \"a\" is not in the desired state",
        ),
        (
            "watchme.toml",
            "[network.a]\n",
            "watchme.toml:1:10: network \"a\" is not in the desired state",
        ),
        (
            "watchme.toml",
            "[etc.a]\n",
            "watchme.toml:1:6: etc file \"a\" is not in the desired state",
        ),
        (
            "watchme.toml",
            "[secret.pw]\n",
            "watchme.toml:1:9: \"pw\" is not a secret of the desired state",
        ),
        (
            "watchme.toml",
            "[secret.pw]\nmode = \"0644\"\n",
            "watchme.toml:2:8: \"0644\" cannot be used here",
        ),
        (
            "watchme.toml",
            "[secret.pw]\nmode = \"4600\"\n",
            "watchme.toml:2:8: \"4600\" cannot be used here",
        ),
        (
            "docker-compose.infra.yml",
            "networks: [\n",
            "docker-compose.infra.yml:2:1: ",
        ),
    ] {
        let lab = Lab::new();
        // A folder of its own, beside which no other one has units.
        lab.write("systemd/.gitkeep", "");
        let error = lab.write(path, text).fails();
        assert!(error.starts_with(expected), "{error}");
    }
    let lab = Lab::in_git();
    lab.write("etc/big", &"x".repeat(1024 * 1024 + 1)).commit();
    let expected = "etc/big has 1048577 bytes; the limit is 1048576";
    assert_eq!(lab.fails(), expected);
    assert_eq!(lab.read(Which::Head).unwrap_err().to_string(), expected);
    let lab = Lab::new();
    lab.write("etc/a", "");
    nix::unistd::mkfifo(&lab.path().join("etc/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(lab.fails(), "etc/pipe is a named pipe, not a file");
}

#[test]
fn a_resource_is_defined_once() {
    let lab = Lab::new();
    lab.write("systemd/a.service", "")
        .link("systemd/b.service", "a.service");
    assert_eq!(
        lab.fails(),
        "unit b.service is defined twice: by systemd/a.service and by systemd/b.service"
    );
    let lab = Lab::new();
    lab.write("systemd/a.service", "")
        .write("systemd/b.service", "[Install]\nAlias=a.service\n");
    assert_eq!(
        lab.fails(),
        "systemd/b.service:2:7: unit a.service is defined twice: this alias and another unit"
    );
    // A unit that is not enabled gets no further name.
    lab.write("watchme.toml", "[unit.\"b.service\"]\nstart = false\n");
    assert_eq!(lab.read(Which::Worktree).unwrap().warnings, [""; 0]);
}

/// As with two display managers: the first unit keeps the name.
#[test]
fn one_of_several_units_gets_an_alias() {
    let lab = Lab::new();
    for name in ["a", "b"] {
        let text =
            "[Service]\nExecStart=/bin/x\n[Install]\nAlias=display.service\nWantedBy=x.target\n";
        lab.write(&format!("systemd/{name}.service"), text);
    }
    let revision = lab.read(Which::Worktree).unwrap();
    assert_eq!(
        revision.warnings,
        [
            "systemd/b.service:4:7: a.service has the alias display.service already: b.service is enabled without it"
        ]
    );
    let links = |name: &str| revision.desired.units[name].install.links.len();
    assert_eq!((links("a.service"), links("b.service")), (2, 1));
}

#[test]
fn addresses_have_to_fit() {
    for (members, expected) in [
        (
            "container='a'\naddress='10.0.0.1'",
            "watchme.toml:3:9: the address 10.0.0.1 of a is outside the subnet 172.27.0.0/16",
        ),
        (
            "container='a'\naddress='172.27.0.1'",
            "watchme.toml:3:9: the address 172.27.0.1 is given twice: to the gateway and to a",
        ),
        (
            "container='a'\naddress='172.27.0.2'\n[[network.watchme-network.member]]\ncontainer='b'\naddress='172.27.0.2'",
            "watchme.toml:6:9: the address 172.27.0.2 is given twice: to a and to b",
        ),
    ] {
        let lab = Lab::new();
        lab.write("docker-compose.infra.yml", INFRA).write(
            "watchme.toml",
            &format!("[[network.watchme-network.member]]\n{members}\n"),
        );
        assert_eq!(lab.fails(), expected);
    }
    let lab = Lab::new();
    let unit = format!(
        "[Service]\nExecStart=/usr/bin/docker-compose -f {}/a.yml up\n",
        lab.path().display()
    );
    lab.write("docker-compose.infra.yml", INFRA).write("systemd/a.service", &unit).write(
        "a.yml",
        "services:\n  a:\n    networks:\n      n:\n        ipv4_address: 10.1.1.1\nnetworks:\n  n: {external: {name: watchme-network}}\n",
    );
    assert!(
        lab.fails()
            .starts_with("a.yml:5:23: the address 10.1.1.1 of "),
        "{}",
        lab.fails()
    );
}

#[test]
fn a_foreign_work_tree_is_refused() {
    let lab = server();
    lab.commit();
    let repo = git2::Repository::open(lab.folder.path()).unwrap();
    repo.config()
        .unwrap()
        .set_str("core.worktree", "/etc")
        .unwrap();
    let error = Checkout::open(lab.folder.path(), &[]).err().unwrap();
    let refused = matches!(
        error,
        SourceError::ForeignWorktree { .. } | SourceError::Repository { .. }
    );
    assert!(refused, "{error}");
}

#[test]
fn root_opens_a_trusted_users_checkout_only() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let lab = server();
    lab.commit();
    fn give(path: &Path) {
        std::os::unix::fs::lchown(path, Some(12345), Some(12345)).unwrap();
        if path.is_dir() && !path.is_symlink() {
            fs::read_dir(path)
                .unwrap()
                .for_each(|entry| give(&entry.unwrap().path()));
        }
    }
    give(lab.folder.path());
    let folder = lab.folder.path().join("desired-state");
    let error = Checkout::open(&folder, &[]).err().unwrap();
    assert!(
        error.to_string().contains("belongs to user id 12345"),
        "{error}"
    );
    let checkout = Checkout::open(&folder, &[12345]).unwrap();
    let revision = checkout.read(&Which::Head).unwrap();
    assert_eq!(
        (revision.origin.owner, revision.origin.dirty.len()),
        (Some(12345), 0)
    );
}

#[test]
fn revisions_have_to_exist() {
    let lab = server();
    assert!(matches!(
        lab.read(Which::Head),
        Err(SourceError::NoCommit { .. })
    ));
    lab.commit();
    let error = lab.read(Which::Rev("nothing".into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("no revision \"nothing\" in {}", lab.path().display())
    );
    assert!(error.hint().unwrap().contains("log --oneline"));
}

/// Without that, all that the folder had would leave the host.
#[test]
fn a_folder_that_watchme_toml_names_is_there() {
    for (key, what) in [
        ("sites", "folder"),
        ("units", "folder"),
        ("etc", "folder"),
        ("infra", "file"),
    ] {
        let lab = Lab::in_git();
        lab.write("watchme.toml", &format!("[folders]\n{key} = \"nginx\"\n"))
            .commit();
        let expected = format!("there is no {what} nginx");
        let said = lab.read(Which::Head).unwrap_err().to_string();
        assert!(said.contains("watchme.toml:2:"), "{said}");
        assert!(said.contains(&expected), "{said}");
    }
}
