//! Values of watchme.toml that are written as text.

use std::time::Duration;

/// No start, probe or drain takes longer; what is beyond is a mistake.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// `90s`, `15m`, `1h30m`, `250ms`; up to a day.
pub fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let tail = rest.get(digits..)?;
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let part = match tail.get(..letters)? {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" | "min" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3600)?),
            "d" => Duration::from_secs(number.checked_mul(86400)?),
            _ => return None,
        };
        total = total.checked_add(part)?;
        rest = tail.get(letters..)?.trim_start();
    }
    Some(total).filter(|total| *total <= LONGEST)
}

/// `8000` or `8001-8099`.
pub fn ports(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let range = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (range.0 > 0 && range.0 <= range.1).then_some(range)
}

/// Permission bits, in octal.
pub fn mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim_start_matches("0o"), 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
}

/// `user` or `user:group`, names or numbers, as `user:group`.
pub fn owner(text: &str) -> Option<String> {
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    let name = |name: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    (name(user) && name(group)).then(|| format!("{user}:{group}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let seconds = |text| duration(text).map(|time| time.as_millis());
        assert_eq!(seconds("90s"), Some(90_000));
        assert_eq!(seconds("1h30m"), Some(5_400_000));
        assert_eq!(seconds("250ms"), Some(250));
        for wrong in ["", "5", "5x", "m", "-5s", "99999999999999999999s", "é"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(ports("8001-8099"), Some((8001, 8099)));
        assert_eq!(ports("8000"), Some((8000, 8000)));
        assert_eq!(
            (ports("9-8"), ports("0"), ports("70000")),
            (None, None, None)
        );
        assert_eq!((mode("0644"), mode("888")), (Some(0o644), None));
        assert_eq!(owner("root").as_deref(), Some("root:root"));
        assert_eq!(owner("a:b:c"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in ".*") {
            let _ = (duration(&text), ports(&text), mode(&text), owner(&text));
        }
    }

    #[test]
    fn no_time_is_longer_than_a_day() {
        assert_eq!(duration("24h"), Some(Duration::from_secs(86_400)));
        for text in ["25h", "99999999999999d", "18446744073709551615s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
