//! Routes of configuration that an apply does not apply: that of a container, or of a host set up by hand.

use crate::cli::elsewhere::Elsewhere;
use crate::model::Url;
use crate::source::Revision;
use crate::source::nginx::router::Answer;
use crate::source::routes::Routes;

/// Files that one nginx reads.
pub(super) struct Part<'a> {
    pub files: &'a Elsewhere,
    pub routes: Routes<'a>,
}

impl<'a> Part<'a> {
    /// Those with servers.
    pub(super) fn of(elsewhere: &'a [Elsewhere], desired: &'a Revision) -> Vec<Self> {
        let part = |files: &'a Elsewhere| Self {
            files,
            routes: Routes::elsewhere(&files.revision, desired),
        };
        let parts = elsewhere.iter().map(part);
        parts
            .filter(|part| !part.routes.router.servers().is_empty())
            .collect()
    }
}

/// How well a server fits a URL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// None listens on its port.
    None,
    /// One takes it, since it is the first of its port.
    First,
    /// One is the default of its port.
    Default,
    /// One has the name.
    Named,
}

impl Fit {
    fn of(answer: &Answer) -> Self {
        match answer.server {
            None => Self::None,
            Some(_) if answer.named => Self::Named,
            Some(_) if answer.certain => Self::Default,
            Some(_) => Self::First,
        }
    }
}

/// The parts with a server of that name. Where no server at all has it, those that take it in some other way.
pub(super) fn fitting<'p, 'a>(
    main: &Routes,
    parts: &'p [Part<'a>],
    url: &Url,
) -> Vec<&'p Part<'a>> {
    let of = |routes: &Routes| Fit::of(&routes.answer(url));
    let fits: Vec<Fit> = parts.iter().map(|part| of(&part.routes)).collect();
    let best = fits.iter().copied().max().unwrap_or(Fit::None);
    let wanted = match best {
        Fit::None => return Vec::new(),
        Fit::Named => Fit::Named,
        best if best > of(main) => best,
        _ => return Vec::new(),
    };
    let both = parts.iter().zip(fits);
    both.filter(|(_, fit)| *fit == wanted)
        .map(|(part, _)| part)
        .collect()
}
