//! Values that are numbers, with their bounds.

use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use source_text::Version;

use crate::model::ComposeCommand;

/// A whole number within bounds.
fn between<'de, D: Deserializer<'de>, N: TryFrom<i64> + PartialOrd>(
    deserializer: D,
    bounds: RangeInclusive<N>,
    expected: &str,
) -> Result<N, D::Error> {
    let number = i64::deserialize(deserializer)?;
    let found = N::try_from(number)
        .ok()
        .filter(|found| bounds.contains(found));
    found.ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(number), &expected))
}

/// A number of processors, whole or not.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "number"))]
pub struct Cpus(pub(in crate::source::policy) f64);

impl<'de> Deserialize<'de> for Cpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        match number.is_finite() && number > 0.0 {
            true => Ok(Self(number)),
            false => {
                let given = Unexpected::Float(number);
                Err(D::Error::invalid_value(given, &"a number above 0"))
            }
        }
    }
}

/// A major version of compose: 1 or 2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "number"))]
pub struct Compose(#[cfg_attr(test, schemars(range(min = 1, max = 2)))] u32);

impl<'de> Deserialize<'de> for Compose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        between(deserializer, 1..=2, "1 or 2").map(Self)
    }
}

impl Compose {
    /// How it is called.
    pub(crate) fn command(self) -> ComposeCommand {
        match self.0 {
            1 => ComposeCommand::Own,
            _ => ComposeCommand::Plugin,
        }
    }

    /// Its version; 1 is the last of version 1, which is what distributions have.
    pub(in crate::source::policy) fn version(self) -> Version {
        match self.0 {
            1 => Version::minor(1, 29),
            major => Version::major(major),
        }
    }
}

/// A status of HTTP, RFC 9110 section 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "number"))]
pub struct Status(
    #[cfg_attr(test, schemars(range(min = 100, max = 599)))] pub(in crate::source::policy) u16,
);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        between(deserializer, 100..=599, "a status from 100 to 599").map(Self)
    }
}
