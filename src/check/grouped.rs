//! Several findings of one rule in a file that are reported as one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::{FxBuildHasher, FxHashMap};
use source_text::SourceFile;

use super::engine;
use crate::model::{Complaint, Diagnostic, Finding, Severity};
use crate::source::nginx::OF_APACHE;

/// A finding with the others that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouped {
    /// The first of them, with a message about all.
    pub finding: Finding,
    /// Places of the others in the same file.
    pub others: Vec<Diagnostic>,
}

/// The findings in their order. Those of one rule in a file that have the same texts are one, and those that the rule
/// itself groups. Findings that need a fix each stay apart.
pub fn grouped(findings: Vec<Finding>) -> Vec<Grouped> {
    let mut grouped: Vec<Grouped> = Vec::new();
    // The first ones of groups, by what is the same in a group.
    let mut first_of: FxHashMap<_, Vec<usize>> = FxHashMap::default();
    let mut paths = Numbered::default();
    for finding in findings {
        let group = engine::rule_of(finding.rule.name).and_then(|rule| rule.group);
        let Some(place) = finding.place() else {
            grouped.push(alone(finding));
            continue;
        };
        // By a hash of the texts, which are long and mostly the same.
        let texts = common(group, place);
        let is_error = finding.severity == Severity::Error;
        let hash = FxBuildHasher.hash_one(texts);
        let key = (finding.rule.name, paths.of(place), is_error, hash);
        let known = first_of.entry(key).or_default();
        let mut fitting = known.iter().copied();
        let first = fitting.find(|first| {
            let first = grouped.get(*first).and_then(|first| first.finding.place());
            first.is_some_and(|first| common(group, first) == texts)
        });
        match first.and_then(|first| grouped.get_mut(first)) {
            Some(first) => first.add(finding),
            None => {
                known.push(grouped.len());
                grouped.push(alone(finding));
            }
        }
    }
    grouped.iter_mut().for_each(Grouped::say_all);
    grouped
}

/// What findings of a file must have in common to be one.
fn common(group: Option<engine::Group>, place: &Diagnostic) -> [&str; 3] {
    let help = place.help.as_deref().unwrap_or_default();
    match group {
        None => [&place.message, &place.expected, help],
        Some(engine::Group { what: None, .. }) => [&place.message, "", ""],
        Some(engine::Group { help: None, .. }) => ["", "", help],
        Some(_) => [""; 3],
    }
}

/// Numbers of paths. Findings of a file come one after the other, and mostly share it.
#[derive(Default)]
struct Numbered {
    last: Option<(Arc<SourceFile>, usize)>,
    numbers: HashMap<PathBuf, usize>,
}

impl Numbered {
    fn of(&mut self, place: &Diagnostic) -> usize {
        if let Some((_, number)) = self
            .last
            .as_ref()
            .filter(|(file, _)| Arc::ptr_eq(file, &place.file))
        {
            return *number;
        }
        let next = self.numbers.len();
        let number = *self.numbers.entry(place.path().to_owned()).or_insert(next);
        self.last = Some((Arc::clone(&place.file), number));
        number
    }
}

/// In so many files it is not an oversight: the set-up does without what a rule advises.
const MANY_FILES: usize = 4;

/// The same for people, who want to see what is broken first: advice that is not followed in many files is one finding
/// for all of them, behind the others. It says how to see its places, and what silences it.
pub fn folded(findings: Vec<Grouped>) -> Vec<Grouped> {
    let advised = |found: &Grouped| {
        let rule = engine::rule_of(found.finding.rule.name).filter(|rule| rule.is_advice)?;
        let is_advice = found.finding.severity == Severity::Warning;
        found.finding.place().filter(|_| is_advice)?;
        rule.group?.what
    };
    let mut files: HashMap<&str, HashSet<usize>> = HashMap::new();
    let mut paths = Numbered::default();
    for found in findings.iter().filter(|found| advised(found).is_some()) {
        let path = found.finding.place().map(|place| paths.of(place));
        files
            .entry(found.finding.rule.name)
            .or_default()
            .extend(path);
    }
    let mut folded: BTreeMap<&str, Grouped> = BTreeMap::new();
    let mut rest = Vec::new();
    for found in findings {
        let name = found.finding.rule.name;
        let count = files.get(name).map_or(0, HashSet::len);
        let Some(what) = advised(&found).filter(|_| count >= MANY_FILES) else {
            rest.push(found);
            continue;
        };
        let first = match folded.entry(name) {
            Entry::Vacant(free) => free.insert(found),
            Entry::Occupied(first) => {
                let first = first.into_mut();
                first.add(found.finding);
                first.others.extend(found.others);
                first
            }
        };
        first.say_files(what, count);
    }
    let mut rest = of_one_folder(rest);
    rest.extend(folded.into_values());
    rest
}

