//! What nginx refuses of whole configurations: `check` finds an error in these, and in no other one.

use super::words::WORDS;
use super::{Host, findings, tested, wrapped};

/// Rules whose errors nginx refuses.
const RULES: [&str; 18] = [
    "nginx-buffers",
    "nginx-directive-misplaced",
    "nginx-directive-twice",
    "nginx-duplicate-default-server",
    "nginx-duplicate-listen",
    "nginx-duplicate-location",
    "nginx-duplicate-name",
    "nginx-location-nested",
    "nginx-map-invalid",
    "nginx-missing-semicolon",
    "nginx-no-certificate",
    "nginx-no-events",
    "nginx-regex-invalid",
    "nginx-undeclared-name",
    "nginx-unknown-directive",
    "nginx-upstream-invalid",
    "nginx-wrong-arguments",
    "syntax",
];

/// What stands in `http`; `PAIR` is a certificate with its key.
const HTTP: [&str; 205] = [
    // A brace of an expression begins a block.
    "server { location ~ ^/x{8}$ { return 204; } }",
    "server { rewrite ^/([0-9]{2,4})$ /y last; }",
    "server { location ~ \"^/x{8}$\" { return 204; } }",
    // Options of a socket, of whatever server.
    "server { listen 81 backlog=1; } server { listen 81 backlog=1; server_name b; }",
    "server { listen 81 reuseport; } server { listen 81; server_name b; }",
    "server { listen 81 deferred; } server { listen 82 deferred; server_name b; }",
    "server { listen 81 proxy_protocol; } server { listen 81 proxy_protocol; server_name b; }",
    "server { listen 81 backlog=0; }",
    "server { listen 81 backlog=-1; }",
    "server { listen 81 so_keepalive=x; }",
    "server { listen 81 so_keepalive=30m::10; }",
    "server { listen [::]:81 ipv6only=maybe; }",
    "server { limit_rate 5x; }",
    "server { limit_rate 5k; }",
    "server { limit_rate $arg_rate; }",
    "server { limit_rate_after 1m; }",
    // One value each.
    "server { root /a; root /b; }",
    "server { location / { root /a; alias /b; } }",
    "server { auth_basic a; auth_basic b; }",
    "server { location / { proxy_pass http://127.0.0.1:1; proxy_pass http://127.0.0.1:2; } }",
    "server { location / { fastcgi_pass 127.0.0.1:1; fastcgi_pass 127.0.0.1:2; } }",
    "server { expires 1d; expires 2d; }",
    "server { try_files /a =404; try_files /b =404; }",
    "server { keepalive_timeout 1; keepalive_timeout 2; }",
    "server { resolver 127.0.0.1; resolver 127.0.0.2; }",
    "server { charset utf-8; charset off; }",
    "server { index a; index b; }",
    "server { access_log /tmp/a; access_log /tmp/b; }",
    "server { error_log /tmp/a; error_log /tmp/b; }",
    "server { ssl_protocols TLSv1.2; ssl_protocols TLSv1.3; }",
    "server { proxy_redirect /a /b; proxy_redirect /c /d; }",
    "server { proxy_cookie_path /a /b; proxy_cookie_path /c /d; }",
    "server { allow all; allow all; }",
    "server { return 204; return 204; }",
    "server { proxy_set_header A b; proxy_set_header A b; }",
    "server { location / { limit_except GET { deny all; } limit_except POST { deny all; } } }",
    "server { mirror /a; mirror /b; }",
    // Upstreams.
    "upstream a { server 127.0.0.1:1; } upstream a { server 127.0.0.1:2; }",
    "upstream a { server 127.0.0.1:1; } upstream A { server 127.0.0.1:2; }",
    "upstream a { server 127.0.0.1:1; } upstream b { server 127.0.0.1:2; }",
    "upstream a { }",
    "upstream a { keepalive 8; }",
    "upstream a { server 127.0.0.1:1 backup; }",
    "upstream a { server 127.0.0.1:1; server 127.0.0.1:2 backup; }",
    "upstream a { ip_hash; server 127.0.0.1:1; server 127.0.0.1:2 backup; }",
    "upstream a { server 127.0.0.1:1; server 127.0.0.1:2 backup; ip_hash; }",
    "upstream a { least_conn; server 127.0.0.1:1; server 127.0.0.1:2 backup; }",
    "upstream a { random; server 127.0.0.1:1; server 127.0.0.1:2 backup; }",
    "upstream a { hash $uri consistent; server 127.0.0.1:1 weight=2; }",
    "upstream a { server 127.0.0.1:80 wieght=3; }",
    "upstream a { server 127.0.0.1:80 weight=3 max_fails=0 fail_timeout=10s max_conns=5 down; server 127.0.0.1; }",
    "upstream a { server 127.0.0.1:80 weight=0; }",
    "upstream a { server 127.0.0.1:80 weight=x; }",
    "upstream a { server 127.0.0.1:80 fail_timeout=10ms; }",
    "upstream a { server 127.0.0.1:80 max_fails=; }",
    "upstream a { server 127.0.0.1:80 down=1; }",
    "upstream a { server http://127.0.0.1:80; }",
    "upstream a { server 127.0.0.1:80/x; }",
    "upstream a { server 127.0.0.1:99999; }",
    "upstream a { server 127.0.0.1:0; }",
    "upstream a { server 127.0.0.1:; }",
    "upstream a { server unix:/tmp/x; }",
    "upstream a { server [::1]:80; server [::1]; }",
    "upstream a { server [::1:80; }",
    "upstream a { server [::1]:99999; }",
    "upstream a { server 127.0.0.1:1; keepalive x; }",
    "upstream a { server 127.0.0.1:1; keepalive 8; }",
    "upstream a { server 127.0.0.1:1; zone a 1k; }",
    "upstream a { server 127.0.0.1:1; zone a 64k; }",
    // Names.
    "server { access_log /tmp/x nosuch; }",
    "log_format long $uri; server { access_log /tmp/x Long; access_log /tmp/y combined; access_log off; }",
    "server { access_log /tmp/x long; } log_format long $uri;",
    "log_format long $uri; log_format long $host;",
    "server { access_log off nosuch; }",
    "log_format long $uri; access_log /tmp/x long buffer=1k flush=1m gzip=2 if=$arg_a;",
    "log_format long $uri; access_log /tmp/x long bufer=1k;",
    "server { limit_req zone=nosuch; }",
    "limit_req_zone $uri zone=a:1m rate=1r/s; server { limit_req zone=a burst=5 nodelay; }",
    "limit_req_zone $uri zone=a:1m rate=1r/s; server { limit_req zone=a burst=5 delay=3; }",
    "limit_req_zone $uri zone=a:1m rate=1r/s; server { limit_req zone=A; }",
    "limit_req_zone $uri zone=a:1m rate=1r/s; limit_req_zone $host zone=a:1m rate=1r/s;",
    "limit_req_zone $uri zone=a:1m rate=1r/s; server { limit_req zone=a burst=0; }",
    "limit_req_zone $uri zone=a:1m rate=1r/s; server { limit_req burst=5; }",
    "limit_req_zone $uri zone=a:1m rate=1r/s; server { limit_req zone=a brust=5; }",
    "limit_req_zone $uri zone=a:1k rate=1r/s;",
    "limit_req_zone $uri zone=a:32k rate=1r/m;",
    "limit_req_zone $uri zone=a:31k rate=1r/m;",
    "limit_req_zone $uri zone=a rate=1r/s;",
    "limit_req_zone $uri zone=a:1g rate=1r/s;",
    "limit_req_zone $uri zone=a:1m rate=1/s;",
    "limit_req_zone $uri zone=a:1m rate=0r/s;",
    "limit_req_zone $uri zone=a:1m rate=5;",
    "limit_conn_zone $uri zone=c:1m; server { limit_conn c 5; }",
    "limit_conn_zone $uri zone=c:1m; server { limit_conn d 5; }",
    "limit_conn_zone $uri zone=c:1m; server { limit_conn c 0; }",
    "limit_conn_zone $uri zone=c:1m; server { limit_conn c 70000; }",
    "limit_conn_zone $uri zone=c:1m; server { limit_req zone=c; }",
    "proxy_cache_path /tmp/cache keys_zone=w:1m; server { proxy_cache w; }",
    "proxy_cache_path /tmp/cache keys_zone=w:1m; server { proxy_cache v; }",
    "proxy_cache_path /tmp/cache keys_zone=w:1m; server { proxy_cache off; } server { listen 81; proxy_cache $host; }",
    "proxy_cache_path /tmp/cache keys_zone=w:1m; server { fastcgi_cache w; fastcgi_cache_key $uri; }",
    "proxy_cache_path /tmp/cache keys_zone=w:12k levels=1:2 inactive=1h max_size=1g use_temp_path=off;",
    "proxy_cache_path /tmp/cache keys_zone=w:7k;",
    "proxy_cache_path /tmp/cache levels=1:2;",
    "proxy_cache_path /tmp/cache keys_zone=w:1m level=1:2;",
    "server { location / { fastcgi_pass php; } }",
    "server { location / { fastcgi_pass 127.0.0.1; } }",
    "server { location / { fastcgi_pass unix:/tmp/x; } }",
    "server { location / { fastcgi_pass $arg_a; } }",
    "server { location / { fastcgi_pass 127.0.0.1:9000/x; } }",
    "upstream php { server 127.0.0.1:9000; } server { location / { fastcgi_pass php; } }",
    "upstream php { server 127.0.0.1:9000; } server { location / { fastcgi_pass PHP; } }",
    "upstream php { server 127.0.0.1:9000; } server { location / { fastcgi_pass php:9000; } }",
    "server { location / { uwsgi_pass app; } }",
    "server { location / { uwsgi_pass uwsgi://127.0.0.1:3031; } }",
    "server { location / { scgi_pass app; } }",
    "server { location / { memcached_pass cache; set $memcached_key a; } }",
    "server { location / { grpc_pass api; } }",
    "server { location / { grpc_pass grpc://127.0.0.1:1; } }",
    "server { location / { grpc_pass grpc://127.0.0.1:1/x; } }",
    "upstream app { server 127.0.0.1:1; } server { location / { proxy_pass http://app; } }",
    "upstream app { server 127.0.0.1:1; } server { location / { proxy_pass http://App/x; } }",
    "upstream app { server 127.0.0.1:1; } server { location / { proxy_pass http://app:8080; } }",
    "server { location / { proxy_pass http://127.0.0.1:99999; } }",
    "server { location / { proxy_pass http://127.0.0.1:1x/; } }",
    "server { location / { proxy_pass http://:80; } }",
    "server { location / { proxy_pass http://[::1]:80/x; } }",
    "server { location / { proxy_pass http://127.0.0.1?a=b; } }",
    // Values.
    "server { allow 10.0.0.0/99; }",
    "server { allow 10.0.0.0/8; allow ::1; allow 2001:db8::/32; deny unix:; deny all; }",
    "server { allow lan; }",
    "server { deny 10.0.0; }",
    "server { allow 2001:db8::/129; }",
    "server { allow 10.0.0.1/; }",
    "server { listen 80 spdy; }",
    "ssl_protocols TLSv1.4;",
    "ssl_protocols TLSv1.2 tlsv1.3;",
    "server { expires 1x; }",
    "server { expires 1d; location /a { expires -1; } location /b { expires @15h30m; } location /c { expires modified +1h; } location /d { expires epoch; } }",
    "server { expires modified @1h; }",
    "server { expires @25h; }",
    "server { expires since 1h; }",
    "gzip_comp_level 12;",
    "gzip_comp_level 0;",
    "gzip_comp_level 9;",
    "limit_req_status 399;",
    "limit_req_status 429;",
    // Zones of one name, whatever they are for.
    "server { ssl_session_cache shared:A:1m; } server { listen 82; ssl_session_cache shared:A:2m; }",
    "server { ssl_session_cache shared:A:1m; } server { listen 82; ssl_session_cache shared:A:1024k; }",
    "ssl_session_cache shared:A:1m; server { ssl_session_cache builtin:100 shared:A:2m; }",
    "limit_req_zone $uri zone=A:1m rate=1r/s; limit_conn_zone $uri zone=A:1m;",
    "limit_req_zone $uri zone=A:1m rate=1r/s; limit_conn_zone $uri zone=a:1m;",
    "limit_req_zone $uri zone=A:1m rate=1r/s; server { ssl_session_cache shared:A:1m; }",
    "proxy_cache_path /tmp/c keys_zone=A:1m; limit_conn_zone $uri zone=A:1m;",
    "proxy_cache_path /tmp/c keys_zone=A:1m; fastcgi_cache_path /tmp/d keys_zone=A:1m;",
    "upstream u { zone A 64k; server 127.0.0.1:1; } upstream v { zone A 64k; server 127.0.0.1:2; }",
    "upstream u { zone A 64k; server 127.0.0.1:1; } upstream v { zone A; server 127.0.0.1:2; }",
    "upstream u { zone A 64k; server 127.0.0.1:1; } upstream v { zone A 128k; server 127.0.0.1:2; }",
    "upstream u { zone A 64k; server 127.0.0.1:1; } limit_conn_zone $uri zone=A:64k;",
    "server { ssl_session_cache shared:A:1m; ssl_ocsp_cache shared:A:1m; }",
    "ssl_session_cache shared:TLS:10m;",
    "ssl_session_cache shared:TLS;",
    "ssl_session_cache shared:TLS:1k;",
    "ssl_session_cache builtin:100 shared:TLS:32k;",
    "ssl_session_cache sharde:TLS:10m;",
    "error_log /tmp/x warning;",
    "error_log /tmp/x debug_http;",
    "proxy_next_upstream error http_501;",
    "server { location == /a { } }",
    // Conditions, names and words.
    "server { set a b; }",
    "server { set $a b; }",
    "server { if $host { return 204; } }",
    "server { if ($host = ) { return 204; } }",
    "server { listen :80; }",
    "server { error_page 499 /x; }",
    "server { error_page 404 =abc /x; error_page 500 /y; }",
    "server { error_page 404 = /x; error_page 500 =200 /y; }",
    "server { set_real_ip_from 10.0.0.0/99; }",
    "server { set_real_ip_from 10.0.0.0/8; }",
    "server { keepalive_timeout x; }",
    "server { keepalive_timeout 65s 60s; }",
    "server { location / { fastcgi_param A b foo; } }",
    "server { location / { fastcgi_param A b if_not_empty; } }",
    "upstream a { server 127.0.0.1:1; hash $uri consistant; }",
    "map $uri x { a 1; }",
    "geo $x { default 0; lan 1; }",
    "geo $x { default 0; 10.0.0.0/99 1; }",
    "geo $x { default 0; 10.0.0.0/8; }",
    "geo $x { default 0; 10.0.0.0/8 1; ::1 2; proxy 10.0.0.1; 255.255.255.255 3; }",
    "geo $x { ranges; 10.0.0.1-10.0.0.9 1; }",
    // Buffers.
    "server { proxy_buffer_size 64k; }",
    "proxy_buffer_size 64k; server { }",
    "proxy_buffer_size 64k;",
    "server { proxy_buffers 4 4k; proxy_busy_buffers_size 64k; }",
    "server { proxy_buffers 4 256k; proxy_buffer_size 128k; proxy_busy_buffers_size 256k; }",
    "server { proxy_buffers 1 8k; }",
    "server { fastcgi_buffer_size 64k; location / { fastcgi_buffers 8 64k; } }",
    "server { fastcgi_buffers 8 64k; location / { fastcgi_buffer_size 128k; } }",
    "server { uwsgi_buffers 8 16k; uwsgi_busy_buffers_size 8k; }",
    // Locations.
    "server { location /a { location /b { } } }",
    "server { location /a { location /ab { } location = /a { } location ~ b { } } }",
    "server { location = /a { location /a/b { } } }",
    "server { location @a { location /a { } } }",
    "server { location /a { location @b { } } }",
    "server { location ~ b { location /b { } } location ~ c { location ~ d { } } }",
];

