//! A host: boot, reboot, removal.

use std::env;
use std::fs;
use std::path::Path;
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::debian::Debian;
use super::exec::outer;
use super::failure;

/// Starting takes 2 to 10 seconds; more when several hosts start on a busy machine.
const BOOT_BOUND: Duration = Duration::from_secs(90);

/// Where a host has its control groups.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// Where the binary under test is in a host.
const BINARY: &str = "/usr/local/bin/watchme-apply";

/// A whole Linux host in a container: systemd as PID 1, nginx, and its own Docker engine. It has no DNS and no
/// images; the user `ubuntu` (uid 1000) may use sudo. Dropping it removes it, unless `KEEP_HOST` is set.
pub(crate) struct Host {
    name: String,
    debian: Debian,
    /// Where this machine has the control groups that it gets.
    control_groups: &'static str,
    /// The number that its PID 1 has on this machine.
    process: AtomicU32,
}

impl Host {
    /// Starts a fresh host of the chosen generation and waits until systemd and Docker in it are up.
    pub(crate) fn boot() -> Self {
        Self::boot_debian(Debian::chosen())
    }

    /// Starts a fresh host of one generation, whichever is chosen.
    pub(crate) fn boot_debian(debian: Debian) -> Self {
        Self::boot_with(debian, CONTROL_GROUPS)
    }

    /// Starts a fresh host of Debian 13 with control groups of version 2 alone, also where this machine has both. Memory
    /// limits may be without effect there.
    pub(crate) fn boot_unified() -> Self {
        const UNIFIED: &str = "/sys/fs/cgroup/unified";
        let both = Path::new(UNIFIED).is_dir();
        Self::boot_with(
            Debian::Thirteen,
            if both { UNIFIED } else { CONTROL_GROUPS },
        )
    }

