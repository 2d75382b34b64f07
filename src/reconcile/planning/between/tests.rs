use std::path::Path;

use super::*;

/// A repository with a commit for each set of files; a file without content goes.
fn checkout(commits: &[&[(&str, Option<&str>)]]) -> (tempfile::TempDir, Checkout) {
    let folder = tempfile::tempdir().unwrap();
    let repo = git2::Repository::init(folder.path()).unwrap();
    let who = git2::Signature::now("Test", "test@example.com").unwrap();
    for (number, files) in commits.iter().enumerate() {
        for (path, content) in *files {
            let path = folder.path().join(path);
            match content {
                Some(content) => {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, content).unwrap();
                }
                None => std::fs::remove_file(path).unwrap(),
            }
        }
        let mut index = repo.index().unwrap();
        index
            .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
            .unwrap();
        index.update_all(["*"], None).unwrap();
        let tree = repo.find_tree(index.write_tree().unwrap()).unwrap();
        let parent = repo.head().ok().map(|head| head.peel_to_commit().unwrap());
        let subject = format!("commit {number}");
        repo.commit(
            Some("HEAD"),
            &who,
            &who,
            &subject,
            &tree,
            &parent.iter().collect::<Vec<_>>(),
        )
        .unwrap();
    }
    let owner = nix::unistd::Uid::effective().as_raw();
    let opened = Checkout::open(folder.path(), &[owner]).unwrap();
    (folder, opened)
}

fn lines(planned: &Planned) -> Vec<String> {
    let line = |change: &crate::effect::Change| {
        let debug = format!("{:?}", change.effect);
        let verb = debug
            .split([' ', '(', '{'])
            .next()
            .unwrap_or_default()
            .to_owned();
        let others: Vec<&str> = change.interrupts.iter().map(String::as_str).collect();
        format!("{verb} {} {}", change.id, others.join(","))
            .trim_end()
            .to_owned()
    };
    planned.plan.changes.iter().map(line).collect()
}

const BASE: &[(&str, Option<&str>)] = &[
    (
        "sites-available/api",
        Some("server { listen 80; location / { proxy_pass http://127.0.0.1:8001; } }\n"),
    ),
    (
        "systemd/infra.service",
        Some(
            "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker-compose -f /srv/state/docker-compose.infra.yml up -d\n[Install]\nWantedBy=multi-user.target\n",
        ),
    ),
    (
        "systemd/web.service",
        Some(
            "[Unit]\nRequires=infra.service\nAfter=infra.service\n[Service]\nExecStart=/usr/bin/docker-compose -f /srv/state/web.yml up\n[Install]\nWantedBy=multi-user.target\n",
        ),
    ),
    (
        "systemd/worker.service",
        Some(
            "[Unit]\nBindsTo=web.service\n[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
        ),
    ),
    (
        "web.yml",
        Some(
            "services: {web: {image: 'web:1', container_name: web, ports: ['127.0.0.1:8001:80'], networks: [net]}}\nnetworks: {net: {external: true}}\n",
        ),
    ),
    (
        "docker-compose.infra.yml",
        Some(
            "services: {holder: {image: 'busybox:1', networks: [net]}}\nnetworks: {net: {name: net, driver: bridge}}\n",
        ),
    ),
    (
        "watchme.toml",
        Some("checkout = \"/srv/state\"\n[etc.\"app.conf\"]\nowner = \"app:app\"\n"),
    ),
    ("etc/app.conf", Some("a\n")),
];

fn between(change: &[(&str, Option<&str>)]) -> Planned {
    let (_folder, checkout) = checkout(&[BASE, change]);
    let from = Which::Rev("HEAD~1".to_owned());
    plan_between(&checkout, &from, &Which::Head, false).unwrap()
}

#[test]
fn a_revision_that_changes_nothing_plans_nothing() {
    let planned = between(&[("README.md", Some("words\n"))]);
    assert_eq!(lines(&planned), [""; 0]);
    assert_eq!(
        (planned.plan.refusals.len(), planned.plan.notes.len()),
        (0, 0),
        "{:?}",
        planned.plan
    );
}

#[test]
fn the_shipped_state_is_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("desired-state");
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = Checkout::open(&root, &[owner]).unwrap();
    let planned = plan_between(&checkout, &Which::Worktree, &Which::Worktree, false).unwrap();
    assert_eq!(lines(&planned), [""; 0]);
}

/// Each file below a folder, with its path in it.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.push((name, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    found
}

