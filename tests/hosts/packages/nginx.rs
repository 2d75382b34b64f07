//! A host without nginx, and a desired state with sites: one apply takes it to the end.

use super::{TOOLS, has, policy};
use crate::support::{Host, desired};

/// Takes nginx off the host, and offers it as a package of what it was: with files of configuration, a unit, and scripts
/// that start and stop it.
const REPACK: &str = r#"
work=$(mktemp -d); mkdir "$work/DEBIAN"
packages=$(dpkg-query -W -f='${Package}\n' 'nginx*' 'libnginx*' | xargs -r dpkg-query -W -f='${Status} ${Package}\n' | sed -n 's/^install ok installed //p')
dpkg -L $packages | sort -u | while read -r path; do
    case $path in /usr/sbin/nginx | /etc/nginx* | */nginx.service | /usr/lib/nginx* | /usr/share/nginx* | /var/lib/nginx*) ;; *) continue ;; esac
    if [ -d "$path" ] && [ ! -L "$path" ]; then mkdir -p "$work$path"; elif [ -e "$path" ]; then mkdir -p "$work$(dirname "$path")"; cp -a "$path" "$work$path"; fi
done
mkdir -p "$work/var/log/nginx" "$work/var/lib/nginx" "$work/etc/nginx/sites-enabled" "$work/etc/nginx/sites-available"
(cd "$work"; find etc -type f | sed 's,^,/,') >"$work/DEBIAN/conffiles"
printf 'Package: nginx\nVersion: 1.99\nArchitecture: all\nMaintainer: Test <test@example.com>\nDescription: nginx\n' >"$work/DEBIAN/control"
cat >"$work/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
[ -e /etc/nginx/sites-enabled/default ] || ln -s /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default
systemctl daemon-reload
systemctl enable -q --now nginx.service
END
cat >"$work/DEBIAN/prerm" <<'END'
#!/bin/sh
systemctl disable -q --now nginx.service
END
cat >"$work/DEBIAN/postrm" <<'END'
#!/bin/sh
systemctl daemon-reload
END
chmod 755 "$work"/DEBIAN/p*; chmod go=rX "$work" "$work/DEBIAN"
systemctl disable -q --now nginx.service
dpkg --purge --force-depends $packages >/dev/null
rm -rf /etc/nginx /var/log/nginx
dpkg-deb -b "$work" /srv/packages/nginx_1.99.deb >/dev/null
! command -v nginx
"#;

fn page(text: &str) -> String {
    format!(
        "server {{ listen 80 default_server; server_name web; location / {{ return 200 \"{text}\"; }} }}\n"
    )
}

#[test]
fn a_host_without_nginx_gets_it_and_its_sites_in_one_apply_or_nothing() {
    let host = Host::boot();
    host.sh(&format!(
        "{TOOLS}\nmkdir -p /srv/packages\n{REPACK}\nindex; sources; apt-get update -q"
    ));
    let policy = format!(
        "absent = [\"sites-enabled/default\"]\n{}",
        policy("\"nginx\"")
    );
    let web = desired("sites-available/web");

    // Sites that nginx does not take: it is installed, says so before anything else changes, and goes again.
    host.checkout(&[
        (&desired("watchme.toml"), &policy),
        (&web, &page("one").replace("return", "retrun")),
    ]);
    let plan = host.assert_does_nothing(&["plan"]).expect(0).text();
    for line in [
        "+ package/nginx: install nginx 1.99  (not installed)",
        "nginx and systemd validate the rest once the packages are installed, before anything else changes",
        "link /etc/nginx/sites-enabled/web",
    ] {
        assert!(plan.contains(line), "{line} is not in\n{plan}");
    }
    let failed = host.apply(&[]).expect(3).text();
    for said in [
        "unknown directive \"retrun\"",
        "undo: uninstall nginx",
        "rolled back: the host is as before",
    ] {
        assert!(failed.contains(said), "{said} is not in\n{failed}");
    }
    assert_eq!(has(&host, "nginx"), "rc 1.99");
    assert!(!host.stands("/usr/sbin/nginx") && !host.stands("/etc/nginx/sites-available/web"));

    host.commit(&[(&web, Some(&page("one")))], "right");
    let applied = host.apply(&[]).expect(0).text();
    assert!(
        applied.contains("remove /etc/nginx/sites-enabled/default"),
        "{applied}"
    );
    assert_eq!(host.sh("curl -s http://127.0.0.1/"), "one");
    assert_eq!(has(&host, "nginx"), "ii 1.99");
    host.assert_does_nothing(&["apply"]).expect(0);
    host.reboot();
    assert_eq!(host.sh("curl -s http://127.0.0.1/"), "one");

    // Going back does not take it away; leaving does.
    host.commit(&[(&web, Some(&page("two")))], "another");
    host.apply(&[]).expect(0);
    host.tool(&["rollback", "1"]).expect(0);
    assert_eq!(host.sh("curl -s http://127.0.0.1/"), "one");
    host.commit(
        &[
            (&web, None),
            (
                &desired("watchme.toml"),
                Some("bootstrap_certificates = true\n"),
            ),
        ],
        "nothing",
    );
    host.apply(&["--allow-empty"]).expect(0);
    assert_eq!(has(&host, "nginx"), "rc 1.99");
    assert!(!host.stands("/etc/nginx/sites-enabled/web") && !host.is_active("nginx.service"));
}
