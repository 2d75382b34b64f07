use super::*;

#[test]
fn secrets_are_masked() {
    for (line, masked) in [
        ("      DB_PASSWORD: hunter2", "      DB_PASSWORD: ********"),
        ("Environment=API_KEY=abc123", "Environment=API_KEY=********"),
        (
            "Environment=\"AUTH_TOKEN=abc\" X=1",
            "Environment=\"AUTH_TOKEN=********\" X=1",
        ),
        (
            "proxy_set_header Authorization \"Bearer x\";",
            "proxy_set_header Authorization \"********\";",
        ),
        ("  smtp_password: two words", "  smtp_password: ********"),
        (
            "url: postgres://me:pw@db/x",
            "url: postgres://me:********@db/x",
        ),
        (
            "STRIPE_KEY_ID=sk_live_51HxAbCdEfGh",
            "STRIPE_KEY_ID=********",
        ),
        ("AWS_SK=wJalrXUtnFEMIK7MDENGbPxRfiCY", "AWS_SK=********"),
        ("AWS_ACCESS_KEY_ID=x", "AWS_ACCESS_KEY_ID=********"),
        (
            "DSN=https://0123456789abcdef0123@o1.example.com/1",
            "DSN=https://********@o1.example.com/1",
        ),
        ("PW=x", "PW=********"),
        ("PIN=1234", "PIN=********"),
        ("PASSWORD_SALT=x", "PASSWORD_SALT=********"),
        ("PEPPER=x", "PEPPER=********"),
        ("COOKIE_SIGNING=x", "COOKIE_SIGNING=********"),
        ("A=glpat-abcdefghijklmnopqrst", "A=********"),
        ("TASK=x", "TASK=x"),
        ("SPIN=x DISK=y", "SPIN=x DISK=y"),
        (
            "url: ssh://git@example.com/x",
            "url: ssh://git@example.com/x",
        ),
        ("      DB_PASS: x", "      DB_PASS: ********"),
        ("JWT: x", "JWT: ********"),
        (
            "ExecStart=/bin/x --password hunter2 -v",
            "ExecStart=/bin/x --password ******** -v",
        ),
        (
            "command: [\"--token\", \"x\"]",
            "command: [\"--token\", ********]",
        ),
        (
            "    MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
            "    ********",
        ),
        (
            "301 https://x/?sig=abc&page=2",
            "301 https://x/?sig=********&page=2",
        ),
        (
            "301 https://x/?page=2&api_token=abc",
            "301 https://x/?page=2&api_token=********",
        ),
        (
            "http://u:pa55word@localhost:8015/x",
            "http://u:********@localhost:8015/x",
        ),
        (
            "url: postgres://me:${WORD:-hunter2}@db/x",
            "url: postgres://me:********@db/x",
        ),
        ("http://u:a$b@h/", "http://u:********@h/"),
        ("http://auth:pw@h/", "http://auth:********"),
        ("http://token:1234@h/", "http://token:********"),
        (
            "http://auth:8080/ password: x",
            "http://auth:8080/ password: ********",
        ),
        ("auth:8080", "auth:********"),
        ("key AKIAIOSFODNN7EXAMPLE end", "key ******** end"),
    ] {
        assert_eq!(mask(line), masked);
    }
}

#[test]
fn the_rest_stays() {
    for line in [
        "proxy_pass http://localhost:8015/api/;",
        "proxy_pass http://auth:8080;",
        "http://api-token:8080/x",
        "http://auth:8080",
        "      DB_PASSWORD: ${DB_PASSWORD}",
        "https://user:${VAR}@example.com/",
        "https://${USER}:${DB_PASSWORD:?is not set}@db/x",
        "postgres://me:$PW@db/x",
        "http://${HOST}/x",
        "http://${AUTH_HOST}/x",
        "http://${AUTH_HOST}:8080/x",
        "ExecStart=/usr/bin/docker-compose up",
        "# no secrets here",
        "auth_basic off;",
        "301 https://x/?token=$arg_token",
        "http://localhost:8015/?monkeys=3&page=2",
        "    author: someone",
        "the link a points to /etc/passwd, outside the checkout",
        "# authentication is done upstream",
    ] {
        assert_eq!(mask(line), line);
    }
}

