//! Compose files from a seed: each key of a service in one of its forms, good ones and bad ones.

use super::Case;

/// A small generator of numbers (an LCG, constants of Numerical Recipes).
struct Seed(u64);

impl Seed {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<'a>(&mut self, forms: &[&'a str]) -> &'a str {
        forms[self.below(forms.len())]
    }
}

/// Each key with forms of its value; the first one is most likely.
const KEYS: [(&str, &[&str]); 13] = [
    (
        "image",
        &[
            "x:1",
            "${IMAGE:-x}",
            "\"r.example.com/x@sha256:00\"",
            "$IMAGE_SET",
        ],
    ),
    ("container_name", &["c-%", "\"${NAME_SET}-%\""]),
    (
        "command",
        &["run", "[run, \"-v\", '$$HOME']", "\"a ${NONE:-b} c\""],
    ),
    (
        "ports",
        &[
            "[\"127.0.0.1:80%:80\"]",
            "[\"8%0-8%2:80-82\", 9]",
            "[{target: 80, published: 81}]",
            "[\"${PORT_SET}:80/udp\"]",
            "[\"a:b\"]",
        ],
    ),
    (
        "environment",
        &[
            "{A: 1, B: two, C: '${PORT_SET}'}",
            "[A=1, B, \"C=${NONE:-}\"]",
            "{A: null}",
            "{D: 1.5, E: \"\"}",
            "text",
        ],
    ),
    ("mem_limit", &["64m", "1g", "\"${MEM_SET}\"", "100000000"]),
    (
        "restart",
        &["always", "\"no\"", "on-failure", "unless-stopped"],
    ),
    (
        "networks",
        &[
            "[n]",
            "{n: {aliases: [a%]}, m: }",
            "{n: {ipv4_address: 10.1.0.1%}}",
            "[n, m]",
            "[nowhere]",
        ],
    ),
    (
        "logging",
        &[
            "{driver: json-file, options: {max-size: 1m}}",
            "{driver: none}",
            "{options: {max-file: '3'}}",
        ],
    ),
    (
        "healthcheck",
        &[
            "{test: [CMD, a], interval: 10s}",
            "{test: curl x, retries: 3}",
            "{retries: 2}",
            "{intervall: 1s}",
        ],
    ),
    (
        "depends_on",
        &[
            "[s0]",
            "{s0: {condition: service_started}}",
            "[]",
            "[missing]",
        ],
    ),
    ("labels", &["{a: b}", "[a=b, c]", "[]"]),
    (
        "deploy",
        &["{resources: {limits: {memory: 32M}}}", "{replicas: 2}"],
    ),
];

/// The case of a seed: one file or two, with two or three services.
pub(super) fn case(seed: u64) -> Case {
    let mut seed = Seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
    let name = format!("generated {:x}", seed.0);
    let services = 2 + seed.below(2);
    let base = file(&mut seed, services, true);
    let over = (seed.below(2) == 0).then(|| file(&mut seed, services, false));
    let environment = "IMAGE_SET=set:1\nNAME_SET=named\nPORT_SET=8443\nMEM_SET=128m\n".to_owned();
    let mut files = vec![("a.yml".to_owned(), base), (".env".to_owned(), environment)];
    files.extend(over.map(|over| ("b.yml".to_owned(), over)));
    Case { name, files }
}

fn file(seed: &mut Seed, services: usize, whole: bool) -> String {
    let mut text = "version: '3.8'\nservices:\n".to_owned();
    for number in 0..services {
        if !whole && seed.below(3) == 0 {
            continue;
        }
        text.push_str(&format!("  s{number}:\n"));
        let mut keys = 0;
        for (key, forms) in KEYS {
            let wanted = (key == "image" && whole) || seed.below(3) == 0;
            // A service that waits for itself is refused for that alone.
            if !wanted || (key == "depends_on" && number == 0) {
                continue;
            }
            // Bad forms stand last, and are rare.
            let most = if seed.below(8) == 0 {
                forms.len()
            } else {
                forms.len().min(3)
            };
            let value = seed.of(&forms[..most]).replace('%', &number.to_string());
            text.push_str(&format!("    {key}: {value}\n"));
            keys += 1;
        }
        if keys == 0 {
            text.push_str("    stdin_open: true\n");
        }
    }
    if text.ends_with("services:\n") {
        text.push_str("  s0: {tty: true}\n");
    }
    if whole {
        text.push_str("networks:\n  n:\n    ipam: {config: [{subnet: 10.1.0.0/16}]}\n  m:\n");
    }
    text
}
