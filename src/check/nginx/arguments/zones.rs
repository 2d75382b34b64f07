//! Shared memory: sizes of zones, and the parameters of what declares and uses them.

use source_text::word_list;

use super::words::is_time;
use super::{Wrong, unless};
use crate::source::nginx::{Word, time};

/// Pages that nginx needs for a zone, `8 * ngx_pagesize`. A cache may have two, and what nginx puts there first needs three. A
/// page has 4096 bytes on all servers but few.
const PAGES: u64 = 8;
const PAGES_OF_CACHES: u64 = 3;
const PAGE: u64 = 4096;

/// Parameters of `proxy_cache_path` and its likes, `ngx_http_file_cache_set_slot` in src/http/ngx_http_file_cache.c. The
/// commercial version has `purger` and its likes.
const CACHE: [&str; 16] = word_list(
    "levels= use_temp_path= keys_zone= inactive= max_size= min_free= manager_files= manager_sleep= \
    manager_threshold= loader_files= loader_sleep= loader_threshold= purger= purger_files= \
    purger_sleep= purger_threshold=",
);

/// What is wrong with the arguments.
pub(super) fn wrong<'n>(name: &str, args: &'n [Word]) -> Option<Wrong<'n>> {
    match (name, args) {
        ("limit_req_zone", [key, parameters @ ..]) => {
            let known = ["zone=", "rate=", "sync"];
            limits(name, key, parameters, &known).or_else(|| parameters.iter().find_map(rate))
        }
        ("limit_conn_zone", [key, parameters @ ..]) => limits(name, key, parameters, &["zone="]),
        ("limit_req", parameters) => {
            let known = ["zone=", "burst=", "delay=", "nodelay"];
            unknown(name, parameters, &known)
                .or_else(|| required(name, parameters.first()?, parameters, "zone="))
                .or_else(|| parameters.iter().find_map(positive))
        }
        ("limit_conn", [_, count]) => {
            let is_count = count.text.parse::<u16>().is_ok_and(|count| count > 0);
            let help = "write a number from 1 to 65535";
            unless(is_count, count, "is not a number of connections", help)
        }
        (
            "proxy_cache_path" | "fastcgi_cache_path" | "uwsgi_cache_path" | "scgi_cache_path",
            [path, parameters @ ..],
        ) => unknown(name, parameters, &CACHE)
            .or_else(|| required(name, path, parameters, "keys_zone="))
            .or_else(|| parameters.iter().find_map(cache_parameter))
            .or_else(|| {
                let zone = of(parameters, "keys_zone=")?;
                zone_size(zone, &zone.text, PAGES_OF_CACHES)
            }),
        ("zone", [_, size]) => too_small(size, &size.text, PAGES),
        ("ssl_session_cache", words) => words.iter().find_map(session_cache),
        _ => None,
    }
}

/// `ngx_http_file_cache_set_slot`
fn cache_parameter(word: &Word) -> Option<Wrong<'_>> {
    let (name, value) = word.text.split_once('=')?;
    let number = |text: &str| text.parse::<u32>().is_ok();
    let (is_right, help) = match name {
        "levels" => {
            let mut levels = value.split(':');
            let is_level = |level: &str| matches!(level, "1" | "2");
            (
                value.is_empty() || value.len() <= 5 && levels.all(is_level),
                "write up to three levels of 1 or 2, such as levels=1:2",
            )
        }
        "use_temp_path" => (
            matches!(value, "on" | "off"),
            "write use_temp_path=on or use_temp_path=off",
        ),
        "keys_zone" => (!value.starts_with(':'), "write keys_zone=NAME:SIZE"),
        "inactive" => (is_time(value), "write a time such as 60m"),
        "max_size" | "min_free" => {
            let digits = value.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']);
            let is_size = value.len() - digits.len() <= 1 && digits.parse::<u64>().is_ok();
            (is_size, "write a size such as 10g")
        }
        "loader_files" | "manager_files" => (number(value), "write a number"),
        "loader_sleep" | "loader_threshold" | "manager_sleep" | "manager_threshold" => (
            !value.is_empty() && time(value).is_some(),
            "write a time such as 50ms",
        ),
        _ => return None,
    };
    (!is_right).then(|| Wrong {
        word,
        message: format!("{value:?} is not a valid value of {name}"),
        help,
    })
}

fn of<'n>(parameters: &'n [Word], start: &str) -> Option<&'n Word> {
    parameters.iter().find(|word| word.text.starts_with(start))
}

