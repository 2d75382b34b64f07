//! Whole checkouts, in real repositories.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::model::{MemberName, UnitType};

const INFRA: &str = "services:\n  keeper:\n    image: busybox\n    networks: [net]\nnetworks:\n  net:\n    name: watchme-network\n    driver: bridge\n    ipam:\n      config:\n        - subnet: 172.27.0.0/16\n          gateway: 172.27.0.1\nvolumes:\n  data:\n";

/// A folder with a repository and a desired state.
struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn in_git() -> Self {
        let lab = Self::new();
        git2::Repository::init(lab.folder.path()).unwrap();
        lab
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    fn commit(&self) -> String {
        let repo = git2::Repository::open(self.folder.path()).unwrap();
        let mut index = repo.index().unwrap();
        index
            .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
            .unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = repo.find_tree(index.write_tree().unwrap()).unwrap();
        let author = git2::Signature::now("A", "a@example.org").unwrap();
        let parent = repo.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<_> = parent.iter().collect();
        repo.commit(
            Some("HEAD"),
            &author,
            &author,
            "subject\n\nbody",
            &tree,
            &parents,
        )
        .unwrap()
        .to_string()
    }

    fn open(&self, folder: &str) -> Checkout {
        Checkout::open(&self.folder.path().join(folder), &[]).unwrap()
    }

    fn read(&self, which: Which) -> Result<Revision> {
        self.open("").read(&which)
    }

    fn fails(&self) -> String {
        self.read(Which::Worktree).unwrap_err().to_string()
    }
}

