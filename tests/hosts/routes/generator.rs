//! Configurations and URLs that meet where nginx's rules meet: prefixes of each other, regular expressions that
//! overlap, rewrites into other locations, names that fit several servers.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::UPSTREAMS;

const SEGMENTS: [&str; 8] = ["a", "b", "ab", "api", "x.php", "c", "A", "err"];
const NAMES: [&str; 16] = [
    "one.test",
    "www.one.test",
    "*.one.test",
    ".two.test",
    "two.test",
    "*.deep.two.test",
    "www.*",
    "www.one.*",
    "*.test",
    "~^(?<who>\\w+)\\.re\\.test$",
    "~^r(\\d+)\\.",
    "UPPER.test",
    "~^Any\\.",
    "localhost",
    "",
    "_",
];
const HOSTS: [&str; 14] = [
    "one.test",
    "www.one.test",
    "x.one.test",
    "x.y.one.test",
    "two.test",
    "x.two.test",
    "a.deep.two.test",
    "www.one.example",
    "www.two.test",
    "ann.re.test",
    "r12.test",
    "upper.test",
    "any.example",
    "none.example",
];
const REGEXES: [&str; 10] = [
    "^/a",
    "\\.php$",
    "^/(\\w+)/(.*)$",
    "b/?$",
    "^/API",
    "/(?<rest>[^/]+)$",
    "^/(a|b)+$",
    "^/x(y)?(z)?",
    "c",
    "^/err$",
];

