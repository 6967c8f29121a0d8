//! Streams towards callers. None buffers for a slow reader: a watch skips to the newest
//! value, and all end when dagdad does.

use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::status;
use crate::domain::error::CommandError;

/// What a streaming call returns.
pub type Stream<T> = BoxStream<'static, Result<T, Status>>;

/// The value now, then again at each change. `last` says which value ends the stream.
pub fn watching<V, T>(
    receiver: watch::Receiver<V>,
    ending: CancellationToken,
    to_wire: impl Fn(&V) -> T + Send + Sync + 'static,
    last: impl Fn(&V) -> bool + Send + Sync + 'static,
) -> Stream<T>
where
    V: Send + Sync + 'static,
    T: Send + 'static,
{
    enum At<V> {
        First(watch::Receiver<V>),
        Next(watch::Receiver<V>),
        End,
    }
    let state = (At::First(receiver), ending, to_wire, last);
    stream::unfold(state, |(at, ending, to_wire, last)| async move {
        let mut receiver = match at {
            At::First(receiver) => receiver,
            At::Next(mut receiver) => {
                let changed = tokio::select! {
                    biased;
                    changed = receiver.changed() => changed.is_ok(),
                    () = ending.cancelled() => false,
                };
                if !changed {
                    let error = status::from_command(&CommandError::ShuttingDown);
                    return Some((Err(error), (At::End, ending, to_wire, last)));
                }
                receiver
            }
            At::End => return None,
        };
        let (item, ends) = {
            let value = receiver.borrow_and_update();
            (to_wire(&value), last(&value))
        };
        let next = if ends { At::End } else { At::Next(receiver) };
        Some((Ok(item), (next, ending, to_wire, last)))
    })
    .boxed()
}

/// `items`, until dagdad ends.
pub fn until_the_end<T: Send + 'static>(items: Stream<T>, ending: CancellationToken) -> Stream<T> {
    items.take_until(ending.cancelled_owned()).boxed()
}