/// Certificates and maps.
const MORE: [&str; 19] = [
    "server { listen 443 ssl; PAIR } server { listen 443 ssl; server_name b; }",
    "server { listen 443 ssl; server_name b; } server { listen 443 ssl; PAIR }",
    "server { listen 443 ssl; server_name b; } server { listen 443 ssl default_server; PAIR }",
    "server { listen 443 ssl; PAIR } server { listen 127.0.0.1:443 ssl; server_name b; }",
    "server { listen 443; server_name b; } server { listen 443 ssl; PAIR }",
    "server { listen 443 ssl; ssl_reject_handshake on; } server { listen 443 ssl; server_name b; }",
    "server { listen 443 ssl; ssl_reject_handshake on; } server { listen 443 ssl; server_name b; PAIR }",
    "server { listen 80; ssl_certificate /root/c.pem; }",
    "server { listen 443 ssl; PAIR ssl_certificate /root/c.pem; }",
    "map $uri $x { a 1; a 2; }",
    "map $uri $x { a 1; A 2; }",
    "map $uri $x { a 1; \\a 2; }",
    "map $uri $x { default 1; default 2; }",
    "map $uri $x { \\default 1; default 2; }",
    "map $uri $x { ~a 1; ~a 2; volatile; hostnames; }",
    "map $uri $x { a; }",
    "map $uri $x { a 1 2; }",
    "map $uri $x { hostnames; *.a 1; *.a 2; }",
    "map $uri $x { a 1; b 1; default 1; }",
];

