//! What somebody is notified of.

use super::alert::Alert;

/// Why somebody is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// It began.
    Raised,
    /// It got worse.
    Worsened,
    /// It is over.
    Resolved,
}

impl Occasion {
    /// Lower case, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Worsened => "worsened",
            Self::Resolved => "resolved",
        }
    }
}

/// One thing to be told to whoever is to be notified.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// Why.
    pub occasion: Occasion,
    /// The alert as it is now.
    pub alert: Alert,
}
