//! An offline root is changed only below itself, and ends up as the real tools would have made it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::{PROGRAM, Place, STATE, put, shows};

/// Links of the root that lead out of it, as an image could have them, are taken as links below it.
#[test]
fn links_of_the_root_lead_nowhere_else() {
    for link in [
        "etc/nginx",
        "etc/systemd/system",
        "etc/logrotate.d",
        "var/lib/watchme-apply",
        "var",
        "etc/watchme-apply",
        "etc",
    ] {
        let place = Place::git(STATE);
        let outside = place.beside("outside");
        put(&outside.join("sites-enabled/default"), "outside\n");
        put(&outside.join("hello"), "outside\n");
        let at = place.on_host(link);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(&outside, &at).unwrap();
        let before = list(&outside);
        let plan = place.run(&["plan"]);
        let first = place.run(&["apply"]);
        assert_eq!(list(&outside), before, "{link}: {}", first.shown());
        // Links into a store behind a link would not lead where they say: that is refused.
        if link == "etc/watchme-apply" {
            assert_eq!((plan.status, first.status), (1, 1), "{}", first.shown());
            assert!(first.stderr.contains("is a link"), "{}", first.shown());
        }
        if ["etc/watchme-apply", "etc"].contains(&link) {
            continue;
        }
        plan.expect(0);
        // Below the root the link leads to a folder that is made there.
        first.expect(0);
        place.run(&["drift"]).expect(0);
        let inside = place.root().join(outside.strip_prefix("/").unwrap());
        assert!(inside.is_dir(), "{link} leads to {}", inside.display());
    }
}

/// Such as Debian's /var/run -> /run.
#[test]
fn relative_links_of_the_root_are_followed_inside() {
    let place = Place::git(STATE);
    fs::create_dir_all(place.on_host("srv/nginx")).unwrap();
    fs::create_dir(place.on_host("etc")).unwrap();
    symlink("../../../../srv/nginx", place.on_host("etc/nginx")).unwrap();
    place.run(&["apply"]).expect(0);
    let link = place.on_host("srv/nginx/sites-enabled/api.example.com");
    assert!(link.symlink_metadata().unwrap().is_symlink());
    place.run(&["drift"]).expect(0);
}

#[test]
fn a_link_where_a_file_belongs_is_replaced_not_written_through() {
    let place = Place::git(STATE);
    let outside = place.beside("outside");
    fs::write(&outside, "outside\n").unwrap();
    place.link_host("etc/logrotate.d/hello", outside.to_str().unwrap());
    place.link_host(
        "etc/nginx/sites-available/api.example.com",
        outside.to_str().unwrap(),
    );
    let plan = place.run(&["plan"]).expect(0);
    place.run(&["apply"]).expect(0);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "outside\n");
    assert!(
        !plan.stdout.contains("-outside"),
        "what lies outside the root is not shown: {}",
        plan.shown()
    );
    assert_eq!(place.read_host("/etc/logrotate.d/hello"), STATE[4].1);
    assert_eq!(
        place.read_host("/etc/nginx/sites-available/api.example.com"),
        STATE[1].1
    );
}

/// Names and sizes of everything in a folder.
fn list(folder: &Path) -> Vec<(std::path::PathBuf, u64)> {
    let mut found: Vec<_> = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.metadata().unwrap().is_dir() {
            found.extend(list(&entry.path()));
        }
        found.push((entry.path(), entry.metadata().unwrap().len()));
    }
    found.sort();
    found
}

/// Every link, file and folder of the offline root with its mode.
fn listing(place: &Place) -> String {
    let root = place.root();
    let mut said = String::new();
    for (path, entry) in place.host() {
        let name = path.strip_prefix(&root).unwrap().display();
        let mode = entry.mode & 0o7777;
        said.push_str(&match entry.mode & 0o170000 {
            0o120000 => format!("{name} -> {}\n", String::from_utf8(entry.content).unwrap()),
            0o040000 => format!("{name}/ {mode:04o}\n"),
            _ => format!("{name} {mode:04o}\n"),
        });
    }
    said
}

