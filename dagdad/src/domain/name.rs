//! Names that people give to things, checked once, at the edge.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name accepted. Podman uses a pod's name as its host name, and Linux
/// allows 64 bytes there (`HOST_NAME_MAX`).
pub const MAX_LEN: usize = 63;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than [`MAX_LEN`] bytes.
    #[error("a name has at most {MAX_LEN} characters, this one has {length}")]
    TooLong {
        /// Length of the rejected text in bytes.
        length: usize,
    },
    /// A character that Podman does not take in a name.
    #[error(
        "{name:?} is not a name: character {position} ({character:?}) is not allowed; use letters, digits, '-', '_' and '.', beginning with a letter or digit"
    )]
    BadCharacter {
        /// The rejected text.
        name: String,
        /// 1-based position of the offending character.
        position: usize,
        /// The offending character.
        character: char,
    },
}

/// Checks `text` against what Podman takes as a name.
fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_LEN {
        return Err(NameError::TooLong { length: text.len() });
    }
    let allowed = |(index, character): (usize, char)| {
        character.is_ascii_alphanumeric() || (index > 0 && matches!(character, '-' | '_' | '.'))
    };
    match text.chars().enumerate().find(|&pair| !allowed(pair)) {
        None => Ok(()),
        Some((index, character)) => Err(NameError::BadCharacter {
            name: text.to_owned(),
            position: index + 1,
            character,
        }),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text).map(|()| Self(text.into()))
            }
        }

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    )*};
}

names! {
    /// The name of a catalogued pod: what Podman accepts as a pod name
    /// (`[a-zA-Z0-9][a-zA-Z0-9_.-]*`), at most [`MAX_LEN`] bytes. Cheap to clone.
    PodName,
    /// The name of a workflow, made like a pod's. Cheap to clone.
    WorkflowName,
}

/// What the catalogue holds, by kind and name. A pod and a workflow may bear the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectName {
    /// A pod.
    Pod(PodName),
    /// A workflow.
    Workflow(WorkflowName),
}

impl ObjectName {
    /// `pod` or `workflow`, as in the JSON contract.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Pod(_) => "pod",
            Self::Workflow(_) => "workflow",
        }
    }

    /// The name without its kind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pod(name) => name.as_str(),
            Self::Workflow(name) => name.as_str(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("llama")]
    #[case("Llama_2.server-a")]
    #[case("0")]
    fn accepts_what_podman_accepts(#[case] text: &str) {
        assert_eq!(text.parse::<PodName>().unwrap().as_str(), text);
    }

    #[rstest]
    #[case("", NameError::Empty)]
    #[case(&"x".repeat(300), NameError::TooLong { length: 300 })]
    fn rejects_by_length(#[case] text: &str, #[case] expected: NameError) {
        assert_eq!(text.parse::<PodName>(), Err(expected));
    }

    #[rstest]
    #[case("a/b", 2, '/')]
    #[case("a b", 2, ' ')]
    #[case("-a", 1, '-')]
    #[case("a\u{7}", 2, '\u{7}')]
    #[case("é", 1, 'é')]
    fn names_the_bad_character(#[case] text: &str, #[case] at: usize, #[case] what: char) {
        let error = text.parse::<PodName>().unwrap_err();
        assert!(
            matches!(error, NameError::BadCharacter { position, character, .. } if position == at && character == what)
        );
        assert!(
            !error.to_string().contains('\u{7}'),
            "control characters are escaped"
        );
    }
}
