//! Values as they were given, and the kinds of value that settings take.

use std::fmt;
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::CpuAdmission;
use super::notifications::{WEBHOOK, WebhookOptions};
use crate::domain::alert::Severity;
use crate::domain::caller::Members;
use crate::domain::economy::Policy;

/// A Unix socket's path has at most so many bytes (`sun_path`, without its NUL).
const LONGEST_SOCKET_PATH: usize = 107;

/// Stands for whoever the socket lets in.
const EVERYONE: &str = "*";
/// Far longer than any system's group names.
const LONGEST_GROUP: usize = 255;

/// A value before its setting has looked at it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A TOML string.
    Text(String),
    /// A TOML integer in range.
    Integer(i64),
    /// A TOML float.
    Float(f64),
    /// A TOML list of strings.
    List(Vec<String>),
    /// A TOML value that no setting takes: what it is.
    Other(&'static str),
    /// An environment variable, whose type is in its text only.
    Variable(String),
}

impl Value {
    pub fn from_toml(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.clone().into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Self::Other("an integer that is too large"), Self::Integer),
            DeValue::Float(number) => number
                .as_str()
                .parse()
                .map_or(Self::Other("a number that is too large"), Self::Float),
            DeValue::Boolean(true) => Self::Other("true"),
            DeValue::Boolean(false) => Self::Other("false"),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Array(values) => {
                let text = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
                    DeValue::String(text) => Some(text.clone().into_owned()),
                    _ => None,
                };
                let texts = values.iter().map(text).collect::<Option<_>>();
                texts.map_or(Self::Other("a list"), Self::List)
            }
            DeValue::Table(_) => Self::Other("a table"),
        }
    }
}

impl fmt::Display for Value {
    /// As it was written, control characters escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Variable(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::List(texts) => write!(f, "{texts:?}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// The value, or what would have been allowed: completes "give …".
pub type Parsed<T> = Result<T, String>;

/// A duration within `range`, such as `"5s"`.
pub fn duration(
    value: &Value,
    range: RangeInclusive<Duration>,
    example: Duration,
) -> Parsed<Duration> {
    let parsed = match value {
        Value::Text(text) => humantime::parse_duration(text).ok(),
        // The seeds' variables are bare numbers of seconds.
        Value::Variable(text) => text
            .parse()
            .map(Duration::from_secs)
            .ok()
            .or_else(|| humantime::parse_duration(text).ok()),
        _ => None,
    };
    parsed
        .filter(|duration| range.contains(duration))
        .ok_or_else(|| {
            let [least, most, example] = [*range.start(), *range.end(), example].map(short);
            let bare = if matches!(value, Value::Variable(_)) {
                " (a bare number is in seconds)"
            } else {
                ""
            };
            format!("a duration from {least} to {most}, such as {example:?}{bare}")
        })
}

/// In the largest unit that leaves no rest: `7d`, `90s`.
fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (size, unit) = [(86400, "d"), (3600, "h"), (60, "m")]
        .into_iter()
        .find(|(size, _)| seconds.is_multiple_of(*size))
        .unwrap_or((1, "s"));
    format!("{}{unit}", seconds / size)
}

/// A percentage above 0, at most 100.
#[allow(clippy::cast_precision_loss)] // what a float cannot hold is far out of range
pub fn percent(value: &Value) -> Parsed<f64> {
    let number = match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Variable(text) => text.strip_suffix('%').unwrap_or(text).trim().parse().ok(),
        Value::Text(_) | Value::List(_) | Value::Other(_) => None,
    };
    number
        .filter(|percent| *percent > 0.0 && *percent <= 100.0)
        .ok_or_else(|| "a number above 0 and at most 100, such as 80".to_owned())
}

/// What a lack of CPU does to a start.
pub fn cpu_admission(value: &Value) -> Parsed<CpuAdmission> {
    match value {
        Value::Text(text) | Value::Variable(text) if text == "warn" => Ok(CpuAdmission::Warn),
        Value::Text(text) | Value::Variable(text) if text == "enforce" => Ok(CpuAdmission::Enforce),
        _ => Err("\"warn\" or \"enforce\"".to_owned()),
    }
}

/// How bad an alert is.
pub fn severity(value: &Value) -> Parsed<Severity> {
    let word = match value {
        Value::Text(text) | Value::Variable(text) => text.as_str(),
        _ => "",
    };
    Severity::ALL
        .into_iter()
        .find(|severity| severity.as_str() == word)
        .ok_or_else(|| "\"info\", \"warning\" or \"critical\"".to_owned())
}

