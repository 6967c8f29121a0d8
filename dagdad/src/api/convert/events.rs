//! What happened and why.

use dagda_proto::v1;

use super::time::timestamp;
use crate::domain::event::EventRecord;

pub fn event(record: &EventRecord) -> v1::Event {
    let EventRecord {
        run,
        id,
        at,
        kind,
        object,
        message,
    } = record;
    v1::Event {
        run: run.map(|run| run.to_string()),
        id: id.to_string(),
        at: Some(timestamp(*at)),
        kind: kind.as_str().to_owned(),
        object: object.clone(),
        message: message.clone(),
    }
}