/// Whole files. The nginx of the test host has streams as a module.
const WHOLE: [&str; 22] = [
    "events { } http { }",
    "http { }",
    "worker_processe 2; events { } http { }",
    "worker_processes x; events { }",
    "worker_processes auto; events { }",
    "worker_processes 2; worker_processes 3; events { }",
    "events { worker_connections 0; }",
    "events { worker_connections 9; worker_connections 8; }",
    "events { } events { }",
    "events { } http { } http { }",
    "events { use epoll; multi_accept maybe; }",
    "events { } server { }",
    "events { } http { events { } }",
    "events { } http { stream { } }",
    "events { } gzip on;",
    "user a b c; events { }",
    "STREAM events { } stream { server { listen 1025; proxy_pass 127.0.0.1:1; } }",
    "STREAM events { } stream { server { listen 1025; proxy_pass app; } }",
    "STREAM events { } stream { upstream app { server 127.0.0.1:1; } server { listen 1025; proxy_pass app; } }",
    "STREAM events { } stream { upstream app { server 127.0.0.1; } server { listen 1025; proxy_pass app; } }",
    "STREAM events { } stream { server { listen 1025; location / { } } }",
    "STREAM events { } stream { server { listen 1025; proxy_timeout x; return a; } }",
];

/// The rules that find an error in an nginx.conf.
fn errors(main: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("etc/nginx");
    std::fs::create_dir_all(&path).expect("a folder");
    std::fs::write(path.join("nginx.conf"), main).expect("a file");
    let findings = findings(folder.path());
    let errors = findings.iter().filter(|finding| finding.is_error());
    let refused = errors.filter(|finding| RULES.contains(&finding.rule.name));
    refused.map(ToString::to_string).collect()
}

