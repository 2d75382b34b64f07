//! The keys that compose knows, with the types of their values.

use source_text::word_list;

pub(super) const TEXT: u8 = 1;
pub(super) const NUMBER: u8 = 2;
pub(super) const TRUTH: u8 = 4;
pub(super) const LIST: u8 = 8;
pub(super) const MAP: u8 = 16;
pub(super) const NULL: u8 = 32;

/// Keys by the types of their values.
pub(super) type Keys = &'static [(u8, &'static [&'static str])];

pub(super) const TOP: Keys = &[
    (TEXT, &["version", "name"]),
    (
        MAP,
        &word_list::<6>("services networks volumes secrets configs models"),
    ),
    (LIST, &["include"]),
];

pub(super) const SERVICE: Keys = &[
    (
        TEXT,
        &word_list::<22>(
            "image container_name cgroup_parent cgroup cpuset domainname hostname ipc isolation \
            mac_address network_mode platform pull_policy pull_refresh_after restart runtime \
            stop_grace_period stop_signal user userns_mode uts working_dir",
        ),
    ),
    (TEXT | NULL, &["pid"]),
    (
        TEXT | NUMBER,
        &word_list::<16>(
            "cpu_count cpu_percent cpu_shares cpu_quota cpu_period cpu_rt_period cpu_rt_runtime \
            cpus mem_limit mem_reservation mem_swappiness memswap_limit oom_score_adj pids_limit \
            scale shm_size",
        ),
    ),
    (
        TEXT | TRUTH,
        &word_list::<8>(
            "attach init oom_kill_disable privileged read_only stdin_open tty use_api_socket",
        ),
    ),
    // Compose 2 takes null for what the image says.
    (TEXT | LIST | NULL, &["command", "entrypoint"]),
    (
        TEXT | LIST,
        &word_list::<6>("dns dns_search env_file label_file tmpfs gpus"),
    ),
    (
        LIST,
        &word_list::<18>(
            "cap_add cap_drop configs device_cgroup_rules devices dns_opt expose external_links \
            group_add links ports profiles security_opt secrets volumes volumes_from post_start \
            pre_stop",
        ),
    ),
    (
        LIST | MAP,
        &word_list::<8>(
            "annotations depends_on environment extra_hosts labels models networks sysctls",
        ),
    ),
    (TEXT | MAP, &["build", "extends"]),
    (
        MAP,
        &word_list::<7>(
            "blkio_config credential_spec healthcheck logging provider storage_opt ulimits",
        ),
    ),
    (MAP | NULL, &["deploy", "develop"]),
];

pub(super) const NETWORK: Keys = &[
    (TEXT, &["name", "driver"]),
    (MAP, &["driver_opts", "ipam"]),
    (TRUTH | TEXT | MAP, &["external"]),
    (
        TRUTH | TEXT,
        &["internal", "enable_ipv4", "enable_ipv6", "attachable"],
    ),
    (LIST | MAP, &["labels"]),
];

pub(super) const VOLUME: Keys = &[
    (TEXT, &["name", "driver"]),
    (MAP, &["driver_opts"]),
    (TRUTH | TEXT | MAP, &["external"]),
    (LIST | MAP, &["labels"]),
];

pub(super) const HEALTH: Keys = &[
    (TEXT | LIST, &["test"]),
    (
        TEXT,
        &["interval", "timeout", "start_period", "start_interval"],
    ),
    (NUMBER | TEXT, &["retries"]),
    (TRUTH | TEXT, &["disable"]),
];

pub(super) const LOGGING: Keys = &[(TEXT, &["driver"]), (MAP | NULL, &["options"])];

pub(super) const ATTACHMENT: Keys = &[
    (LIST, &["aliases", "link_local_ips"]),
    (
        TEXT,
        &word_list::<4>("ipv4_address ipv6_address interface_name mac_address"),
    ),
    (NUMBER, &["priority", "gw_priority"]),
    (MAP, &["driver_opts"]),
];

pub(super) const PORT: Keys = &[
    (
        TEXT,
        &["mode", "host_ip", "protocol", "name", "app_protocol"],
    ),
    (NUMBER | TEXT, &["published", "target"]),
];
