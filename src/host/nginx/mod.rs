//! nginx: its processes, its test, its reload.

mod connections;
mod processes;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

use super::error::HostError;
use super::program::output;
use super::systemd::Systemd;
use crate::model::{NginxState, list};

const TEST: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// A log line that was cut off here is long enough for a reason.
const LOG_BYTES: u64 = 64 * 1024;

/// Where the parts of an nginx lie.
#[derive(Clone, Debug)]
pub(crate) struct Nginx {
    pub program: PathBuf,
    /// The pid file of the master, as the directive `pid` says.
    pub pid_file: PathBuf,
    /// The error log of the main context.
    pub error_log: PathBuf,
    pub unit: String,
}

impl Default for Nginx {
    /// As Debian's package lays it out: /etc/nginx/nginx.conf, nginx.service, `nginx -V`.
    fn default() -> Self {
        Self {
            program: "/usr/sbin/nginx".into(),
            pid_file: "/run/nginx.pid".into(),
            error_log: "/var/log/nginx/error.log".into(),
            unit: "nginx.service".to_owned(),
        }
    }
}

impl Nginx {
    /// The processes that run now.
    pub(crate) fn observe(&self) -> Result<NginxState, HostError> {
        let installed = self.program.exists();
        let Some(master) = processes::master(&self.pid_file)? else {
            return Ok(NginxState {
                installed,
                ..NginxState::default()
            });
        };
        let boot = super::systemd::boot_id()?;
        let workers = processes::workers(master.id);
        Ok(NginxState {
            // Process id and ticks can come again after a reboot.
            master: Some(format!("{}/{}@{boot}", master.id, master.ticks)),
            started: processes::moment(master.ticks),
            loaded: processes::oldest(&workers),
            workers,
            installed,
        })
    }

    /// How many requests workers from before a reload still answer that may concern what listens
    /// on `ports`; where those are not known, how many such workers there are.
    pub(crate) fn leaving(&self, ports: &BTreeSet<u16>) -> Result<usize, HostError> {
        let Some(master) = processes::master(&self.pid_file)? else {
            return Ok(0);
        };
        let workers = processes::leaving(master.id);
        Ok(match ports.is_empty() {
            true => workers.len(),
            false => connections::under_way(&workers, ports),
        })
    }

    /// Runs `nginx -t` on the configuration that is live.
    pub(crate) async fn test(&self) -> Result<(), HostError> {
        let program = format!("{} -t", self.program.display());
        let mut command = Command::new(&self.program);
        command
            .arg("-t")
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        let output = output(&mut command, program.clone(), TEST).await?;
        if output.status.success() {
            return Ok(());
        }
        if output.status.code().is_none() {
            // Where memory is short, the kernel ends whatever starts.
            let source = std::io::Error::other(format!("it was killed: {}", output.status));
            return Err(HostError::Program { program, source });
        }
        Err(HostError::NginxInvalid {
            reason: reasons(&String::from_utf8_lossy(&output.stderr)),
        })
    }

