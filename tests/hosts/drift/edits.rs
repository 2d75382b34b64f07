//! What people do to a host by hand.

/// Something done by hand. `undone` is a script of its own judgement: it must fail once the edit is made, and
/// succeed once it is mended.
pub(super) struct Edit {
    pub what: &'static str,
    pub by_hand: &'static str,
    /// How the report begins a line, and what that line names.
    pub found: (&'static str, &'static str),
    pub undone: &'static str,
}

pub(super) const EDITS_OF_FILES: &[Edit] = &[
    Edit {
        what: "a site's link is deleted",
        by_hand: "rm /etc/nginx/sites-enabled/a",
        found: ("drifted", "site/a"),
        undone: "cmp /etc/nginx/sites-enabled/a /etc/nginx/sites-available/a",
    },
    Edit {
        what: "a site is edited in place, through its link",
        by_hand: "echo '# edit-1 by hand' >>/etc/nginx/sites-available/a",
        found: ("drifted", "site/a"),
        undone: "! grep edit-1 /etc/nginx/sites-available/a",
    },
    Edit {
        what: "an editor replaces a site's link by a regular file, and nginx loads it",
        by_hand: "sed -i 's/a first/a edit-2/' /etc/nginx/sites-enabled/a; nginx -s reload
                  timeout 5 sh -c 'until curl -s -H \"Host: a.example.com\" http://127.0.0.1/ | grep -q edit-2; do sleep 0.05; done'",
        found: ("drifted", "site/a"),
        undone: "test -L /etc/nginx/sites-enabled/a
                 curl -s -H 'Host: a.example.com' http://127.0.0.1/ | grep -x 'a first'",
    },
    Edit {
        what: "a link leads elsewhere",
        by_hand: "ln -sf /etc/nginx/sites-available/b /etc/nginx/sites-enabled/a",
        found: ("drifted", "site/a"),
        undone: "grep 'a first' /etc/nginx/sites-enabled/a",
    },
    Edit {
        what: "Debian's default site comes back",
        by_hand: "ln -s /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default",
        found: ("drifted", "site/default"),
        undone: "! test -L /etc/nginx/sites-enabled/default",
    },
    Edit {
        what: "a file of the store is removed",
        by_hand: "rm /etc/watchme-apply/live/sites-available/a",
        found: ("drifted", "site/a"),
        undone: "grep 'a first' /etc/nginx/sites-enabled/a",
    },
    Edit {
        what: "the whole store is removed",
        by_hand: "rm -r /etc/watchme-apply/live",
        found: ("drifted", "unit/one.service"),
        undone: "cat /etc/nginx/sites-enabled/a /etc/systemd/system/one.service
                 test \"$(systemctl show -P LoadState one.service)\" = loaded",
    },
    Edit {
        what: "nginx is stopped",
        by_hand: "systemctl stop nginx",
        found: ("drifted", "nginx"),
        undone: "curl -s -H 'Host: a.example.com' http://127.0.0.1/ | grep -x 'a first'",
    },
    Edit {
        what: "a copied file is edited",
        by_hand: "echo 'x = \"edit-3\"' >/etc/app/settings.conf",
        found: ("drifted", "etc/app/settings.conf"),
        undone: "grep -x 'x = 1' /etc/app/settings.conf",
    },
    Edit {
        what: "a copied file's mode is changed",
        by_hand: "chmod 0666 /etc/app/settings.conf",
        found: ("drifted", "etc/app/settings.conf"),
        undone: "test \"$(stat -c %a /etc/app/settings.conf)\" = 640",
    },
    Edit {
        what: "a copied file's owner is changed",
        by_hand: "chown ubuntu /etc/app/settings.conf",
        found: ("drifted", "etc/app/settings.conf"),
        undone: "test \"$(stat -c %U:%G /etc/app/settings.conf)\" = root:www-data",
    },
    Edit {
        what: "a copied file is removed with its folder",
        by_hand: "rm -r /etc/app",
        found: ("drifted", "etc/app/settings.conf"),
        undone: "test \"$(stat -c '%a %U:%G' /etc/app/settings.conf)\" = '640 root:www-data'",
    },
];

