//! Which Podman answers.

use std::time::Duration;

use super::client::{Call, Client};
use crate::ports::RuntimeError;

/// The part of Podman's version that says what it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl Version {
    /// Asks Podman.
    pub async fn fetch(client: &Client, deadline: Duration) -> Result<Self, RuntimeError> {
        let text = fetch_text(client, deadline).await?;
        Self::parse(&text)
            .ok_or_else(|| RuntimeError::Protocol(format!("{text:?} is not a version")))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '-']);
        Some(Self {
            major: numbers.next()?.parse().ok()?,
            minor: numbers.next()?.parse().ok()?,
        })
    }
}

/// Podman's version in full, such as `4.3.1` or `5.6.0-dev`.
///
/// Every answer carries it, that to a ping too, which is far cheaper than `GET /version`: for
/// that, Podman runs each of its helpers to ask for theirs.
pub async fn fetch_text(client: &Client, deadline: Duration) -> Result<String, RuntimeError> {
    let answer = client
        .call(Call::get("/_ping", "answer a ping"), deadline)
        .await?
        .accepted()?;
    answer
        .headers
        .get("Libpod-API-Version")
        .and_then(|version| version.to_str().ok())
        .map(str::to_owned)
        .ok_or_else(|| RuntimeError::Protocol("no version in the answer to a ping".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        let parse = |text| Version::parse(text).unwrap();
        assert!(parse("4.3.1") < parse("4.10.0"));
        assert!(parse("4.10.0") < parse("5.0.0-rc1"));
        assert_eq!(Version::parse("dev"), None);
    }
}
