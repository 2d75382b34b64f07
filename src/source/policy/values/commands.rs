//! Commands: programs with their arguments, which no shell reads.

use serde::de::{Deserialize, Deserializer, Error};

/// a program and its arguments, one of which contains `{}`, the path of the file
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "command"))]
pub struct Command(pub Vec<String>);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        let wrong = match words.split_first() {
            None => "an empty command",
            Some((program, _)) if program.is_empty() || program.contains("{}") => {
                "the command itself has no name"
            }
            Some((_, arguments)) if !arguments.iter().any(|word| word.contains("{}")) => {
                "the command does not get the file"
            }
            Some(_) => return Ok(Self(words)),
        };
        Err(D::Error::custom(format!(
            "{wrong}, expected a command and its arguments, one of which has {{}} for the path of the file, such as [\"visudo\", \"-cf\", \"{{}}\"]"
        )))
    }
}

/// a program and its arguments
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "command"))]
pub struct Program(pub Vec<String>);

/// a program and its arguments, one of which contains `{}`, the name of the backup
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "command"))]
pub struct NamedCommand(pub Vec<String>);

impl<'de> Deserialize<'de> for Program {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        match words.first().is_some_and(|program| !program.is_empty()) {
            true => Ok(Self(words)),
            false => Err(D::Error::custom(
                "an empty command, expected a program and its arguments, such as [\"pg_dump\", \"app\"]",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for NamedCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Program(words) = Program::deserialize(deserializer)?;
        match words.iter().skip(1).any(|word| word.contains("{}")) {
            true => Ok(Self(words)),
            false => Err(D::Error::custom(
                "the command does not get the name of the backup, expected {} in one of its arguments",
            )),
        }
    }
}
