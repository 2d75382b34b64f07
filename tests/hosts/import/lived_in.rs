//! A server that people ran for years.

use std::time::Duration;

use crate::support::{Host, Service};

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
pub(super) const OLD_SITE: &str =
    "server { listen 80; server_name old.example.com; return 404; }\n";
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
pub(super) const SHOP: &str = "# The shop
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
pub(super) const PLAIN: &str = "[Service]\nEnvironmentFile=/etc/default/plain\nExecStart=/bin/busybox httpd -f -p 127.0.0.1:${PORT} -h /srv/plain\n\n\
    [Install]\nWantedBy=multi-user.target\n";

pub(super) fn lived_in() -> Host {
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
