//! Hand-made compose files.

/// What docker-compose 1.29 refuses, and so does this program.
pub(super) const REFUSED: [(&str, &str); 48] = [
    ("a name", "name: foo\nservices: {a: {image: x}}"),
    ("nothing", ""),
    (
        "an unknown service in extends",
        "services: {a: {image: x, extends: b}}",
    ),
    ("text", "foo"),
    ("services without a body", "services:"),
    ("a list", "- a"),
    ("a tab", "services:\n\ta: 1"),
    ("an open list", "services: [\n"),
    (
        "two documents",
        "services: {a: {image: x}}\n---\nservices: {b: {image: x}}",
    ),
    ("a list of services", "services: [a]"),
    ("a service without a body", "services: {a: }"),
    ("a service with an empty body", "services: {a: {}}"),
    ("no image", "services: {a: {command: x}}"),
    ("version 3", "version: 3\nservices: {a: {image: x}}"),
    (
        "an unknown key",
        "services: {a: {image: x, enviroment: {}}}",
    ),
    (
        "an unknown key at the top",
        "services: {a: {image: x}}\nfoo: 1",
    ),
    (
        "an unknown key of a health check",
        "services: {a: {image: x, healthcheck: {tset: a}}}",
    ),
    (
        "an unknown key of a network",
        "services: {a: {image: x}}\nnetworks: {n: {foo: 1}}",
    ),
    (
        "an unknown key of a volume",
        "services: {a: {image: x}}\nvolumes: {n: {foo: 1}}",
    ),
    (
        "an unknown key on a network",
        "services: {a: {image: x, networks: {n: {foo: 1}}}}\nnetworks: {n: }",
    ),
    (
        "an unknown key of a port",
        "services: {a: {image: x, ports: [{target: 8, foo: 1}]}}",
    ),
    ("no ports", "services: {a: {image: x, ports: }}"),
    ("no environment", "services: {a: {image: x, environment: }}"),
    ("no networks", "services: {a: {image: x, networks: }}"),
    ("no image behind its key", "services: {a: {image: }}"),
    ("no restart", "services: {a: {image: x, restart: }}"),
    (
        "no health check",
        "services: {a: {image: x, healthcheck: }}",
    ),
    ("no logging", "services: {a: {image: x, logging: }}"),
    ("no dependencies", "services: {a: {image: x, depends_on: }}"),
    (
        "no volumes at the top",
        "services: {a: {image: x}}\nvolumes:",
    ),
    (
        "a boolean in the environment",
        "services: {a: {image: x, environment: {A: true}}}",
    ),
    (
        "an old boolean in the environment",
        "services: {a: {image: x, environment: {A: yes}}}",
    ),
    (
        "a number in a list of variables",
        "services: {a: {image: x, environment: [1]}}",
    ),
    ("restart: no", "services: {a: {image: x, restart: no}}"),
    (
        "a number for a command",
        "services: {a: {image: x, command: 5}}",
    ),
    (
        "a number for a name",
        "services: {a: {image: x, container_name: 5}}",
    ),
    ("a map of ports", "services: {a: {image: x, ports: {a: b}}}"),
    ("text for logging", "services: {a: {image: x, logging: a}}"),
    (
        "a number for an interval",
        "services: {a: {image: x, healthcheck: {test: a, interval: 10}}}",
    ),
    (
        "a health check without CMD",
        "services: {a: {image: x, healthcheck: {test: [a]}}}",
    ),
    (
        "a word for a port",
        "services: {a: {image: x, ports: [\"x:1\"]}}",
    ),
    (
        "ranges of other lengths",
        "services: {a: {image: x, ports: [\"80-81:80-82\"]}}",
    ),
    (
        "an unknown protocol",
        "services: {a: {image: x, ports: [\"80:80/foo\"]}}",
    ),
    (
        "an unknown dependency",
        "services: {a: {image: x, depends_on: [b]}}",
    ),
    (
        "a cycle",
        "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}",
    ),
    (
        "an undeclared volume",
        "services: {a: {image: x, volumes: [\"v:/x\"]}}",
    ),
    ("an odd service name", "services: {\"a b\": {image: x}}"),
    ("an open variable", "services: {a: {image: \"${X\"}}"),
];

