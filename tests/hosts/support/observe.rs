//! Looks at a host without the tool: what runs, which files there are, what systemd and Docker did.

use super::{Host, Output};

/// Folders in which the tool may write anything at all, and in which it writes nothing when there is nothing to do.
const WATCHED: &str = "/etc/nginx /etc/systemd/system /etc/watchme-apply /var/lib/watchme-apply";

/// Docker events that health checks cause by themselves.
const HEALTH_EVENTS: [&str; 2] = ["exec_", "health_status"];

/// State of a host that stays the same, to the byte, when nobody does anything.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// One line per nginx process: pid, start time in ticks, title.
    pub nginx: Vec<String>,
    /// One line per file, link and folder of the watched folders: type, inode, mode, owner, size, times, path, target.
    pub files: Vec<String>,
}

impl Host {
    /// What of the host would differ if a file had been written or nginx reloaded.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let files = format!(
            "for dir in {WATCHED}; do if [ -e $dir ]; then find $dir -printf \
             '%y %i %m %U:%G %s %T@ %C@ %p -> %l\\n'; fi; done | sort -k 8"
        );
        Fingerprint {
            nginx: self.nginx_processes(),
            files: lines(&self.sh(&files)),
        }
    }

    /// The ids of nginx's workers that take new requests, in order; with their start times, so that a pid used
    /// again is not mistaken for the old one.
    pub(crate) fn nginx_workers(&self) -> Vec<String> {
        let mut workers = self.nginx_processes();
        workers.retain(|line| line.ends_with("nginx: worker process"));
        workers
    }

    fn nginx_processes(&self) -> Vec<String> {
        // A worker may end between the list and the look; those of an earlier reload end when their requests have.
        lines(&self.sh(
            "for pid in $(pgrep -x nginx); do
                 title=$(tr '\\0' ' ' </proc/$pid/cmdline) && started=$(cut -d' ' -f22 /proc/$pid/stat) || continue
                 case $title in '' | *'shutting down'*) continue ;; esac
                 echo $pid $started $title
             done 2>/dev/null",
        ))
    }

    /// How often systemd has been told to reload, itself (`Reloading.`) or a unit, since the host was made.
    pub(crate) fn reloads(&self) -> usize {
        self.manager_lines()
            .iter()
            // systemd 257 also says `Reloading finished in 189 ms.`
            .filter(|line| line.starts_with("Reloading") && !line.starts_with("Reloading finished"))
            .count()
    }

    /// Lines of PID 1's journal that tell of a unit or of itself being changed. Timers only start things.
    fn manager_lines(&self) -> Vec<String> {
        let journal = self.sh("journalctl --sync; journalctl _PID=1 -o cat --no-pager");
        let told = ["Reloading", "Reexecuting", "Stopping", "Stopped"];
        let mut lines = lines(&journal);
        lines.retain(|line| told.iter().any(|start| line.starts_with(start)));
        lines
    }

    /// The host's clock, to pass to [`Host::docker_events`].
    pub(crate) fn now(&self) -> String {
        self.sh("date +%s.%N")
    }

    /// What the host's Docker engine did since `since`, health checks excepted: one line `TYPE ACTION NAME` each.
    pub(crate) fn docker_events(&self, since: &str) -> Vec<String> {
        let format = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}";
        let now = self.now();
        let command = [
            "docker", "events", "--since", since, "--until", &now, "--format", format,
        ];
        let mut events = lines(&self.run(&command).expect(0).stdout);
        events.retain(|event| {
            let action = event.split(' ').nth(1).unwrap_or_default();
            !HEALTH_EVENTS.iter().any(|own| action.starts_with(own))
        });
        events
    }

    /// Proves that what `act` does leaves the host alone: same files, same nginx workers, no reload or stop by
    /// systemd, no Docker event.
    #[track_caller]
    pub(crate) fn assert_untouched<T>(&self, act: impl FnOnce(&Self) -> T) -> T {
        let (before, manager, since) = (self.fingerprint(), self.manager_lines(), self.now());
        let result = act(self);
        let (events, after) = (self.docker_events(&since), self.fingerprint());
        assert_eq!(events, Vec::<String>::new(), "Docker did something");
        let changed = [
            difference(&before.nginx, &after.nginx),
            difference(&before.files, &after.files),
        ]
        .concat();
        assert!(
            changed.is_empty(),
            "the host changed:\n{}",
            changed.join("\n")
        );
        let told = difference(&manager, &self.manager_lines());
        assert!(
            told.is_empty(),
            "systemd did something:\n{}",
            told.join("\n")
        );
        result
    }

    /// Proves that `watchme-apply ARGS` does nothing: [`Host::assert_untouched`], and not one system call that
    /// could write, create, rename, link or unlink. Returns what it printed.
    #[track_caller]
    pub(crate) fn assert_does_nothing(&self, args: &[&str]) -> Output {
        let (output, calls) =
            self.assert_untouched(|host| host.traced(&[&["watchme-apply"], args].concat()));
        assert!(
            calls.is_empty(),
            "{args:?} may have written:\n{}",
            calls.join("\n")
        );
        output
    }
}

/// Lines of only one side, `-` before and `+` after, as far as their order matters to nobody.
fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let extra = |sign: &str, these: &[String], those: &[String]| -> Vec<String> {
        let mut those = those.to_vec();
        let mut only = Vec::new();
        for line in these {
            match those.iter().position(|other| other == line) {
                Some(index) => drop(those.swap_remove(index)),
                None => only.push(format!("{sign} {line}")),
            }
        }
        only
    };
    [extra("-", before, after), extra("+", after, before)].concat()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
