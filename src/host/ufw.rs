//! Rules of ufw(8), added and deleted one by one: it then changes that one rule in the kernel. It is never reloaded, which
//! refuses new connections for seconds.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::firewall::{BOUND, refused};
use super::program::run;
use super::{Host, HostError};
use crate::model::{
    UFW_COMMENT, UfwLine, UfwPlaces, UfwRule, layout, ufw_count, ufw_lines, ufw_places,
};

const PROGRAM: &str = "/usr/sbin/ufw";
/// Anywhere, in IPv4 and in IPv6.
const ANYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];
/// How often is looked whether it has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Host {
    /// Adds a rule with our comment, unless ufw has it: one of somebody else's would get our comment.
    pub(crate) fn allow_in_ufw(&self, rule: &UfwRule) -> Result<(), HostError> {
        if self.in_ufw(rule)?.is_some() {
            return Ok(());
        }
        let comment = ["comment", UFW_COMMENT].map(str::to_owned);
        ufw("add a rule", rule.words().into_iter().chain(comment))
    }

    /// Deletes a rule, if it has our comment.
    pub(crate) fn delete_in_ufw(&self, rule: &UfwRule) -> Result<(), HostError> {
        match self.in_ufw(rule)? {
            Some(true) => ufw(
                "delete a rule",
                ["delete".to_owned()].into_iter().chain(rule.words()),
            ),
            _ => Ok(()),
        }
    }

    /// Where ufw has a rule.
    pub(crate) fn places_in_ufw(&self, rule: &UfwRule) -> Result<UfwPlaces, HostError> {
        let texts = self.ufw_files()?;
        Ok(texts.map(|text| found(&text, rule).map(|line| line.place)))
    }

    /// Adds a rule where it was: rules behind it may decide otherwise about what it lets through. A record without places has
    /// it added behind all others.
    ///
    /// # Errors
    /// As [`Host::allow_in_ufw`], and when it is not there after that or cannot be where it was.
    pub(crate) fn restore_in_ufw(
        &self,
        rule: &UfwRule,
        places: &UfwPlaces,
    ) -> Result<(), HostError> {
        if *places == [None, None] {
            return self.allow_in_ufw(rule);
        }
        let mut elsewhere = false;
        for (six, place) in places.iter().enumerate() {
            let Some(place) = *place else {
                continue;
            };
            let texts = self.ufw_files()?;
            if found(&texts[six], rule).is_some() {
                continue;
            }
            let position = position(&texts, six, place);
            elsewhere |= position == Position::None;
            // Rules of IPv6 are numbered behind those of IPv4. Behind the last one is no number.
            let mut words = match position {
                Position::Number(number) => vec!["insert".to_owned(), number.to_string()],
                Position::End | Position::None => Vec::new(),
            };
            words.extend(rule.words_from(ANYWHERE[six]));
            words.extend(["comment", UFW_COMMENT].map(str::to_owned));
            ufw("add a rule", words.into_iter())?;
        }
        let there = self.places_in_ufw(rule)?;
        let said = match () {
            () if places
                .iter()
                .zip(&there)
                .any(|(was, is)| was.is_some() && is.is_none()) =>
            {
                "it does not have it after that"
            }
            () if elsewhere => "ufw inserts none there: it is behind all others now",
            () => return Ok(()),
        };
        Err(HostError::Firewall {
            program: "ufw",
            doing: "add a rule where it was",
            said: vec![format!("ufw {rule}"), said.to_owned()],
        })
    }

    /// Waits until no ufw runs, within a bound: the one of a run that was killed goes on, and may change a rule after it was put back.
    pub(crate) fn await_ufw(&self, bound: Duration) -> Result<(), HostError> {
        let until = Instant::now() + bound;
        while let Some(process) = running() {
            if Instant::now() > until {
                return Err(HostError::UfwRuns { process });
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Whether a rule that ufw has is ours; `None`: it does not have it.
    fn in_ufw(&self, rule: &UfwRule) -> Result<Option<bool>, HostError> {
        let texts = self.ufw_files()?;
        Ok(texts
            .iter()
            .find_map(|text| found(text, rule))
            .map(|line| line.ours))
    }

    fn ufw_files(&self) -> Result<[String; 2], HostError> {
        let [four, six] = layout::UFW_RULES.map(|path| self.root().read(Path::new(path)));
        let text = |bytes: Option<Vec<u8>>| {
            String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
        };
        Ok([text(four?), text(six?)])
    }
}

#[derive(Debug, PartialEq)]
enum Position {
    /// Before the rule with this number.
    Number(usize),
    /// It was the last one.
    End,
    /// ufw takes no number of that place.
    None,
}

/// The number by which a rule gets a place in the file of IPv4 or IPv6. ufw takes it to be the place itself, for IPv6 after
/// the number of rules of IPv4; but those that it accepts are only as many as it counts (`set_rule` in ufw/frontend.py).
fn position(texts: &[String; 2], six: usize, place: usize) -> Position {
    let before = if six == 0 { 0 } else { ufw_count(&texts[0]) };
    match place {
        place if place <= ufw_count(&texts[six]) => Position::Number(before + place),
        place if place > ufw_places(&texts[six]) => Position::End,
        _ => Position::None,
    }
}

fn found(text: &str, rule: &UfwRule) -> Option<UfwLine> {
    let mut lines = ufw_lines(text).into_iter();
    lines.find(|line| line.rule.as_ref() == Some(rule))
}

/// The id of a process of this host that is ufw, which Python runs: `/usr/bin/python3 /usr/sbin/ufw delete …`. Before it has
/// its lock it has read nothing, and would wait for us; but it goes on after that.
fn running() -> Option<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.find(|id| {
        let read = |name: &str| fs::read(format!("/proc/{id}/{name}")).unwrap_or_default();
        is_ufw(&read("cmdline")) && is_of_the_host(&String::from_utf8_lossy(&read("status")))
    })
}

/// Whether a command line is that of ufw(8): a script, behind its interpreter and the options of that.
fn is_ufw(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == 0);
    let program = words.next().unwrap_or_default();
    let script = words.find(|word| !word.starts_with(b"-"));
    program == PROGRAM.as_bytes() || script == Some(PROGRAM.as_bytes())
}

