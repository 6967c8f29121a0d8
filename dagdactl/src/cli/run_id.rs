//! The id of a run on the command line.

use std::fmt;
use std::str::FromStr;

/// The length of a whole id: a UUID with its hyphens.
const WHOLE: usize = 36;

/// The id of a run, or its first characters: hexadecimal digits and hyphens, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId(String);

/// Why a text is not the id of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a run's id looks like 019a2f4c-7b1e-7000-8000-0123456789ab; its first characters are enough where they are clear; see: dagdactl workflow runs"
)]
pub struct RunIdError;

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        let allowed = |c: char| c.is_ascii_hexdigit() || c == '-';
        if (1..=WHOLE).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(RunIdError)
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0")]
    #[case("019A2F4C-7b1e")]
    #[case("019a2f4c-7b1e-7000-8000-0123456789ab")]
    fn accepts_ids_and_their_beginnings(#[case] text: &str) {
        assert_eq!(
            text.parse::<RunId>().unwrap().to_string(),
            text.to_lowercase()
        );
    }

    #[rstest]
    #[case("")]
    #[case("ai-complete")]
    #[case("019a2f4c-7b1e-7000-8000-0123456789abc")]
    #[case("019a\u{1b}")]
    fn rejects_others(#[case] text: &str) {
        assert_eq!(text.parse::<RunId>(), Err(RunIdError));
    }
}
