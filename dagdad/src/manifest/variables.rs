//! The variables file: what `${NAME}` in a manifest stands for.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// Names and their values. Values are taken for secrets: they live in memory only and show
/// in no `Debug`, log or error.
#[derive(Clone, Default)]
pub struct Variables(HashMap<String, SecretString>);

/// Why a variables file cannot be used. No message shows a value.
#[derive(Debug, thiserror::Error)]
pub enum VariablesError {
    /// It cannot be read.
    #[error("cannot read the variables file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A line is not understood.
    #[error("{}:{line}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong and what to write instead.
        reason: String,
    },
}

impl Variables {
    /// Reads a file of lines `NAME=value`. A missing file has no variables.
    ///
    /// The file means what a shell that sources it would make of it, except that nothing is
    /// expanded: `export ` may stand in front; `#` begins a comment at the beginning of a
    /// line or behind a space; between `'…'` everything stands for itself; between `"…"`,
    /// `\"`, `\\`, `\$` and `` \` `` stand for the second character. Quoted values may span
    /// lines. Unlike in a shell an unquoted value may hold spaces. A name given twice has
    /// its last value.
    ///
    /// # Errors
    /// The file is there and cannot be read, is not UTF-8, or a line is none of the above.
    pub fn read(path: &Path) -> Result<Self, VariablesError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|(line, reason)| VariablesError::Syntax {
                path: path.to_owned(),
                line,
                reason,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(VariablesError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// The value of `name`, to be shown to nobody.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(ExposeSecret::expose_secret)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The variables in `text`; else the line, from 1, and what is wrong there.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut variables = HashMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let line = || 1 + text[..text.len() - rest.len()].matches('\n').count();
            let (first, below) = rest.split_once('\n').unwrap_or((rest, ""));
            let trimmed = first.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                rest = below;
                continue;
            }
            let Some((name, value)) = rest
                .split_once('=')
                .filter(|(name, _)| !name.contains('\n'))
            else {
                return Err((line(), "expected NAME=value".to_owned()));
            };
            let name = name.trim_start();
            let name = name.strip_prefix("export ").map_or(name, str::trim_start);
            if !is_name(name) {
                let reason = format!(
                    "{name:?} is not a variable's name; use letters, digits and '_', not beginning with a digit, and no space before '='"
                );
                return Err((line(), reason));
            }
            let (value, below) =
                read_value(value).map_err(|reason| (line(), format!("{name}: {reason}")))?;
            variables.insert(name.to_owned(), SecretString::from(value));
            rest = below;
        }
        Ok(Self(variables))
    }
}

/// A value and what stands below its line.
fn read_value(text: &str) -> Result<(String, &str), String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let Some(quote) = quote else {
        let (line, below) = text.split_once('\n').unwrap_or((text, ""));
        let comment = line.char_indices().find(|&(at, c)| {
            c == '#'
                && line[..at]
                    .chars()
                    .next_back()
                    .is_some_and(char::is_whitespace)
        });
        let value = comment.map_or(line, |(at, _)| &line[..at]);
        return Ok((value.trim().to_owned(), below));
    };
    let mut value = String::new();
    let mut characters = text[1..].char_indices();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            let (behind, below) = text[at + 2..]
                .split_once('\n')
                .unwrap_or((&text[at + 2..], ""));
            let behind_trimmed = behind.trim();
            if behind_trimmed.is_empty()
                || (behind.starts_with([' ', '\t']) && behind_trimmed.starts_with('#'))
            {
                return Ok((value, below));
            }
            return Err(format!(
                "only a comment may stand behind the closing {quote}"
            ));
        }
        let escaped = (quote == '"' && character == '\\')
            .then(|| characters.as_str().chars().next())
            .flatten()
            .filter(|next| matches!(next, '"' | '\\' | '$' | '`'));
        match escaped {
            Some(next) => {
                value.push(next);
                characters.next();
            }
            None => value.push(character),
        }
    }
    Err(format!("the closing {quote} is missing"))
}

/// Whether `text` can name a variable: `[A-Za-z_][A-Za-z0-9_]*`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), SecretString::from(value.into())))
                .collect(),
        )
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<&String> = self.0.keys().collect();
        names.sort();
        f.debug_tuple("Variables").field(&names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("A=1", "1")]
    #[case("export A=1", "1")]
    #[case("  A=1  ", "1")]
    #[case("A=", "")]
    #[case("A=a b # why", "a b")]
    #[case("A=a#b", "a#b")]
    #[case("A=#b", "#b")]
    #[case("A=a=b", "a=b")]
    #[case("A='a \"b\" \\n $X # c'", "a \"b\" \\n $X # c")]
    #[case(r#"A="a 'b' \" \\ \$ \` \n" # why"#, "a 'b' \" \\ $ ` \\n")]
    #[case("A='two\nlines'", "two\nlines")]
    #[case("A=1\r\nB=2\r\n", "1")]
    #[case("# A=0\n\nA=1\nA=2", "2")]
    #[case("\u{feff}A=1", "1")]
    #[case("A=it's", "it's")]
    fn values(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Variables::parse(text).unwrap().get("A").unwrap(), expected);
    }

    #[rstest]
    #[case("A=1\nB", 2, "expected NAME=value")]
    #[case("A=1\nsecret text\nB=2", 2, "expected NAME=value")]
    #[case(
        "\n1A=x",
        2,
        "\"1A\" is not a variable's name; use letters, digits and '_', not beginning with a digit, and no space before '='"
    )]
    #[case(
        "A =x",
        1,
        "\"A \" is not a variable's name; use letters, digits and '_', not beginning with a digit, and no space before '='"
    )]
    #[case("A='x\n\n", 1, "A: the closing ' is missing")]
    #[case("A='x'y", 1, "A: only a comment may stand behind the closing '")]
    #[case(
        "A='a\nb'\n=x",
        3,
        "\"\" is not a variable's name; use letters, digits and '_', not beginning with a digit, and no space before '='"
    )]
    fn errors_have_a_line(#[case] text: &str, #[case] line: usize, #[case] reason: &str) {
        assert_eq!(
            Variables::parse(text).unwrap_err(),
            (line, reason.to_owned())
        );
    }

    #[test]
    fn a_missing_file_is_empty_and_a_bad_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("variables.env");
        assert!(Variables::read(&path).unwrap().is_empty());
        std::fs::write(&path, "A=1\nB\n").unwrap();
        let error = Variables::read(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{}:2: expected NAME=value", path.display()));
        let error = Variables::read(folder.path()).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read the variables file"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn any_value_can_be_quoted(value in "\\PC{0,20}", other in any::<String>()) {
            let text = |value: &str| format!("A=\"{}\" # c\nB=2", value.replace('\\', "\\\\").replace('"', "\\\""));
            for value in [&value, &other] {
                let variables = Variables::parse(&text(value)).unwrap();
                prop_assert_eq!(variables.get("A"), Some(value.as_str()));
                prop_assert_eq!(variables.get("B"), Some("2"));
            }
        }

        #[test]
        fn no_text_brings_the_reader_down(text in any::<String>()) {
            let _ = Variables::parse(&text);
        }
    }
}