/// Sites of Apache httpd in one folder as one finding: they were moved there together.
fn of_one_folder(findings: Vec<Grouped>) -> Vec<Grouped> {
    let mut first_of: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut joined: Vec<Grouped> = Vec::new();
    for found in findings {
        let place = found.finding.place();
        let place = place.filter(|place| place.message == OF_APACHE);
        let Some(folder) = place.and_then(|place| place.path().parent()) else {
            joined.push(found);
            continue;
        };
        let first = first_of.get(folder);
        match first.and_then(|first| joined.get_mut(*first)) {
            Some(first) => first.add(found.finding),
            None => {
                first_of.insert(folder.to_owned(), joined.len());
                joined.push(found);
            }
        }
    }
    for found in first_of.values() {
        let Some(Grouped { finding, others }) = joined.get_mut(*found) else {
            continue;
        };
        if let (Complaint::Placed(first), false) = (&mut finding.complaint, others.is_empty()) {
            let count = others.len() + 1;
            first.message = format!(
                "{count} files of this folder are sites of Apache httpd, which nginx cannot read"
            );
        }
    }
    joined
}

fn alone(finding: Finding) -> Grouped {
    Grouped {
        finding,
        others: Vec::new(),
    }
}

/// Of more lines than these a reader has no use.
const LINES_SHOWN: usize = 10;

impl Grouped {
    fn add(&mut self, other: Finding) {
        if let Complaint::Placed(other) = other.complaint {
            self.others.push(*other);
        }
    }

    /// Says what all of them are, where it is not alone.
    fn say_all(&mut self) {
        let group = engine::rule_of(self.finding.rule.name).and_then(|rule| rule.group);
        let (Complaint::Placed(first), Some(group), false) =
            (&mut self.finding.complaint, group, self.others.is_empty())
        else {
            return;
        };
        if let Some(what) = group.what {
            first.message = format!("{} {what}", self.others.len() + 1);
        }
        // Where their message is the same, so may be their help, which is more exact.
        let is_same = group.what.is_none() && self.others.iter().all(|one| one.help == first.help);
        if let Some(help) = group.help.filter(|_| !is_same) {
            first.help = Some(help.to_owned());
        }
    }

    /// Says of advice in how many files it is not followed, and what silences it.
    fn say_files(&mut self, what: &str, files: usize) {
        let Complaint::Placed(first) = &mut self.finding.complaint else {
            return;
        };
        let (count, name) = (self.others.len() + 1, self.finding.rule.name);
        first.message = format!("in {files} files, {count} {what}");
        first.help = Some(format!(
            "if this host does not need this, write into watchme.toml: [check] {name} = {{ level = \"off\", reason = \"...\" }}"
        ));
    }