fn shown(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Vec<String> {
    paths
        .into_iter()
        .map(|path| path.as_ref().display().to_string())
        .collect()
}

/// A server with one service, as the users have it.
fn server() -> Lab {
    let lab = Lab::in_git();
    let root = "/home/ubuntu/configs";
    lab.write("desired-state/watchme.toml", &format!("checkout = \"{root}\"\n[[network.watchme-network.member]]\ncontainer = \"listed\"\n"))
        .write("desired-state/docker-compose.infra.yml", INFRA)
        .write("desired-state/sites-available/api", "server { server_name a.example.org; ssl_certificate /c; ssl_certificate_key /k; }")
        .write("desired-state/sites-available/api.bak", "{{{")
        .write(
            "desired-state/systemd/infra.service",
            &format!("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker-compose -p watchme -f {root}/desired-state/docker-compose.infra.yml up -d\n[Install]\nWantedBy=multi-user.target\n"),
        )
        .write(
            "desired-state/systemd/a.service",
            &format!("[Service]\nWorkingDirectory={root}/compose\nEnvironmentFile=-{root}/compose/a.env\nExecStartPre={root}/scripts/pre.sh\nExecStart=/usr/bin/docker-compose -f a.yml up\n"),
        )
        .write("desired-state/systemd/a.service.d/10.conf", "[Service]\nTimeoutStartSec=0\n")
        .write("desired-state/etc/docker/daemon.json", "{}")
        .write("scripts/pre.sh", "#!/bin/sh\n")
        .write("compose/base.yml", "services:\n  base:\n    env_file: [common.txt, .env]\n")
        .write("compose/common.txt", "A=b\n")
        .write(
            "compose/a.yml",
            "services:\n  a:\n    extends: {file: base.yml, service: base}\n    container_name: a-${ENV:-prod}\n    ports: ['127.0.0.1:8015:80']\n    networks:\n      n: {ipv4_address: 172.27.0.9}\n  w:\n    networks: [n]\nnetworks:\n  n:\n    name: watchme-network\n    external: true\n",
        )
        .write(".gitignore", ".env\n*.env\n")
        .write("README.md", "x");
    let script = lab.folder.path().join("scripts/pre.sh");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    lab
}

#[test]
fn a_server_is_read_from_its_commit() {
    let lab = server();
    let id = lab.commit();
    let revision = lab.open("desired-state").read(&Which::Head).unwrap();
    let desired = &revision.desired;
    assert_eq!(revision.warnings, [""; 0]);
    assert_eq!(shown(&revision.origin.dirty), [""; 0]);
    assert_eq!(revision.origin.commit, Some(id));
    assert_eq!(revision.origin.subject.as_deref(), Some("subject"));
    assert_eq!(revision.origin.author.as_deref(), Some("A <a@example.org>"));
    assert_eq!(revision.origin.folder, lab.path().join("desired-state"));
    assert!(!revision.origin.worktree);
    assert_eq!(desired.sites.keys().collect::<Vec<_>>(), ["api"]);
    assert_eq!(
        desired.sites["api"].certificates[0].names,
        ["a.example.org"]
    );
    let root = "/home/ubuntu/configs/";
    assert_eq!(
        shown(desired.files.keys()),
        [
            "compose/a.yml",
            "compose/base.yml",
            "compose/common.txt",
            "desired-state/docker-compose.infra.yml",
            "scripts/pre.sh"
        ]
        .map(|path| format!("{root}{path}"))
    );
    assert!(desired.files[Path::new("/home/ubuntu/configs/scripts/pre.sh")].executable);
    let a = &desired.units["a.service"];
    assert_eq!(a.names.len(), 4);
    assert_eq!(
        shown(&a.watched),
        [
            "/home/ubuntu/configs/compose/.env",
            "/home/ubuntu/configs/compose/a.env"
        ]
    );
    assert!(!a.start && a.install.links.is_empty());
    assert_eq!(a.dropins.len(), 1);
    assert_eq!(a.stacks[0].project, "compose");
    assert_eq!(
        a.stacks[0].containers.iter().collect::<Vec<_>>(),
        ["a-prod"]
    );
    assert_eq!(a.stacks[0].ports.iter().collect::<Vec<_>>(), [&8015]);
    let infra = &desired.units["infra.service"];
    assert_eq!(
        shown(&infra.install.links),
        ["multi-user.target.wants/infra.service"]
    );
    assert!(infra.start && infra.remain_after_exit);
    assert_eq!(infra.service_type, UnitType::Oneshot);
    let network = &desired.networks["watchme-network"];
    assert_eq!(
        (network.project.as_str(), network.owner.as_deref()),
        ("watchme", Some("infra.service"))
    );
    let members: Vec<_> = network
        .members
        .iter()
        .map(|member| member.name.to_string())
        .collect();
    assert_eq!(members, ["listed", "a-prod", "compose:w"]);
    assert!(network.members[1].pin);
    assert_eq!(network.members[1].aliases.iter().collect::<Vec<_>>(), ["a"]);
    assert_eq!(desired.volumes.keys().collect::<Vec<_>>(), ["watchme_data"]);
    assert_eq!(
        desired.etc[Path::new("docker/daemon.json")].owner,
        "root:root"
    );
}

#[test]
fn the_identity_is_that_of_the_inputs() {
    let lab = server();
    let first = lab.commit();
    let inputs = |which| {
        lab.open("desired-state")
            .read(&which)
            .unwrap()
            .origin
            .inputs
    };
    let before = inputs(Which::Head);
    assert_eq!(inputs(Which::Worktree), before);
    lab.write("README.md", "y").commit();
    assert_eq!(inputs(Which::Head), before);
    lab.write("compose/common.txt", "A=c\n").commit();
    assert_ne!(inputs(Which::Head), before);
    assert_eq!(inputs(Which::Rev(first)), before);
    assert_eq!(inputs(Which::Rev("HEAD~2".into())), before);
}

#[test]
fn the_work_tree_differs_where_inputs_do() {
    let lab = server();
    lab.commit();
    lab.write("README.md", "y")
        .write("compose/common.txt", "A=c\n")
        .write("compose/.env", "ENV=dev\n")
        .write(
            "desired-state/systemd/new.service",
            "[Service]\nExecStart=/bin/true\n",
        )
        .write("desired-state/systemd/new.service.d/a.conf", "")
        .write("desired-state/systemd/x.service.bak", "")
        .write("desired-state/etc/new/file", "");
    fs::remove_file(lab.folder.path().join("desired-state/sites-available/api")).unwrap();
    fs::set_permissions(
        lab.folder.path().join("scripts/pre.sh"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let checkout = lab.open("desired-state");
    let head = checkout.read(&Which::Head).unwrap();
    assert_eq!(
        shown(&head.origin.dirty),
        [
            "compose/common.txt",
            "desired-state/etc/new/file",
            "desired-state/sites-available/api",
            "desired-state/systemd/new.service",
            "desired-state/systemd/new.service.d/a.conf",
            "scripts/pre.sh"
        ]
    );
    assert!(
        head.desired.sites.contains_key("api") && !head.desired.units.contains_key("new.service")
    );
    assert!(
        head.desired.units["a.service"].stacks[0]
            .containers
            .contains("a-dev")
    );
    let lies = checkout.read(&Which::Worktree).unwrap();
    assert!(lies.origin.worktree && lies.desired.sites.is_empty());
    assert!(lies.desired.units.contains_key("new.service"));
}

#[test]
fn what_a_unit_names_and_nobody_has_is_told() {
    let lab = Lab::in_git();
    let unit = format!(
        "[Service]\nExecStart={0}/run.sh --out={0}/log.txt\nExecStop={0}/ignored.sh\n",
        lab.path().display()
    );
    lab.write("systemd/a.service", &unit)
        .write(".gitignore", "ignored.sh\n")
        .commit();
    lab.write("ignored.sh", "");
    let revision = lab.read(Which::Head).unwrap();
    assert_eq!(
        revision.warnings,
        [format!(
            "a.service names {}/run.sh, which is not in the checkout",
            lab.path().display()
        )]
    );
    assert_eq!(
        shown(&revision.desired.units["a.service"].watched),
        [format!("{}/ignored.sh", lab.path().display())]
    );
    lab.write("run.sh", "");
    let revision = lab.read(Which::Head).unwrap();
    assert_eq!(
        (revision.warnings.len(), shown(&revision.origin.dirty)),
        (0, vec!["run.sh".to_owned()])
    );
}

#[test]
fn a_folder_outside_git_is_read_as_it_lies() {
    let lab = Lab::new();
    lab.write("systemd/a.timer", "[Timer]\nOnBootSec=1\n");
    let checkout = lab.open("");
    assert!(!checkout.is_git());
    assert_eq!(checkout.root(), lab.path());
    let revision = checkout.read(&Which::Head).unwrap();
    assert!(revision.origin.commit.is_none() && revision.origin.worktree);
    let error = checkout.read(&Which::Rev("main".into()));
    assert!(matches!(error, Err(SourceError::NotGit { .. })));
}

#[test]
fn a_folder_without_inputs_is_an_error() {
    let lab = Lab::new();
    lab.write("README.md", "");
    let expected = "contains no desired state: looked for watchme.toml, docker-compose.infra.yml, secrets, etc, sites-available, containers, systemd, compose";
    assert!(lab.fails().ends_with(expected), "{}", lab.fails());
    assert!(Checkout::open(&lab.path().join("no"), &[]).is_err());
}

#[test]
fn templates_have_instances() {
    let lab = Lab::new();
    lab.write(
        "systemd/w@.service",
        "[Service]\nExecStart=/bin/a %i\n[Install]\nWantedBy=x.target\nDefaultInstance=d\n",
    )
    .write("systemd/w@e.service.d/a.conf", "[Service]\nType=oneshot\n")
    .write(
        "systemd/nginx.service.d/a.conf",
        "[Service]\nRestart=always\n",
    )
    .write(
        "watchme.toml",
        "[unit.\"w@e.service\"]\nstart = false\n[unit.\"w@f.service\"]\nstart = true\n",
    );
    let revision = lab.read(Which::Worktree).unwrap();
    let units = &revision.desired.units;
    let names: Vec<_> = units.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "nginx.service",
            "w@.service",
            "w@d.service",
            "w@e.service",
            "w@f.service"
        ]
    );
    assert_eq!(
        shown(&units["w@d.service"].install.links),
        ["x.target.wants/w@d.service"]
    );
    assert_eq!(units["w@d.service"].template.as_deref(), Some("w@.service"));
    assert!(units["w@d.service"].start && units["w@f.service"].start);
    assert!(!units["w@.service"].start && units["w@.service"].install.links.is_empty());
    assert!(!units["w@e.service"].start && units["w@e.service"].install.links.is_empty());
    assert_eq!(units["w@e.service"].service_type, UnitType::Oneshot);
    assert!(units["nginx.service"].file.is_none() && units["nginx.service"].template.is_none());
    lab.write("watchme.toml", "[unit.\"nginx.service\"]\nstart = true\n");
    assert!(
        lab.fails().contains("only drop-ins for it are"),
        "{}",
        lab.fails()
    );
}

#[test]
fn members_are_completed_by_what_compose_knows() {
    let lab = Lab::new();
    let unit = format!(
        "[Service]\nWorkingDirectory={}/svc\nExecStart=docker-compose up\n",
        lab.path().display()
    );
    lab.write("docker-compose.infra.yml", INFRA)
        .write("systemd/a.service", &unit)
        .write("svc/docker-compose.yml", "services:\n  s:\n    networks: [watchme-network]\nnetworks:\n  watchme-network:\n    external: true\n")
        .write("watchme.toml", "[[network.watchme-network.member]]\nproject = 'svc'\nservice = 's'\naliases = ['x']\n");
    let revision = lab.read(Which::Worktree).unwrap();
    let members = &revision.desired.networks["watchme-network"].members;
    assert_eq!(members.len(), 1);
    let name = MemberName::Service {
        project: "svc".into(),
        service: "s".into(),
    };
    assert_eq!(members[0].name, name);
    assert_eq!(members[0].aliases.iter().collect::<Vec<_>>(), ["s", "x"]);
}

mod backups;
mod found;
mod quadlets;
mod refused;
mod secrets;
mod stacks;