/// What an offline root holds, so that nobody has to guess; whatever the umask of whoever runs it: nginx's workers and
/// people have to read it.
#[test]
fn what_an_apply_leaves_behind() {
    let mut listings = Vec::new();
    for umask in ["0022", "0077", "0000"] {
        let place = Place::git(STATE);
        let output = Command::new("/bin/sh")
            .args([
                "-c",
                "umask $0 && exec \"$@\"",
                umask,
                PROGRAM,
                "apply",
                "--root",
            ])
            .arg(place.root())
            .current_dir(place.checkout())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        listings.push(listing(&place));
    }
    shows!("what_an_apply_leaves_behind", listings[0]);
    assert_eq!(listings[1], listings[0], "umask 0077");
    assert_eq!(listings[2], listings[0], "umask 0000");
}

const INSTALLS: &[(&str, &str)] = &[
    (
        "systemd/plain.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "systemd/two.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target graphical.target\nRequiredBy=plain.service\n",
    ),
    (
        "systemd/alias.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=nickname.service\n",
    ),
    ("systemd/tick.service", "[Service]\nExecStart=/bin/true\n"),
    (
        "systemd/tick.timer",
        "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
    ),
    (
        "systemd/echo.socket",
        "[Socket]\nListenStream=/run/echo\n[Install]\nWantedBy=sockets.target\n",
    ),
    (
        "systemd/echo.service",
        "[Service]\nExecStart=/bin/cat\n[Install]\nAlso=echo.socket\n",
    ),
    (
        "systemd/worker@.service",
        "[Service]\nExecStart=/bin/sleep %i\n[Install]\nWantedBy=multi-user.target\nDefaultInstance=60\n",
    ),
    (
        "systemd/inbox.path",
        "[Path]\nPathExists=/srv/inbox\nUnit=tick.service\n[Install]\nWantedBy=paths.target\n",
    ),
    (
        "systemd/split.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nWantedBy=\nWantedBy=timers.target\n",
    ),
    (
        "systemd/user-x.service",
        "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=%N.target\n",
    ),
];

/// Links below a folder, by name, with what they say.
fn links(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Ok(target) = fs::read_link(&path) {
            found.push((name, target.to_str().unwrap().to_owned()));
        } else if path.is_dir() {
            found.extend(
                links(&path)
                    .into_iter()
                    .map(|(inner, target)| (format!("{name}/{inner}"), target)),
            );
        }
    }
    found.sort();
    found
}

/// The same units, linked and enabled by systemctl on another root.
#[test]
fn enablement_is_what_systemctl_makes() {
    let Ok(version) = Command::new("systemctl").arg("--version").output() else {
        return eprintln!("skipped: this machine has no systemctl to compare with");
    };
    let place = Place::git(INSTALLS);
    place.run(&["apply"]).expect(0);
    let ours = links(&place.on_host("etc/systemd/system"));

    let other = Place::plain(&[]);
    let units = other.on_host("etc/systemd/system");
    fs::create_dir_all(&units).unwrap();
    let store = other.on_host("etc/watchme-apply/live/systemd");
    for (path, content) in INSTALLS {
        let name = path.trim_start_matches("systemd/");
        put(&store.join(name), content);
        symlink(
            format!("/etc/watchme-apply/live/systemd/{name}"),
            units.join(name),
        )
        .unwrap();
    }
    for (path, content) in INSTALLS
        .iter()
        .filter(|(_, content)| content.contains("[Install]"))
    {
        let name = path.trim_start_matches("systemd/");
        let output = Command::new("systemctl")
            .arg(format!("--root={}", other.root().display()))
            .args(["enable", name])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{name}: {}\n{content}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let theirs = links(&units);
    assert!(
        theirs.len() > INSTALLS.len(),
        "systemctl made links: {theirs:?}"
    );
    assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(&version.stdout));
}
