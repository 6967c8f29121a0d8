//! `[access]`: who may do what.

use crate::domain::caller::{Access, Members};

/// What was said of it.
#[derive(Debug, Default)]
pub struct AccessDraft {
    pub viewers: Option<Members>,
    pub operators: Option<Members>,
    pub admins: Option<Members>,
}

impl AccessDraft {
    pub fn finish(self) -> Access {
        let Self {
            viewers,
            operators,
            admins,
        } = self;
        let usual = Access::default();
        Access {
            viewers: viewers.unwrap_or(usual.viewers),
            operators: operators.unwrap_or(usual.operators),
            admins: admins.unwrap_or(usual.admins),
        }
    }
}