/// Its containers have names of their own, `container_name`.
#[test]
fn another_image_in_the_shipped_state_restarts_its_unit() {
    let shipped: Vec<(String, String)> =
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("desired-state"))
            .into_iter()
            .map(|(name, text)| (format!("desired-state/{name}"), text))
            .collect();
    let path = "desired-state/compose/watchme-admin/docker-compose.yml";
    let (_, text) = shipped.iter().find(|(name, _)| name == path).unwrap();
    let changed = text.replace(":prod-20250830", ":prod-20250901");
    assert_ne!(*text, changed);
    let base: Vec<(&str, Option<&str>)> = (shipped.iter())
        .map(|(name, text)| (name.as_str(), Some(text.as_str())))
        .collect();
    let (folder, _) = checkout(&[&base, &[(path, Some(&changed))]]);
    let owner = nix::unistd::Uid::effective().as_raw();
    let checkout = Checkout::open(&folder.path().join("desired-state"), &[owner]).unwrap();
    let from = Which::Rev("HEAD~1".to_owned());
    let planned = plan_between(&checkout, &from, &Which::Head, false).unwrap();
    assert_eq!(planned.plan.refusals, []);
    let restart = "Restart unit/watchme-admin.service".to_owned();
    assert!(lines(&planned).contains(&restart), "{:?}", lines(&planned));
}

#[test]
fn restarts_tell_whom_they_take_along() {
    let planned = between(&[(
        "web.yml",
        Some(
            "services: {web: {image: 'web:2', container_name: web, ports: ['127.0.0.1:8001:80'], networks: [net]}}\nnetworks: {net: {external: true}}\n",
        ),
    )]);
    assert_eq!(
        lines(&planned),
        [
            "Switch file/store",
            "Store file/web.yml",
            "Restart unit/web.service worker.service"
        ]
    );
    let infra = BASE[1]
        .1
        .unwrap()
        .replace("[Service]", "[Service]\nTimeoutStartSec=60");
    let planned = between(&[("systemd/infra.service", Some(&infra))]);
    assert_eq!(
        lines(&planned),
        [
            "Switch file/store",
            "Store unit/infra.service",
            "DaemonReload unit/systemd",
            "Restart unit/infra.service web.service,worker.service"
        ]
    );
}

/// As a host that runs the older revision would say: whether a unit can be reloaded is in its file.
#[test]
fn a_unit_that_is_to_be_reloaded_is() {
    let unit = |timeout: &str| {
        format!(
            "[Service]\nTimeoutStartSec={timeout}\nExecStart=/bin/sleep 1\nExecReload=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
        )
    };
    let (old, new) = (unit("5"), unit("6"));
    let policy = "[unit.\"a.service\"]\non_change = \"reload\"\n";
    let (_folder, checkout) = checkout(&[
        &[
            ("watchme.toml", Some(policy)),
            ("systemd/a.service", Some(&old)),
        ],
        &[("systemd/a.service", Some(&new))],
    ]);
    let rev = |rev: &str| Which::Rev(rev.to_owned());
    let planned = plan_between(&checkout, &rev("HEAD~1"), &rev("HEAD"), false).unwrap();
    assert_eq!(
        lines(&planned),
        [
            "Switch file/store",
            "Store unit/a.service",
            "DaemonReload unit/systemd",
            "ReloadUnit unit/a.service"
        ]
    );
}

#[test]
fn sites_certificates_networks_and_what_leaves() {
    let site = "server { listen 443 ssl; ssl_certificate /etc/new.pem; ssl_certificate_key /etc/new.key; location / { proxy_pass http://127.0.0.1:8001; } }\n";
    let planned = between(&[
        ("sites-available/api", Some(site)),
        ("systemd/worker.service", None),
    ]);
    let found = lines(&planned);
    assert!(
        found.contains(&"ReloadNginx site/nginx".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"Stop unit/worker.service".to_owned()),
        "{found:?}"
    );
    assert_eq!(
        planned.warnings,
        ["/etc/new.pem is new in this revision: only the host knows whether it exists"]
    );
    let infra = "services: {holder: {image: 'busybox:1', networks: [net]}}\nnetworks: {net: {name: net, driver: bridge, ipam: {config: [{subnet: 10.9.0.0/24}]}}}\n";
    let planned = between(&[("docker-compose.infra.yml", Some(infra))]);
    assert!(
        planned.plan.refusals[0]
            .why
            .contains("the network on the host differs"),
        "{:?}",
        planned.plan.refusals
    );
}