/// A process in a container has further ids; `NSpid` in proc_pid_status(5).
fn is_of_the_host(status: &str) -> bool {
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    ids.is_none_or(|ids| ids.split_whitespace().count() <= 1)
}

fn ufw(doing: &'static str, words: impl Iterator<Item = String>) -> Result<(), HostError> {
    let words: Vec<String> = words.collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = run(Path::new(PROGRAM), &words, "", BOUND)?;
    match ran.status.success() {
        true => Ok(()),
        false => Err(refused(doing, "ufw", &ran)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_ufw() {
        for line in [
            &b"/usr/bin/python3\0/usr/sbin/ufw\0delete\0allow\0"[..],
            b"/usr/bin/python3\0-E\0/usr/sbin/ufw\0status\0",
            b"/usr/sbin/ufw\0status\0",
        ] {
            assert!(is_ufw(line), "{}", String::from_utf8_lossy(line));
        }
        for line in [
            &b""[..],
            b"vi\0/etc/ufw/user.rules\0",
            b"grep\0x\0/usr/sbin/ufw\0",
        ] {
            assert!(!is_ufw(line), "{}", String::from_utf8_lossy(line));
        }
        assert!(is_of_the_host("Name:\tufw\nNSpid:\t71\n"));
        assert!(!is_of_the_host("Name:\tufw\nNSpid:\t71\t9\n"));
    }

    #[test]
    fn the_number_by_which_a_rule_gets_its_place() {
        let plain = "### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in\n";
        let samba = "### tuple ### allow udp 137 0.0.0.0/0 any 0.0.0.0/0 Samba - in\n";
        let texts = [plain.repeat(2), plain.repeat(3)];
        assert_eq!(position(&texts, 0, 2), Position::Number(2));
        assert_eq!(position(&texts, 0, 3), Position::End);
        assert_eq!(position(&texts, 1, 1), Position::Number(3));
        assert_eq!(position(&texts, 1, 4), Position::End);
        // Two rules of an application are one for ufw.
        let texts = [format!("{}{plain}", samba.repeat(2)), plain.to_owned()];
        assert_eq!(position(&texts, 0, 2), Position::Number(2));
        assert_eq!(position(&texts, 0, 3), Position::None);
        assert_eq!(position(&texts, 1, 1), Position::Number(3));
    }
}