    /// Reloads nginx and proves it: every worker of `before` is gone or shutting down, and new
    /// ones run. `nginx -t` and the exit status of a reload prove nothing: a port that is held,
    /// or a shared memory zone with another key, leaves the old workers in place, and only the
    /// error log tells. nginx tries to bind a port for 2.5 s, and with a shorter `bound` a reload
    /// that was given up may still come true.
    pub(crate) async fn reload(
        &self,
        systemd: &Systemd,
        before: &NginxState,
        bound: Duration,
    ) -> Result<NginxState, HostError> {
        let log = Tail::new(self.error_log.clone());
        let deadline = Instant::now() + bound;
        let master = processes::master(&self.pid_file)?.ok_or(HostError::NginxStopped)?;
        if systemd.unit(&self.unit).await?.is_active() {
            systemd.reload_unit(&self.unit, bound).await?;
        } else {
            // It was started by hand. The signal is what the unit's ExecReload= sends.
            hang_up(master.id)?;
        }
        loop {
            let now = self.observe()?;
            if is_replaced(before, &now) {
                return Ok(now);
            }
            let lines = log.errors(master.id);
            if Instant::now() > deadline || lines.iter().any(|line| is_final(line)) {
                return Err(HostError::ReloadUnproved {
                    why: unproved(before, &now, bound),
                    log: lines,
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Stops and starts nginx, and waits until another master has workers.
    pub(crate) async fn restart(
        &self,
        systemd: &Systemd,
        bound: Duration,
    ) -> Result<NginxState, HostError> {
        let before = self.observe()?;
        let deadline = Instant::now() + bound;
        systemd.restart(&self.unit, bound).await?;
        self.workers(before.master, deadline).await
    }

    /// Starts nginx and waits until it has workers.
    pub(crate) async fn start(
        &self,
        systemd: &Systemd,
        bound: Duration,
    ) -> Result<NginxState, HostError> {
        let deadline = Instant::now() + bound;
        systemd.start(&self.unit, bound).await?;
        self.workers(None, deadline).await
    }

    /// Waits for workers of another master than `before`.
    async fn workers(
        &self,
        before: Option<String>,
        deadline: Instant,
    ) -> Result<NginxState, HostError> {
        loop {
            let now = self.observe()?;
            if now.master != before && !now.workers.is_empty() {
                return Ok(now);
            }
            if Instant::now() > deadline {
                return Err(HostError::NginxStopped);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// The lines of `nginx -t` that say why: those of level error and worse, from the level on; all
/// of them where none has a level. Levels: src/core/ngx_log.c.
pub(crate) fn reasons(output: &str) -> Vec<String> {
    let lines = || output.lines().filter(|line| !line.trim().is_empty());
    let severe: Vec<String> = lines().filter(|line| is_severe(line)).map(bare).collect();
    if severe.is_empty() {
        return lines().map(str::to_owned).collect();
    }
    severe
}

/// A line without its time and process: `2026/11/22 03:27:23 [emerg] 29#29: text`. Debian's
/// nginx writes its start-up errors like this, others as `nginx: [emerg] text`.
pub(super) fn bare(line: &str) -> String {
    let from_level = line.find('[').map_or(line, |at| &line[at..]);
    if let Some((level, rest)) = from_level.split_once("] ")
        && let Some((process, text)) = rest.split_once(": ")
        && process
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'#')
    {
        return format!("{level}] {text}");
    }
    from_level.to_owned()
}

fn is_severe(line: &str) -> bool {
    ["[emerg]", "[alert]", "[crit]", "[error]"]
        .iter()
        .any(|level| line.contains(level))
}

/// nginx tries five times in two seconds to bind before it says so with "still"
/// (src/core/ngx_connection.c); any other emergency ends the reload at once.
fn is_final(line: &str) -> bool {
    line.contains("[emerg]") && !line.contains(" bind() to ") && !line.contains(" listen() to ")
}

fn is_replaced(before: &NginxState, now: &NginxState) -> bool {
    !now.workers.is_empty() && before.workers.is_disjoint(&now.workers)
}

fn unproved(before: &NginxState, now: &NginxState, bound: Duration) -> String {
    if now.master.is_none() {
        return "it is no longer running".to_owned();
    }
    let old: BTreeSet<_> = before.workers.intersection(&now.workers).collect();
    if old.is_empty() {
        return format!("no new worker runs after {bound:?}");
    }
    format!("workers from before still serve: {}", list(old))
}

fn hang_up(master: u32) -> Result<(), HostError> {
    let id = i32::try_from(master).map_err(|_| HostError::NginxStopped)?;
    kill(Pid::from_raw(id), Signal::SIGHUP).map_err(|errno| HostError::Program {
        program: format!("kill -HUP {master}"),
        source: errno.into(),
    })
}

/// What a log gains from now on.
struct Tail {
    path: PathBuf,
    from: u64,
}

impl Tail {
    fn new(path: PathBuf) -> Self {
        let from = std::fs::metadata(&path).map_or(0, |file| file.len());
        Self { path, from }
    }

    /// Severe lines that the master wrote; none where the log cannot be read. A log that is
    /// shorter than before was rotated, and is read from its start.
    fn errors(&self, master: u32) -> Vec<String> {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            let length = file.metadata()?.len();
            let from = if length < self.from { 0 } else { self.from };
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(LOG_BYTES).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().unwrap_or_default();
        let tag = format!("] {master}#");
        let text = String::from_utf8_lossy(&bytes);
        let lines = text
            .lines()
            .filter(|line| line.contains(&tag) && is_severe(line));
        lines.map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(workers: &[u32]) -> NginxState {
        NginxState {
            master: Some("1/2@b".to_owned()),
            workers: workers.iter().copied().collect(),
            ..NginxState::default()
        }
    }

    #[test]
    fn replaced_means_all_of_them() {
        assert!(is_replaced(&state(&[1, 2]), &state(&[3, 4])));
        assert!(!is_replaced(&state(&[1, 2]), &state(&[2, 3])));
        assert!(!is_replaced(&state(&[1, 2]), &state(&[])));
        assert!(is_replaced(&state(&[]), &state(&[3])));
    }

    #[test]
    fn a_bind_is_tried_again() {
        let held = "2026/11/22 03:00:00 [emerg] 58#58: bind() to 0.0.0.0:80 failed (98: Address already in use)";
        assert!(!is_final(held));
        assert!(is_final(
            "2026/11/22 03:00:02 [emerg] 58#58: still could not bind()"
        ));
        assert!(is_final(
            "x [emerg] 58#58: limit_req \"a\" uses the \"$b\" key while previously it used the \"$c\" key"
        ));
        assert!(!is_final("x [notice] 58#58: signal 1 (SIGHUP) received"));
    }

    #[test]
    fn the_reason_of_a_test() {
        let output = "nginx: [warn] conflicting server name\nnginx: [emerg] unknown directive \"x\" in /etc/nginx/a:1\nnginx: configuration file /etc/nginx/nginx.conf test failed\n";
        assert_eq!(
            reasons(output),
            ["[emerg] unknown directive \"x\" in /etc/nginx/a:1"]
        );
        let debian = "2026/11/22 03:27:23 [emerg] 29#29: unknown directive \"x\" in /etc/nginx/a:1";
        assert_eq!(reasons(debian), reasons(output));
        assert_eq!(reasons("cannot run\n"), ["cannot run"]);
    }

    #[test]
    fn only_what_the_master_wrote_since() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("error.log");
        std::fs::write(&path, "t [emerg] 7#7: old\n")?;
        let tail = Tail::new(path.clone());
        let new =
            "t [emerg] 7#7: old\nt [emerg] 8#8: a test\nt [notice] 7#7: x\nt [emerg] 7#7: new\n";
        std::fs::write(&path, new)?;
        assert_eq!(tail.errors(7), ["t [emerg] 7#7: new"]);
        std::fs::write(&path, "t [emerg] 7#7: n\n")?;
        assert_eq!(tail.errors(7), ["t [emerg] 7#7: n"], "rotated");
        Ok(())
    }
}
