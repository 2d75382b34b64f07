//! `[backup.NAME]`: its units, whose service it is, and what is wrong with it.

use super::*;

fn lab(policy: &str) -> Lab {
    let lab = Lab::new();
    lab.write("watchme.toml", policy)
        .write(
            "compose/db/compose.yaml",
            "services:\n  postgres:\n    image: db:1\n  cache:\n    image: cache:1\n",
        )
        .write(
            "systemd/web.service",
            "[Service]\nExecStart=/usr/bin/docker run --name web web:1\n",
        );
    lab
}

#[test]
fn timers_are_units_and_the_service_is_found() {
    let lab = lab("[backup.db]\nstack = \"db\"\nservice = \"postgres\"\ncommand = [\"dump\"]\nto = \"/srv\"\nschedule = \"03:15\"
[backup.web]\nunit = \"web.service\"\ncommand = [\"dump\"]\nrestore = [\"load\"]\nstore = [\"put\", \"{}\"]\nfetch = [\"get\", \"{}\"]
[backup.web.rehearsal]\ngate = [\"true\"]\nschedule = \"daily\"\n");
    let desired = lab.read(Which::Worktree).unwrap().desired;
    let units = desired
        .units
        .keys()
        .filter(|name| name.starts_with("watchme"));
    let units: Vec<&str> = units.map(String::as_str).collect();
    assert_eq!(
        units,
        [
            "watchme-apply-backup-db.service",
            "watchme-apply-backup-db.timer",
            "watchme-apply-rehearsal-web.service",
            "watchme-apply-rehearsal-web.timer",
        ]
    );
    assert_eq!(desired.backups["db"].words(), "the service db:postgres");
    assert_eq!(desired.backups["web"].words(), "the service web");
}

#[test]
fn what_is_wrong_is_said() {
    for (table, says) in [
        ("[backup.x]\ncommand = [\"d\"]\n", "the backup goes nowhere"),
        (
            "[backup.x]\nvolume = \"a/b\"\nto = \"/srv\"\n",
            "\"a/b\" cannot be the name of a volume",
        ),
        (
            "[backup.x]\nvolume = \"a\"\nto = \"/srv\"\n",
            "\"a\" cannot be the name of a volume",
        ),
        (
            "[backup.x]\nvolume = \"_data\"\nto = \"/srv\"\n",
            "\"_data\" cannot be the name of a volume",
        ),
        (
            "[backup.x]\nfiles = [\"/a\"]\nto = \"/srv\"\n[backup.x.rehearsal]\ngate = [\"true\"]\nmemory = \"1\"\n",
            "no container can run with so little memory",
        ),
        (
            "[backup.x]\ncommand = [\"d\"]\nstore = [\"put\", \"{}\"]\n",
            "nothing retrieves what store has stored",
        ),
        (
            "[backup.x]\ncommand = [\"d\"]\nstore = [\"put\"]\n",
            "does not get the name of the backup",
        ),
        (
            "[backup.x]\ncommand = []\nto = \"/srv\"\n",
            "an empty command",
        ),
        (
            "[backup.x]\nto = \"/srv\"\n",
            "it is not clear what is backed up",
        ),
        (
            "[backup.x]\nto = \"srv\"\nfiles = [\"/a\"]\n",
            "cannot be used here",
        ),
        (
            "[backup.\"x y\"]\nfiles = [\"/a\"]\nto = \"/srv\"\n",
            "cannot be the name of a backup",
        ),
        (
            "[backup.x]\nfiles = [\"/a\"]\nto = \"/srv\"\nkeep = 0\n",
            "no backup would be kept",
        ),
        (
            "[backup.x]\nfiles = [\"/a\", \"/run\"]\nto = \"/srv\"\n",
            "/run has the decrypted secrets, which are not put on a disk",
        ),
        (
            "[backup.x]\nfiles = [\"/var/run/watchme-apply/secrets/a.env\"]\nto = \"/srv\"\n",
            "a.env has the decrypted secrets",
        ),
        (
            "[backup.x]\nfiles = [\"/etc\", \"/srv\"]\nto = \"/srv/backups\"\n",
            "/srv has the folder of the backups: each would have all earlier ones in it",
        ),
        (
            "[backup.x]\nfiles = [\"/a\"]\nto = \"/srv\"\ntimeout = \"0s\"\n",
            "a backup needs some time",
        ),
        (
            "[backup.x]\nfiles = [\"/a\"]\nto = \"/srv\"\nschedule = \"25:00\"\n",
            "cannot be used here",
        ),
        (
            "[backup.x]\nstack = \"dd\"\ncommand = [\"d\"]\nto = \"/srv\"\n",
            "stack \"dd\" is not in the desired state",
        ),
        (
            "[backup.x]\nunit = \"d.service\"\ncommand = [\"d\"]\nto = \"/srv\"\n",
            "unit \"d.service\" is not in the desired state",
        ),
        (
            "[backup.x]\nstack = \"db\"\ncommand = [\"d\"]\nto = \"/srv\"\n",
            "it is not clear which service is backed up",
        ),
        (
            "[backup.x]\nstack = \"db\"\nservice = \"pg\"\ncommand = [\"d\"]\nto = \"/srv\"\n",
            "db has no service \"pg\"",
        ),
        (
            "[backup.x]\nservice = \"pg\"\ncommand = [\"d\"]\nto = \"/srv\"\n",
            "it is not clear whose service this is",
        ),
        (
            "[backup.x]\nfiles = [\"/a\"]\nto = \"/srv\"\nenvironment = [\"a.env\"]\n",
            "\"a.env\" is not a secret of the desired state",
        ),
        (
            "[backup.x]\ncommand = [\"d\"]\nto = \"/srv\"\nrestore = [\"r\"]\n[backup.x.rehearsal]\ngate = [\"true\"]\n",
            "nothing restores it in a rehearsal",
        ),
    ] {
        let said = lab(table).fails();
        assert!(said.contains(says), "{table}: {said}");
    }
}
