//! Which places below /etc are whose.

use source_text::word_list;

use std::path::Path;

/// Folders below /etc whose files people write. What no package owns is taken there.
pub(super) const FOLDERS: &str = "
    nginx cron.d cron.hourly cron.daily cron.weekly cron.monthly logrotate.d sysctl.d modules-load.d
    modprobe.d tmpfiles.d sysusers.d default docker ssh/sshd_config.d sudoers.d fail2ban apt/apt.conf.d
    apt/preferences.d apt/sources.list.d systemd/journald.conf.d systemd/logind.conf.d
    systemd/resolved.conf.d systemd/timesyncd.conf.d systemd/system.conf.d systemd/network rsyslog.d
    security/limits.d udev/rules.d profile.d letsencrypt/renewal-hooks containers
";
/// What other kinds have, what programs write for themselves, and keys: nothing of it is looked at.
pub(crate) const NOT_OURS: &str = "
    nginx/sites-available nginx/sites-enabled nginx/modules-enabled nginx/conf.d/watchme-stacks.conf
    systemd/system systemd/user containers/systemd docker/key.json docker/certs.d letsencrypt/accounts
    letsencrypt/archive letsencrypt/keys letsencrypt/live ssl default/locale default/keyboard
    watchme-apply
";
/// What is at the top of /etc on any server, made by its installation, by programs and by maintainer scripts.
pub(super) const USUAL: [&str; 117] = word_list("
    .java .pwd.lock .resolv.conf.systemd-resolved.bak .updated X11 adjtime aliases alternatives apparmor
    apparmor.d apt bash.bashrc bash_completion.d bindresvport.blacklist binfmt.d ca-certificates
    ca-certificates.conf cloud console-setup containers cron.d crontab dbus-1 debian_version default
    dhcp docker dpkg emacs environment environment.d ethertypes fonts fstab fuse.conf gai.conf group
    group- grub.d gshadow gshadow- gss host.conf hostname hosts hosts.allow hosts.deny modules init.d
    initramfs-tools inputrc issue issue.net kernel ld.so.cache ld.so.conf ld.so.conf.d letsencrypt
    libaudit.conf locale.alias locale.conf locale.gen localtime login.defs machine-id mailname
    mke2fs.conf motd mtab netplan network networks nftables.conf nsswitch.conf opt os-release pam.conf
    pam.d passwd passwd- perl profile python3 python3.11 python3.13 rc0.d rc1.d rc2.d rc3.d rc4.d rc5.d
    rc6.d rcS.d resolv.conf rmt security shadow shadow- shells skel ssh ssl subgid subgid- subuid
    subuid- sudoers sudoers.d systemd terminfo timezone ufw update-motd.d vconsole.conf watchme-apply
    xattr.conf xdg
");
/// What has to happen when such a file changes, where that is known for certain.
const ACTIONS: [(&str, &str); 6] = [
    ("docker/daemon.json", "restart = \"docker.service\""),
    ("ssh/sshd_config", "reload = \"ssh.service\""),
    ("ssh/sshd_config.d", "reload = \"ssh.service\""),
    ("rsyslog.d", "restart = \"rsyslog.service\""),
    (
        "systemd/journald.conf.d",
        "restart = \"systemd-journald.service\"",
    ),
    ("fail2ban", "reload = \"fail2ban.service\""),
];

/// What follows a change of a file, as a line of watchme.toml.
pub(super) fn action(below: &Path) -> Option<&'static str> {
    let mut known = ACTIONS.iter();
    let found = known.find(|(place, _)| below.starts_with(place))?;
    Some(found.1)
}