    fn boot_with(debian: Debian, control_groups: &'static str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        failure::remember();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let host = Self {
            name: format!("watchme-host-{}-{count}", process::id()),
            debian,
            control_groups,
            process: AtomicU32::new(0),
        };
        host.create();
        docker(&["start", &host.name]);
        host.find_process();
        host.wait_until_up();
        host
    }

    /// Its generation, for what holds of one only.
    pub(crate) fn debian(&self) -> Debian {
        self.debian
    }

    /// The name of its container on this machine.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Shuts the host down in order and starts it again.
    pub(crate) fn reboot(&self) {
        self.restart();
        self.wait_until_up();
    }

    /// The same where no Docker engine runs.
    pub(crate) fn reboot_without_docker(&self) {
        self.restart();
        self.wait_until_booted();
    }

    fn restart(&self) {
        docker(&["restart", "-t", "60", &self.name]);
        self.find_process();
    }

    fn find_process(&self) {
        let process = docker(&["inspect", "-f", "{{.State.Pid}}", &self.name]);
        let process = process.trim().parse().expect("a process");
        self.process.store(process, Ordering::Relaxed);
    }

    /// The number that its PID 1 has on this machine.
    pub(super) fn process(&self) -> u32 {
        self.process.load(Ordering::Relaxed)
    }

    /// Waits until `condition` holds; panics, naming `what`, if it does not within `bound`.
    #[track_caller]
    pub(crate) fn wait_for(
        &self,
        what: &str,
        bound: Duration,
        mut condition: impl FnMut() -> bool,
    ) {
        let begun = Instant::now();
        while !condition() {
            assert!(
                begun.elapsed() < bound,
                "{}: no {what} within {bound:?}",
                self.name
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// `--privileged` is not used: it needs every capability, and a machine that is itself a container may lack
    /// SYS_RESOURCE. The volume is for the inner engine's overlay2, which cannot lie on an overlay.
    fn create(&self) {
        let label = run_label();
        let volume = format!("{}:/var/lib/docker", self.name);
        docker(&["volume", "create", "--label", &label, &self.name]);
        let isolation = [
            "--cap-add",
            "ALL",
            "--cap-drop",
            "SYS_RESOURCE",
            "--security-opt",
            "seccomp=unconfined",
            "--security-opt",
            "apparmor=unconfined",
            "--cgroupns=host",
            "-v",
            &format!("{}:{CONTROL_GROUPS}:rw", self.control_groups),
            "--tmpfs",
            "/run:exec",
            "--tmpfs",
            "/run/lock",
            "--stop-signal",
            "SIGRTMIN+3",
        ];
        // Docker 26 sets up IPv6 by writing to /proc/sys; Podman makes devices, and its overlay cannot lie on one either.
        let newer = [
            "--security-opt",
            "systempaths=unconfined",
            "--device-cgroup-rule",
            "a *:* rwm",
            "-v",
            "/var/lib/containers",
        ];
        let newer: &[&str] = match self.debian {
            Debian::Twelve => &[],
            Debian::Thirteen => &newer,
        };
        // No DNS server answers there, so what wants to pull an image fails at once.
        let dns = [
            "--dns",
            "127.0.0.1",
            "--dns-opt",
            "timeout:1",
            "--dns-opt",
            "attempts:1",
        ];
        let own = [
            "--name",
            &self.name,
            "--hostname",
            "host",
            "--label",
            &label,
            "-v",
            &volume,
        ];
        docker(
            &[
                &["create"],
                &own[..],
                &isolation,
                newer,
                &dns,
                &[image_with_binary(self.debian)],
            ]
            .concat(),
        );
    }

    /// Ready means: systemd has done its start jobs (failed units are tolerated, and shown), Docker answers.
    fn wait_until_up(&self) {
        self.wait_until_booted();
        self.wait_for(
            "answer of the Docker engine",
            Duration::from_secs(30),
            || self.run(&["docker", "version"]).status == 0,
        );
    }

    fn wait_until_booted(&self) {
        let begun = Instant::now();
        loop {
            let state = self.run(&["systemctl", "is-system-running", "--wait"]);
            match state.stdout.trim() {
                "running" => break,
                "degraded" => {
                    eprintln!(
                        "{}: {}",
                        self.name,
                        self.run(&["systemctl", "--failed", "--no-pager"]).text()
                    );
                    break;
                }
                _ if begun.elapsed() > BOOT_BOUND => {
                    panic!(
                        "{} is not up after {BOOT_BOUND:?}: {}\n{}",
                        self.name,
                        state.text(),
                        self.last_words()
                    )
                }
                _ => thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// What is worth reading when the host is about to disappear.
    fn last_words(&self) -> String {
        let mut journal = self
            .try_sh("journalctl -b --no-pager | grep -v level=info | tail -40")
            .text();
        if journal.is_empty() {
            journal = "nothing\n".to_owned();
        }
        let console = outer(&["docker", "logs", "--tail", "20", &self.name], b"").text();
        format!(
            "--- console of {0}\n{console}--- journal of {0}\n{journal}",
            self.name
        )
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.last_words());
            eprintln!("--- what failed on {}\n{}", self.name, failure::last());
        }
        if env::var_os("KEEP_HOST").is_some() {
            eprintln!(
                "kept: docker exec -it {0} bash; afterwards: docker rm -fv {0}; docker volume rm {0}",
                self.name
            );
            return;
        }
        let containers = self.run(&["docker", "ps", "-q", "--no-trunc"]).stdout;
        // Never a panic here: one during another aborts the test run.
        for command in [["rm", "-fv"], ["volume", "rm"]] {
            let gone = outer(&[&["docker"], &command[..], &[&self.name]].concat(), b"");
            if gone.status != 0 {
                eprintln!("left behind: {}: {}", self.name, gone.text());
            }
        }
        containers.lines().for_each(remove_control_groups);
    }
}

/// The hosts share this machine's control groups, so those of the containers in a host outlive it, empty.
fn remove_control_groups(container: &str) {
    for hierarchy in fs::read_dir("/sys/fs/cgroup")
        .into_iter()
        .flatten()
        .flatten()
    {
        // Only empty ones can be removed, and not every folder there is a hierarchy.
        let _ = fs::remove_dir(hierarchy.path().join("docker").join(container));
    }
}

/// Runs `docker` on this machine and returns what it printed; panics if it fails.
#[track_caller]
pub(super) fn docker(args: &[&str]) -> String {
    outer(&[&["docker"], args].concat(), b"").expect(0).stdout
}

/// By which `tests/run` finds what it has to remove.
fn run_label() -> String {
    let run = env::var("WATCHME_TEST_RUN").unwrap_or_default();
    format!("watchme-apply-test={run}")
}

/// The image of a generation with the binary under test in it, made once by each process: to copy 65 MB into each host takes
/// 0.3 s of processor time. Images of processes that have ended are removed.
fn image_with_binary(debian: Debian) -> &'static str {
    const LABEL: &str = "watchme-apply-test-binary";
    static IMAGES: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
    IMAGES[debian as usize].get_or_init(|| {
        let filter = format!("label={LABEL}");
        let format = "{{.Repository}}:{{.Tag}}";
        let known = docker(&["images", "--filter", &filter, "--format", format]);
        for image in known.lines() {
            let made_by = image.rsplit('-').next().unwrap_or_default();
            if !Path::new("/proc").join(made_by).exists() {
                outer(&["docker", "rmi", image], b"");
            }
        }
        let base = debian.image();
        let image = format!("{base}-{}", process::id());
        let container = docker(&["create", base]);
        let container = container.trim();
        docker(&["cp", &binary_under_test(), &format!("{container}:{BINARY}")]);
        let labels = format!("LABEL {LABEL}=1 {}", run_label());
        docker(&["commit", "-c", &labels, container, &image]);
        docker(&["rm", container]);
        image
    })
}

/// `WATCHME_APPLY_BIN` (the release binary, in `tests/run`), or else the one cargo built for this test.
fn binary_under_test() -> String {
    let path = env::var("WATCHME_APPLY_BIN")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_watchme-apply").to_owned());
    assert!(Path::new(&path).is_file(), "no binary to test at {path}");
    path
}
