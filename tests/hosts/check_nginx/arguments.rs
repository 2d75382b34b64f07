//! Arguments: what `check` refuses of these is what nginx refuses, and nothing else.

use super::{Host, errors, tested, wrapped};

/// What stands in a server, beside a plain location.
const SERVERS: [&str; 54] = [
    "listen 81;",
    "listen 81 ssl http2;",
    "listen 81 sssl;",
    "listen 81 ssll;",
    "listen 70000;",
    "listen 0;",
    "listen 80a;",
    "listen 1.2.3.4.5:80;",
    "listen 127.0.0.1:82 reuseport backlog=10;",
    "listen [::]:82 ipv6only=on;",
    "listen unix:/tmp/a.sock;",
    "listen 8001-8003;",
    "listen 81 default_server deferred;",
    "listen 81 so_keepalive=on;",
    "listen 81 foo=bar;",
    "listen 81 proxy_protocol;",
    "location /a { proxy_pass 127.0.0.1:8001; }",
    "location /a { proxy_pass http:/127.0.0.1; }",
    "location /a { proxy_pass HTTP://127.0.0.1:8001; }",
    "location /a { proxy_pass https://127.0.0.1:8001/; }",
    "location /a { proxy_pass $arg_a; }",
    "location /a { proxy_pass //127.0.0.1; }",
    "if ($host = a) { return 204; }",
    "if ($host == a) { return 204; }",
    "if ($host = a && $uri = b) { return 204; }",
    "if ($host != a) { return 204; }",
    "if ($host ~ ^a) { return 204; }",
    "if ($host !~* ^a) { return 204; }",
    "if ($host =~ ^a) { return 204; }",
    "if ($host) { return 204; }",
    "if (-f $uri) { return 204; }",
    "if (!-e $request_filename) { return 204; }",
    "if ($host eq a) { return 204; }",
    "return 204;",
    "return abc;",
    "return 301 /x;",
    "return https://a.test$uri;",
    "return $scheme://a.test;",
    "return /x;",
    "return 1000;",
    "return 999;",
    "rewrite ^/a /b last;",
    "rewrite ^/a /b foo;",
    "rewrite ^/a /b permanent;",
    "add_header X b;",
    "add_header X b always;",
    "add_header X b allways;",
    "add_header X-A \"b c\";",
    "error_page 404 /x;",
    "error_page 500 502 503 504 =200 /x;",
    "error_page 4044 /x;",
    "error_page 200 /x;",
    "error_page 404 = @a; location @a { return 204; }",
    "error_page foo /x;",
];

#[test]
fn arguments_are_those_of_nginx() {
    let host = Host::boot();
    let sites: Vec<String> = SERVERS
        .iter()
        .map(|inside| {
            // A server of TLS needs a certificate, which is another matter.
            let inside = inside.replace(" ssl http2", " http2");
            format!("server {{ {inside} location /plain {{ return 204; }} }}\n")
        })
        .collect();
    let texts: Vec<String> = sites.iter().map(|site| wrapped(site)).collect();
    let (mut refused, mut wrong) = (0, Vec::new());
    for (site, said) in sites.iter().zip(tested(&host, &texts)) {
        let theirs = !said.contains("test is successful");
        refused += usize::from(theirs);
        let ours = errors(site);
        if theirs == ours.is_empty() {
            wrong.push(format!("{site}nginx: {said}we: {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(refused > 15, "{refused}");
}

#[test]
fn tls_needs_a_certificate() {
    let host = Host::boot();
    host.sh("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a.test -keyout /root/k.pem -out /root/c.pem 2>/dev/null");
    let pair = "ssl_certificate /root/c.pem; ssl_certificate_key /root/k.pem;";
    let sites: Vec<String> = [
        "server { listen 443 ssl; return 204; }".to_owned(),
        "server { listen 443 ssl; ssl_certificate /root/c.pem; return 204; }".to_owned(),
        format!("server {{ listen 443 ssl; {pair} return 204; }}"),
        format!("{pair} server {{ listen 443 ssl; return 204; }}"),
        "server { listen 443 ssl; ssl_reject_handshake on; return 204; }".to_owned(),
        "server { listen 443; return 204; }".to_owned(),
    ]
    .into();
    let texts: Vec<String> = sites.iter().map(|site| wrapped(site)).collect();
    for (site, said) in sites.iter().zip(tested(&host, &texts)) {
        let theirs = !said.contains("test is successful");
        let ours = errors(site);
        assert_eq!(
            theirs,
            ours.contains("nginx-no-certificate"),
            "{site}\n{said}\n{ours:?}"
        );
    }
}
