//! What stands on a server before it is taken over: links of the old script, files made by hand, certbot's lines.

use std::fs;

use crate::support::{Output, Place, STATE, put, shows};

/// A server as the old setup script left it: links into the checkout, some of them to what git no longer has.
fn linked() -> Place {
    let place = Place::git(STATE);
    let checkout = place.checkout();
    let checkout = checkout.to_str().unwrap();
    let units = "etc/systemd/system";
    for (link, target) in [
        (
            "etc/nginx/sites-available/api.example.com",
            "sites-available/api.example.com",
        ),
        (
            "etc/nginx/sites-enabled/api.example.com",
            "sites-available/api.example.com",
        ),
        (
            "etc/nginx/sites-enabled/old.example.com",
            "sites-available/old.example.com",
        ),
        (&format!("{units}/hello.service"), "systemd/hello.service"),
        (
            &format!("{units}/multi-user.target.wants/hello.service"),
            "systemd/hello.service",
        ),
        (&format!("{units}/old.service"), "systemd/old.service"),
        (
            &format!("{units}/multi-user.target.wants/old.service"),
            "systemd/old.service",
        ),
        (
            &format!("{units}/graphical.target.wants/old.service"),
            "systemd/old.service",
        ),
    ] {
        place.link_host(link, &format!("{checkout}/{target}"));
    }
    place.link_host(
        &format!("{units}/other.service"),
        "/opt/other/other.service",
    );
    place.link_host(
        "etc/nginx/sites-enabled/other",
        "/etc/nginx/sites-available/other",
    );
    place.write_host("etc/nginx/sites-available/other", "server {}\n");
    place
}

#[test]
fn links_of_the_old_script_are_adopted_and_dangling_ones_go() {
    let place = linked();
    let apply = place.run(&["apply"]).expect(0);
    shows!("links_of_the_old_script", apply.shown());
    let into_checkout: Vec<_> = place
        .host()
        .into_iter()
        .filter(|(path, entry)| {
            let is_record = path.starts_with(place.on_host("var"));
            let target = String::from_utf8_lossy(&entry.content).into_owned();
            entry.mode & 0o170000 == 0o120000 && target.contains("/checkout/") && !is_record
        })
        .map(|(path, _)| path)
        .collect();
    assert!(into_checkout.is_empty(), "{into_checkout:?}");
    for path in [
        "etc/systemd/system/old.service",
        "etc/systemd/system/graphical.target.wants/old.service",
        "etc/nginx/sites-enabled/old.example.com",
    ] {
        assert_eq!(place.target(path), None, "{path}");
    }
    // What somebody else put there stays.
    assert_eq!(
        place.target("etc/systemd/system/other.service").as_deref(),
        Some("/opt/other/other.service")
    );
    assert_eq!(
        place.target("etc/nginx/sites-enabled/other").as_deref(),
        Some("/etc/nginx/sites-available/other")
    );
    place.run(&["drift"]).expect(0);
}

#[test]
fn files_made_by_hand_are_shown_kept_and_replaced() {
    let place = Place::git(STATE);
    let site = STATE[1].1.replace("8001", "9999");
    place.write_host("etc/nginx/sites-available/api.example.com", &site);
    place.write_host(
        "etc/nginx/sites-available/api.example.com.backup.20250801_120000",
        "older\n",
    );
    place.link_host(
        "etc/nginx/sites-enabled/api.example.com",
        "/etc/nginx/sites-available/api.example.com",
    );
    place.write_host(
        "etc/systemd/system/hello.service",
        "[Service]\nExecStart=/bin/old\n",
    );
    let plan = place.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("9999") && plan.stdout.contains("/bin/old"),
        "{}",
        plan.shown()
    );
    place.run(&["apply"]).expect(0);
    assert_eq!(
        place.read_host("/etc/nginx/sites-enabled/api.example.com"),
        STATE[1].1
    );
    assert_eq!(
        place.read_host("/etc/systemd/system/hello.service"),
        STATE[2].1
    );
    assert_eq!(
        place.read_host("/etc/nginx/sites-available/api.example.com.backup.20250801_120000"),
        "older\n"
    );
    let kept = kept(&place);
    assert_eq!(
        kept.get("etc/nginx/sites-available/api.example.com"),
        Some(&site)
    );
    assert_eq!(
        kept.get("etc/systemd/system/hello.service")
            .map(String::as_str),
        Some("[Service]\nExecStart=/bin/old\n")
    );
}

/// Files in the backups, by their path on the host.
fn kept(place: &Place) -> std::collections::BTreeMap<String, String> {
    let backups = place.on_host("var/lib/watchme-apply/backups");
    let files = place.host().into_iter().filter_map(|(path, entry)| {
        let inside = path.strip_prefix(&backups).ok()?;
        let on_host: std::path::PathBuf = inside.components().skip(1).collect();
        let is_file = entry.mode & 0o170000 == 0o100000;
        is_file.then(|| {
            (
                on_host.to_str().unwrap().to_owned(),
                String::from_utf8(entry.content).unwrap(),
            )
        })
    });
    files.collect()
}

const CERTBOT: &str = "    listen 443 ssl; # managed by Certbot\n    ssl_certificate /etc/letsencrypt/live/api.example.com/fullchain.pem; # managed by Certbot\n";

