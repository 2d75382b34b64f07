//! Several findings of one rule in a file that are said as one.

use std::collections::BTreeMap;

use super::engine;
use crate::model::{Complaint, Diagnostic, Finding};

/// A finding with the others that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouped {
    /// The first of them, with a message about all.
    pub finding: Finding,
    /// Places of the others in the same file.
    pub others: Vec<Diagnostic>,
}

/// The findings in their order, those that are alike in a file as one: where the rule is one of best practice, and
/// one line of help is for all of them. Errors that need a fix each stay apart.
pub fn grouped(findings: Vec<Finding>) -> Vec<Grouped> {
    let mut grouped: Vec<Grouped> = Vec::new();
    let mut first_of: BTreeMap<_, usize> = BTreeMap::new();
    for finding in findings {
        let group = engine::rule_of(finding.rule.name).and_then(|rule| rule.group);
        let (Some(group), Some(place)) = (group, finding.place()) else {
            grouped.push(alone(finding));
            continue;
        };
        let help = group.help.is_none().then(|| place.help.clone());
        let key = (
            finding.rule.name,
            place.path().to_owned(),
            finding.severity,
            help,
        );
        match first_of.get(&key).and_then(|first| grouped.get_mut(*first)) {
            Some(first) => first.add(finding, group),
            None => {
                first_of.insert(key, grouped.len());
                grouped.push(alone(finding));
            }
        }
    }
    grouped
}

fn alone(finding: Finding) -> Grouped {
    Grouped {
        finding,
        others: Vec::new(),
    }
}

impl Grouped {
    fn add(&mut self, other: Finding, group: engine::Group) {
        let (Complaint::Placed(first), Complaint::Placed(other)) =
            (&mut self.finding.complaint, other.complaint)
        else {
            return;
        };
        self.others.push(*other);
        first.message = format!("{} {}", self.others.len() + 1, group.what);
        if let Some(help) = group.help {
            first.help = Some(help.to_owned());
        }
    }

    /// `also in lines 12, 20 and 31`; nothing where it is alone.
    pub fn also(&self) -> Option<String> {
        let mut lines: Vec<usize> = self
            .others
            .iter()
            .map(|place| place.position().line)
            .collect();
        lines.dedup();
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let (last, before) = lines.split_last()?;
        Some(match before.is_empty() {
            true => format!("also in line {last}"),
            false => format!("also in lines {} and {last}", before.join(", ")),
        })
    }
}
