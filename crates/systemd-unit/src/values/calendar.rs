//! Calendar events, systemd.time(7), as `src/shared/calendarspec.c` of systemd reads them.

use source_text::word_list;

/// Names for common events; the last is systemd's own.
const NAMES: [&str; 13] = word_list(
    "minutely hourly daily weekly monthly quarterly semiannually biannually yearly annually \
    semi-annually bi-annually anually",
);
/// Days from Monday on.
const DAYS: [&str; 7] = word_list("monday tuesday wednesday thursday friday saturday sunday");

/// Whether systemd reads a text as a calendar event.
pub(super) fn is_valid(text: &str) -> bool {
    let text = without_zone(text.trim()).to_ascii_lowercase();
    if NAMES.contains(&text.as_str()) {
        return true;
    }
    !text.is_empty() && event(&text).is_some()
}

/// Time zones of one word in the tz database that are no abbreviation in capitals.
const ZONES: [&str; 25] = word_list(
    "Cuba Egypt Eire Factory GB GB-Eire Greenwich Hongkong Iceland Iran Israel Jamaica Japan \
    Kwajalein Libya NZ NZ-CHAT Navajo Poland Portugal Singapore Turkey Universal W-SU Zulu",
);

/// A text without a time zone after it. Which abbreviations a host knows depends on its own zone, so that each in
/// capitals is taken for one.
fn without_zone(text: &str) -> &str {
    let Some((rest, zone)) = text.rsplit_once(' ') else {
        return text;
    };
    // With numbers, too: EST5EDT, GMT+0.
    let is_abbreviation = zone.len() >= 3
        && zone.starts_with(|c: char| c.is_ascii_uppercase())
        && zone
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "+-".contains(c));
    let is_place = zone.contains('/')
        && zone.starts_with(|c: char| c.is_ascii_uppercase())
        && zone
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c));
    let is_zone =
        is_abbreviation || is_place || ZONES.contains(&zone) || zone.eq_ignore_ascii_case("UTC");
    match is_zone
        && !DAYS
            .iter()
            .any(|day| day.get(..3) == Some(&*zone.to_ascii_lowercase()))
    {
        true => rest,
        false => text,
    }
}

/// `[WEEKDAYS] [DATE] [TIME]`
fn event(text: &str) -> Option<()> {
    let rest = date(weekdays(text)?)?;
    if rest.is_empty() {
        return Some(());
    }
    time(rest)
}

/// The text behind a list of days and ranges of them, if there is one.
fn weekdays(text: &str) -> Option<&str> {
    let mut rest = text;
    let mut from = None;
    let mut is_first = true;
    loop {
        let found = DAYS.iter().enumerate().find_map(|(number, day)| {
            let short = rest.strip_prefix(day.get(..3)?)?;
            Some((number, rest.strip_prefix(day).unwrap_or(short)))
        });
        let Some((day, behind)) = found else {
            return is_first.then_some(rest);
        };
        if from.is_some_and(|from| from > day) {
            return None;
        }
        let is_range = from.is_some();
        rest = match behind.chars().next() {
            None | Some(' ') => return Some(behind.trim_start_matches(' ')),
            Some('.') if !is_range => behind.strip_prefix("..")?,
            Some('-') if !is_range => behind.get(1..)?,
            Some('.' | '-') => return None,
            Some(',') => behind.get(1..)?,
            Some(_) => return None,
        };
        let opens = behind.starts_with(['.', '-']);
        from = opens.then_some(day);
        // A comma at the end is allowed, an open range is not.
        if rest.is_empty() || rest.starts_with(' ') {
            return (!opens).then(|| rest.trim_start_matches(' '));
        }
        is_first = false;
    }
}

/// The text behind a date, if there is one.
fn date(text: &str) -> Option<&str> {
    if text.is_empty() {
        return Some(text);
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse::<u64>().ok().map(|_| "");
    }
    let (first, rest) = Chain::read(text, false)?;
    // A time is here.
    if rest.is_empty() || rest.starts_with(':') {
        return Some(text);
    }
    let (second, from_end, rest) = part(rest)?;
    if rest.is_empty() || rest.starts_with(' ') {
        let valid = first.is_within(1, 12, false) && second.is_within(1, 31, from_end);
        return valid.then(|| rest.trim_start_matches(' '));
    }
    if from_end {
        return None;
    }
    let (third, from_end, rest) = part(rest)?;
    let valid = first.years().is_within(1970, 2199, false)
        && second.is_within(1, 12, false)
        && third.is_within(1, 31, from_end)
        && (rest.is_empty() || rest.starts_with(' '));
    valid.then(|| rest.trim_start_matches(' '))
}

/// A part of a date after its `-`, or after a `~`, which counts from the end of the month.
fn part(text: &str) -> Option<(Chain, bool, &str)> {
    let from_end = text.starts_with('~');
    let rest = text.strip_prefix(['-', '~'])?;
    let (chain, rest) = Chain::read(rest, false)?;
    Some((chain, from_end, rest))
}

/// `HH:MM[:SS]`
fn time(text: &str) -> Option<()> {
    let (hours, rest) = Chain::read(text, false)?;
    let (minutes, rest) = Chain::read(rest.strip_prefix(':')?, false)?;
    let valid = hours.is_within(0, 23, false) && minutes.is_within(0, 59, false);
    if rest.is_empty() {
        return valid.then_some(());
    }
    let (seconds, rest) = Chain::read(rest.strip_prefix(':')?, true)?;
    let last = 60 * MICRO - 1;
    (valid && seconds.is_within(0, last, false) && rest.is_empty()).then_some(())
}

