//! Rules of ufw(8), added and deleted one by one: it then changes that one rule in the kernel. It is never reloaded, which
//! refuses new connections for seconds.

use std::path::Path;

use super::firewall::{BOUND, refused};
use super::program::run;
use super::{Host, HostError};
use crate::model::{UFW_COMMENT, UfwRule, layout, ufw_lines};

const PROGRAM: &str = "/usr/sbin/ufw";

impl Host {
    /// Adds a rule with our comment, unless ufw has it: one of somebody else's would get our comment.
    ///
    /// # Errors
    /// When its files cannot be read, or ufw refuses.
    pub(crate) fn allow_in_ufw(&self, rule: &UfwRule) -> Result<(), HostError> {
        if self.in_ufw(rule)?.is_some() {
            return Ok(());
        }
        let comment = ["comment", UFW_COMMENT].map(str::to_owned);
        ufw("add a rule", rule.words().into_iter().chain(comment))
    }

    /// Deletes a rule, if it has our comment.
    ///
    /// # Errors
    /// As [`Host::allow_in_ufw`].
    pub(crate) fn delete_in_ufw(&self, rule: &UfwRule) -> Result<(), HostError> {
        match self.in_ufw(rule)? {
            Some(true) => ufw(
                "delete a rule",
                ["delete".to_owned()].into_iter().chain(rule.words()),
            ),
            _ => Ok(()),
        }
    }

    /// Whether a rule that ufw has is ours; `None`: it does not have it.
    fn in_ufw(&self, rule: &UfwRule) -> Result<Option<bool>, HostError> {
        for path in layout::UFW_RULES {
            let text = self.root().read(Path::new(path))?.unwrap_or_default();
            let lines = ufw_lines(&String::from_utf8_lossy(&text));
            let line = lines
                .into_iter()
                .find(|line| line.rule.as_ref() == Some(rule));
            if let Some(line) = line {
                return Ok(Some(line.ours));
            }
        }
        Ok(None)
    }
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