/// What docker-compose 1.29 takes: this program reads the same in it.
#[rustfmt::skip]
pub(super) const TAKEN: [(&str, &[(&str, &str)]); 36] = [
    ("no services", &[("a.yml", "networks: {n: }")]),
    ("versions", &[("a.yml", "version: \"2.4\"\nservices: {a: {image: x}}")]),
    ("extensions", &[("a.yml", "x-a: $\nservices: {a: {image: x, x-b: 1}}")]),
    ("a network without a body", &[("a.yml", "services: {a: {image: x, networks: [n]}}\nnetworks: {n: }")]),
    ("external networks", &[("a.yml", "services: {a: {image: x, networks: [n, m]}}\nnetworks: {n: {external: true}, m: {external: {name: o}}}")]),
    ("a named external network", &[("a.yml", "version: '3.5'\nservices: {a: {image: x, networks: [n]}}\nnetworks: {n: {external: true, name: o}}")]),
    ("addresses", &[("a.yml", "services: {a: {image: x, networks: {n: {ipv4_address: 10.0.0.2, aliases: [b, c]}, m: }}}\nnetworks: {m: , n: {driver: bridge, ipam: {config: [{subnet: 10.0.0.0/24}]}}}")]),
    ("long volumes", &[("a.yml", "services: {a: {image: x, volumes: [{type: bind, source: /a, target: /b}, {type: volume, source: v, target: /c}, './d:/d:ro', '/e']}}\nvolumes: {v: }")]),
    ("ports", &[("a.yml", "services: {a: {image: x, ports: ['80:81', '127.0.0.1:82:83/udp', 3000, '8000-8002:1-3', '9000-9005:90', '127.0.0.1::5', {published: 70, target: 7}, {target: 8, protocol: udp}]}}")]),
    ("environment as a map", &[("a.yml", "services: {a: {image: x, environment: {A: 1, B: '2', C: , D: 'x=y', E: ''}}}")]),
    ("environment as a list", &[("a.yml", "services: {a: {image: x, environment: [A=1, 'B=x=y', C, D=]}}")]),
    ("memory", &[("a.yml", "services: {a: {image: x, mem_limit: 1000000}, b: {image: x, mem_limit: 10mb}, c: {image: x, mem_limit: 1.5g}, d: {image: x, mem_limit: 512M}}")]),
    ("deploy", &[("a.yml", "services: {a: {image: x, deploy: {resources: {limits: {memory: 50M}}, replicas: 2}}, b: {image: x, deploy: }}")]),
    ("commands", &[("a.yml", "services: {a: {image: x, command: [a, 'b c']}, b: {image: x, entrypoint: [z]}}")]),
    ("a health check", &[("a.yml", "services: {a: {image: x, healthcheck: {test: [CMD, a], interval: 1m30s}}, b: {image: x, healthcheck: {disable: true}}}")]),
    ("logging", &[("a.yml", "services: {a: {image: x, logging: {driver: json-file, options: {max-size: 1m, max-file: 3}}}}")]),
    ("conditions", &[("a.yml", "services: {a: {image: x, depends_on: {b: {condition: service_healthy}}}, b: {image: x, links: [c], volumes_from: [c]}, c: {image: x}}")]),
    ("the network of another", &[("a.yml", "services: {a: {image: x, network_mode: 'service:b'}, b: {image: x, network_mode: host}}")]),
    ("a build", &[("a.yml", "services: {a: {build: .}, b: {build: {context: ., args: {A: 1}}, image: x}}")]),
    ("anchors", &[("a.yml", "x-base: &base\n  image: x\n  restart: always\n  environment: &env\n    A: 1\nservices:\n  a:\n    <<: *base\n  b:\n    <<: *base\n    restart: 'no'\n    environment:\n      <<: *env\n      B: 2\n")]),
    ("variables", &[("a.yml", "services: {a: {image: \"${A}${B:-b}${C-c}${D:-}\", command: ['$$x', '$A', '${EMPTY:-e}', '${EMPTY-e}', '${A:?e}']}}"), (".env", "A=1\nEMPTY=\n# B=2\n")]),
    ("variables in other places", &[("a.yml", "services: {a: {image: x, ports: ['${P}:80'], mem_limit: '${M:-1g}', environment: ['A=${P}', \"B=${N:-n}\"], networks: [n]}}\nnetworks: {n: {external: true, name: '${NET:-net}'}}"), (".env", "P=8080\n")]),
    ("quotes in .env", &[("a.yml", "services: {a: {image: x, command: ['$A', '$B', '$C', '$D', '$E']}}"), (".env", "A=\"1 2\"\nB='3 4'\nexport C=5\nD=6 # six\nE=7#8\n")]),
    ("two files", &[("a.yml", "services: {a: {image: x, ports: ['80:80'], environment: [A=1, B=2], command: [a], mem_limit: 1g, networks: [n]}}\nnetworks: {n: }"), ("b.yml", "services: {a: {image: y, ports: ['81:81'], environment: {A: 3}, command: [b], networks: [m]}, c: {image: z}}\nnetworks: {m: }")]),
    ("logging in two files", &[("a.yml", "services: {a: {image: x, logging: {driver: json-file, options: {max-size: 1m}}}, b: {image: x, logging: {driver: json-file, options: {max-size: 1m}}}}"), ("b.yml", "services: {a: {logging: {options: {max-file: '2'}}}, b: {logging: {driver: syslog}}}")]),
    ("the same port in two files", &[("a.yml", "services: {a: {image: x, ports: ['80:80', '127.0.0.1:81:81']}}"), ("b.yml", "services: {a: {ports: ['80:80', '82:82/udp']}}")]),
    ("health in two files", &[("a.yml", "services: {a: {image: x, healthcheck: {test: [CMD, a], retries: 3}}}"), ("b.yml", "services: {a: {healthcheck: {test: [CMD, b]}, restart: always}}")]),
    ("dependencies in two files", &[("a.yml", "services: {a: {image: x, depends_on: [b]}, b: {image: x}, c: {image: x}}"), ("b.yml", "services: {a: {depends_on: [c]}}")]),
    ("addresses in two files", &[("a.yml", "services: {a: {image: x, networks: {n: {aliases: [x]}}}}\nnetworks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}"), ("b.yml", "services: {a: {networks: {n: {ipv4_address: 10.0.0.9}}}}")]),
    ("a deploy in two files", &[("a.yml", "services: {a: {image: x, deploy: {resources: {limits: {memory: 50M, cpus: '1'}}}}}"), ("b.yml", "services: {a: {deploy: {resources: {limits: {memory: 60M}}}}}")]),
    ("extends", &[("a.yml", "services: {a: {extends: b, command: [c]}, b: {image: x, environment: [A=1], command: [d], restart: always}}")]),
    ("extends as a map", &[("a.yml", "services: {a: {extends: {service: b}, environment: {A: 2, C: 3}}, b: {image: x, environment: [A=1, B=1], ports: ['80:80']}}")]),
    ("extends of another file", &[("a.yml", "services: {a: {extends: {file: more/other.yml, service: b}, environment: {A: 2}}}"), ("more/other.yml", "services: {b: {image: x, environment: [A=1, B=1], mem_limit: 1g, labels: {a: b}}}")]),
    ("extends of what extends", &[("a.yml", "services: {a: {extends: b, image: y}, b: {extends: c, restart: always}, c: {image: x, mem_limit: 5m, restart: 'no'}}")]),
    ("extends over two files", &[("a.yml", "services: {a: {extends: b}, b: {image: x, mem_limit: 5m}}"), ("b.yml", "services: {a: {mem_limit: 6m}}")]),
    ("a name with dots", &[("a.yml", "services: {a.b-c_d: {image: 'r.example.com:5000/x/y:1', container_name: n}}")]),
];

