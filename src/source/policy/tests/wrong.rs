//! What is wrong in watchme.toml is said with its place.

use super::*;

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (source, message, expected, help) in [
        (
            "[unit.\"a.service\"]\nstat = true\n",
            "watchme.toml:2:1: unknown key \"stat\"",
            "the keys here are start, on_change, start_timeout, settle, response_time",
            Some("did you mean start?"),
        ),
        (
            "chekout = \"/x\"",
            "watchme.toml:1:1: unknown key \"chekout\"",
            "the keys here are checkout, absent, ",
            Some("did you mean checkout?"),
        ),
        (
            "[unit.a.service]\nstart = true",
            "watchme.toml:1:9: unknown key \"service\"",
            "",
            Some("names with dots need quotes: [unit.\"NAME.service\"]"),
        ),
        (
            "bootstrap_certificates = \"yes\"",
            "watchme.toml:1:26: invalid type: string \"yes\"",
            "expected true or false, without quotes",
            None,
        ),
        (
            "[ports]\nallowed = [\"9-8\"]",
            "watchme.toml:2:12: \"9-8\" cannot be used here",
            "expected a port or a range such as \"8001-8099\"",
            None,
        ),
        (
            "absent = [\"etc/../passwd\"]",
            "watchme.toml:1:11: \"etc/../passwd\" cannot be used here",
            "expected sites-enabled/NAME",
            None,
        ),
        ("a = = 1", "watchme.toml:1:5: ", "", None),
        (
            "[[network.n.member]]\ncontainer = \"a\"\nservice = \"b\"",
            "watchme.toml:1:1: it is not clear which container this member is",
            "",
            None,
        ),
        (
            "[network.n]\nmember = [{container = \"a\", address = \"1.2.3\"}]",
            "watchme.toml:2:39: \"1.2.3\" cannot be used here",
            "expected an IP address",
            None,
        ),
        (
            "[etc.motd]\nvalidate = [\"grep\", \"x\"]",
            "watchme.toml:2:12: the command does not get the file",
            "expected a command and its arguments",
            None,
        ),
        (
            "[etc.motd]\nvalidate = []",
            "watchme.toml:2:12: an empty command",
            "expected a command and its arguments",
            None,
        ),
        (
            "[etc.motd]\nvalidate = [\"{}\"]",
            "watchme.toml:2:12: the command itself has no name",
            "expected a command and its arguments",
            None,
        ),
        (
            "[etc.motd]\nrestart = \"a.service\"\nreload = \"b.service\"",
            "watchme.toml:3:10: a change cannot both restart and reload",
            "",
            None,
        ),
        (
            "[[gate]]\nurl = \"ftp://x\"",
            "watchme.toml:2:7: \"ftp://x\" cannot be used here",
            "expected a URL",
            None,
        ),
        (
            "[[gate]]\ntcp = \"db.example.org:5432\"",
            "watchme.toml:2:7: \"db.example.org:5432\" cannot be used here",
            "expected ADDRESS:PORT or localhost:PORT",
            None,
        ),
        (
            "[[gate]]\nurl = \"http://a/\"\nverify = false",
            "watchme.toml:1:1: only an https url has a certificate",
            "",
            None,
        ),
        (
            "[[gate]]\nurl = \"http://a/\"\nstatus = 99",
            "watchme.toml:3:10: 99 cannot be used here",
            "expected a status from 100 to 599",
            None,
        ),
        (
            "[[gate]]\nunit = \"a.service\"\ntimeout = \"0s\"",
            "watchme.toml:1:1: a gate with a timeout of zero never passes",
            "",
            None,
        ),
        (
            "[[gate]]\nunit = \"a.service\"\ncontainer = \"a\"",
            "watchme.toml:1:1: a gate needs exactly one of url, tcp, container and unit",
            "",
            None,
        ),
        (
            "[[route]]\nurl = \"http://a/\"",
            "watchme.toml:1:1: the key upstream is missing",
            "",
            None,
        ),
        (
            "soak = 5",
            "watchme.toml:1:8: invalid type: integer `5`",
            "expected a time such as \"90s\"",
            None,
        ),
        (
            "soak = \", expected \"",
            "watchme.toml:1:8: \", expected \" cannot be used here",
            "expected a time such as \"90s\"",
            None,
        ),
        (
            "[budget]\nmemory = 1.5",
            "watchme.toml:2:10: invalid type: floating point `1.5`",
            "expected a size such as \"1800M\"",
            None,
        ),
        (
            "[budget]\nswap = -1",
            "watchme.toml:2:8: -1 cannot be used here",
            "expected a size such as \"1800M\"",
            None,
        ),
        (
            "[check]\nhost = \"off\"",
            "watchme.toml:2:8: invalid type: string \"off\"",
            "expected { level = …, reason = … }",
            None,
        ),
        (
            "[budget]\ncpus = \"2\"",
            "watchme.toml:2:8: invalid type: string \"2\"",
            "expected a number without quotes",
            None,
        ),
        (
            "[gate]\nunit = \"a.service\"",
            "watchme.toml:1:1: invalid type: map",
            "expected a list of tables: write [[gate]]",
            None,
        ),
        (
            "[ports]\nallowed = 8001",
            "watchme.toml:2:11: invalid type: integer `8001`",
            "expected a list, such as [\"8001\"]",
            None,
        ),
        (
            "soak = \"2d\"",
            "watchme.toml:1:8: \"2d\" cannot be used here",
            "expected a time such as \"90s\", \"15m\" or \"1h30m\", at most a day",
            None,
        ),
        (
            "[budget]\ncpus = 0",
            "watchme.toml:2:8: 0.0 cannot be used here",
            "expected a number above 0",
            None,
        ),
        (
            "[check.host]\nlevel = \"off\"\nreason = \" \"",
            "watchme.toml:3:10: \" \" cannot be used here",
            "expected why the rule has this level here",
            None,
        ),
        (
            "[check.host]\nlevel = \"off\"\nreason = \"x\"\npaths = [\"a\", \"/b\"]",
            "watchme.toml:4:15: \"/b\" cannot be used here",
            "expected a path or pattern below the folder of watchme.toml",
            None,
        ),
        (
            "[network.n]\nmember = [{container = \"a\", pin = true}]",
            "watchme.toml:2:11: a pinned member needs an address",
            "",
            None,
        ),
        (
            "[network.n]\nmember = [{container = \"a\"}, {container = \"a\"}]",
            "watchme.toml:2:30: the member a is listed twice",
            "",
            None,
        ),
        (
            "[[gate]]\nunit = \"a.service\"\nstatus = 200",
            "watchme.toml:1:1: only a url answers with a status",
            "",
            None,
        ),
        (
            "[unit.\"a.service\"]\non_change = 5",
            "watchme.toml:2:13: 5 cannot be used here",
            "expected text in quotes",
            None,
        ),
        (
            "[unit.\"a.service\"]\non_change = \"stop\"",
            "watchme.toml:2:13: \"stop\" cannot be used here",
            "expected one of `restart`, `reload`, `none`",
            None,
        ),
        (
            "[firewall]\ndefault = \"drop\"",
            "watchme.toml:2:11: \"drop\" cannot be used here",
            "expected `deny` or `allow`",
            None,
        ),
        (
            "[firewall.sources]\nvpn = [\"100.64.0.0/33\"]",
            "watchme.toml:2:8: \"100.64.0.0/33\" cannot be used here",
            "expected a range of addresses such as \"100.64.0.0/10\", or one address",
            None,
        ),
        (
            "[firewall.sources]\nlan = [\"192.168.7.5/16\"]",
            "watchme.toml:2:8: 192.168.7.5/16 does not begin a range of that length",
            "",
            Some("write 192.168.0.0/16 for all of it, or 192.168.7.5"),
        ),
        (
            "[firewall.sources]\nlan = [\"::ffff:10.0.0.0/104\"]",
            "watchme.toml:2:8: ::ffff:10.0.0.0/104 has IPv4 addresses as IPv6 writes them",
            "",
            Some("write 10.0.0.0/8"),
        ),
        (
            "[firewall]\ntrusted = [\"192.0.2.1\"]",
            "watchme.toml:2:12: \"192.0.2.1\" cannot be used here",
            "expected the name of an interface",
            None,
        ),
        (
            "[firewall.sources]\nlan = []",
            "watchme.toml:2:1: the source lan has no addresses",
            "expected ranges such as [\"100.64.0.0/10\"]",
            None,
        ),
        (
            "[firewall.sources]\nworld = [\"192.0.2.1\"]",
            "watchme.toml:2:1: \"world\" cannot be the name of a source",
            "world is everybody",
            None,
        ),
        (
            "[firewall.sources]\n\"a b\" = [\"192.0.2.1\"]",
            "watchme.toml:2:1: \"a b\" cannot be the name of a source",
            "expected a letter, then letters, digits",
            None,
        ),
        (
            "[firewall.sources]\noffice = [\"192.0.2.0/24\"]\n[firewall.allow]\n22 = [\"ofice\"]",
            "watchme.toml:4:7: there is no source ofice",
            "expected a name of [firewall.sources], world, or a range such as \"192.168.0.0/16\": office, world are known",
            Some("did you mean office?"),
        ),
        (
            "[firewall.allow]\nssh = [\"world\"]",
            "watchme.toml:2:1: \"ssh\" is not a port",
            "expected a port such as 22, \"53/udp\" or \"8000-8010/tcp\"",
            None,
        ),
        (
            "[firewall.allow]\n22 = \"world\"",
            "watchme.toml:2:6: invalid type: string \"world\"",
            "expected a list, such as [\"world\"]",
            None,
        ),
        (
            "[firewall.allow]\n\"8000-8010\" = []\n\"8005/tcp\" = []",
            "watchme.toml:3:1: port 8005/tcp is also in 8000-8010/tcp",
            "expected each port once",
            None,
        ),
        (
            "[packages]\ninstall = [\"Nginx\"]",
            "watchme.toml:2:12: \"Nginx\" cannot be used here",
            "expected the name of a package in lower case such as \"nginx\", or NAME=VERSION",
            None,
        ),
        (
            "[packages]\ninstall = [\"-o\"]",
            "watchme.toml:2:12: \"-o\" cannot be used here",
            "expected the name of a package in lower case",
            None,
        ),
        (
            "[packages]\ninstall = [\"curl\", \"curl=7.88\"]",
            "watchme.toml:2:20: the package curl is listed twice",
            "expected it once",
            None,
        ),
        (
            "[firewall.alow]\n22 = []",
            "watchme.toml:1:11: unknown key \"alow\"",
            "the keys here are default, published, sources, allow, trusted, ufw",
            Some("did you mean allow?"),
        ),
        (
            "[firewall]\ndefault = \"allow\"\nufw = \"drive\"",
            "watchme.toml:2:11: with drive, ufw decides about ports that are not named",
            "expected no default together with ufw = \"drive\"",
            None,
        ),
        (
            "[firewall]\ntrusted = [\"*\"]",
            "watchme.toml:2:12: \"*\" cannot be used here",
            "expected the name of an interface such as \"docker0\"",
            None,
        ),
    ] {
        let error = parse(Path::new(FILE_NAME), source).unwrap_err();
        assert!(error.to_string().starts_with(message), "{source}: {error}");
        assert!(
            error.expected.starts_with(expected),
            "{source}: {:?}",
            error.expected
        );
        assert_eq!(error.help.as_deref(), help, "{source}");
    }
}
