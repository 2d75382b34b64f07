//! What `routes` and `ports` print fits 80 columns, whatever is in it.

use crate::routes::{UNIT, place};

/// What a terminal with 80 columns shows without breaking lines.
fn fits(said: &str) {
    for line in said.lines() {
        let wide = unicode_width::UnicodeWidthStr::width(line);
        assert!(wide <= 80, "{wide} columns: {line}");
    }
}

#[test]
fn tables_and_steps_fit_80_columns() {
    let place = place();
    let site = "server {
    listen 80;
    server_name a-rather-long-name-of-a-service.example.com another-rather-long-name.example.com;

    location /a/rather/long/path/ {
        proxy_pass http://localhost:8015/another/rather/long/path/of/an/api/;
    }

    location ~ ^/(画像|資料)/(?<rest>[^/]+)$ {
        return 301 https://www.example.com/とても長い名前のフォルダ;
    }
}
";
    let long = format!(
        "server {{\n    listen 80;\n    server_name {};\n\n    location /{} {{\n        proxy_pass http://localhost:8016/{};\n    }}\n}}\n",
        "long-name.".repeat(9) + "example.com",
        "segment/".repeat(12),
        "0123456789".repeat(15),
    );
    let compose = format!(
        "services:\n  api:\n    image: api:1\n    container_name: {}\n    ports: ['127.0.0.1:8016:8016']\n",
        "c".repeat(120)
    );
    let unit = UNIT.replace("CHECKOUT", &place.checkout().to_string_lossy());
    let unit = unit.replace("scheduler", "long");
    place.write(&[
        ("sites-available/予約と会員のサイト", site),
        ("sites-available/long", &long),
        ("compose/long/docker-compose.yml", &compose),
        ("systemd/long.service", &unit),
    ]);
    let longest = format!(
        "http://{}example.com/{}x",
        "long-name.".repeat(9),
        "segment/".repeat(12)
    );
    let url = "http://a-rather-long-name-of-a-service.example.com/a/rather/long/path/x";
    for words in [
        vec!["routes"],
        vec!["ports"],
        vec!["routes", "explain", url],
        vec!["routes", "explain", &longest],
        vec!["routes", "explain", "https://api.example.com/old/x"],
    ] {
        let found = place.run_here(&words).expect(0);
        fits(&found.stdout);
        let shows = |text: &str| found.stdout.contains(text);
        assert!(shows("予約") || shows("/old/") || shows("ccc"));
    }
}
