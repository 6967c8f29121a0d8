//! `silences`: of what nobody is notified, and until when.

use sqlx::SqliteConnection;

use super::alert::condition;
use super::value::{BadValue, bad, timestamp, uuid};
use crate::domain::silence::{Silence, Silenced};

const CONDITION: &str = "silences.condition";
const OBJECT: &str = "silences.object";

/// A row of `silences`.
#[derive(Debug, sqlx::FromRow)]
pub struct SilenceRow {
    pub uuid: String,
    pub condition: Option<String>,
    pub object: Option<String>,
    pub created_at: i64,
    pub until: i64,
}

impl From<&Silence> for SilenceRow {
    fn from(silence: &Silence) -> Self {
        let Silence {
            id,
            of,
            created_at,
            until,
        } = silence;
        let (condition, object) = match of {
            Silenced::Condition(condition) => (Some(condition.as_str().to_owned()), None),
            Silenced::Object(object) => (None, Some(object.clone())),
        };
        Self {
            uuid: id.to_string(),
            condition,
            object,
            created_at: created_at.as_microsecond(),
            until: until.as_microsecond(),
        }
    }
}

impl TryFrom<SilenceRow> for Silence {
    type Error = BadValue;

    fn try_from(row: SilenceRow) -> Result<Self, BadValue> {
        Ok(Self {
            id: uuid("silences.uuid", &row.uuid)?,
            of: match (row.condition, row.object) {
                (Some(text), None) => {
                    Silenced::Condition(condition(&text).ok_or_else(|| bad(CONDITION, &text))?)
                }
                (None, Some(object)) => Silenced::Object(object),
                (Some(_), Some(_)) => {
                    return Err(BadValue::Surplus {
                        column: OBJECT,
                        state: "a silence of a condition",
                    });
                }
                (None, None) => {
                    return Err(BadValue::Missing {
                        column: OBJECT,
                        state: "not a silence of a condition",
                    });
                }
            },
            created_at: timestamp("silences.created_at", row.created_at)?,
            until: timestamp("silences.until", row.until)?,
        })
    }
}

impl SilenceRow {
    /// Inserts or replaces the row, by its uuid.
    pub async fn put(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO silences (uuid, condition, object, created_at, until)
             VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (uuid) DO UPDATE SET condition = excluded.condition,
                object = excluded.object, created_at = excluded.created_at,
                until = excluded.until",
        );
        super::bind!(query, self; uuid, condition, object, created_at, until)
            .execute(conn)
            .await
            .map(drop)
    }

    /// Every silence, oldest first.
    pub async fn all(conn: &mut SqliteConnection) -> Result<Vec<Self>, sqlx::Error> {
        let found: Vec<Self> = sqlx::query_as("SELECT * FROM silences ORDER BY created_at, uuid")
            .fetch_all(conn)
            .await?;
        // A condition that a later version watches is not this one's to be silent about.
        Ok(found
            .into_iter()
            .filter(|row| {
                let text = row.condition.as_deref();
                text.is_none_or(|text| condition(text).is_some())
            })
            .collect())
    }
}
