//! The record of who asked for what, and what became of it.
//!
//! ```text
//! asked ─┬─► accepted ─┬─► done
//!        │             └─► failed
//!        ├─► done
//!        └─► refused
//! denied
//! ```
//!
//! What is accepted as an operation ends as the operation does. A run of a workflow stays
//! accepted: how it ended is told by the run itself. A row that says `asked` for good was asked
//! of a dagdad that ended before it could answer.

use jiff::Timestamp;
use uuid::Uuid;

use super::caller::Caller;
use super::operation::OperationId;

/// The longest object that is kept, in characters; what callers write may be of any length.
const LONGEST_OBJECT: usize = 200;
/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 1000;

/// One thing that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// UUIDv7.
    pub id: Uuid,
    /// When it was asked.
    pub at: Timestamp,
    /// Who asked: the user id.
    pub uid: u32,
    /// Who asked: the user's name at that time, where there was one.
    pub user: Option<String>,
    /// The process that asked, where the kernel could name it.
    pub pid: Option<i32>,
    /// What was asked, as dagdactl calls it: `pods start`.
    pub verb: String,
    /// Of what: a pod, a workflow, an alert, as the caller wrote it.
    pub object: Option<String>,
    /// The operation that it became.
    pub operation: Option<OperationId>,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// More about that, for people; without secrets, empty where there is no more to say.
    pub message: String,
}

/// What became of something that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditOutcome {
    /// Not answered yet.
    Asked,
    /// It is under way.
    Accepted,
    /// It was done, or nothing had to be done.
    Done,
    /// It could not be begun.
    Refused,
    /// It was begun and failed.
    Failed,
    /// The caller may not do that.
    Denied,
}

impl AuditOutcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Asked,
        Self::Accepted,
        Self::Done,
        Self::Refused,
        Self::Failed,
        Self::Denied,
    ];

    /// Lower case, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Denied => "denied",
        }
    }
}

impl AuditEntry {
    /// What `caller` asks for at `at`, before it is known what becomes of it.
    #[must_use]
    pub fn asked(
        id: Uuid,
        at: Timestamp,
        caller: &Caller,
        verb: &str,
        object: Option<&str>,
    ) -> Self {
        Self {
            id,
            at,
            uid: caller.uid,
            user: caller.user.clone(),
            pid: caller.pid,
            verb: verb.to_owned(),
            object: object.map(|object| shortened(object, LONGEST_OBJECT)),
            operation: None,
            outcome: AuditOutcome::Asked,
            message: String::new(),
        }
    }

    /// The same with what became of it.
    #[must_use]
    pub fn ended(self, outcome: AuditOutcome, message: &str) -> Self {
        Self {
            outcome,
            message: shortened(message, LONGEST_MESSAGE),
            ..self
        }
    }
}

fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Which entries are wanted, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Only younger than this.
    pub since: Option<Timestamp>,
    /// Only of this user: a name, or a user id in digits.
    pub user: Option<String>,
    /// Only about this object.
    pub object: Option<String>,
    /// Only what was denied.
    pub denied: bool,
    /// At most so many, the newest ones.
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_write_is_kept_in_part_where_it_is_long() {
        let caller = Caller {
            uid: 1000,
            gid: 1000,
            pid: Some(7),
            user: Some("anna".to_owned()),
            role: None,
        };
        let long = "ä".repeat(5000);
        let asked = |object| {
            AuditEntry::asked(Uuid::nil(), Timestamp::UNIX_EPOCH, &caller, "apply", object)
        };
        let entry = asked(Some(&long)).ended(AuditOutcome::Refused, &long);
        assert_eq!(entry.object.unwrap().chars().count(), LONGEST_OBJECT + 1);
        assert_eq!(entry.message.chars().count(), LONGEST_MESSAGE + 1);
        let entry = asked(Some("llama")).ended(AuditOutcome::Done, "llama runs");
        assert_eq!(
            (entry.object.as_deref(), entry.message.as_str()),
            (Some("llama"), "llama runs")
        );
    }
}