#[test]
fn what_nginx_refuses_is_an_error() {
    let host = Host::boot();
    host.sh("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a.test -keyout /root/k.pem -out /root/c.pem 2>/dev/null");
    host.sh("apt-get install -y libnginx-mod-stream >/dev/null 2>&1 || true");
    let has_streams = host
        .sh("ls /usr/lib/nginx/modules")
        .contains("ngx_stream_module.so");
    let pair = "ssl_certificate /root/c.pem; ssl_certificate_key /root/k.pem;";
    let inside = HTTP.iter().chain(&MORE).chain(&WORDS);
    let mut texts: Vec<String> = inside
        .map(|inside| wrapped(&inside.replace("PAIR", pair)))
        .collect();
    let load = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;";
    let whole = WHOLE
        .iter()
        .filter(|text| has_streams || !text.contains("STREAM"));
    texts.extend(whole.map(|text| text.replace("STREAM", load)));
    let (mut refused, mut wrong) = (0, Vec::new());
    for (text, said) in texts.iter().zip(tested(&host, &texts)) {
        let theirs = !said.contains("test is successful");
        refused += usize::from(theirs);
        let ours = errors(text);
        if theirs == ours.is_empty() {
            wrong.push(format!("{text}nginx: {said}we: {ours:?}"));
        }
    }
    println!("{refused} of {} refused", texts.len());
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    assert!(
        refused > 90 && texts.len() - refused > 50,
        "{refused} of {}",
        texts.len()
    );
}