#[test]
fn lines_of_certbot_are_respected() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    // Certbot edits through the link; somebody else edits another file.
    let live = place
        .target("etc/nginx/sites-available/api.example.com")
        .unwrap();
    let edited = STATE[1]
        .1
        .replace("    listen 80;\n", &format!("    listen 80;\n{CERTBOT}"));
    place.write_host(&live, &edited);
    place.write_host("etc/logrotate.d/hello", "# mine\n");
    place.write(&[(
        "sites-available/api.example.com",
        &STATE[1].1.replace("8001", "8002"),
    )]);
    place.commit("Move the API to 8002");
    let before = place.host();
    let apply = place.run(&["apply"]).expect(1);
    assert_eq!(place.host(), before);
    assert!(
        apply.stderr.contains("ertbot") && apply.stderr.contains("ssl_certificate"),
        "{}",
        apply.shown()
    );
    let fix = place.run(&["drift", "--fix"]).expect(2);
    assert_eq!(
        place.read_host(&live),
        edited,
        "certbot's site is left alone"
    );
    assert_eq!(
        place.read_host("/etc/logrotate.d/hello"),
        STATE[4].1,
        "the rest is mended"
    );
    let tells = fix.stdout.contains("ssl_certificate /etc/letsencrypt");
    assert!(tells, "how to go on: {}", fix.shown());
    // The way out: the lines come into git.
    place.write(&[(
        "sites-available/api.example.com",
        &edited.replace("8001", "8002"),
    )]);
    place.commit("Take certbot's lines");
    let done = place.run(&["apply"]).expect(0);
    assert_eq!(place.read_host(&live), edited.replace("8001", "8002"));
    shows!(
        "lines_of_certbot",
        [&apply, &fix, &done].map(Output::shown).join("\n")
    );
}

#[test]
fn what_systemctl_edit_and_enable_did_by_hand_is_drift() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    let units = "etc/systemd/system";
    place.write_host(
        &format!("{units}/hello.service.d/override.conf"),
        "[Service]\nNice=5\n",
    );
    place.link_host(
        &format!("{units}/graphical.target.wants/hello.service"),
        "/etc/watchme-apply/live/systemd/hello.service",
    );
    place.link_host(
        "etc/nginx/sites-enabled/default",
        "/etc/nginx/sites-available/default",
    );
    let drift = place.run(&["drift"]).expect(2);
    for words in [
        "override.conf",
        "graphical.target.wants/hello.service",
        "sites-enabled/default",
    ] {
        assert!(drift.stdout.contains(words), "{}", drift.shown());
    }
    let fix = place.run(&["drift", "--fix"]).expect(0);
    let after = place.run(&["drift"]).expect(0);
    shows!(
        "by_hand_with_systemctl",
        [&drift, &fix, &after].map(Output::shown).join("\n")
    );
    assert_eq!(
        place.target(&format!("{units}/graphical.target.wants/hello.service")),
        None
    );
    assert!(
        !place
            .on_host(&format!("{units}/hello.service.d/override.conf"))
            .exists()
    );
    assert_eq!(
        kept(&place)
            .get(&format!("{units}/hello.service.d/override.conf"))
            .map(String::as_str),
        Some("[Service]\nNice=5\n")
    );
}

#[test]
fn a_folder_that_was_made_by_hand_beside_ours_stays() {
    let place = Place::git(STATE);
    place.run(&["apply"]).expect(0);
    put(
        &place.on_host("etc/systemd/system/mine.service.d/mine.conf"),
        "[Service]\n",
    );
    put(&place.on_host("etc/nginx/conf.d/mine.conf"), "# mine\n");
    place.remove(&STATE[1..].iter().map(|(path, _)| *path).collect::<Vec<_>>());
    place.commit("Nothing");
    place.run(&["apply", "--allow-empty"]).expect(0);
    for path in [
        "etc/systemd/system/mine.service.d/mine.conf",
        "etc/nginx/conf.d/mine.conf",
    ] {
        assert!(place.on_host(path).exists(), "{path}");
    }
    let left: Vec<_> = fs::read_dir(place.on_host("etc/systemd/system"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["mine.service.d"], "empty folders of ours go");
}

/// Whoever edits /etc/nginx/sites-available/NAME edits the file in the store, which the link leads to.
#[test]
fn an_edit_through_a_link_is_kept_when_its_file_leaves() {
    let place = Place::git(STATE);
    place.write(&[("sites-available/old.example.com", "server { listen 81; }\n")]);
    place.commit("A second site");
    place.run(&["apply"]).expect(0);
    let stored = "etc/watchme-apply/live/sites-available/old.example.com";
    place.write_host(stored, "server { listen 81; } # by hand\n");
    place.remove(&["sites-available/old.example.com"]);
    place.commit("One site again");
    let plan = place.run(&["plan"]).expect(0);
    let why = "(removed: sites-available/old.example.com; it was edited on the host)";
    assert!(plan.stdout.contains(why), "{}", plan.shown());
    place.run(&["apply"]).expect(0);
    let kept = kept(&place);
    let copy = kept.get(stored).map(String::as_str);
    assert_eq!(copy, Some("server { listen 81; } # by hand\n"), "{kept:?}");
}
