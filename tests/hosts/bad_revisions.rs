//! Revisions that must not stay: whatever is wrong with them, the old state is served afterwards, the reason stands in
//! the last lines, and the exit status says 1 or 3.

mod containers;
mod nginx;
mod units;

use crate::support::{Baseline, Host, Served, Service, desired, site, sleeper};

/// How many lines a person sees at a glance.
const LAST_LINES: usize = 15;

const WEB_COMPOSE: &str = "compose/web/docker-compose.yml";
const PULLED_COMPOSE: &str = "compose/pulled/docker-compose.yml";
const INFRA: &str = "docker-compose.infra.yml";

const BASELINE: Baseline<'_> = Baseline {
    units: &[
        "one.service",
        "added.service",
        "web.service",
        "pulled.service",
    ],
    urls: &[
        "http://a.example.com/",
        "http://added.example.com/",
        "http://web.example.com/",
        "http://localhost:8101/",
        "http://localhost:8102/",
        "http://localhost:8099/",
    ],
};

/// What one bad revision changes.
type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

/// A host that serves two sites, a plain unit and two compose units, one of which pulls before it starts and does not
/// mind when that fails.
struct Before {
    host: Host,
    served: Served,
}

impl Before {
    fn boot() -> Self {
        let host = Host::boot();
        host.load_service_images(&["web:1", "pulled:1", "other:1"].map(|image| Service {
            image,
            port: 8000,
            paths: &[],
        }));
        host.checkout(&[
            (&desired("sites-available/a"), &site("a", "a first")),
            (&desired("sites-available/web"), &proxy("127.0.0.1:8101")),
            (&desired("systemd/one.service"), &sleeper(1001)),
            (&desired("systemd/web.service"), &compose_unit("web", "")),
            (
                &desired("systemd/pulled.service"),
                &compose_unit("pulled", "ExecStartPre=-{compose} pull\n"),
            ),
            (WEB_COMPOSE, &compose("web:1", 8101)),
            (PULLED_COMPOSE, &compose("pulled:1", 8102)),
            (&desired(INFRA), &infra(&[("first", "172.27.0.0/16")])),
        ]);
        host.apply(&[]).expect(0);
        let served = BASELINE.look(&host);
        Self { host, served }
    }

    /// Commits a bad revision beside changes that nothing is wrong with, and proves that applying it changes nothing
    /// that lasts: only units in `interrupted` may have been started again. Then the bad commit is taken back.
    #[track_caller]
    fn assert_refused(&self, what: &str, bad: Changes<'_>, interrupted: &[&str], reasons: &[&str]) {
        let good = [
            (desired("sites-available/a"), site("a", "a never")),
            (desired("sites-available/added"), site("added", "never")),
            (desired("systemd/added.service"), sleeper(1009)),
        ];
        let mut files: Vec<(&str, Option<&str>)> = good
            .iter()
            .map(|(path, content)| (path.as_str(), Some(content.as_str())))
            .collect();
        files.extend(bad);
        self.host.commit(&files, what);
        let runs = self.host.runs(BASELINE.units);
        let failed = self.host.apply(&[]);
        assert!(
            matches!(failed.status, 1 | 3),
            "{what}: exit status {}\n{}",
            failed.status,
            failed.text()
        );
        let said = failed.last_lines(LAST_LINES);
        for reason in reasons {
            assert!(
                reason.split(" or ").any(|reason| said.contains(reason)),
                "{what}: {reason} is not in the last lines of\n{}",
                failed.text()
            );
        }
        BASELINE.assert_unchanged(&self.host, &self.served, what);
        let now = self.host.runs(BASELINE.units);
        let mut anew = now.restarted_since(&runs);
        anew.retain(|name| !interrupted.contains(name));
        assert!(anew.is_empty(), "{what}: started anew: {anew:?}");
        self.host.sh_as(
            "ubuntu",
            "cd watchme-server-configs; git reset -q --hard HEAD^; git clean -qfdx",
        );
    }

    /// The revision from before is still what the host is, to the tool as well, and the next one can be applied.
    #[track_caller]
    fn assert_goes_on(&self) {
        self.host.assert_does_nothing(&["apply"]).expect(0);
        let next = site("a", "a second");
        self.host
            .commit(&[(&desired("sites-available/a"), Some(&next))], "good");
        self.host.apply(&[]).expect(0);
        assert_eq!(self.host.page("a"), "a second");
    }
}

fn compose(image: &str, port: u16) -> String {
    format!("services:\n  server:\n    image: {image}\n    ports: ['127.0.0.1:{port}:8000']\n")
}

/// A unit over `compose/NAME`, with more lines in its service section; `{compose}` in them is the command.
fn compose_unit(name: &str, lines: &str) -> String {
    let compose = format!(
        "/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/compose/{name}/docker-compose.yml"
    );
    format!(
        "[Unit]
Requires=docker.service
After=docker.service

[Service]
TimeoutStartSec=0
{}ExecStart={compose} up
ExecStop={compose} down
Restart=always

[Install]
WantedBy=multi-user.target
",
        lines.replace("{compose}", &compose)
    )
}

/// The site `web.example.com`, which asks a backend.
fn proxy(backend: &str) -> String {
    format!(
        "server {{
    listen 80;
    server_name web.example.com;
    location / {{
        proxy_pass http://{backend};
    }}
}}
"
    )
}

/// An infrastructure file with these networks: name and subnet.
fn infra(networks: &[(&str, &str)]) -> String {
    let networks: String = networks
        .iter()
        .map(|(name, subnet)| {
            format!("  {name}:\n    name: {name}\n    ipam: {{config: [{{subnet: {subnet}}}]}}\n")
        })
        .collect();
    format!("networks:\n{networks}")
}