/// Where this program knowingly says something else, and why.
pub(super) const EXCEPTIONS: [(&str, &str, &str); 11] = [
    (
        "version 9",
        "version: '9'\nservices: {a: {image: x}}",
        "compose 2 does not read the version",
    ),
    (
        "host_ip",
        "services: {a: {image: x, ports: [{target: 8, published: 8, host_ip: 127.0.0.1}]}}",
        "compose 2 takes it",
    ),
    (
        "a command of null",
        "services: {a: {image: x, command: }}",
        "compose 2 takes it for that of the image",
    ),
    (
        "a variable twice",
        "services: {a: {image: x, environment: [A=1, A=1]}}",
        "compose 2 takes it",
    ),
    (
        "a port twice in a list",
        "services: {a: {image: x, ports: [\"80:80\", \"80:80\"]}}",
        "compose 2 takes it",
    ),
    (
        "a key twice",
        "services: {a: {image: x, image: y}}",
        "compose 2 refuses it, and so does YAML: one of the two is not meant",
    ),
    (
        "an env file that is not there",
        "services: {a: {image: x, env_file: nope.env}}",
        "only a host knows it: plan says it there",
    ),
    (
        "an unknown volumes_from",
        "services: {a: {image: x, volumes_from: [b]}}",
        "config takes it, and up fails",
    ),
    (
        "network_mode beside networks",
        "services: {a: {image: x, network_mode: host, networks: [n]}}\nnetworks: {n: }",
        "not looked at",
    ),
    (
        "a needed variable",
        "services: {a: {image: \"${X:?no}\"}}",
        "only the server knows its value: check warns (compose-variable-unset)",
    ),
    (
        "a subnet that is none",
        "services: {a: {image: x}}\nnetworks: {n: {ipam: {config: [{subnet: 1.2.3}]}}}",
        "only the networks of the infrastructure file are read that closely",
    ),
];
