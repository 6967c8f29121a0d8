//! Names on the command line, checked before anything is sent.

use std::fmt;
use std::str::FromStr;

/// The longest name that dagdad takes, in bytes.
const MAX_LEN: usize = 63;

/// A well-formed name of a pod, a container or a workflow: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, at most
/// 63 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than 63 bytes.
    #[error("a name has at most {MAX_LEN} characters, this one has {0}")]
    TooLong(usize),
    /// A character that no name has.
    #[error(
        "{0:?} is not allowed in a name; use letters, digits, '-', '_' and '.', beginning with a letter or digit"
    )]
    BadCharacter(char),
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let allowed = |&(index, character): &(usize, char)| {
            character.is_ascii_alphanumeric() || (index > 0 && matches!(character, '-' | '_' | '.'))
        };
        if let Some((_, character)) = text.char_indices().find(|pair| !allowed(pair)) {
            return Err(NameError::BadCharacter(character));
        }
        if text.len() > MAX_LEN {
            return Err(NameError::TooLong(text.len()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn accepts_names(#[values("llama", "0", "Llama_2.server-a", &"x".repeat(63))] text: &str) {
        assert_eq!(text.parse::<Name>().unwrap().as_str(), text);
    }

    #[rstest]
    #[case("", NameError::Empty)]
    #[case("a/b", NameError::BadCharacter('/'))]
    #[case("a b", NameError::BadCharacter(' '))]
    #[case("-a", NameError::BadCharacter('-'))]
    #[case(".", NameError::BadCharacter('.'))]
    #[case("é", NameError::BadCharacter('é'))]
    #[case("a\u{1b}[31m", NameError::BadCharacter('\u{1b}'))]
    #[case(&"x".repeat(64), NameError::TooLong(64))]
    fn rejects_others(#[case] text: &str, #[case] why: NameError) {
        assert_eq!(text.parse::<Name>(), Err(why));
    }

    #[test]
    fn control_characters_are_escaped_in_the_message() {
        assert!(
            !NameError::BadCharacter('\u{1b}')
                .to_string()
                .contains('\u{1b}')
        );
    }
}
