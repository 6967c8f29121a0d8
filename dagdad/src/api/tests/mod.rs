//! The edge over hand-made snapshots: what is told, of what, and when.

mod access;
mod alerts;
mod backtest;
mod conversions;
mod economy;
mod events;
mod exporting;
mod following;
mod outcomes;
mod ports;
mod run_conversions;
mod runs;
mod workflows;

use std::sync::Arc;

use dagda_proto::{ERROR_DETAIL_KEY, v1};
use prost::Message as _;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};

use self::ports::{NoRuntime, Records};
use super::Api;
use super::access::Gate;
use super::caller::Callers;
use crate::domain::caller::{Caller, Role};
use crate::engine::Message;
use crate::engine::example::at;
use crate::engine::handle::Handle;
use crate::engine::snapshot::Snapshot;

/// The API over no engine.
struct Bench {
    api: Api,
    mailbox: mpsc::Receiver<Message>,
    snapshots: watch::Sender<Arc<Snapshot>>,
}

fn bench(snapshot: Snapshot, records: Records) -> Bench {
    let (engine, mailbox, snapshots) = Handle::detached(snapshot);
    let api = Api {
        engine: Gate::new(engine, Callers::everyone_is(Some(Role::Admin))),
        runtime: Arc::new(NoRuntime),
        store: Arc::new(records),
        parse: Arc::new(|_| unreachable!("nothing is applied here")),
        diagnose: Arc::new(|| unreachable!("nothing is diagnosed here")),
        ending: CancellationToken::new(),
    };
    Bench {
        api,
        mailbox,
        snapshots,
    }
}

/// A request of somebody who may do everything.
fn asked<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Caller {
        uid: 1000,
        gid: 1000,
        pid: None,
        user: Some("anna".to_owned()),
        role: Some(Role::Admin),
    });
    request
}

/// What a failed call tells programs.
fn detail(status: &Status) -> v1::ErrorDetail {
    let detail = status.metadata().get_bin(ERROR_DETAIL_KEY).unwrap();
    v1::ErrorDetail::decode(detail.to_bytes().unwrap()).unwrap()
}

/// A time of [`at`] as it is sent.
fn wire(second: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at(second).as_second(),
        nanos: 0,
    }
}
