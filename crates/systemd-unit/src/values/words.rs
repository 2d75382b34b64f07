//! Words that settings take.

use source_text::word_list;

/// What systemd takes for yes and no, systemd.syntax(7), in lower case.
pub(super) const TRUTH: &[&str] = &[
    "yes", "no", "true", "false", "on", "off", "1", "0", "y", "n", "t", "f",
];
/// systemd.service(5)
pub(super) const SERVICE_TYPES: &[&str] =
    &word_list::<8>("simple exec forking oneshot dbus notify notify-reload idle");
pub(super) const RESTARTS: &[&str] =
    &word_list::<7>("no on-success on-failure on-abnormal on-watchdog on-abort always");
pub(super) const ACCESSES: &[&str] = &["none", "main", "exec", "all"];
pub(super) const TIMEOUT_MODES: &[&str] = &["terminate", "abort", "kill"];
pub(super) const EXIT_TYPES: &[&str] = &["main", "cgroup"];
pub(super) const OOM_POLICIES: &[&str] = &["continue", "stop", "kill"];
/// systemd.kill(5)
pub(super) const KILL_MODES: &[&str] = &["control-group", "mixed", "process", "none"];
/// systemd.unit(5); `soft-reboot` and `soft-reboot-force` since systemd 254.
pub(super) const ACTIONS: &[&str] = &word_list::<16>(
    "none exit exit-force reboot reboot-force reboot-immediate poweroff poweroff-force \
    poweroff-immediate soft-reboot soft-reboot-force kexec kexec-force halt halt-force halt-immediate",
);
pub(super) const COLLECT_MODES: &[&str] = &["inactive", "inactive-or-failed"];
/// systemd.resource-control(5)
pub(super) const DEVICE_POLICIES: &[&str] = &["auto", "closed", "strict"];
/// systemd.exec(5)
pub(super) const LEVELS: &[&str] = &[
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];
pub(super) const PROTECT_SYSTEM: &[&str] = &["full", "strict"];
pub(super) const PROTECT_HOME: &[&str] = &["read-only", "tmpfs"];
/// From systemd 257 on.
pub(super) const PRIVATE_TMP: &[&str] = &["connected", "disconnected"];
pub(super) const PRIVATE_USERS: &[&str] = &["self", "identity", "full"];
pub(super) const PROTECT_GROUPS: &[&str] = &["private", "strict"];
pub(super) const PRESERVE: &[&str] = &["restart"];
pub(super) const KEYRINGS: &[&str] = &["inherit", "private", "shared"];
pub(super) const PROC_ACCESS: &[&str] = &["noaccess", "invisible", "ptraceable", "default"];
pub(super) const PROC_SUBSETS: &[&str] = &["all", "pid"];
pub(super) const INPUTS: &[&str] = &word_list::<7>("null tty tty-force tty-fail data socket fd");
pub(super) const OUTPUTS: &[&str] = &word_list::<11>(
    "inherit null tty journal journal+console kmsg kmsg+console syslog syslog+console socket fd",
);
/// What may stand before a path or a name.
pub(super) const INPUT_STARTS: &[&str] = &["file:", "fd:"];
pub(super) const OUTPUT_STARTS: &[&str] = &["file:", "append:", "truncate:", "fd:"];
/// Names of signals, signal(7).
pub(super) const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// systemd.exec(5)
pub(super) const SCHEDULERS: &[&str] = &["other", "batch", "idle", "fifo", "rr"];
pub(super) const IO_CLASSES: &[&str] = &["none", "realtime", "best-effort", "idle"];
pub(super) const MEMORY_POLICIES: &[&str] =
    &["default", "preferred", "bind", "interleave", "local"];
pub(super) const MOUNT_FLAGS: &[&str] = &["shared", "slave", "private"];
pub(super) const LOGIN_MODES: &[&str] = &["init", "login", "user"];
pub(super) const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
/// systemd.unit(5); `restart-dependencies` since systemd 254.
pub(super) const JOB_MODES: &[&str] = &word_list::<9>(
    "fail replace replace-irreversibly isolate flush ignore-dependencies ignore-requirements \
    triggering restart-dependencies",
);
/// systemd.resource-control(5)
pub(super) const OOM_MODES: &[&str] = &["auto", "kill"];
pub(super) const OOM_PREFERENCES: &[&str] = &["none", "avoid", "omit"];
/// systemd.socket(5)
pub(super) const BIND_MODES: &[&str] = &["default", "both", "ipv6-only"];
pub(super) const TIMESTAMPS: &[&str] = &["off", "us", "usec", "\u{b5}s", "\u{3bc}s", "ns", "nsec"];
pub(super) const SERVICE_CLASSES: &[&str] = &["low-delay", "throughput", "reliability", "low-cost"];
/// `mptcp` since systemd 257.
pub(super) const PROTOCOLS: &[&str] = &["udplite", "sctp", "mptcp"];
/// systemd.service(5)
pub(super) const RESTART_MODES: &[&str] = &["normal", "direct", "debug"];
/// Of any machine: which of them it takes, systemd asks the kernel; systemd.unit(5), ConditionArchitecture=.
pub(super) const ARCHITECTURES: &[&str] = &word_list::<33>(
    "x86 x86-64 ppc ppc-le ppc64 ppc64-le ia64 parisc parisc64 s390 s390x sparc sparc64 mips \
    mips-le mips64 mips64-le alpha arm arm-be arm64 arm64-be sh sh64 m68k tilegx cris arc arc-be \
    nios2 riscv32 riscv64 loongarch64",
);