/// What belongs to one seed. Ports and names of variables are its own, so that all are loaded at once.
pub(super) struct Generator {
    seed: u64,
    state: u64,
    text: String,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            state: (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            text: String::new(),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn port(&mut self) -> u16 {
        let count = UPSTREAMS.count();
        *UPSTREAMS.start() + self.below(count) as u16
    }

    fn ports(&self) -> [u16; 2] {
        let first = 20_000 + self.seed as u16 * 2;
        [first, first + 1]
    }

    fn path(&mut self) -> String {
        let mut path = String::new();
        for _ in 0..self.below(4) {
            write!(path, "/{}", self.pick(&SEGMENTS)).unwrap();
        }
        match path.is_empty() || self.one_in(2) {
            true => path + "/",
            false => path,
        }
    }

    pub(super) fn url(&mut self) -> String {
        let (ports, host) = (self.ports(), self.pick(&HOSTS));
        let mut path = self.path();
        for _ in 0..self.below(3) {
            let odd = self.pick(&[
                "/",
                "//",
                "/.",
                "/..",
                "/./",
                "/../",
                "%2f",
                "%2e",
                "%20",
                "%3F",
                "%25",
                "%2B",
                "+",
                "%41",
                "/a",
                "/b",
                ".php",
                "?q=1",
                "?q=1&x=%20y",
                "?",
                "%zz",
                "/err",
                ";x=1",
                "%C3%A9",
                "~",
                "/x",
                "xy",
            ]);
            let at = if self.one_in(3) {
                self.below(path.len() + 1)
            } else {
                path.len()
            };
            path.insert_str(at, odd);
        }
        if !path.starts_with('/') {
            path.insert(0, '/');
        }
        format!("http://{host}:{}{path}", self.pick(&ports))
    }

    pub(super) fn configuration(&mut self) -> String {
        let seed = self.seed;
        let (one, two, three) = (self.port(), self.port(), self.port());
        writeln!(
            self.text,
            "upstream single{seed} {{ server 127.0.0.1:{one}; }}
upstream pair{seed} {{ server 127.0.0.1:{two}; server 127.0.0.1:{three} backup; }}
map $uri $mapped{seed} {{ default /other; /a 1; ~^/b(.*) /mapped$1; ~*php$ $host; }}"
        )
        .unwrap();
        let mut defaults = BTreeSet::new();
        for _ in 0..2 + self.below(4) {
            self.server(&mut defaults);
        }
        std::mem::take(&mut self.text)
    }

    fn server(&mut self, defaults: &mut BTreeSet<String>) {
        let mut listens = BTreeSet::new();
        for _ in 0..1 + self.below(2) {
            let port = self.pick(&self.ports());
            let address = self.pick(&["", "", "", "", "*:", "*:", "127.0.0.1:", "127.0.0.2:"]);
            listens.insert(format!("{}{port}", address.replace("*:", "")));
        }
        self.text.push_str("server {\n");
        for listen in listens {
            let default = self.one_in(5) && defaults.insert(listen.clone());
            let default = if default { " default_server" } else { "" };
            writeln!(self.text, "  listen {listen}{default};").unwrap();
        }
        let names: BTreeSet<&str> = (0..1 + self.below(3)).map(|_| self.pick(&NAMES)).collect();
        for name in names {
            writeln!(
                self.text,
                "  server_name \"{}\";",
                name.replace('\\', "\\\\")
            )
            .unwrap();
        }
        self.text.push_str("  root /srv/empty;\n");
        if self.one_in(8) {
            self.text.push_str("  merge_slashes off;\n");
        }
        if self.one_in(3) {
            let page = self.pick(&[
                "404 = @named",
                "404 /err",
                "418 = @named",
                "418 =200 /err",
                "404 =302 http://moved.test/x",
                "500 502 404 =403 /api/?from=$uri",
            ]);
            writeln!(self.text, "  error_page {page};").unwrap();
        }
        if self.one_in(3) {
            self.rewriting("  ", false);
        }
        self.locations("  ", "", 0);
        self.location_body("  ", "@named", false);
        self.text.push_str("}\n");
    }

    fn locations(&mut self, indent: &str, parent: &str, depth: usize) {
        let mut taken = BTreeSet::new();
        let count = match depth {
            0 => 3 + self.below(8),
            _ => self.below(4),
        };
        for _ in 0..count {
            if self.one_in(3) {
                let mark = self.pick(&["~", "~*"]);
                let regex = self.pick(&REGEXES);
                self.location(indent, &format!("{mark} {regex}"), regex, false, depth);
                continue;
            }
            if parent.starts_with(['^', '\\', '(', 'b', 'c']) {
                continue;
            }
            let name = match depth {
                0 => self.path(),
                _ => format!(
                    "{parent}{}",
                    self.path()
                        .trim_start_matches(if parent.ends_with('/') { "/" } else { "" })
                ),
            };
            let exact = self.one_in(5);
            if !taken.insert((exact, name.clone())) || name == parent {
                continue;
            }
            let mark = if exact {
                "= "
            } else {
                self.pick(&["", "", "", "^~ "])
            };
            self.location(indent, &format!("{mark}{name}"), &name, !exact, depth);
        }
    }

    fn location(&mut self, indent: &str, head: &str, name: &str, nests: bool, depth: usize) {
        let plain = !head.starts_with('~');
        self.location_body_open(indent, head, plain);
        if depth < 2 && (nests || !plain) && self.one_in(3) {
            self.locations(&format!("{indent}  "), name, depth + 1);
        }
        writeln!(self.text, "{indent}}}").unwrap();
    }

    fn location_body(&mut self, indent: &str, head: &str, plain: bool) {
        self.location_body_open(indent, head, plain);
        writeln!(self.text, "{indent}}}").unwrap();
    }

    fn location_body_open(&mut self, indent: &str, head: &str, plain: bool) {
        writeln!(self.text, "{indent}location {head} {{").unwrap();
        let inner = format!("{indent}  ");
        if self.one_in(12) {
            writeln!(self.text, "{inner}internal;").unwrap();
        }
        if self.one_in(8) {
            let to = self.pick(&[
                "@named",
                "=404",
                "=418",
                "/err?from=$uri",
                "/api/$args",
                "$uri/x",
            ]);
            writeln!(self.text, "{inner}try_files $uri $uri/x.html {to};").unwrap();
        }
        for _ in 0..self.below(3).saturating_sub(self.below(2)) {
            self.rewriting(&inner, true);
        }
        if !self.one_in(6) {
            let pass = self.pass(plain);
            writeln!(self.text, "{inner}{pass}").unwrap();
        }
    }

    fn pass(&mut self, plain: bool) -> String {
        let (port, seed) = (self.port(), self.seed);
        let uri = match plain {
            true => self.pick(&[
                "",
                "",
                "/",
                "/up/",
                "/up",
                "/u%20p/x",
                "/api/scheduler/",
                "/q?a=",
            ]),
            false => "",
        };
        match self.below(9) {
            0 => format!("proxy_pass http://single{seed}{uri};"),
            1 => format!("proxy_pass http://pair{seed}{uri};"),
            2 => {
                let uri = self.pick(&[
                    "$request_uri",
                    "$uri",
                    "/v/$1/$2?x=$args",
                    "/v$is_args$args",
                    "",
                    "/$host/$rest",
                    "/$who",
                    "$uri$is_args$args",
                ]);
                format!("set $port{seed} {port}; proxy_pass http://127.0.0.1:$port{seed}{uri};")
            }
            3 => format!("proxy_pass http://127.0.0.1:{port}$mapped{seed};"),
            _ => format!("proxy_pass http://127.0.0.1:{port}{uri};"),
        }
    }

    fn rewriting(&mut self, indent: &str, in_location: bool) {
        let line = match self.below(7) {
            0 => self.answering(),
            1 | 2 => {
                let condition = self.pick(&[
                    "$uri ~ ^/(a)(.*)",
                    "$host = one.test",
                    "$arg_q",
                    "$args !~ q",
                    "$http_x",
                    "$request_uri ~* A",
                    "$scheme != https",
                    "-f $request_filename",
                    "$who = ann",
                    "$is_args = \"\"",
                    "$request_method = POST",
                ]);
                let inside = match self.below(if in_location { 4 } else { 3 }) {
                    0 => self.answering(),
                    1 => "set $flag 1;".to_owned(),
                    2 => self.rewrite(),
                    _ => format!("proxy_pass http://127.0.0.1:{};", self.port()),
                };
                format!("if ({condition}) {{ {inside} }}")
            }
            3 => "break;".to_owned(),
            4 => format!(
                "set $flag \"{}\";",
                self.pick(&["", "0", "$1", "$uri", "x"])
            ),
            _ => self.rewrite(),
        };
        writeln!(self.text, "{indent}{line}").unwrap();
    }

    fn answering(&mut self) -> String {
        self.pick(&[
            "return 404;",
            "return 418;",
            "return 204;",
            "return 301 /moved$request_uri;",
            "return 302 https://$host$uri;",
            "return https://$server_name/$1;",
            "return 200 \"$uri|$args|$1|$flag|$server_name\";",
            "return 403 \"no $who\";",
            "return 307 $mapped_or_not;",
        ])
        .replace("$mapped_or_not", &format!("$mapped{}", self.seed))
    }

    /// One whose replacement has a query ends the script: nginx 1.22 overflows a buffer where another one follows.
    fn rewrite(&mut self) -> String {
        let (regex, to) = self.pick(&[
            ("^/a(.*)$", "/b$1"),
            ("^/(\\w+)/(\\w+)", "/$2/$1"),
            ("^/b", "/api/"),
            ("^(.*)\\.php$", "$1/php"),
            ("^/api/(.*)$", "/$1?from=$1"),
            ("^/c", "/c/?x="),
            ("(.*)", "/api$1?"),
            ("^/x(?<rest>.*)", "/b/$rest/$args"),
            ("^/ab?", "/a"),
            ("^/err/?(.*)", "http://err.test/$1"),
            ("^/A", "$scheme://$host/a"),
            ("^", "/b/$uri"),
        ]);
        let flag = match to.contains('?') {
            true => self.pick(&["last", "break", "redirect", "permanent"]),
            false => self.pick(&["", "", "last", "break", "redirect", "permanent"]),
        };
        format!("rewrite {regex} {to} {flag};").replace(" ;", ";")
    }
}
