//! `import` writes the repository of a server that nobody prepared. Its first apply restarts nothing, and nothing is left to do
//! after it.

mod without;

use std::time::Duration;

use serde_json::Value;

use crate::support::schema::json;
use crate::support::{Host, Service};

/// Where the import goes.
const NEW: &str = "/home/ubuntu/server-config";
/// What is secret on this server.
const SECRETS: [&str; 7] = [
    "hunter2-in-env",
    "x7zpq-lost",
    "x7zpq-inline",
    "unit-s3cret-1",
    "mode-s3cret-2",
    "htpasswd-s3cret",
    "PRIVATE KEY",
];

/// A site as certbot leaves it behind.
const SITE: &str = "server {
    server_name alpha.example.com;
    location / {
        proxy_pass http://127.0.0.1:8101;
        include /etc/nginx/snippets/headers.conf;
        auth_basic \"Members\";
        auth_basic_user_file /etc/nginx/.htpasswd;
    }

    listen 443 ssl; # managed by Certbot
    ssl_certificate /etc/letsencrypt/live/alpha.example.com/fullchain.pem; # managed by Certbot
    ssl_certificate_key /etc/letsencrypt/live/alpha.example.com/privkey.pem; # managed by Certbot
}
";
const OLD_SITE: &str = "server { listen 80; server_name old.example.com; return 404; }\n";
/// A project that a unit runs.
const ALPHA: &str = "services:
  alpha:
    image: app:1
    restart: unless-stopped
    env_file: .env
    environment: {KEPT: '${KEPT}'}
    ports: ['127.0.0.1:8101:8000']
";
const ALPHA_UNIT: &str = "[Unit]\nDescription=Alpha\nRequires=docker.service\nAfter=docker.service\n\n[Service]\n\
    WorkingDirectory=/opt/alpha\nExecStart=/usr/bin/docker-compose up\nExecStop=/usr/bin/docker-compose down\nRestart=always\n\n\
    [Install]\nWantedBy=multi-user.target\n";
/// A project that somebody started by hand, with passwords, relative paths, and a network made by hand.
const SHOP: &str = "# The shop
services:
  web:
    image: app:1
    restart: unless-stopped
    env_file: [shop.env]
    environment:
      DB_PASSWORD: x7zpq-inline
      DB_PASS: x7zpq-inline
      ADMIN_TOKEN: ${ADMIN_TOKEN:-x7zpq-inline}
      LOST: ${LOST_SECRET}
      MODE: ${MODE}
    ports: ['127.0.0.1:8102:8000']
    volumes: ['./data:/data', './shop.conf:/etc/shop.conf:ro']
    networks:
      app-net: {ipv4_address: 172.27.0.20}
networks:
  app-net: {external: true}
";
/// A project of two files, with a profile that was switched on by hand.
const TOOLS: [&str; 2] = [
    "services:
  tool: {image: 'app:1', restart: unless-stopped, volumes: ['./data:/data']}
  job: {image: 'app:1', restart: unless-stopped, profiles: [jobs]}
  other: {image: 'app:1', profiles: [never]}
",
    "services:
  tool: {ports: ['127.0.0.1:8104:8000'], environment: [MODE=live]}
",
];
/// A unit that lies elsewhere, and that systemctl has linked.
const LINKED: &str =
    "[Service]\nExecStart=/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n";
/// A project whose file was edited since it was started.
const STALE: &str = "services: {stale: {image: 'app:1', restart: unless-stopped, ports: ['127.0.0.1:8103:8000']}}\n";
/// A project whose container is ill.
const ILL: &str = "services: {ill: {image: 'app:1', healthcheck: {test: ['CMD', 'false'], interval: 1s, retries: 1}}}\n";
const PLAIN: &str = "[Service]\nEnvironmentFile=/etc/default/plain\nExecStart=/bin/busybox httpd -f -p 127.0.0.1:${PORT} -h /srv/plain\n\n\
    [Install]\nWantedBy=multi-user.target\n";

