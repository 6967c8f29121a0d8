//! The configuration file: TOML, every key known.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::DEFAULT_FILE;
use super::environment::{CONFIG, Environment};
use super::error::{ConfigError, Origin};
use super::nearest;
use super::schema::{self, Draft, Setting};
use super::value::Value;

/// A file with nothing but known keys; whether their values are allowed is seen when they are
/// merged.
#[derive(Debug)]
pub struct FileConfig {
    path: PathBuf,
    entries: Vec<Entry>,
}

struct Entry {
    setting: &'static Setting,
    value: Value,
    line: usize,
}

impl fmt::Debug for Entry {
    /// Without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in line {}", self.setting, self.line)
    }
}

impl FileConfig {
    /// Reads the file that is meant: `explicit`, else what `DAGDA_CONFIG` names, else
    /// [`super::DEFAULT_FILE`] where that exists.
    ///
    /// # Errors
    /// As [`FileConfig::read`].
    pub fn find(
        explicit: Option<&Path>,
        environment: &Environment,
    ) -> Result<Option<Self>, ConfigError> {
        let named = match explicit {
            Some(path) => Some(path.to_owned()),
            None => environment.get(CONFIG)?.map(PathBuf::from),
        };
        match named {
            Some(path) => Self::read(&path).map(Some),
            None => Self::read_if_there(Path::new(DEFAULT_FILE)),
        }
    }

    /// Where it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file that must be there.
    ///
    /// # Errors
    /// [`ConfigError`] where it is not, is no TOML, or has an unknown key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads a file that need not be there.
    ///
    /// # Errors
    /// As [`FileConfig::read`], but for its absence.
    pub fn read_if_there(path: &Path) -> Result<Option<Self>, ConfigError> {
        match Self::read(path) {
            Err(ConfigError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Parses the text of the file at `path`.
    ///
    /// # Errors
    /// [`ConfigError`] where it is no TOML or has an unknown key.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let document = DeTable::parse(text).map_err(|error| {
            let (line, column) = position(text, error.span().map_or(text.len(), |span| span.start));
            // Not the error's own Display: it quotes the line, which may hold a secret.
            let message = error.message().replace('\n', ", ");
            ConfigError::Syntax {
                path: path.to_owned(),
                line,
                column,
                message,
            }
        })?;
        let mut entries = Vec::new();
        for (name, body) in in_order(document.get_ref()) {
            // [alerts.ram_high] is a table in a table; its name here is `alerts.ram_high`.
            let outer = schema::tables().any(|table| {
                let inner = table.strip_prefix(name.get_ref().as_ref());
                inner.is_some_and(|inner| inner.starts_with('.'))
            });
            match body.get_ref().as_table().filter(|_| outer) {
                Some(tables) => {
                    for (inner, body) in in_order(tables) {
                        let full = format!("{}.{}", name.get_ref(), inner.get_ref());
                        let is_table = schema::tables().any(|table| table == full);
                        if !is_table && body.get_ref().as_table().is_none() {
                            // A key of the outer table itself.
                            let key = (inner, body);
                            entries.push(entry(text, path, name.get_ref(), key)?);
                            continue;
                        }
                        let full = Spanned::new(inner.span(), Cow::Owned(full));
                        entries.extend(table_entries(text, path, &full, body)?);
                    }
                }
                None => entries.extend(table_entries(text, path, name, body)?),
            }
        }
        Ok(Self {
            path: path.to_owned(),
            entries,
        })
    }

    /// Puts all values into `draft`.
    pub(super) fn apply(self, draft: &mut Draft) -> Result<(), ConfigError> {
        for Entry {
            setting,
            value,
            line,
        } in &self.entries
        {
            (setting.set)(value, draft).map_err(|allowed| ConfigError::Invalid {
                key: setting.path(),
                value: setting.shown(value),
                origin: Origin::file(&self.path, *line),
                allowed,
            })?;
        }
        if draft.mariadb.has_two_addresses() {
            return Err(ConfigError::TwoAddresses { path: self.path });
        }
        if draft.notifications.has_two_webhooks() {
            return Err(ConfigError::TwoWebhooks { path: self.path });
        }
        Ok(())
    }
}

fn table_entries(
    text: &str,
    path: &Path,
    name: &Spanned<Cow<'_, str>>,
    body: &Spanned<DeValue<'_>>,
) -> Result<Vec<Entry>, ConfigError> {
    let line_of = |offset| position(text, offset).0;
    let table_line = line_of(name.span().start);
    let Some(table) = schema::tables().find(|table| *table == name.get_ref().as_ref()) else {
        let word = name.get_ref();
        return Err(ConfigError::UnknownKey {
            key: word.escape_debug().to_string(),
            path: path.to_owned(),
            line: table_line,
            advice: nearest::advise(None, word),
        });
    };
    let Some(keys) = body.get_ref().as_table() else {
        return Err(ConfigError::NotATable {
            table,
            path: path.to_owned(),
            line: table_line,
        });
    };
    in_order(keys)
        .into_iter()
        .map(|key| entry(text, path, table, key))
        .collect()
}

fn entry(
    text: &str,
    path: &Path,
    table: &str,
    (key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>),
) -> Result<Entry, ConfigError> {
    let word = key.get_ref().as_ref();
    let line = position(text, key.span().start).0;
    let known = schema::SETTINGS
        .iter()
        .find(|setting| setting.table == table && setting.key == word);
    match known {
        Some(setting) => Ok(Entry {
            setting,
            value: Value::from_toml(value.get_ref()),
            line,
        }),
        None if (table, word) == ("mariadb", "password") => Err(ConfigError::PasswordInFile {
            path: path.to_owned(),
            line,
        }),
        None => Err(ConfigError::UnknownKey {
            key: format!("{table}.{}", word.escape_debug()),
            path: path.to_owned(),
            line,
            advice: nearest::advise(Some(table), word),
        }),
    }
}

/// The table's entries as they stand in the file, so that the first fault is the one told.
fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(&'t Spanned<Cow<'i, str>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// 1-based line and column (in characters) of the byte at `offset`.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
impl FileConfig {
    /// The paths of all keys, sorted.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self
            .entries
            .iter()
            .map(|entry| entry.setting.path())
            .collect();
        keys.sort();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = FileConfig::parse(&text, Path::new("x"));
        }

        #[test]
        fn nothing_toml_like_makes_it_panic(text in "[\\[\\]a-z_=\"'.{},0-9 \n#]{0,80}") {
            if let Ok(file) = FileConfig::parse(&text, Path::new("x")) {
                let _ = file.apply(&mut Draft::default());
            }
        }
    }
}