/// Seconds are counted in millionths.
const MICRO: i64 = 1_000_000;

/// `*`, or numbers, ranges and repetitions between commas.
struct Chain(Vec<Component>);

#[derive(Clone, Copy)]
struct Component {
    start: i64,
    stop: Option<i64>,
    repeat: i64,
}

impl Chain {
    fn read(text: &str, fine: bool) -> Option<(Self, &str)> {
        if let Some(rest) = text.strip_prefix('*') {
            return Some((Self(Vec::new()), rest));
        }
        let mut components = Vec::new();
        let mut rest = text;
        loop {
            let (component, behind) = Component::read(rest, fine)?;
            components.push(component);
            match behind.strip_prefix(',') {
                Some(next) => rest = next,
                None => return Some((Self(components), behind)),
            }
        }
    }

    /// Years of two digits are those from 1970 on.
    fn years(mut self) -> Self {
        let year = |year: i64| match year {
            0..70 => year + 2000,
            70..100 => year + 1900,
            _ => year,
        };
        for component in &mut self.0 {
            component.start = year(component.start);
            component.stop = component.stop.map(year);
        }
        self
    }

    /// `chain_valid` of calendarspec.c
    fn is_within(&self, from: i64, to: i64, from_end: bool) -> bool {
        self.0.iter().all(|one| {
            let within = |value: i64| from <= value && value <= to;
            // Not every month has more than 28 days.
            if !within(one.start) || (from_end && one.start > 28) || one.repeat > to - from {
                return false;
            }
            match one.stop {
                Some(stop) => within(stop) && stop > one.start,
                None if from_end => one.start - one.repeat >= from,
                None => one.start + one.repeat <= to,
            }
        })
    }
}

impl Component {
    /// A range that ends before its first repetition is a single value, `normalize_chain` of calendarspec.c.
    fn normalize(&mut self) {
        if self.stop.is_some_and(|stop| {
            stop == self.start || (stop > self.start && self.start + self.repeat > stop)
        }) {
            self.stop = None;
            self.repeat = 0;
        }
    }

    fn read(text: &str, fine: bool) -> Option<(Self, &str)> {
        let (start, mut rest) = value(text, fine)?;
        let mut component = Self {
            start,
            stop: None,
            repeat: 0,
        };
        if let Some(behind) = rest.strip_prefix("..") {
            let (stop, behind) = value(behind, fine)?;
            component.stop = Some(stop);
            component.repeat = if fine { MICRO } else { 1 };
            rest = behind;
        }
        if let Some(behind) = rest.strip_prefix('/') {
            let (repeat, behind) = value(behind, fine)?;
            component.repeat = repeat;
            rest = behind;
            if repeat == 0 {
                return None;
            }
        } else if fine && component.stop.is_some_and(|stop| start + MICRO > stop) {
            // Ranges of less than a second need to say how they repeat.
            return None;
        }
        component.normalize();
        let ends = rest.is_empty() || rest.starts_with([' ', ',', '-', '~', ':']);
        ends.then_some((component, rest))
    }
}

/// A number; one of seconds may have a fraction, which is rounded to millionths.
fn value(text: &str, fine: bool) -> Option<(i64, &str)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: i64 = text.get(..text.len() - rest.len())?.parse().ok()?;
    if number > i64::from(i32::MAX) {
        return None;
    }
    if !fine {
        return Some((number, rest));
    }
    let whole = number * MICRO;
    let fraction = rest
        .strip_prefix('.')
        .filter(|fraction| fraction.starts_with(|c: char| c.is_ascii_digit()));
    let Some(fraction) = fraction else {
        return Some((whole, rest));
    };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = fraction.get(..fraction.len() - rest.len())?;
    let micros = format!("{digits:0<7}").get(..7)?.parse::<i64>().ok()?;
    Some((whole + (micros + 5) / 10, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All are as said by `systemd-analyze calendar` of systemd 252.
    #[test]
    fn events_are_read_as_systemd_does() {
        for text in [
            "daily",
            "Hourly",
            "*-*-* 03:00:00",
            "Mon..Fri 22:30",
            "Mon,Thu *-*-1..7 04:00",
            "*:0/5",
            "*-*-* *:*:00/30",
            "2026-11-22",
            "11-22",
            "*-02~03",
            "*-05~07/1",
            "Sat",
            "12-31 23:59:59.5",
            "03:00 Asia/Tokyo",
            "*-*-* 03:00:00 UTC",
            "03:00 utc",
            "03:00 Japan",
            "03:00 CST6CDT",
            "03:00 GMT+0",
            "semi-annually",
            "@1700000000",
            "Mon-Fri 1:00",
            "26-1-1",
        ] {
            assert!(is_valid(text), "{text}");
        }
        for text in [
            "dayly",
            "every day",
            "25:00",
            "03:60",
            "3",
            "Fri..Mon 03:00",
            "*/5 * * * *",
            "0 3 * * *",
            "2026-13-01",
            "*-*-32",
            "*:0/0",
            "3:00:00:00",
            "Mon..",
            "*-*-* 3pm",
            "",
            "03.00",
            "12:00 PM",
            "03:00 Z",
            "03:00 asia/tokyo",
            "03:00   Asia/Tokyo",
            "2026-1-1-1",
            "10..5:00",
        ] {
            assert!(!is_valid(text), "{text}");
        }
    }
}