pub(super) const EDITS_OF_UNITS: &[Edit] = &[
    Edit {
        what: "a unit's link is deleted",
        by_hand: "rm /etc/systemd/system/one.service; systemctl daemon-reload",
        found: ("drifted", "unit/one.service"),
        undone: "cat /etc/systemd/system/one.service
                 test \"$(systemctl show -P FragmentPath one.service)\" = /etc/systemd/system/one.service",
    },
    Edit {
        what: "a unit is edited in place, through its link, and not loaded",
        by_hand: "echo '# edit-4 by hand' >>/etc/systemd/system/one.service",
        found: ("drifted", "unit/one.service"),
        undone: "! grep edit-4 /etc/systemd/system/one.service
                 test \"$(systemctl show -P NeedDaemonReload one.service)\" = no",
    },
    Edit {
        what: "an editor replaces a unit's link by a regular file, and systemd loads it",
        by_hand: "sed -i 's/sleep 1001/sleep 4005/' /etc/systemd/system/one.service; systemctl daemon-reload",
        found: ("drifted", "unit/one.service"),
        undone: "test -L /etc/systemd/system/one.service; systemctl show -P ExecStart one.service | grep 'sleep 1001'",
    },
    Edit {
        what: "a drop-in is edited and loaded",
        by_hand: "echo 'Nice=9' >>/etc/systemd/system/two.service.d/nice.conf; systemctl daemon-reload",
        found: ("drifted", "unit/two.service"),
        undone: "test \"$(systemctl show -P Nice two.service)\" = 5",
    },
    Edit {
        what: "systemctl edit",
        by_hand: "mkdir -p /etc/systemd/system/one.service.d
                  printf '[Service]\\nNice=3 # edit-6\\nNice=3\\n' >/etc/systemd/system/one.service.d/override.conf
                  systemctl daemon-reload",
        found: ("drifted", "override.conf"),
        undone: "! test -e /etc/systemd/system/one.service.d; test \"$(systemctl show -P Nice one.service)\" = 0",
    },
    Edit {
        what: "systemctl edit that nobody loaded",
        by_hand: "printf '[Service]\\nNice=4\\n' >/etc/systemd/system/two.service.d/override.conf",
        found: ("drifted", "override.conf"),
        undone: "test \"$(ls /etc/systemd/system/two.service.d)\" = nice.conf
                 test \"$(systemctl show -P NeedDaemonReload two.service)\" = no",
    },
    Edit {
        what: "systemctl disable",
        by_hand: "systemctl disable one.service",
        found: ("drifted", "unit/one.service"),
        undone: "test -L /etc/systemd/system/one.service
                 test \"$(systemctl is-enabled one.service)\" = enabled
                 cat /etc/systemd/system/multi-user.target.wants/one.service",
    },
    Edit {
        what: "one of two wants links is removed",
        by_hand: "rm /etc/systemd/system/graphical.target.wants/two.service",
        found: ("drifted", "graphical.target.wants/two.service"),
        undone: "cat /etc/systemd/system/graphical.target.wants/two.service
                 systemctl show -P Wants graphical.target | grep -w two.service",
    },
    Edit {
        what: "a wants link too many",
        by_hand: "mkdir -p /etc/systemd/system/graphical.target.wants
                  ln -s /etc/systemd/system/one.service /etc/systemd/system/graphical.target.wants/one.service",
        found: ("drifted", "graphical.target.wants/one.service"),
        undone: "! test -L /etc/systemd/system/graphical.target.wants/one.service",
    },
    Edit {
        what: "systemctl stop",
        by_hand: "systemctl stop one.service",
        found: ("drifted", "unit/one.service"),
        undone: "systemctl is-active one.service",
    },
    Edit {
        what: "a unit is killed for good",
        by_hand: "systemctl kill --signal=KILL one.service
                  timeout 5 sh -c 'until systemctl is-failed -q one.service; do sleep 0.05; done'",
        found: ("degraded", "unit/one.service"),
        undone: "systemctl is-active one.service",
    },
    Edit {
        what: "systemctl mask --force",
        by_hand: "systemctl mask --force one.service",
        found: ("drifted", "unit/one.service"),
        undone: "test \"$(systemctl show -P LoadState one.service)\" = loaded
                 cmp /etc/systemd/system/one.service /etc/watchme-apply/live/systemd/one.service",
    },
    Edit {
        what: "an edit was loaded, and the file put back without a reload",
        by_hand: "cp -p /etc/systemd/system/one.service /run/before
                  sed 's/sleep 1001/sleep 4007/' /run/before >/etc/systemd/system/one.service
                  systemctl daemon-reload
                  cat /run/before >/etc/systemd/system/one.service",
        found: ("unloaded", "one.service"),
        undone: "systemctl show -P ExecStart one.service | grep 'sleep 1001'",
    },
    Edit {
        what: "an edit was loaded, and the unit runs with it",
        by_hand: "sed -i 's/sleep 1001/sleep 4008/' /etc/systemd/system/one.service; systemctl daemon-reload
                  systemctl restart one.service",
        found: ("drifted", "unit/one.service"),
        undone: "tr '\\0' ' ' </proc/$(systemctl show -P MainPID one.service)/cmdline | grep 'sleep 1001'",
    },
];
