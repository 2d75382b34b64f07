//! What a host serves, looked at without the tool: the files, what systemd has loaded, what runs, what clients get.

use std::thread;
use std::time::{Duration, Instant};

use super::small::Picture;
use super::{Host, Output};

/// Clients may have to wait this long until a service that was started again listens.
const LISTENS: Duration = Duration::from_secs(10);

/// What to look at on a host.
pub(crate) struct Baseline<'a> {
    /// Units of the desired state.
    pub units: &'a [&'a str],
    /// URLs that clients ask for.
    pub urls: &'a [&'a str],
}

/// What a host serves at one moment; nothing in it changes with time alone.
pub(crate) struct Served {
    disk: Picture,
    /// What is loaded and runs, and what Docker has, one fact a line.
    facts: Vec<String>,
    answers: Vec<(u16, String)>,
}

impl Baseline<'_> {
    /// Looks at everything.
    #[track_caller]
    pub(crate) fn look(&self, host: &Host) -> Served {
        Served {
            disk: host.picture(),
            facts: self.facts(host),
            answers: self.answers(host),
        }
    }

    /// Proves that a host serves as it did: bytes, loaded state, containers with their images, answers. Units may
    /// have been started again meanwhile.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, host: &Host, before: &Served, what: &str) {
        host.assert_unchanged(&before.disk, what);
        self.assert_runs_unchanged(host, before, what);
    }

    /// The same without the bytes on the disk.
    #[track_caller]
    pub(crate) fn assert_runs_unchanged(&self, host: &Host, before: &Served, what: &str) {
        let changed = self.changed(host, before);
        assert!(changed.is_empty(), "{what}:\n{}", changed.join("\n"));
        host.wait_for(&format!("{what}: the old answers"), LISTENS, || {
            self.answers(host) == before.answers
        });
    }

    /// Waits until a host serves as it did: what was killed has to come up again by itself.
    #[track_caller]
    pub(crate) fn wait_until_unchanged(
        &self,
        host: &Host,
        before: &Served,
        bound: Duration,
        what: &str,
    ) {
        let begun = Instant::now();
        while begun.elapsed() < bound && !self.changed(host, before).is_empty() {
            thread::sleep(Duration::from_millis(200));
        }
        self.assert_unchanged(host, before, what);
    }

    /// Facts that are gone and facts that came.
    fn changed(&self, host: &Host, before: &Served) -> Vec<String> {
        let facts = self.facts(host);
        let only = |sign: char, these: &[String], those: &[String]| -> Vec<String> {
            let only = these.iter().filter(|line| !those.contains(line));
            only.map(|line| format!("{sign} {line}")).collect()
        };
        [
            only('-', &before.facts, &facts),
            only('+', &facts, &before.facts),
        ]
        .concat()
    }

    fn answers(&self, host: &Host) -> Vec<(u16, String)> {
        self.urls.iter().map(|url| host.get(url)).collect()
    }

    fn facts(&self, host: &Host) -> Vec<String> {
        let mut facts = loaded(host, self.units);
        // What goes while it is looked at is no error. No ids and no addresses: a unit that was interrupted has its containers made anew.
        let containers = "docker ps -aq --no-trunc | xargs -r docker inspect -f \
            'container {{.Name}} {{.State.Status}} {{.Config.Image}} {{.Image}} {{range $name, $on := .NetworkSettings.Networks}}{{$name}} {{end}}'";
        // A project's own network is made anew with its containers, wherever Docker has room.
        let networks = "docker network ls -q --filter type=custom | xargs -r docker network inspect -f '{{if index .Labels \"com.docker.compose.network\" | eq \"default\"}}network {{.Name}}\
            {{else}}network {{.Name}} {{.Id}} {{range .IPAM.Config}}{{.Subnet}} {{end}}{{end}}'";
        let mut docker: Vec<String> = host
            .try_sh(&format!("{containers} || true\n{networks} || true"))
            .stdout
            .lines()
            .map(str::to_owned)
            .collect();
        docker.sort();
        facts.append(&mut docker);
        facts
    }
}

/// What systemd has loaded of each unit and whether it runs, without what differs from one start to the next.
fn loaded(host: &Host, units: &[&str]) -> Vec<String> {
    let properties = "-p LoadState -p ActiveState -p UnitFileState -p NeedDaemonReload -p DropInPaths \
        -p ExecStart -p ExecStartPre -p ExecStop -p Environment -p EnvironmentFiles -p BindReadOnlyPaths";
    let script = format!(
        "for unit in {}; do
             systemctl show {properties} -- $unit | sed \"s/ ; start_time=.*/ }}/; s,^,$unit ,\"
         done
         systemctl list-units --failed --plain --no-legend | sed 's/^/failed /'",
        units.join(" ")
    );
    host.sh(&script).lines().map(str::to_owned).collect()
}

impl Output {
    /// The last `count` lines, standard output before standard error: what is left on a person's screen.
    pub(crate) fn last_lines(&self, count: usize) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}