fn lived_in() -> Host {
    let host = Host::boot();
    host.load_service_images(&["app:1"].map(|image| Service {
        image,
        port: 8000,
        paths: &[],
    }));
    for (path, text) in [
        (
            "/etc/nginx/conf.d/maps.conf",
            "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n",
        ),
        (
            "/etc/nginx/snippets/headers.conf",
            "proxy_set_header Host $host;\n",
        ),
        ("/etc/nginx/.htpasswd", "anna:htpasswd-s3cret\n"),
        ("/etc/nginx/sites-available/alpha", SITE),
        ("/etc/nginx/sites-available/old", OLD_SITE),
        (
            "/etc/cron.d/nightly",
            "# Nightly\n0 3 * * * root /bin/true\n",
        ),
        (
            "/etc/docker/daemon.json",
            "{\"log-driver\": \"json-file\", \"log-opts\": {\"max-size\": \"10m\"}}\n",
        ),
        ("/etc/default/plain", "PORT=8105\n"),
        ("/etc/default/private", "KEY=mode-s3cret-2\n"),
        ("/etc/strange/own.conf", "a = 1\n"),
        ("/srv/plain/index.html", "plain\n"),
        ("/var/spool/cron/crontabs/ubuntu", "0 4 * * * /bin/true\n"),
        ("/opt/alpha/docker-compose.yml", ALPHA),
        ("/opt/alpha/.env", "TOKEN=hunter2-in-env\nKEPT=x7zpq-lost\n"),
        ("/opt/shop/docker-compose.yml", SHOP),
        (
            "/opt/shop/.env",
            "MODE=live\nUNUSED_TOKEN=hunter2-in-env\nLOST_SECRET=x7zpq-lost\n",
        ),
        ("/opt/shop/shop.env", "API_KEY=hunter2-in-env\n"),
        ("/opt/shop/shop.conf", "a\n"),
        ("/opt/shop/data/rows", "kept\n"),
        ("/opt/stale/docker-compose.yml", STALE),
        ("/opt/ill/docker-compose.yml", ILL),
        ("/opt/tools/docker-compose.yml", TOOLS[0]),
        ("/opt/tools/docker-compose.prod.yml", TOOLS[1]),
        ("/opt/linked/linked.service", LINKED),
        (
            "/opt/linked/site",
            "server { listen 80; server_name linked.example.com; return 404; }\n",
        ),
        ("/etc/systemd/system/alpha.service", ALPHA_UNIT),
        (
            "/etc/systemd/system/alpha.service.d/limits.conf",
            "[Service]\nTasksMax=100\n",
        ),
        (
            "/etc/systemd/system/nginx.service.d/nofile.conf",
            "[Service]\nLimitNOFILE=4096\n",
        ),
        ("/etc/systemd/system/plain.service", PLAIN),
        (
            "/etc/systemd/system/report.timer",
            "[Timer]\nOnCalendar=daily\n\n[Install]\nWantedBy=timers.target\n",
        ),
        (
            "/etc/systemd/system/report.service",
            "[Service]\nType=oneshot\nExecStart=/bin/true\n",
        ),
        (
            "/etc/systemd/system/unused.service",
            "[Service]\nExecStart=/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n",
        ),
        (
            "/etc/systemd/system/down.service",
            "[Service]\nExecStart=/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n",
        ),
        (
            "/etc/systemd/system/keyed.service",
            "[Service]\nEnvironment=DB_PASSWORD=unit-s3cret-1\nExecStart=/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n",
        ),
    ] {
        host.write(path, text);
    }
    let folder = "/etc/letsencrypt/live/alpha.example.com";
    host.sh(&format!(
        "mkdir -p {folder}; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 \
         -subj /CN=alpha.example.com -addext subjectAltName=DNS:alpha.example.com \
         -keyout {folder}/privkey.pem -out {folder}/fullchain.pem 2>/dev/null
         ln -s ../sites-available/alpha /etc/nginx/sites-enabled/alpha
         sed -i 's/# multi_accept on;/multi_accept on;/' /etc/nginx/nginx.conf
         ln -s /opt/linked/site /etc/nginx/sites-enabled/linked
         ln -s /dev/null /etc/systemd/system/masked.service
         chmod 600 /etc/default/private /opt/shop/.env /opt/shop/shop.env"
    ));
    host.sh(
        "systemctl restart docker; systemctl daemon-reload
         systemctl enable -q --now alpha plain report.timer keyed /opt/linked/linked.service; systemctl enable -q down; systemctl restart nginx
         docker network create --subnet 172.27.0.0/16 --gateway 172.27.0.1 app-net >/dev/null
         docker run -d --name byhand --network app-net --ip 172.27.0.9 --restart unless-stopped app:1 >/dev/null
         compose='docker compose'; $compose version >/dev/null 2>&1 || compose=docker-compose
         cd /opt/shop; $compose up -d 2>/dev/null
         cd /opt/tools; $compose -f docker-compose.yml -f docker-compose.prod.yml --profile jobs up -d 2>/dev/null
         cd /opt/ill; $compose up -d 2>/dev/null
         cd /opt/stale; $compose up -d 2>/dev/null
         sed -i 's/restart: unless-stopped/restart: always/' docker-compose.yml",
    );
    // What the containers have, and their files have no more.
    host.sh(
        "sed -i /LOST/d /opt/shop/.env
         touch -r /opt/alpha/.env /run/time; sed -i /KEPT/d /opt/alpha/.env; touch -r /run/time /opt/alpha/.env
         truncate -s 9M /etc/default/huge; mkfifo /etc/default/pipe
         perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => \"/etc/default/socket\", Listen => 1)'",
    );
    host.wait_for("all services", Duration::from_secs(60), || {
        [8101, 8102, 8103, 8104, 8105]
            .iter()
            .all(|port| host.get(&format!("http://localhost:{port}/")).0 != 0)
    });
    host.wait_for("the end of health", Duration::from_secs(30), || {
        !host.sh("docker ps -q --filter health=unhealthy").is_empty()
    });
    host
}