#[test]
fn a_quoted_value_is_masked_to_its_end_in_the_old_and_in_the_new_text() {
    let diff = [
        "@@ -1,3 +1,3 @@",
        " DB_PASSWORD='one",
        "-two'",
        "+three'",
        " HOST=a",
        "-API_KEY=\"four",
        "-five\"",
        "+API_KEY=\"six",
        "+seven",
        "@@ -9,1 +9,1 @@",
        " PORT=8000",
    ];
    let mut mask = DiffMask::default();
    assert_eq!(
        diff.map(|line| mask.unified(line)),
        [
            "@@ -1,3 +1,3 @@",
            " DB_PASSWORD=********",
            "-********",
            "+********",
            " HOST=a",
            "-API_KEY=********",
            "-********",
            "+API_KEY=********",
            "+********",
            "@@ -9,1 +9,1 @@",
            " PORT=8000",
        ]
    );
    assert_eq!(
        super::mask("    db_password=\"x"),
        "    db_password=********"
    );
}

/// The regular expressions are slow, and these lines are in most findings about nginx.
#[test]
fn what_passes_requests_on_is_no_candidate() {
    for line in [
        "location /a { proxy_pass http://127.0.0.1:8001/; }",
        "the path / of this proxy_pass ends with a slash and location /a does not: /a/status goes to //status",
        "add proxy_set_header Host $host; proxy_pass_request_headers on;",
    ] {
        assert_eq!(settings(line), (false, false), "{line}");
    }
    for line in [
        "DB_PASSWORD = x",
        "proxy_set_header Authorization \"Bearer x\";",
        "[\"--token\", \"x\"]",
        "'api-key' : x",
    ] {
        assert!(settings(line).0, "{line}");
    }
    assert!(settings("run --db-password x").1);
}

proptest::proptest! {
    /// What is not a candidate would not have matched.
    #[test]
    fn looking_first_changes_nothing(
        line in "([?&]|DB_|--|API-|x)?(pass|PASSWORD|pwd|secret|Token|jwt|webhook|key|sig|session|creds|Auth|a://u|gh|ghp_|AKIA|xoxb-|eyJ|AAAAAAAAAAAAAAAAAAAAAAAA)[=:@ \"'a-]{0,3}([A-Z0-9]{0,24}| b@c| \\$x|.{0,5}){1,2}"
    ) {
        let all = Candidates {
            in_query: true,
            named: true,
            pem: true,
            option: true,
            in_url: true,
            shaped: true,
            argument: true,
        };
        proptest::prop_assert_eq!(mask(&line), masked(&line, &all));
    }
}

#[test]
fn tags_of_sudoers_are_no_secrets() {
    for line in [
        "ubuntu ALL=(ALL) NOPASSWD: ALL",
        "deploy ALL = NOPASSWD: /usr/bin/ls, PASSWD: /bin/systemctl restart x",
    ] {
        assert_eq!(mask(line), line);
    }
    assert_eq!(mask("PASSWD: hunter2"), "PASSWD: ********");
    assert_eq!(
        mask("x ALL=(ALL) NOPASSWD: /usr/bin/curl --password hunter2"),
        "x ALL=(ALL) NOPASSWD: /usr/bin/curl --password ********"
    );
}

#[test]
fn passwords_among_arguments_are_masked() {
    for (line, shown) in [
        (
            "5 4 * * * root mysqldump -uroot -pS3cret16 x",
            "5 4 * * * root mysqldump -uroot -p******** x",
        ),
        (
            "test: mysqladmin ping -uroot -pS3cret13",
            "test: mysqladmin ping -uroot -p********",
        ),
        (
            "sshpass -p S3cret20 ssh host",
            "sshpass -p ******** ssh host",
        ),
        (
            "ExecStart=/usr/bin/curl -u admin:S3cret11 http://127.0.0.1/",
            "ExecStart=/usr/bin/curl -u admin:******** http://127.0.0.1/",
        ),
        (
            "curl https://hooks.slack.com/services/T0/B0/S3cret",
            "curl https://hooks.slack.com/services/********",
        ),
        // Neither has one.
        ("mysql -u root -p app", "mysql -u root -p app"),
        ("mkdir -p /var/lib/mysql", "mkdir -p /var/lib/mysql"),
        ("docker run -u 1000:1000 x", "docker run -u 1000:1000 x"),
    ] {
        assert_eq!(mask(line), shown);
    }
}