/// Arguments of which most directives take some.
const CANDIDATES: [&str; 14] = [
    "on",
    "1",
    "8k",
    "4 8k",
    "/tmp/x",
    "http://127.0.0.1:1",
    "127.0.0.1:1",
    "$arg_a",
    "utf-8",
    "/a /b",
    "max=10",
    "off",
    "30s",
    "5 6",
];

/// Every directive of the table twice in a block: nginx says that it is a duplicate where the table says so.
#[test]
#[ignore = "long: tests/run --all"]
fn the_table_says_what_nginx_takes_once() {
    const TABLE: &str = include_str!("../../../crates/nginx-conf/src/tables/directives.txt");
    const PLACES: [(char, &str, &str); 5] = [
        ('H', "", ""),
        ('S', "server {", "}"),
        ('L', "server { location /x {", "} }"),
        ('U', "upstream u { server 127.0.0.1:1;", "}"),
        ('l', "server { location /x { if ($arg_a) {", "} } }"),
    ];
    let (mut cases, mut texts) = (Vec::new(), Vec::new());
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, contexts, _, ";", value] = words.as_slice() else {
            continue;
        };
        let place = PLACES
            .iter()
            .find(|(letter, ..)| contexts.contains(*letter));
        let Some((_, before, after)) = place else {
            continue;
        };
        let is_single = *value != "-" && !value.starts_with('~');
        // Messages of these say something else, or compare more than the name.
        if [
            "listen",
            "log_format",
            "error_page",
            "http2_max_concurrent_pushes",
            "http2_push_preload",
        ]
        .contains(name)
        {
            continue;
        }
        let word = value.trim_start_matches(['=', '~']).split('|').next();
        let lowest = value
            .strip_prefix("number:")
            .and_then(|bounds| bounds.split('-').next());
        let own = match value.chars().next() {
            Some('=' | '~') => word,
            _ => lowest,
        };
        let candidates: Vec<&str> = match (*value, own) {
            (_, Some(own)) => vec![own],
            ("flag", _) => vec!["on"],
            ("size" | "offset", _) => vec!["8k"],
            ("number" | "time" | "sec", _) => vec!["1", "64"],
            _ => CANDIDATES.to_vec(),
        };
        for args in candidates {
            let once = format!("{name} {args};");
            texts.push(wrapped(&format!("{before} {once} {after}")));
            texts.push(wrapped(&format!("{before} {once} {once} {after}")));
            cases.push((*name, is_single));
        }
    }
    let host = Host::boot();
    let said = tested(&host, &texts);
    let mut tried = std::collections::BTreeMap::new();
    let mut wrong = Vec::new();
    for ((name, is_single), pair) in cases.iter().zip(said.chunks(2)) {
        let [once, twice] = pair else {
            unreachable!("pairs")
        };
        if !once.contains("test is successful") || tried.contains_key(name) {
            continue;
        }
        let is_duplicate = twice.contains("is duplicate");
        tried.insert(*name, is_duplicate);
        if is_duplicate != *is_single {
            wrong.push(format!("{name} single: {is_single}\nnginx: {twice}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let single = tried.values().filter(|is| **is).count();
    println!("{single} of {} once", tried.len());
    assert!(
        single > 300 && tried.len() - single > 50,
        "{single} of {}",
        tried.len()
    );
}