/// A zone of limits: `NAME=…:SIZE`.
fn limits<'n>(
    directive: &str,
    key: &'n Word,
    parameters: &'n [Word],
    known: &[&str],
) -> Option<Wrong<'n>> {
    unknown(directive, parameters, known)
        .or_else(|| required(directive, key, parameters, "zone="))
        .or_else(|| {
            let zone = of(parameters, "zone=")?;
            zone_size(zone, &zone.text, PAGES)
        })
}

fn unknown<'n>(directive: &str, parameters: &'n [Word], known: &[&str]) -> Option<Wrong<'n>> {
    let is_known = |word: &&Word| {
        let text = word.text.as_str();
        known.iter().any(|known| match known.ends_with('=') {
            true => text.starts_with(known),
            false => text == *known,
        })
    };
    let word = parameters.iter().find(|word| !is_known(word))?;
    Some(Wrong {
        word,
        message: format!("{directive} has no parameter {}", word.text),
        help: "remove it, or correct its name",
    })
}

fn required<'n>(
    directive: &str,
    place: &'n Word,
    parameters: &[Word],
    start: &str,
) -> Option<Wrong<'n>> {
    of(parameters, start).is_none().then(|| Wrong {
        word: place,
        message: format!("{directive} needs {start}NAME"),
        help: "name the zone",
    })
}

/// The size behind the name of a zone.
fn zone_size<'n>(word: &'n Word, text: &str, pages: u64) -> Option<Wrong<'n>> {
    let (_, size) = text.split_once('=')?;
    match size.split_once(':') {
        Some((_, size)) => too_small(word, size, pages),
        None => {
            let help = "write NAME:SIZE, such as api:10m";
            Some(Wrong::of(word, "has no size", help))
        }
    }
}

fn too_small<'n>(word: &'n Word, size: &str, pages: u64) -> Option<Wrong<'n>> {
    let digits = size.trim_end_matches(['k', 'K', 'm', 'M']);
    let factor = match size.get(digits.len()..)? {
        "" => Some(1),
        "k" | "K" => Some(1 << 10),
        "m" | "M" => Some(1 << 20),
        _ => None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let Some(factor) = factor.filter(|_| is_number) else {
        return Some(Wrong {
            word,
            message: format!("{size:?} is not a size of a zone"),
            help: "write a size such as 64k or 10m",
        });
    };
    // What does not fit into the number is large enough.
    let bytes = digits
        .parse::<u64>()
        .unwrap_or(u64::MAX)
        .saturating_mul(factor);
    (bytes < pages * PAGE).then(|| Wrong {
        word,
        message: format!(
            "{} is too small: nginx needs {}k",
            word.text,
            pages * PAGE / 1024
        ),
        help: "write a size such as 64k or 10m",
    })
}

/// `rate=10r/s`
fn rate(word: &Word) -> Option<Wrong<'_>> {
    let rate = word.text.strip_prefix("rate=")?;
    let number = rate
        .strip_suffix("r/s")
        .or_else(|| rate.strip_suffix("r/m"))
        .unwrap_or(rate);
    let fits = number.bytes().all(|byte| byte.is_ascii_digit())
        && number.parse::<u32>().is_ok_and(|number| number > 0);
    (!fits).then(|| Wrong {
        word,
        message: format!("{rate} is not a rate"),
        help: "write a number with r/s or r/m, such as 10r/s",
    })
}

/// `burst=5` and `delay=5`
fn positive(word: &Word) -> Option<Wrong<'_>> {
    let value = (word.text.strip_prefix("burst=")).or_else(|| word.text.strip_prefix("delay="))?;
    let fits = value.bytes().all(|byte| byte.is_ascii_digit())
        && value.parse::<u64>().is_ok_and(|value| value > 0);
    (!fits).then(|| Wrong {
        word,
        message: format!("{value:?} is not a number of requests"),
        help: "write a number from 1 on",
    })
}

/// `ngx_http_ssl_session_cache` in src/http/modules/ngx_http_ssl_module.c.
fn session_cache(word: &Word) -> Option<Wrong<'_>> {
    let text = word.text.as_str();
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = matches!(text, "off" | "none" | "builtin")
        || text.strip_prefix("builtin:").is_some_and(number);
    if is_known {
        return None;
    }
    match text
        .strip_prefix("shared:")
        .and_then(|rest| rest.split_once(':'))
    {
        Some((name, size)) if !name.is_empty() => too_small(word, size, PAGES),
        _ => {
            let help = "write shared:NAME:SIZE, such as shared:TLS:10m, builtin, none or off";
            Some(Wrong::of(word, "is not a session cache", help))
        }
    }
}
