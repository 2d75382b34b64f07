//! Two desired states that differ in every kind of resource. What one has and the other has not goes both ways, so
//! that the way there and the way back each add, change and remove.

use crate::support::{Service, service};

/// A side of the way: `a` or `b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    A,
    B,
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        match self {
            Side::A => "a",
            Side::B => "b",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }

    fn number(self) -> u32 {
        match self {
            Side::A => 1,
            Side::B => 2,
        }
    }
}

/// Images of the compose stack, one for each side.
pub(super) const IMAGES: [Service<'static>; 2] = [image("web:a"), image("web:b")];

const fn image(image: &'static str) -> Service<'static> {
    Service {
        image,
        port: 8000,
        paths: &[],
    }
}

/// Paths that only one side has.
pub(super) fn only(side: Side) -> Vec<String> {
    let side = side.name();
    [
        format!("sites-available/only-{side}"),
        format!("systemd/only-{side}.service"),
        format!("systemd/dropped.service.d/of-{side}.conf"),
        format!("etc/nginx/snippets/of-{side}.conf"),
        format!("etc/nginx/snippets/adopted-{side}.conf"),
        format!("etc/app/adopted-{side}.conf"),
    ]
    .to_vec()
}

/// The files of one side, by their path in the desired state's folder.
pub(super) fn files(side: Side) -> Vec<(String, String)> {
    let (name, number) = (side.name(), side.number());
    let mut files = vec![
        ("watchme.toml".to_owned(), policy(side)),
        ("docker-compose.infra.yml".to_owned(), infra(side)),
        (
            "compose/web/docker-compose.yml".to_owned(),
            format!(
                "version: '3.8'\nservices:\n  web:\n    image: web:{name}\n    network_mode: bridge\n"
            ),
        ),
        (
            "scripts/run.sh".to_owned(),
            format!("#!/bin/sh\nexec /bin/sleep 600{number}\n"),
        ),
        ("etc/app/copied.conf".to_owned(), format!("500{number}\n")),
        (
            format!("etc/app/adopted-{name}.conf"),
            format!("adopted = {name}\n"),
        ),
    ];
    files.extend(sites(side));
    files.extend(units(side));
    files
}

/// `user` and `only-a` pass requests to an upstream that `pools` defines, under another name on each side: any two
/// of them that are not of one side make a configuration that nginx refuses.
fn sites(side: Side) -> Vec<(String, String)> {
    let name = side.name();
    vec![
        (
            "sites-available/pools".to_owned(),
            format!("upstream pool_{name} {{\n    server 127.0.0.1:9001;\n}}\n"),
        ),
        (
            "sites-available/user".to_owned(),
            format!(
                "server {{
    listen 80;
    server_name user.example.com;
    include /etc/nginx/snippets/of-{name}.conf;
    include /etc/nginx/snippets/adopted-{name}.conf;
    location / {{
        proxy_pass http://pool_{name};
    }}
}}
"
            ),
        ),
        (
            format!("sites-available/only-{name}"),
            format!(
                "server {{
    listen 443 ssl;
    server_name only-{name}.example.com;
    ssl_certificate /etc/pairs/{name}/fullchain.pem;
    ssl_certificate_key /etc/pairs/{name}/privkey.pem;
    location / {{
        proxy_pass http://pool_{name};
    }}
}}
"
            ),
        ),
        (
            format!("etc/nginx/snippets/of-{name}.conf"),
            format!("add_header X-Side {name};\n"),
        ),
        (
            format!("etc/nginx/snippets/adopted-{name}.conf"),
            format!("add_header X-Adopted {name};\n"),
        ),
        (
            "etc/nginx/conf.d/both.conf".to_owned(),
            format!("add_header X-Both {name};\n"),
        ),
    ]
}

fn units(side: Side) -> Vec<(String, String)> {
    let (name, number) = (side.name(), side.number());
    let compose = "/usr/bin/docker-compose -f /home/ubuntu/watchme-server-configs/desired-state/compose/web/docker-compose.yml";
    let unit = |name: &str, text: String| (format!("systemd/{name}"), text);
    vec![
        unit("same.service", service("/bin/sleep infinity")),
        unit(
            "served.service",
            service(&format!(
                "/bin/busybox httpd -f -p 127.0.0.1:9001 -h /srv/{name}"
            )),
        ),
        unit(
            &format!("only-{name}.service"),
            service(&format!("/bin/sleep 200000{number}")),
        ),
        unit(
            "dropped.service",
            service("/bin/sleep ${SECONDS}").replace("Exec", "Environment=SECONDS=3000000\nExec"),
        ),
        unit(
            &format!("dropped.service.d/of-{name}.conf"),
            format!("[Service]\nEnvironment=SECONDS=300000{number}\n"),
        ),
        unit(
            "inst@.service",
            service(&format!(
                "/bin/sh -c 'echo %i; exec /bin/sleep 400{number}'"
            )),
        ),
        unit(
            "tick.timer",
            format!(
                "[Timer]\nOnCalendar=*-01-0{number} 03:00:00\n\n[Install]\nWantedBy=timers.target\n"
            ),
        ),
        unit(
            "tick.service",
            format!("[Service]\nType=oneshot\nExecStart=/bin/echo {name}\n"),
        ),
        unit(
            "reader.service",
            service("/bin/sh -c 'exec /bin/sleep $$(cat /etc/app/copied.conf)'"),
        ),
        unit(
            "script.service",
            service("/home/ubuntu/watchme-server-configs/desired-state/scripts/run.sh"),
        ),
        unit(
            "web.service",
            format!(
                "[Unit]
Requires=docker.service
After=docker.service

[Service]
ExecStart={compose} up
ExecStop={compose} down

[Install]
WantedBy=multi-user.target
"
            ),
        ),
    ]
}

/// Services that a side starts.
pub(super) fn services(side: Side) -> Vec<String> {
    let name = side.name();
    let both = ["same", "served", "dropped", "reader", "script", "web"];
    let own = [format!("only-{name}"), format!("inst@{name}")];
    let names = both.map(str::to_owned).into_iter().chain(own);
    names.map(|name| format!("{name}.service")).collect()
}

fn policy(side: Side) -> String {
    let name = side.name();
    let mut text = format!(
        "bootstrap_certificates = true
absent = [\"sites-enabled/default\"]

[etc.\"app/copied.conf\"]
restart = \"reader.service\"
[etc.\"app/adopted-{name}.conf\"]
install = \"link\"

[[network.kills-{name}.member]]
container = \"lodger\"
[[network.kills-{name}.member]]
project = \"web\"
service = \"web\"

[[network.kills-both.member]]
container = \"lodger\"
[[network.kills-both.member]]
project = \"web\"
service = \"web\"
"
    );
    for unit in services(side).into_iter().chain(["tick.timer".to_owned()]) {
        text.push_str(&format!("\n[unit.\"{unit}\"]\nsettle = \"0s\"\n"));
        if unit.contains('@') {
            text.push_str("start = true\n");
        }
    }
    text
}

fn infra(side: Side) -> String {
    let (name, number) = (side.name(), side.number());
    format!(
        "version: '3.8'
networks:
  kills-{name}:
    name: kills-{name}
    driver: bridge
    ipam:
      config:
        - subnet: 172.28.{number}.0/24
          gateway: 172.28.{number}.1
  kills-both:
    name: kills-both
    driver: bridge
    ipam:
      config:
        - subnet: 172.28.9.0/24
          gateway: 172.28.9.1
"
    )
}