    /// `also in lines 12, 20 and 31`, of many the first [`LINES_SHOWN`]; nothing where it is alone.
    pub fn also(&self) -> Option<String> {
        let path = self.finding.place().map(Diagnostic::path);
        if self.others.iter().any(|place| Some(place.path()) != path) {
            return Some(
                "watchme-apply check FILE lists those of one file, --format json lists all"
                    .to_owned(),
            );
        }
        let mut lines: Vec<usize> = self
            .others
            .iter()
            .map(|place| place.position().line)
            .collect();
        lines.dedup();
        let first = self.finding.place().map(|place| place.position().line);
        if !lines.is_empty() && lines.iter().all(|line| Some(*line) == first) {
            return Some("also in the same line".to_owned());
        }
        lines.retain(|line| Some(*line) != first);
        let listed = |lines: &[usize]| {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            lines.join(", ")
        };
        if lines.len() > LINES_SHOWN + 1 {
            let (shown, others) = lines.split_at(LINES_SHOWN);
            let others = others.len();
            return Some(format!("also in lines {} and {others} more", listed(shown)));
        }
        let (last, before) = lines.split_last()?;
        Some(match before.is_empty() {
            true => format!("also in line {last}"),
            false => format!("also in lines {} and {last}", listed(before)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;
    use crate::check::check;
    use crate::check::tests::surveyed;

    fn also(services: usize) -> Option<String> {
        let services = (0..services).map(|number| format!("  s{number}:\n    image: a\n"));
        let text = format!("services:\n{}", services.collect::<String>());
        surveyed(&[("compose/a/compose.yaml", &text)], |subject| {
            let grouped = grouped(check(subject));
            let mut tags = grouped
                .iter()
                .filter(|one| one.finding.rule.name == "compose-image-latest");
            tags.next().and_then(|found| found.also())
        })
    }

    #[test]
    fn lines_are_listed_as_far_as_somebody_reads_them() {
        assert_eq!(also(1), None);
        assert_eq!(also(2).as_deref(), Some("also in line 5"));
        assert_eq!(also(4).as_deref(), Some("also in lines 5, 7 and 9"));
        let ten = "also in lines 5, 7, 9, 11, 13, 15, 17, 19, 21, 23";
        assert_eq!(also(12), Some(format!("{ten} and 25")));
        assert_eq!(also(1000), Some(format!("{ten} and 989 more")));
    }
    /// What a rule says about a site with three locations, each with these lines: `MESSAGE, ALSO; HELP`.
    fn of_site(rule: &str, inside: [&str; 3]) -> Vec<String> {
        let locations = (inside.iter().enumerate())
            .map(|(number, inside)| format!("location /{number} {{ {inside} }}\n"));
        let locations: String = locations.collect();
        let site = format!("server {{ listen 80;\n{locations}}}\n");
        let unit = "[Service]\nExecStart=/usr/bin/docker-compose -f /srv/c/a.yml up\n";
        let compose = "services:\n  api:\n    image: api:1\n    ports: ['127.0.0.1:8001:80']\n";
        let files = [
            ("watchme.toml", "checkout = \"/srv/c\"\n"),
            ("systemd/a.service", unit),
            ("sites-available/a", &site),
            ("a.yml", compose),
        ];
        surveyed(&files, |subject| {
            let found = grouped(check(subject)).into_iter();
            let of_rule = found.filter(|found| found.finding.rule.name == rule);
            let said = of_rule.map(|found| {
                let also = found.also().unwrap_or_default();
                let help = found.finding.help().unwrap_or_default();
                format!("{}, {also}; {help}", found.finding.message())
            });
            said.collect()
        })
    }

    #[test]
    fn findings_with_the_same_texts_are_one() {
        let rule = "nginx-unknown-variable";
        let found = of_site(rule, ["return 200 $nothing;"; 3]);
        assert!(
            found.len() == 1 && found[0].contains(", also in lines 3 and 4; "),
            "{found:?}"
        );
        let two = "add_header A $nothing; add_header B $nothing;";
        let found = of_site(rule, [two, "return 200 $another;", ""]);
        assert!(
            found.len() == 2 && found[0].contains(", also in the same line; "),
            "{found:?}"
        );
        let found = of_site(rule, [two, "return 200 $nothing;", ""]);
        assert!(
            found.len() == 1 && found[0].contains(", also in line 3; "),
            "{found:?}"
        );
        let headers = "proxy_set_header Upgrade $http_upgrade; proxy_pass http://localhost:8001;";
        let found = of_site("nginx-websocket-headers", [headers; 3]);
        assert!(
            found.len() == 1 && found[0].contains(", also in lines 3 and 4; "),
            "{found:?}"
        );
    }

    #[test]
    fn one_fix_for_the_same_message() {
        let rule = "nginx-container-upstream";
        let pass = |path: &str| format!("proxy_pass http://api:80{path};");
        let one = |help: &str| {
            format!(
                "api is the name of a container: nginx on the host cannot resolve it, also in lines 3 and 4; {help}"
            )
        };
        let paths = ["/a/", "/b/", "/c/"].map(pass);
        let shared = "write localhost in all of them, with the port that is published on the host";
        let found = of_site(rule, paths.each_ref().map(String::as_str));
        assert_eq!(found, [one(shared)]);
        let found = of_site(rule, [pass("/").as_str(); 3]);
        assert_eq!(found, [one("write proxy_pass http://localhost:8001/;")]);
    }
}
