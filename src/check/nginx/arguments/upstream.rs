//! Addresses of upstreams, and the parameters of `server` in an `upstream`.

use source_text::word_list;

use super::Wrong;
use crate::source::nginx::{Word, time};

/// Parameters of `server` without a value, `ngx_http_upstream_server` in src/http/ngx_http_upstream.c.
const FLAGS: [&str; 4] = ["backup", "down", "resolve", "drain"];

/// Those with one; `slow_start` is of the commercial version.
const VALUES: [&str; 7] =
    word_list("weight= max_conns= max_fails= fail_timeout= route= service= slow_start=");

/// What is wrong with a directive in an `upstream`.
pub(super) fn wrong<'n>(name: &str, args: &'n [Word], is_stream: bool) -> Option<Wrong<'n>> {
    match (name, args) {
        ("server", [server, parameters @ ..]) => {
            let parameter = parameters.iter().find_map(parameter);
            let is_looked_up = parameters
                .iter()
                .any(|word| word.text.starts_with("service="));
            parameter.or_else(|| {
                address(server, &server.text, false)
                    .or_else(|| no_port(server).filter(|_| is_stream && !is_looked_up))
            })
        }
        ("hash", [_, consistent]) if consistent.text != "consistent" => {
            let help = "write consistent, or nothing";
            Some(Wrong::of(consistent, "is not a parameter of hash", help))
        }
        ("random", [two, method @ ..]) => {
            let known = ["least_conn", "least_time=header", "least_time=last_byte"];
            let is_known = |word: &&Word| known.contains(&word.text.as_str());
            let wrong = match two.text.as_str() {
                "two" => method.iter().find(|word| !is_known(word))?,
                _ => two,
            };
            let help = "write random, random two or random two least_conn";
            Some(Wrong::of(wrong, "is not a parameter of random", help))
        }
        ("keepalive", [count, ..]) => {
            // Versions before 1.29.7 refuse 0, too.
            let is_count = count.text.parse::<u32>().is_ok();
            (!is_count).then(|| Wrong {
                word: count,
                message: format!("{} is not a number of connections to keep", count.text),
                help: "write a number",
            })
        }
        _ => None,
    }
}

fn parameter(word: &Word) -> Option<Wrong<'_>> {
    let text = word.text.as_str();
    let digits = |value: &str| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let known = VALUES.iter().find(|start| text.starts_with(**start));
    let value = known
        .and_then(|start| text.strip_prefix(start))
        .unwrap_or_default();
    let fits = match known {
        None => FLAGS.contains(&text),
        Some(&"weight=") => digits(value) && value.bytes().any(|byte| byte != b'0'),
        Some(&("max_conns=" | "max_fails=")) => digits(value),
        Some(&"fail_timeout=") => time(value).is_some() && !value.contains("ms"),
        Some(_) => !value.is_empty(),
    };
    (!fits).then(|| Wrong {
        word,
        message: match known {
            None => format!("server in an upstream has no parameter {text}"),
            Some(_) => format!("{text} has no value that nginx takes"),
        },
        help: "write weight=, max_fails=, fail_timeout=, max_conns=, backup or down",
    })
}

/// What is wrong with the target of a `…_pass` that takes no path.
pub(super) fn passed<'n>(directive: &str, word: &'n Word) -> Option<Wrong<'n>> {
    if word.text.contains('$') {
        return None;
    }
    let schemes: &[&str] = match directive {
        "grpc_pass" => &["grpc://", "grpcs://"],
        "uwsgi_pass" => &["uwsgi://", "suwsgi://"],
        _ => &[],
    };
    let lower = word.text.to_ascii_lowercase();
    let scheme = schemes.iter().find(|scheme| lower.starts_with(**scheme));
    let text = word.text.get(scheme.map_or(0, |scheme| scheme.len())..)?;
    address(word, text, false)
}

/// What is wrong with an address. `ngx_parse_url` in src/core/ngx_inet.c.
pub(super) fn address<'n>(word: &'n Word, text: &str, may_have_path: bool) -> Option<Wrong<'n>> {
    let is_socket = text
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("unix:"));
    if is_socket || text.contains('$') {
        return None;
    }
    let wrong = |message: String, help| {
        Some(Wrong {
            word,
            message,
            help,
        })
    };
    let (authority, path) = match text.find(['/', '?']) {
        Some(at) => text.split_at_checked(at)?,
        None => (text, ""),
    };
    if !path.is_empty() && !may_have_path {
        let help = match text.contains("://") {
            true => "write HOST:PORT without http:// and without a path",
            false => "write HOST:PORT without a path",
        };
        return wrong(format!("{} is not a host with a port", word.text), help);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inside) => match inside.split_once(']') {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => return wrong(format!("{authority} has no closing ]"), "write [IPv6]:PORT"),
        },
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if let Some(port) = port {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let is_port = digits && port.parse::<u16>().is_ok_and(|port| port > 0);
        if !is_port {
            let message = format!("{port:?} in {} is not a port", word.text);
            return wrong(message, "write a port from 1 to 65535");
        }
    }
    match host {
        "" => wrong(format!("{} names no host", word.text), "write HOST:PORT"),
        _ => None,
    }
}

/// An address without a port, where there is no usual one: `no port in upstream`.
fn no_port(word: &Word) -> Option<Wrong<'_>> {
    let text = word.text.as_str();
    let end = text.rfind(']').unwrap_or(0);
    let has = text.get(end..).is_some_and(|rest| rest.contains(':'));
    (!has).then(|| Wrong {
        word,
        message: format!("{text} has no port, and a stream has no default port"),
        help: "write HOST:PORT",
    })
}