/// What identifies a run of each thing that serves.
fn runs(host: &Host) -> String {
    host.sh(
        "systemctl show -p Id -p MainPID -p InvocationID alpha plain report.timer keyed linked docker nginx
         systemctl is-active unused down || true; docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.State}}' | sort
         docker network ls --no-trunc --format '{{.ID}} {{.Name}}' | sort",
    )
}

fn import(host: &Host, arguments: &str) -> crate::support::Output {
    host.try_sh_as(
        "ubuntu",
        &format!("cd /home/ubuntu; sudo watchme-apply import {arguments}"),
    )
}

/// Runs the program in the new checkout as the person to whom it belongs.
fn tool(host: &Host, arguments: &str) -> crate::support::Output {
    host.try_sh_as(
        "ubuntu",
        &format!("cd {NEW}; sudo watchme-apply {arguments}"),
    )
}

fn texts<'a>(object: &'a Value, key: &str, of: &str) -> Vec<&'a str> {
    let items = object[key].as_array().expect("a list").iter();
    items
        .map(|item| item[of].as_str().unwrap_or_default())
        .collect()
}

#[test]
fn a_server_with_a_history_becomes_a_repository_and_nothing_restarts() {
    let host = lived_in();
    let before = runs(&host);

    // First without writing anything, as JSON.
    let dry = host.assert_untouched(|host| import(host, "server-config --dry-run --json"));
    let json = json("import", &dry.expect(0).stdout);
    let taken = texts(&json, "taken", "resource");
    for resource in [
        "site/alpha",
        "site/old",
        "unit/alpha.service",
        "unit/nginx.service",
        "unit/plain.service",
        "unit/report.timer",
        "unit/report.service",
        "unit/unused.service",
        "unit/stack-shop.service",
        "unit/stack-tools.service",
        "unit/linked.service",
        "site/linked",
        "network/app-net",
        "member/app-net/byhand",
        "etc/nginx/conf.d/maps.conf",
        "etc/nginx/snippets/headers.conf",
        "etc/nginx/nginx.conf",
        "etc/cron.d/nightly",
        "etc/docker/daemon.json",
        "etc/default/plain",
    ] {
        assert!(taken.contains(&resource), "{resource}: {json:#}");
    }
    let unmanaged = json["unmanaged"].as_array().unwrap();
    for (what, why) in [
        (
            "/etc/systemd/system/keyed.service",
            "line 2 looks like a password or a key",
        ),
        (
            "/etc/systemd/system/down.service",
            "an apply would change it: start",
        ),
        (
            "compose project alpha",
            "alpha.service runs it from where it is",
        ),
        ("compose project stale", "compose would make its container"),
        (
            "compose project ill",
            "is unhealthy, and an apply of it would fail",
        ),
        ("container byhand", "somebody started it with docker run"),
        ("/etc/default/private", "others may not read it (mode 0600)"),
        ("/etc/strange", "no package owns it"),
        ("/etc/nginx/.htpasswd", "its name says"),
        (
            "/var/spool/cron/crontabs/ubuntu",
            "crontabs of users are not managed",
        ),
        ("/etc/systemd/system/masked.service", "it is masked"),
        ("/etc/default/huge", "it has 9 MiB"),
        ("/etc/default/pipe", "it is a pipe"),
        ("/etc/default/socket", "it is a socket"),
        (
            "compose project alpha",
            "only its containers have the values of KEPT: /opt/alpha/.env does not",
        ),
    ] {
        let is = |left: &&Value| {
            left["what"].as_str().unwrap().starts_with(what)
                && left["why"].as_str().unwrap().contains(why)
        };
        assert!(
            unmanaged.iter().any(|left| is(&left)),
            "{what}: {why}: {json:#}"
        );
    }
    let of_units = import(
        &host,
        "server-config --dry-run --json --only units --with-secrets",
    );
    let of_units: Value = serde_json::from_str(&of_units.expect(0).stdout).expect("JSON");
    let taken = of_units["taken"].as_array().unwrap();
    assert!(
        taken.iter().all(|taken| taken["kind"] == "units"),
        "{of_units:#}"
    );
    assert!(
        texts(&of_units, "taken", "resource").contains(&"unit/keyed.service"),
        "{of_units:#}"
    );
    assert!(!host.stands(NEW));

    // The same for real.
    let said = import(&host, "server-config").expect(0).stdout;
    eprintln!("{said}");
    for part in [
        "is a new repository of one commit",
        "secrets, which are not in git:",
        "/opt/shop/shop.env",
        "/etc/letsencrypt/live/alpha.example.com/privkey.pem",
        "not managed:",
        "the first apply stops and restarts nothing",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(runs(&host), before, "an import changes nothing");

    // Nothing that is secret is in git or in what was said, and git has nothing more to commit.
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret}: {said}");
        let found = host.sh_as(
            "ubuntu",
            &format!("cd {NEW}; git grep -l -e '{secret}' $(git rev-list --all) || true"),
        );
        assert_eq!(found, "", "{secret}");
    }
    assert_eq!(
        host.sh_as("ubuntu", &format!("cd {NEW}; git status --short")),
        ""
    );
    // What only a container had, and what was the default of a variable.
    let env = format!("{NEW}/desired-state/compose/shop/.env");
    for line in [
        "DB_PASS=x7zpq-inline\n",
        "ADMIN_TOKEN=x7zpq-inline\n",
        "LOST_SECRET=x7zpq-lost\n",
    ] {
        assert!(
            host.read(&env).contains(line),
            "{line}: {}",
            host.read(&env)
        );
    }
    assert_eq!(host.sh(&format!("stat -c '%a %U' {env}")), "600 root");
    assert!(host.read(&env).contains("DB_PASSWORD=x7zpq-inline\n"));
    let compose = host.read(&format!(
        "{NEW}/desired-state/compose/shop/docker-compose.yml"
    ));
    assert_eq!(
        compose,
        SHOP.replace("[shop.env]", "[\"/opt/shop/shop.env\"]")
            .replace(
                "DB_PASSWORD: x7zpq-inline",
                "DB_PASSWORD: \"${DB_PASSWORD}\""
            )
            .replace("DB_PASS: x7zpq-inline", "DB_PASS: \"${DB_PASS}\"")
            .replace(
                "ADMIN_TOKEN: ${ADMIN_TOKEN:-x7zpq-inline}",
                "ADMIN_TOKEN: \"${ADMIN_TOKEN}\""
            )
            .replace("'./data:/data'", "\"/opt/shop/data:/data\"")
            .replace(
                "'./shop.conf:/etc/shop.conf:ro'",
                "\"/opt/shop/shop.conf:/etc/shop.conf:ro\""
            )
    );

    // What it does not do.
    let without_root = host.try_sh_as("ubuntu", "cd /home/ubuntu; watchme-apply import other");
    let errors = [
        without_root,
        host.try_sh_as(
            "ubuntu",
            "cd /home/ubuntu; mkdir full; touch full/a; sudo watchme-apply import full",
        ),
        import(&host, "server-config/new"),
    ];
    for (failed, error, hint) in [
        (
            &errors[0],
            "only root can read what is to be imported",
            "sudo watchme-apply import DIR",
        ),
        (
            &errors[1],
            "/home/ubuntu/full is not empty: nothing was written",
            "name a folder that is not there yet",
        ),
        (
            &errors[2],
            "is in a git repository: an import makes a repository of its own",
            "name a folder",
        ),
    ] {
        assert_eq!(failed.status, 1, "{}", failed.text());
        let said = &failed.stderr;
        assert!(
            said.contains(error) && said.contains(&format!("hint: {hint}")),
            "{said}"
        );
    }

    // The first apply takes over what is there.
    let checked = tool(&host, "check").text();
    assert!(!checked.contains("error["), "{checked}");
    let plan = tool(&host, "plan").expect(0).stdout;
    for interruption in [": restart", ": stop", "interrupts only"] {
        assert!(!plan.contains(interruption), "{interruption}: {plan}");
    }
    tool(&host, "apply").expect(0);
    assert_eq!(runs(&host), before, "an apply restarts nothing");
    let in_sync = tool(&host, "plan --detailed-exitcode").expect(0).stdout;
    assert!(in_sync.contains("plan: nothing to do"), "{in_sync}");
    tool(&host, "drift").expect(0);

    // The host belongs to it now.
    let failed = import(&host, "other").expect(1).stderr;
    assert!(
        failed.contains("error: this host has the desired state of /home/ubuntu/server-config")
            && failed.contains("hint: sudo watchme-apply drift"),
        "{failed}"
    );
    let failed = import(&host, "server-config").expect(1).stderr;
    assert!(
        failed.contains("this host has the desired state"),
        "{failed}"
    );
}
