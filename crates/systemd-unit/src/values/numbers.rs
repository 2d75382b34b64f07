//! Numbers, sizes and times as systemd reads them, `src/basic/parse-util.c` and `src/basic/time-util.c` of systemd.

use crate::parse::BLANKS;

/// Units of time with their seconds, in the order in which systemd tries them: the first that fits is taken.
const TIMES: [(&str, f64); 10] = [
    ("seconds second sec s", 1.0),
    ("minutes minute min", MINUTE),
    ("months month M", MONTH),
    ("msec ms", 1e-3),
    ("m", MINUTE),
    ("hours hour hr h", HOUR),
    ("days day d", DAY),
    ("weeks week w", 7.0 * DAY),
    ("years year y", YEAR),
    ("usec us \u{b5}s \u{3bc}s", 1e-6),
];
/// Numbers of times fit into 63 bits, those of sizes into 64.
const MOST_TIME: f64 = 9_223_372_036_854_775_808.0;
const MOST_BYTES: f64 = 2.0 * MOST_TIME;
const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
const YEAR: f64 = 365.25 * DAY;
const MONTH: f64 = YEAR / 12.0;
/// Units of sizes, each 1024 of the one before.
const SIZES: [&str; 7] = ["B", "K", "M", "G", "T", "P", "E"];

/// The text behind some digits, at least one.
fn behind_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// Seconds of a span of time: numbers with units, seconds where none is said, or `infinity`.
pub(super) fn span(text: &str) -> Option<f64> {
    let mut rest = text.trim_matches(BLANKS);
    if let Some(behind) = rest.strip_prefix("infinity") {
        return behind.is_empty().then_some(f64::INFINITY);
    }
    let mut total = None;
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if rest.is_empty() {
            return total;
        }
        let (number, behind) = number(rest)?;
        let ends_with_dot = rest.get(..rest.len() - behind.len())?.ends_with('.');
        if ends_with_dot || number >= MOST_TIME {
            return None;
        }
        let behind_blanks = behind.trim_start_matches(BLANKS);
        let unit = TIMES.iter().find_map(|(units, seconds)| {
            let mut units = units.split(' ');
            Some((
                units.find_map(|unit| behind_blanks.strip_prefix(unit))?,
                seconds,
            ))
        });
        let (next, seconds) = unit.unwrap_or((behind_blanks, &1.0));
        if next.len() == behind.len() && !next.is_empty() {
            return None;
        }
        rest = next;
        total = Some(total.unwrap_or(0.0) + number * seconds);
    }
}

/// A number with or without a fraction, or only a dot for one, and the text after it.
fn number(text: &str) -> Option<(f64, &str)> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let whole = behind_digits(digits);
    let rest = match (whole, whole.unwrap_or(digits).strip_prefix('.')) {
        (_, Some("")) => "",
        (_, Some(fraction)) => behind_digits(fraction)?,
        (whole, None) => whole?,
    };
    let written = digits.get(..digits.len() - rest.len())?;
    let padded = format!("0{written}0");
    let exact = match written.contains('.') {
        true => padded.as_str(),
        false => written,
    };
    Some((exact.parse().ok()?, rest))
}

/// A number from 0, also in hexadecimal and octal.
pub(super) fn unsigned(text: &str) -> Option<u64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (digits, radix) = match text.get(..2) {
        Some("0x" | "0X") => (text.get(2..)?, 16),
        Some("0b") => (text.get(2..)?, 2),
        Some("0o") => (text.get(2..)?, 8),
        Some(_) if text.starts_with('0') => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let is_plain = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    is_plain.then(|| u64::from_str_radix(digits, radix).ok())?
}

/// A number of 32 bits that may be negative.
pub(super) fn integer(text: &str) -> Option<i32> {
    let number = match text.strip_prefix('-') {
        Some(rest) if !rest.starts_with('+') => -i64::try_from(unsigned(rest)?).ok()?,
        _ => i64::try_from(unsigned(text)?).ok()?,
    };
    i32::try_from(number).ok()
}

/// Whether a text is permission bits.
pub(super) fn octal(text: &str) -> bool {
    !text.starts_with('+') && u32::from_str_radix(text, 8).is_ok_and(|bits| bits <= 0o7777)
}

/// Bytes: numbers with `K`, `M`, `G` and so on behind them.
pub(super) fn size(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut total = 0.0;
    let mut last = SIZES.len();
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if rest.trim_start_matches('+').starts_with('.') {
            return None;
        }
        let (number, behind) = number(rest)?;
        let behind = behind.trim_start_matches(BLANKS);
        let unit = SIZES
            .iter()
            .position(|unit| behind.starts_with(unit))
            .unwrap_or(0);
        let power = i32::try_from(unit).ok()? * 10;
        // Each unit once, the large ones first.
        if unit >= last {
            return None;
        }
        last = unit;
        total += number * 2f64.powi(power);
        if total >= MOST_BYTES {
            return None;
        }
        rest = match behind.chars().next() {
            None => return Some(total),
            Some(_) => behind
                .strip_prefix(SIZES.get(unit).copied()?)
                .unwrap_or(behind),
        };
        if rest.is_empty() {
            return Some(total);
        }
    }
}

/// A share: a number with at most two decimals and `%`, or one with a permille or permyriad sign.
pub(super) fn percent(text: &str) -> Option<f64> {
    let (number, factor, decimals) = match text.strip_suffix('%') {
        Some(number) => (number, 1.0, 2),
        None => match text.strip_suffix('\u{2030}') {
            Some(number) => (number, 0.1, 1),
            None => (text.strip_suffix('\u{2031}')?, 0.01, 0),
        },
    };
    let number = number.strip_prefix('+').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let fits = fraction.len() <= decimals || !number.contains('.');
    (is_digits(whole) && is_digits(fraction) && fits)
        .then(|| number.parse::<f64>().ok())
        .flatten()
        .map(|number| number * factor)
}
