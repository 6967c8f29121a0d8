//! A connection to a database with today's schema, and what the forwarder does over it.

use futures::{FutureExt as _, TryFutureExt as _};
use sqlx::{Connection as _, MySqlConnection};

use super::connection::{CONNECT_DEADLINE, bring_up_to_date, connect_to_database, session, within};
use super::error::{LinkError, data_error, explain};
use super::options::MariaDbOptions;
use super::statement;
use crate::store::outbox::{Entry, Relation, Source};

/// Room for the statement around a row's content, within `max_allowed_packet`.
const PACKET_MARGIN: usize = 4096;

/// Why a batch was not committed.
#[derive(Debug)]
pub enum SendError {
    /// MariaDB refuses one entry for what it contains; sending it again is of no use.
    Refused {
        /// The entry's place in the queue.
        seq: i64,
        /// MariaDB's words.
        error: String,
    },
    /// Anything else: to be tried again on a new connection.
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for SendError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

/// A connection to a database with today's schema.
#[derive(Debug)]
pub struct Link {
    conn: MySqlConnection,
    max_packet: usize,
}

impl Link {
    /// Connects, creates the database where it is missing, and migrates it.
    pub async fn open(options: &MariaDbOptions) -> Result<Self, LinkError> {
        let connecting = connect_to_database(options).boxed();
        let mut conn = within(CONNECT_DEADLINE, options, connecting).await?;
        bring_up_to_date(&mut conn, options).boxed().await?;
        let asking = session(&mut conn).map_err(|error| explain(options, &error));
        let max_packet = within(CONNECT_DEADLINE, options, asking).await?;
        Ok(Self { conn, max_packet })
    }

    /// What the database says about whose rows it holds.
    pub async fn source(&mut self) -> Result<Option<Source>, sqlx::Error> {
        sqlx::query_as("SELECT store_id, last_seq FROM mirror_source")
            .fetch_optional(&mut self.conn)
            .await
    }

    /// Says whose rows the database holds from now on.
    pub async fn set_source(&mut self, source: &Source) -> Result<(), sqlx::Error> {
        sqlx::query("REPLACE INTO mirror_source (id, store_id, last_seq) VALUES (1, ?, ?)")
            .bind(&source.store_id)
            .bind(source.last_seq)
            .execute(&mut self.conn)
            .await
            .map(drop)
    }

    /// Applies `entries` in one transaction and notes in it that they were received. Returns
    /// false, with nothing done, when the database was taken over by another store.
    pub async fn apply(&mut self, entries: &[&Entry], source: &Source) -> Result<bool, SendError> {
        let max_packet = self.max_packet;
        let mut tx = self.conn.begin().await?;
        for entry in entries {
            if entry.change.size() + PACKET_MARGIN > max_packet {
                let error =
                    format!("larger than MariaDB's max_allowed_packet ({max_packet} bytes)");
                return Err(SendError::Refused {
                    seq: entry.seq,
                    error,
                });
            }
            if let Err(error) = statement::apply(&mut tx, entry).await {
                return Err(match data_error(&error) {
                    Some(text) => SendError::Refused {
                        seq: entry.seq,
                        error: text,
                    },
                    None => SendError::Failed(error),
                });
            }
        }
        let noted = sqlx::query("UPDATE mirror_source SET last_seq = ? WHERE store_id = ?")
            .bind(source.last_seq)
            .bind(&source.store_id)
            .execute(&mut *tx)
            .await?;
        if noted.rows_affected() == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The uuids of a table in order, at most `limit`, behind `after`.
    pub async fn uuids(
        &mut self,
        relation: Relation,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, sqlx::Error> {
        let sql = match relation {
            Relation::Pods => "SELECT uuid FROM pods WHERE uuid > ? ORDER BY uuid LIMIT ?",
            Relation::Workflows => {
                "SELECT uuid FROM workflows WHERE uuid > ? ORDER BY uuid LIMIT ?"
            }
            Relation::WorkflowRuns => {
                "SELECT uuid FROM workflow_runs WHERE uuid > ? ORDER BY uuid LIMIT ?"
            }
            Relation::PodRuns => "SELECT uuid FROM pod_runs WHERE uuid > ? ORDER BY uuid LIMIT ?",
            Relation::ResourceAlerts => {
                "SELECT uuid FROM resource_alerts WHERE uuid > ? ORDER BY uuid LIMIT ?"
            }
            Relation::Events => "SELECT uuid FROM events WHERE uuid > ? ORDER BY uuid LIMIT ?",
            Relation::Audit => "SELECT uuid FROM audit WHERE uuid > ? ORDER BY uuid LIMIT ?",
            Relation::SystemResources => {
                "SELECT uuid FROM system_resources WHERE uuid > ? ORDER BY uuid LIMIT ?"
            }
        };
        sqlx::query_scalar(sql)
            .bind(after)
            .bind(limit)
            .fetch_all(&mut self.conn)
            .await
    }

    /// Deletes rows by their uuids, in one transaction.
    pub async fn delete(
        &mut self,
        relation: Relation,
        uuids: &[String],
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.conn.begin().await?;
        for uuid in uuids {
            statement::delete(&mut tx, relation, uuid).await?;
        }
        tx.commit().await
    }

    /// Says goodbye.
    pub async fn close(self) {
        // The server drops the connection either way.
        let _ = self.conn.close().await;
    }
}