/// A program, by its absolute path, and its arguments.
pub fn command(value: &Value) -> Parsed<Vec<String>> {
    match value {
        Value::List(words)
            if words.first().is_some_and(|program| program.starts_with('/'))
                && !words.iter().any(|word| word.contains('\0')) =>
        {
            Ok(words.clone())
        }
        _ => Err(
            "a list of a program's absolute path and its arguments, such as [\"/usr/local/bin/page-me\", \"--loud\"]"
                .to_owned(),
        ),
    }
}

/// Who has a role.
pub fn members(value: &Value) -> Parsed<Members> {
    let group = |name: &String| {
        !name.is_empty()
            && name.chars().count() <= LONGEST_GROUP
            && !name.contains(|c: char| c.is_control() || c == ':' || c == '*')
    };
    match value {
        Value::List(names) if names.iter().any(|name| name == EVERYONE) && names.len() == 1 => {
            Ok(Members::Everyone)
        }
        Value::List(names) if names.iter().all(group) => Ok(Members::Groups(names.clone())),
        _ => Err(format!(
            "a list of the names of Unix groups, such as [\"dagda\"], or [\"{EVERYONE}\"] for everyone"
        )),
    }
}

/// Where alerts are posted to.
pub fn webhook(value: &Value) -> Parsed<WebhookOptions> {
    let url = match value {
        Value::Text(text) | Value::Variable(text) => WebhookOptions::parse(text),
        _ => None,
    };
    url.ok_or_else(|| WEBHOOK.to_owned())
}

/// What economy mode may do.
pub fn policy(value: &Value) -> Parsed<Policy> {
    let word = match value {
        Value::Text(text) | Value::Variable(text) => text.as_str(),
        _ => "",
    };
    Policy::ALL
        .into_iter()
        .find(|policy| policy.as_str() == word)
        .ok_or_else(|| "\"auto\", \"on\" or \"off\"".to_owned())
}

/// A whole number within `range`, such as `3`.
pub fn count(value: &Value, range: RangeInclusive<u32>, example: u32) -> Parsed<u32> {
    let number = match value {
        Value::Integer(number) => u32::try_from(*number).ok(),
        Value::Variable(text) => text.parse().ok(),
        _ => None,
    };
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            format!("a whole number from {least} to {most}, such as {example}")
        })
}

/// A TCP port.
pub fn port(value: &Value) -> Parsed<u16> {
    let number = match value {
        Value::Integer(number) => u16::try_from(*number).ok(),
        Value::Variable(text) => text.parse().ok(),
        _ => None,
    };
    number
        .filter(|port| *port > 0)
        .ok_or_else(|| "a port from 1 to 65535, such as 3306".to_owned())
}

/// A path: absolute in the file, which knows no current directory.
pub fn path(value: &Value) -> Parsed<PathBuf> {
    match value {
        Value::Text(text) if text.starts_with('/') && !text.contains('\0') => Ok(text.into()),
        Value::Variable(text) => Ok(text.into()),
        _ => Err("an absolute path, such as \"/srv/dagda\"".to_owned()),
    }
}

/// The path of a Unix socket.
pub fn socket_path(value: &Value) -> Parsed<PathBuf> {
    path(value).ok().filter(|path| path.as_os_str().len() <= LONGEST_SOCKET_PATH).ok_or_else(|| {
        format!("an absolute path of at most {LONGEST_SOCKET_PATH} bytes, such as \"/run/dagda/dagdad.sock\"")
    })
}

/// A host name or IP address without a port.
pub fn host(value: &Value) -> Parsed<String> {
    let allowed =
        "a host name or IP address, such as \"127.0.0.1\" (the port has a key of its own)";
    text(value, 255, allowed).and_then(|host| {
        let plain = host
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if plain || host.parse::<Ipv6Addr>().is_ok() {
            Ok(host)
        } else {
            Err(allowed.to_owned())
        }
    })
}

/// A name of at most `longest` characters.
pub fn name(value: &Value, longest: usize) -> Parsed<String> {
    text(
        value,
        longest,
        &format!("a name of 1 to {longest} characters"),
    )
}

fn text(value: &Value, longest: usize, allowed: &str) -> Parsed<String> {
    match value {
        Value::Text(text) | Value::Variable(text)
            if (1..=longest).contains(&text.chars().count())
                && !text.chars().any(char::is_control) =>
        {
            Ok(text.clone())
        }
        _ => Err(allowed.to_owned()),
    }
}
